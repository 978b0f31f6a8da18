// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Guests whose memory is out of KVM's reach, and such memory, are refused.
 * Kernels differ in what of it they can make: what KVM refuses to make is
 * tested to be refused by KVM.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "guest.h"
#include "module.h"
#include "stage.h"
#include "tap.h"
#include "wt.h"

enum { PAGES = 4 };

#define PRIVATE		(VM_DATA + (1ULL << 30))

/* The errno of KVM's refusal to make one, or 0. */
static int make_protected(struct vm *vm)
{
	vm->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	CHECK_SYS(vm->kvm_fd >= 0);
	vm->fd = ioctl(vm->kvm_fd, KVM_CREATE_VM, KVM_X86_SW_PROTECTED_VM);
	return vm->fd < 0 ? errno : 0;
}

/* Refused, on a session that then attaches to an ordinary VM. */
static void check_refused(struct vm *vm)
{
	WT_ARG(attach, a, .vm_fd = vm->fd);
	struct kvm_wtrack_status s;
	struct vm *other = vm_new(1);
	int fd = wt_open();

	CHECK_ERRNO(__wt_attach(fd, &a), EOPNOTSUPP);
	wt_status(fd, &s);
	CHECK_EQ(s.out_state, 0);
	CHECK_EQ(s.out_vm_id, 0);
	wt_attach(fd, other->fd);
	close(fd);
	vm_close(other);
}

static void protected_vm_is_refused(void)
{
	int fd, vcpu_fd, refs = module_refs(module_vendor());
	struct vm vm;

	CHECK_ERRNO(make_protected(&vm), 0);
	check_refused(&vm);
	vm_slot(&vm, VM_SLOT_DATA, VM_DATA, mem_shared(PAGE), PAGE, 0);
	check_refused(&vm);
	fd = vm_private_memory(&vm, PAGE);
	CHECK(fd >= 0);
	CHECK_ERRNO(__vm_slot_private(&vm, VM_SLOT_EXTRA, PRIVATE,
				      mem_shared(PAGE), PAGE, fd), 0);
	check_refused(&vm);
	vcpu_fd = ioctl(vm.fd, KVM_CREATE_VCPU, 0);
	CHECK_SYS(vcpu_fd >= 0);
	check_refused(&vm);
	/* Nothing of ours holds it. */
	close(vcpu_fd);
	close(fd);
	vm_close(&vm);
	CHECK_SOON(module_refs(module_vendor()) == refs);
}

/* The kernel with all checks is built to make them. */
static void kvm_makes_no_protected_vm(void)
{
	struct vm vm;

	CHECK_ERRNO(make_protected(&vm), EINVAL);
	CHECK(!host_is_debug() || !paging_is_nested());
}

static bool protected_vms_can_be_made(void)
{
	int types, fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	types = ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_VM_TYPES);
	close(fd);
	return types > 0 && types & 1 << KVM_X86_SW_PROTECTED_VM;
}

__attribute__((constructor)) static void register_protected(void)
{
	static struct tap_case makes = {
		.name = "a_protected_vm_is_refused_and_not_held",
		.run = protected_vm_is_refused,
		.seconds = 30,
	}, makes_none = {
		.name = "where_kvm_has_no_protected_vms_it_makes_none",
		.run = kvm_makes_no_protected_vm,
		.seconds = 30,
	};

	tap_register(protected_vms_can_be_made() ? &makes : &makes_none);
}

static void check_private_pages(struct vm *vm)
{
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_change c = {
		.gfn = PRIVATE / PAGE, .nr_pages = PAGES,
	};
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);

	CHECK_ERRNO(__wt_add(wt->fd, &a), 0);
	CHECK_EQ(a.out_failed_pages, PAGES);
	CHECK_EQ(c.out_done, 0);
	CHECK_EQ(c.out_failed, PAGES);
	CHECK_ERRNO(c.out_error, EOPNOTSUPP);
	CHECK_EQ(c.out_error_gfn, PRIVATE / PAGE);
	wt_add(wt->fd, VM_DATA_GFN, 1);
}

/* Whether an ordinary VM can have it, KVM tells: up to 6.12 it cannot. */
CASE(private_memory_is_eopnotsupp_or_kvm_has_none)
{
	struct vm *vm = vm_new(1);
	int fd = vm_private_memory(vm, PAGES * PAGE);
	int err = __vm_slot_private(vm, VM_SLOT_EXTRA, PRIVATE,
				    mem_shared(PAGES * PAGE), PAGES * PAGE, fd);

	if (vm_check_extension(vm, KVM_CAP_GUEST_MEMFD) > 0) {
		CHECK_ERRNO(err, 0);
		check_private_pages(vm);
	} else {
		CHECK(err == EINVAL || err == ENOTTY);
	}
}

/*
 * KVM_SEV_INIT comes after KVM_CREATE_VM and before the first vCPU, and so may
 * come after ADD. What a vCPU then stores KVM must not emulate: the pages are
 * the guest's again before it runs, and the sessions are told.
 */
static void turn_confidential(struct vm *vm, struct wt *wt)
{
	struct kvm_wtrack_change c = { .gfn = VM_DATA_GFN, .nr_pages = PAGES };
	WT_ARG(add, add, .changes = (uintptr_t)&c, .nr_changes = 1);
	struct kvm_wtrack_record r;
	struct vcpu *v;
	unsigned int i;
	int stage = stage_open();

	stage_make_sev(stage, vm->fd);
	v = vcpu_new(vm);
	vcpu_call(v, g_store8, VM_DATA, 5, PAGES, PAGE);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(*(uint64_t *)(vm->data + i * PAGE), 5 + i);
	do {
		CHECK_SOON(wt_take(wt, &r));
		CHECK(r.type != KVM_WTRACK_RECORD_WRITE);
	} while (r.type != KVM_WTRACK_RECORD_VM_GONE);
	CHECK_ERRNO(__wt_add(wt->fd, &add), ESRCH);
}

CASE(a_guest_that_turns_confidential_is_given_up_before_it_runs)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	WT_ARG(attach, a, .vm_fd = vm->fd);

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	turn_confidential(vm, wt);
	CHECK_ERRNO(__wt_attach(wt_open(), &a), EOPNOTSUPP);
	/* Nothing of ours keeps the VM, nor its pages protected. */
	wt_close(wt);
}

/* Without a vCPU that runs, the next ADD finds it, and says so for each gfn. */
CASE(a_guest_that_turns_confidential_gets_no_more_pages)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_change c = { .gfn = VM_DATA_GFN, .nr_pages = PAGES };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
	struct kvm_wtrack_record r;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	stage_make_sev(stage_open(), vm->fd);
	CHECK_ERRNO(__wt_add(wt->fd, &a), 0);
	CHECK_EQ(a.out_failed_pages, PAGES);
	CHECK_EQ(c.out_failed, PAGES);
	CHECK_ERRNO(c.out_error, EOPNOTSUPP);
	CHECK_EQ(c.out_error_gfn, VM_DATA_GFN);
	CHECK_SOON(wt_take(wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_VM_GONE);
	CHECK_ERRNO(__wt_add(wt->fd, &a), ESRCH);
}

/* Its descriptor is one of KVM's, and not of a VM. */
CASE(private_memory_is_no_vm)
{
	struct vm *vm = vm_new(1);
	int wt_fd = wt_open(), fd = vm_private_memory(vm, PAGES * PAGE);
	WT_ARG(attach, a, .vm_fd = fd);

	CHECK(fd >= 0 || fd == -ENOTTY);
	CHECK_ERRNO(__wt_attach(wt_fd, &a), fd < 0 ? EBADF : EBADFD);
	wt_attach(wt_fd, vm->fd);
}
