// SPDX-License-Identifier: GPL-2.0-or-later
/* What is in use cannot be unloaded; what is not can, over and over. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "module.h"
#include "tap.h"
#include "vmm.h"
#include "wt.h"

enum { ROUNDS = 5 };

static bool in_use(int err)
{
	return err == EAGAIN || err == EBUSY;
}

CASE(the_module_cannot_be_removed_while_a_session_is_open)
{
	int fd = wt_open();

	CHECK(in_use(module_unload("kvm_wtrack")));
	wt_attach(fd, vm_new(1)->fd);
	CHECK(in_use(module_unload("kvm_wtrack")));
	CHECK_EQ(wt_users(fd, VM_DATA_GFN), 0);
}

CASE(the_module_cannot_be_removed_while_a_ring_is_mapped)
{
	struct wt *wt = wt_session(vm_new(1)->fd, 64, 0);

	close(wt->fd);
	CHECK(in_use(module_unload("kvm_wtrack")));
}

/*
 * From 6.12 on KVM itself does not keep its vendor module for a VM whose
 * descriptors are closed: the host would crash when the session lets go.
 */
CASE(the_vendor_module_cannot_be_removed_while_a_session_is_attached)
{
	struct vmm *vmm = vmm_fork(1);
	int vm_fd = vmm_take_fd(vmm), fd = wt_open();

	wt_attach(fd, vm_fd);
	close(vm_fd);
	CHECK(in_use(module_unload(module_vendor())));
	CHECK(in_use(module_unload("kvm")));
	/* Until it is found that the VM is closed, and then not longer. */
	module_set_param("poll_ms", 2000);
	sleep_ms(1000);
	vmm_tell(vmm, VMM_CLOSE);
	CHECK(in_use(module_unload(module_vendor())));
	CHECK_SOON(module_refs(module_vendor()) == 0);
}

CASE(a_vm_that_is_gone_does_not_keep_the_vendor_module)
{
	struct vmm *vmm = vmm_fork(1);
	int vm_fd = vmm_take_fd(vmm);
	struct wt *wt = wt_session(vm_fd, 64, 0);

	close(vm_fd);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	vmm_kill(vmm);
	CHECK_SOON(module_refs(module_vendor()) == 0);
	CHECK(in_use(module_unload("kvm_wtrack")));
}

static void use_module(void *arg)
{
	struct vm *vm = vm_new(4);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);

	(void)arg;
	wt_add(wt->fd, VM_DATA_GFN, 4);
	vcpu_call(v, g_store8, VM_DATA, 1, 20, 0);
	CHECK_EQ(wt_drain(wt), 20);
}

CASE(the_module_is_removed_and_loaded_over_and_over)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		child_join(child_fork(use_module, NULL));
		CHECK_SOON(module_refs("kvm_wtrack") == 0);
		CHECK_ERRNO(module_unload("kvm_wtrack"), 0);
		CHECK(access(KVM_WTRACK_DEVICE, F_OK));
		CHECK_ERRNO(module_load("kvm_wtrack", ""), 0);
		CHECK_SOON(!access(KVM_WTRACK_DEVICE, F_OK));
	}
}

/* As soon as the last descriptor is closed, whatever is still under way. */
CASE(the_module_can_be_removed_right_after_the_last_close)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		struct vm *vm = vm_new(4096);
		struct wt *a = wt_session(vm->fd, 64, 0);
		struct wt *b = wt_session(vm->fd, 64, 0);

		wt_add(a->fd, VM_DATA_GFN, 4096);
		wt_add(b->fd, VM_DATA_GFN, 4096);
		wt_close(a);
		wt_close(b);
		CHECK_ERRNO(module_unload("kvm_wtrack"), 0);
		CHECK_ERRNO(module_load("kvm_wtrack", ""), 0);
		CHECK_SOON(!access(KVM_WTRACK_DEVICE, F_OK));
		vm_close(vm);
	}
}

static void vendor_params(char *text, size_t bytes)
{
	bool amd = !strcmp(module_vendor(), "kvm_amd");

	snprintf(text, bytes, "%s=%d", amd ? "npt" : "ept", paging_is_nested());
}

CASE(the_vendor_module_is_removed_and_loaded_over_and_over)
{
	const char *vendor = module_vendor();
	char params[32];
	unsigned int i;

	vendor_params(params, sizeof(params));
	for (i = 0; i < ROUNDS; i++) {
		child_join(child_fork(use_module, NULL));
		CHECK_SOON(module_refs(vendor) == 0);
		CHECK_ERRNO(module_unload(vendor), 0);
		CHECK_ERRNO(module_load(vendor, params), 0);
		CHECK_SOON(!access("/dev/kvm", F_OK));
	}
}

CASE(parameters_can_be_given_when_the_module_is_loaded)
{
	CHECK_ERRNO(module_unload("kvm_wtrack"), 0);
	CHECK_ERRNO(module_load("kvm_wtrack", "max_users=70000"), ERANGE);
	CHECK_ERRNO(module_load("kvm_wtrack", "max_users=7 max_pages=8"), 0);
	CHECK_EQ(module_param("max_users"), 7);
	CHECK_EQ(module_param("max_pages"), 8);
	CHECK_ERRNO(module_unload("kvm_wtrack"), 0);
	CHECK_ERRNO(module_load("kvm_wtrack", ""), 0);
}
