// SPDX-License-Identifier: GPL-2.0-or-later
/* Coalescing sessions: one unread record for each page that was written. */
#include <string.h>

#include "guest.h"
#include "mirror.h"
#include "tap.h"

enum { RECORDS = 64, PAGES = RECORDS - 2 };

static struct wt *session(struct vm *vm, uint64_t pages)
{
	struct wt *wt = wt_session(vm->fd, RECORDS, KVM_WTRACK_RING_F_COALESCE);

	wt_add(wt->fd, VM_DATA_GFN, pages);
	return wt;
}

CASE(many_stores_to_a_page_are_one_unread_record)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = session(vm, 1);
	struct kvm_wtrack_status s;
	struct kvm_wtrack_record r;

	vcpu_call(v, g_store8, VM_DATA + 64, 7, 500, 0);
	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
	CHECK(r.flags & KVM_WTRACK_RECORD_F_PAGE);
	CHECK_EQ(r.gpa, VM_DATA + 64);
	CHECK_EQ(r.len, 8);
	CHECK_EQ(*(uint64_t *)r.data, 7);
	CHECK(!wt_peek(wt));
	wt_status(wt->fd, &s);
	CHECK_EQ(s.out_events, 1);
	CHECK_EQ(s.out_merged, 499);
}

CASE(a_store_after_the_release_is_a_new_record)
{
	struct vm *vm = vm_new(2);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = session(vm, 2);
	struct kvm_wtrack_record r;
	unsigned int i;

	for (i = 0; i < 300; i++) {
		vcpu_call(v, g_store8, VM_DATA, 2 * i, 2, PAGE);
		vcpu_call(v, g_store8, VM_DATA + 8, 0, 2, PAGE);
		CHECK(wt_take(wt, &r));
		CHECK_EQ(r.gpa, VM_DATA);
		CHECK_EQ(*(uint64_t *)r.data, 2 * i);
		CHECK(wt_take(wt, &r));
		CHECK_EQ(r.gpa, VM_DATA + PAGE);
		CHECK(!wt_peek(wt));
	}
}

/* The record that stands for the page stays where it is, first in line. */
CASE(an_unread_record_behind_others_still_stands_for_its_page)
{
	struct vm *vm = vm_new(3);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = session(vm, 3);
	struct kvm_wtrack_record r;

	vcpu_call(v, g_store8, VM_DATA, 1, 3, PAGE);
	CHECK(wt_take(wt, &r));
	vcpu_call(v, g_store8, VM_DATA, 10, 3, PAGE);
	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.gpa, VM_DATA + PAGE);
	CHECK_EQ(*(uint64_t *)r.data, 2);
	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.gpa, VM_DATA + 2 * PAGE);
	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.gpa, VM_DATA);
	CHECK_EQ(*(uint64_t *)r.data, 10);
	CHECK(!wt_peek(wt));
}

static void check_unread_once(struct wt *wt)
{
	bool seen[PAGES] = { false };
	uint64_t at, page;

	for (at = wt->next; ; at++) {
		const struct kvm_wtrack_record *r;

		r = &wt->records[at % RECORDS];
		if (__atomic_load_n(&r->seq, __ATOMIC_ACQUIRE) != at + 1)
			break;
		page = r->gpa / PAGE - VM_DATA_GFN;
		CHECK(page < PAGES);
		CHECK(!seen[page]);
		seen[page] = true;
	}
}

/* As many pages as the ring has places, and nothing ever overflows. */
CASE_WITHIN(two_vcpus_at_full_rate_never_overflow_and_leave_a_true_copy, 60)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *a = vcpu_new(vm), *b = vcpu_new(vm);
	struct wt *wt = session(vm, PAGES);
	unsigned int round, want = host_is_debug() ? 500 : 3000;
	struct kvm_wtrack_record r;
	struct kvm_wtrack_status s;
	struct mirror m;

	mirror_init(&m, wt, vm->data, PAGES);
	vcpu_start(a, g_random, VM_DATA, PAGES, 3, 0, LANE_SHARED);
	vcpu_start(b, g_random, VM_DATA, PAGES, 4, 0, LANE_SHARED);
	for (round = 0; m.writes < want; round++) {
		check_unread_once(wt);
		if (round % 3 == 0)
			mirror_step(&m);
		else if (wt_take(wt, &r)) {
			m.writes++;
			memcpy(m.copy + (r.gpa / PAGE * PAGE - VM_DATA),
			       m.truth + (r.gpa / PAGE * PAGE - VM_DATA), PAGE);
		}
		if (round % 16 == 0)
			sleep_ms(3);
	}
	vcpu_stop(a);
	vcpu_stop(b);
	mirror_finish(&m);
	wt_status(wt->fd, &s);
	CHECK_EQ(s.out_overflows, 0);
	CHECK(s.out_merged > 0);
	tap_note("%llu records, %llu stores merged",
		 (unsigned long long)s.out_events,
		 (unsigned long long)s.out_merged);
}

CASE(more_pages_than_places_overflow_exactly)
{
	struct vm *vm = vm_new(100);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = session(vm, 100);
	struct mirror m;

	mirror_init(&m, wt, vm->data, 100);
	vcpu_call(v, g_store8, VM_DATA, 1, 100, PAGE);
	vcpu_call(v, g_store8, VM_DATA + 8, 1, 100, PAGE);
	mirror_finish(&m);
	CHECK_EQ(m.resyncs, 1);
	CHECK_EQ(m.writes, PAGES);
	vcpu_call(v, g_store8, VM_DATA, 1, 50, PAGE);
	mirror_finish(&m);
	CHECK_EQ(m.writes, PAGES + 50);
}

CASE(a_page_that_is_added_again_gets_a_record)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = session(vm, 1);

	vcpu_call(v, g_store8, VM_DATA, 1, 1, 0);
	wt_remove(wt->fd, VM_DATA_GFN, 1);
	CHECK_EQ(wt_drain(wt), 1);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_call(v, g_store8, VM_DATA, 1, 1, 0);
	CHECK_EQ(wt_drain(wt), 1);
}
