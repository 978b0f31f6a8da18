// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions that want no page back which the guard has disarmed. */
#include "guest.h"
#include "module.h"
#include "tap.h"
#include "trip.h"

static struct wt *stopping(struct vm *vm)
{
	return wt_session(vm->fd, 4096, KVM_WTRACK_RING_F_STOP);
}

/* (to, from, 0, bytes) */
GUEST_CODE(g_movsb, "rep movsb\n hlt");

static void store_unemulated(struct vcpu *v, uint64_t page)
{
	vcpu_call(v, g_fstp, VM_DATA + page * PAGE, 0, 1);
}

static void take_stopped(struct wt *wt, struct vcpu *v, uint64_t page)
{
	struct kvm_wtrack_record r;

	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
	CHECK_EQ(r.guard.action, KVM_WTRACK_GUARD_STOPPED);
	CHECK_EQ(r.guard.cause, KVM_WTRACK_CAUSE_UNEMULATED);
	CHECK_EQ(r.gpa / PAGE, VM_DATA_GFN + page);
	CHECK_EQ(r.flags, KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP);
	CHECK_EQ(r.vcpu, v->index);
}

CASE(a_page_is_stopped_for_good_and_the_others_are_not)
{
	struct vm *vm = vm_new(2);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = stopping(vm);
	struct kvm_wtrack_record r;
	struct kvm_wtrack_status s;

	wt_add(wt->fd, VM_DATA_GFN, 2);
	store_unemulated(v, 0);
	take_stopped(wt, v, 0);
	CHECK_EQ(wt_users(wt->fd, VM_DATA_GFN), 0);
	CHECK_EQ(wt_query_pages(wt->fd), 1);
	wt_status(wt->fd, &s);
	CHECK_EQ(s.out_pages, 1);
	CHECK_EQ(s.out_disarms, 1);
	CHECK_EQ(s.out_rearms, 0);
	vcpu_call(v, g_store8, VM_DATA, 1, 10, 8);
	CHECK(!wt_peek(wt));
	vcpu_call(v, g_store8, VM_DATA + PAGE, 5, 1, 8);
	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
	CHECK_EQ(r.gpa, VM_DATA + PAGE);
	CHECK(!wt_peek(wt));
}

CASE(a_page_that_was_stopped_can_be_added_again)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = stopping(vm);
	struct kvm_wtrack_record r;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	store_unemulated(v, 0);
	take_stopped(wt, v, 0);
	CHECK(!wt_tracked(wt->fd, VM_DATA_GFN));
	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_call(v, g_store8, VM_DATA, 5, 1, 8);
	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
	store_unemulated(v, 0);
	take_stopped(wt, v, 0);
}

/* Not a little later: from the record on. */
CASE(a_page_that_was_stopped_is_as_if_it_had_been_removed)
{
	struct vm *vm = vm_new(2);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = stopping(vm);
	struct kvm_wtrack_status s;
	unsigned int i;

	wt_add(wt->fd, VM_DATA_GFN + 1, 1);
	for (i = 0; i < 50; i++) {
		tap_trying("round %u", i);
		wt_add(wt->fd, VM_DATA_GFN, 1);
		store_unemulated(v, 0);
		take_stopped(wt, v, 0);
		switch (i % 5) {
		case 0:
			CHECK_ERRNO(__wt_remove_page(wt->fd, VM_DATA_GFN),
				    ENOENT);
			break;
		case 1:
			CHECK_EQ(wt_gfn_state(wt->fd, VM_DATA_GFN), 0);
			break;
		case 2:
			CHECK_EQ(wt_users(wt->fd, VM_DATA_GFN), 0);
			break;
		case 3:
			CHECK_EQ(wt_query_pages(wt->fd), 1);
			break;
		default:
			wt_status(wt->fd, &s);
			CHECK_EQ(s.out_pages, 1);
		}
		CHECK(!wt_peek(wt));
	}
}

CASE(a_page_that_was_stopped_does_not_count_against_the_limit)
{
	WT_ARG(restrict, r, .max_pages = 1, .rights = ~0ULL);
	WT_ARG(ring, ring, .records = 64, .flags = KVM_WTRACK_RING_F_STOP);
	struct vm *vm = vm_new(2);
	struct vcpu *v = vcpu_new(vm);
	int fd = wt_open();
	struct wt *wt;
	unsigned int i;

	wt_attach(fd, vm->fd);
	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	wt = wt_from_fd(fd);
	for (i = 0; i < 20; i++) {
		wt_add(fd, VM_DATA_GFN + i % 2, 1);
		CHECK_ERRNO(__wt_add_page(fd, VM_DATA_GFN + !(i % 2)), ENOSPC);
		store_unemulated(v, i % 2);
		take_stopped(wt, v, i % 2);
	}
}

/* KVM goes on with the instruction, whose page is given up half-way. */
CASE(no_store_of_a_string_instruction_follows_the_record)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session_budget(vm->fd, 4096, KVM_WTRACK_RING_F_STOP,
					  3, 4000);
	struct kvm_wtrack_record r;
	unsigned int i;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_call(v, g_movsb, VM_DATA, 0, 0, 1000);
	for (i = 0; i < 3; i++) {
		CHECK(wt_take(wt, &r));
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
	}
	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
	CHECK_EQ(r.guard.action, KVM_WTRACK_GUARD_STOPPED);
	CHECK(!wt_peek(wt));
}

/* Two on the same page, of which one wants it back. */
CASE(of_two_sessions_one_stops_and_one_goes_on)
{
	struct vm *vm = vm_new(1);
	struct wt *wt = stopping(vm);
	struct trip t;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	trip_init(&t, 1, vm, wt_session(vm->fd, 4096, 0));
	trip(&t, 0);
	take_stopped(wt, t.v, 0);
	trip_wait(&t);
	CHECK(!wt_tracked(wt->fd, VM_DATA_GFN));
	CHECK_EQ(wt_users(t.wt->fd, VM_DATA_GFN), 1);
	trip_check_armed(&t, 0);
	trip(&t, 0);
	trip_wait(&t);
	mirror_finish(&t.mirror);
	CHECK(!wt_peek(wt));
}

CASE(a_stopped_page_is_what_the_copy_ends_without)
{
	struct vm *vm = vm_new(8);
	struct trip t;
	unsigned int i;

	trip_init(&t, 8, vm, stopping(vm));
	for (i = 0; i < 4; i++)
		store_unemulated(t.v, 2 * i);
	for (i = 0; i < 8; i++)
		vcpu_call(t.v, g_store8, VM_DATA + i * PAGE, 7, 5, 8);
	mirror_finish(&t.mirror);
	CHECK_EQ(mirror_guard(&t.mirror, KVM_WTRACK_GUARD_STOPPED), 4);
	CHECK_EQ(mirror_guard(&t.mirror, KVM_WTRACK_GUARD_DISARMED), 0);
	CHECK_EQ(t.mirror.writes, 4 * 5);
}
