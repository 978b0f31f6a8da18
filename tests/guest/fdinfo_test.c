// SPDX-License-Identifier: GPL-2.0-or-later
/* /proc/PID/fdinfo says of a session what STATUS says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"
#include "wt.h"

/* The value of a key, or a failed check. */
static uint64_t fdinfo(int fd, const char *key)
{
	char path[64], line[256];
	size_t len = strlen(key);
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "r");
	CHECK_SYS(f);
	tap_trying("%s", key);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, len) || line[len] != ':')
			continue;
		fclose(f);
		return strtoull(line + len + 1, NULL, 0);
	}
	tap_fail(__FILE__, __LINE__, "not in %s", path);
}

CASE(fdinfo_of_a_session_agrees_with_its_status)
{
	struct vm *vm = vm_new(100);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, KVM_WTRACK_RING_F_COALESCE);
	struct kvm_wtrack_status s;

	wt_add(wt->fd, VM_DATA_GFN, 100);
	vcpu_call(v, g_store8, VM_DATA, 1, 100, PAGE);
	vcpu_call(v, g_store8, VM_DATA, 1, 100, PAGE);
	wt->next = 5;
	wt_release(wt);
	wt_status(wt->fd, &s);
	CHECK(s.out_overflows && s.out_merged && s.out_resync_writes);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-session"), s.out_session_id);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-state"), s.out_state);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-vm"), s.out_vm_id);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-vm-pid"), getpid());
	CHECK_EQ(fdinfo(wt->fd, "wtrack-pages"), 100);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-max-pages"), s.out_max_pages);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-records"), 64);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-unread"), 63 - 5);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-events"), s.out_events);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-merged"), s.out_merged);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-overflows"), s.out_overflows);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-resync-writes"), s.out_resync_writes);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-regions-removed"), 0);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-wakeups"), s.out_wakeups);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-memory-bytes"), s.out_memory_bytes);
}

CASE(fdinfo_of_a_session_tells_what_the_guard_did)
{
	struct vm *vm = vm_new(2);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session_budget(vm->fd, 64, 0, 5, 4000);
	struct kvm_wtrack_status s;

	wt_add(wt->fd, VM_DATA_GFN, 2);
	vcpu_call(v, g_store8, VM_DATA, 1, 10, 8);
	vcpu_call(v, g_store8, VM_DATA + PAGE, 1, 10, 8);
	/* Arms one of them again. */
	CHECK_ERRNO(__wt_add_page(wt->fd, VM_DATA_GFN), 0);
	wt_status(wt->fd, &s);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-disarms"), 2);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-over-budget"), 2);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-rearms"), 1);
	CHECK_EQ(fdinfo(wt->fd, "wtrack-unreported"), 0);
	CHECK_EQ(s.out_disarms, 2);
	CHECK_EQ(s.out_over_budget, 2);
	CHECK_EQ(s.out_rearms, 1);
	CHECK_EQ(s.out_unreported, 0);
}

CASE(fdinfo_of_a_session_that_is_not_attached_has_no_vm)
{
	int fd = wt_open();

	CHECK_EQ(fdinfo(fd, "wtrack-state"), 0);
	CHECK_EQ(fdinfo(fd, "wtrack-vm"), 0);
	CHECK_EQ(fdinfo(fd, "wtrack-vm-pid"), 0);
	CHECK_EQ(fdinfo(fd, "wtrack-pages"), 0);
	CHECK_EQ(fdinfo(fd, "wtrack-records"), 0);
	CHECK_EQ(fdinfo(fd, "wtrack-session"), 0);
}
