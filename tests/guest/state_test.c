// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls out of order. */
#include <unistd.h>

#include "abi.h"
#include "tap.h"

static int fresh_or_attached(bool attach)
{
	struct vm *vm = vm_new(4);
	int fd = wt_open();

	if (attach)
		wt_attach(fd, vm->fd);
	return fd;
}

/* Who wants to restrict a session may do so first. */
CASE(before_attach_each_call_but_info_status_and_restrict_is_enotconn)
{
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		tap_trying("%s", c->name);
		if (c->cmd == KVM_WTRACK_INFO || c->cmd == KVM_WTRACK_ATTACH)
			continue;
		abi_init(&a, c);
		close(a.fd);
		a.fd = wt_open();
		wt_status(a.fd, &a.before);
		if (c->cmd == KVM_WTRACK_STATUS ||
		    c->cmd == KVM_WTRACK_RESTRICT)
			abi_taken(&a);
		else
			abi_refused(&a, a.arg, ENOTCONN);
		abi_exit(&a);
	}
}

CASE(a_status_before_attach_has_no_ids)
{
	struct kvm_wtrack_status s;
	int fd = fresh_or_attached(false);

	wt_status(fd, &s);
	CHECK_EQ(s.out_state, 0);
	CHECK_EQ(s.out_vm_id, 0);
	CHECK_EQ(s.out_session_id, 0);
	CHECK_EQ(s.out_vm_pid, 0);
	CHECK_EQ(s.out_records, 0);
	CHECK_EQ(s.out_pages, 0);
}

CASE(a_status_tells_the_state_of_the_session)
{
	struct kvm_wtrack_status s;
	int fd = fresh_or_attached(true);
	WT_ARG(restrict, limit, .max_pages = 7, .rights = ~0ULL);
	WT_ARG(ring, ring, .records = 128, .flags = KVM_WTRACK_RING_F_COALESCE);

	wt_status(fd, &s);
	CHECK_EQ(s.out_state, KVM_WTRACK_STATE_ATTACHED);
	CHECK_EQ(s.out_vm_pid, getpid());
	CHECK(s.out_vm_id && s.out_session_id);
	CHECK_ERRNO(__wt_restrict(fd, &limit), 0);
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	wt_add(fd, VM_DATA_GFN, 3);
	wt_status(fd, &s);
	CHECK_EQ(s.out_state, KVM_WTRACK_STATE_ATTACHED |
		 KVM_WTRACK_STATE_RESTRICTED | KVM_WTRACK_STATE_RING |
		 KVM_WTRACK_STATE_COALESCE);
	CHECK_EQ(s.out_records, 128);
	CHECK_EQ(s.out_pages, 3);
	CHECK_EQ(s.out_max_pages, 7);
	CHECK_EQ(s.out_unread, 0);
}

CASE(before_ring_add_is_enobufs)
{
	int fd = fresh_or_attached(true);
	struct kvm_wtrack_change c = { .gfn = VM_DATA_GFN, .nr_pages = 1 };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
	WT_ARG(ring, ring, .records = 64);

	CHECK_ERRNO(__wt_add(fd, &a), ENOBUFS);
	CHECK_EQ(wt_users(fd, VM_DATA_GFN), 0);
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	CHECK_ERRNO(__wt_add(fd, &a), 0);
}

CASE(read_is_enotconn_before_attach_and_enobufs_before_ring)
{
	struct kvm_wtrack_record rec;
	int fd = fresh_or_attached(false);

	CHECK(read(fd, &rec, sizeof(rec)) < 0);
	CHECK_ERRNO(errno, ENOTCONN);
	fd = fresh_or_attached(true);
	CHECK(read(fd, &rec, sizeof(rec)) < 0);
	CHECK_ERRNO(errno, ENOBUFS);
}

CASE(a_second_ring_is_ebusy)
{
	struct vm *vm = vm_new(1);
	struct wt *wt = wt_session(vm->fd, 128, 0);
	WT_ARG(ring, ring, .records = 64);
	struct kvm_wtrack_status s;

	CHECK_ERRNO(__wt_ring(wt->fd, &ring), EBUSY);
	wt_status(wt->fd, &s);
	CHECK_EQ(s.out_records, 128);
}
