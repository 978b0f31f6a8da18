// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kernel without CONFIG_KVM_EXTERNAL_WRITE_TRACKING. From 6.6 on KVM has
 * nothing of it then, and the module is not loaded. Before, KVM has all of it
 * but the counts of its memslots, until it has shadow page tables of its own.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#include "guest.h"
#include "module.h"
#include "tap.h"
#include "wt.h"

#define OPTION	"CONFIG_KVM_EXTERNAL_WRITE_TRACKING"

enum { SYSLOG_ACTION_READ_ALL = 3, LOG_BYTES = 4 << 20 };

static bool klog_has(const char *text)
{
	char *log = calloc(1, LOG_BYTES);
	bool found;

	CHECK_SYS(klogctl(SYSLOG_ACTION_READ_ALL, log, LOG_BYTES - 1) > 0);
	found = strstr(log, text);
	free(log);
	return found;
}

static bool kvm_has_functions(void)
{
	char line[256];
	bool found = false;
	FILE *f = fopen("/proc/kallsyms", "re");

	CHECK_SYS(f);
	while (!found && fgets(line, sizeof(line), f))
		found = strstr(line, " kvm_page_track_register_notifier\t");
	fclose(f);
	return found;
}

/* The flavours' symbols differ in version: the kernel itself refuses. */
CASE(a_module_of_the_flavour_with_the_option_does_not_fit)
{
	/* ENOEXEC where it is the layout of modules that differs. */
	CHECK(module_load("ordinary", ""));
	CHECK(klog_has("disagrees about version of symbol"));
	CHECK(access(KVM_WTRACK_DEVICE, F_OK));
}

static void module_names_the_option(void)
{
	CHECK(!klog_has(OPTION));
	CHECK_ERRNO(module_load("kvm_wtrack", ""), EOPNOTSUPP);
	CHECK(klog_has("kvm-wtrack: KVM of this kernel was built without "
		       OPTION "\n"));
	CHECK(access(KVM_WTRACK_DEVICE, F_OK));
	CHECK(module_refs("kvm_wtrack") < 0);
}

static void page_names_the_option(void)
{
	struct wt *wt;

	CHECK_ERRNO(module_load("kvm_wtrack", ""), 0);
	CHECK_SOON(!access(KVM_WTRACK_DEVICE, F_OK));
	wt = wt_session(vm_new(4)->fd, 64, 0);
	CHECK(!klog_has(OPTION));
	CHECK_ERRNO(__wt_add_page(wt->fd, VM_DATA_GFN), EOPNOTSUPP);
	CHECK_EQ(wt_users(wt->fd, VM_DATA_GFN), 0);
	CHECK(klog_has("kvm-wtrack: KVM of this kernel was built without "
		       OPTION "\n"));
	wt_close(wt);
	CHECK_ERRNO(module_unload("kvm_wtrack"), 0);
}

/* What KVM makes for itself is as good. */
static void page_is_tracked_with_shadow_paging(void)
{
	struct vm *vm = vm_new(4);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt;

	CHECK_ERRNO(module_load("kvm_wtrack", ""), 0);
	CHECK_SOON(!access(KVM_WTRACK_DEVICE, F_OK));
	vcpu_call(v, g_store8, VM_DATA, 1, 1, 0);
	wt = wt_session(vm->fd, 64, 0);
	wt_add(wt->fd, VM_DATA_GFN, 4);
	vcpu_call(v, g_store8, VM_DATA, 1, 20, 0);
	CHECK_EQ(wt_drain(wt), 20);
	wt_close(wt);
	CHECK_ERRNO(module_unload("kvm_wtrack"), 0);
}

__attribute__((constructor)) static void register_rest(void)
{
	static struct tap_case module = {
		.name = "a_module_that_fits_names_the_option",
		.run = module_names_the_option,
		.seconds = 30,
	}, page = {
		.name = "a_page_that_cannot_be_tracked_has_it_named",
		.run = page_names_the_option,
		.seconds = 30,
	}, shadow = {
		.name = "with_shadow_paging_pages_can_be_tracked",
		.run = page_is_tracked_with_shadow_paging,
		.seconds = 30,
	};

	if (!kvm_has_functions())
		tap_register(&module);
	else
		tap_register(paging_is_nested() ? &page : &shadow);
}
