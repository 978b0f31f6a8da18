// SPDX-License-Identifier: GPL-2.0-or-later
/* A ring that is full: exactly what was not recorded is to be read again. */
#include <string.h>
#include <sys/mman.h>

#include "guest.h"
#include "tap.h"
#include "wt.h"

/* Of RECORDS, two are spare; the first of them takes the RESYNC record. */
enum { RECORDS = 64, ROOM = RECORDS - 2, PAGES = 100 };

struct full {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt;
};

/* One store to each page; the reader stands still. */
static void full_init(struct full *f)
{
	f->vm = vm_new(PAGES);
	f->v = vcpu_new(f->vm);
	f->wt = wt_session(f->vm->fd, RECORDS, 0);
	wt_add(f->wt->fd, VM_DATA_GFN, PAGES);
	vcpu_call(f->v, g_store8, VM_DATA, 1, PAGES, PAGE);
}

static int resync_errno(struct wt *wt)
{
	struct kvm_wtrack_resync_range range;
	WT_ARG(resync, r, .ranges = (uintptr_t)&range, .nr_ranges = 1);

	return __wt_resync(wt->fd, &r);
}

/* The records before the overflow, then RESYNC, then nothing. */
static void take_to_resync(struct wt *wt)
{
	struct kvm_wtrack_record r;
	unsigned int i;

	for (i = 0; i < ROOM; i++) {
		CHECK(wt_take(wt, &r));
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
		CHECK_EQ(*(uint64_t *)r.data, i + 1);
	}
	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_RESYNC);
	CHECK_EQ(r.seq, ROOM + 1);
	CHECK_EQ(r.len, 0);
	CHECK(!wt_peek(wt));
}

CASE(a_full_ring_closes_behind_one_resync_record)
{
	struct kvm_wtrack_status s;
	struct full f;

	full_init(&f);
	vcpu_call(f.v, g_store8, VM_DATA, 1, PAGES, PAGE);
	wt_status(f.wt->fd, &s);
	CHECK(s.out_state & KVM_WTRACK_STATE_RESYNC);
	CHECK_EQ(s.out_overflows, 1);
	CHECK_EQ(s.out_events, ROOM + 1);
	CHECK_EQ(s.out_unread, ROOM + 1);
	CHECK_EQ(s.out_resync_writes, 2 * PAGES - ROOM);
	take_to_resync(f.wt);
}

CASE(the_resync_set_is_exactly_what_was_not_recorded)
{
	struct wt_resync set;
	struct full f;

	full_init(&f);
	take_to_resync(f.wt);
	wt_resync(f.wt->fd, &set);
	CHECK_EQ(set.nr, 1);
	CHECK_EQ(set.ranges[0].gfn, VM_DATA_GFN + ROOM);
	CHECK_EQ(set.ranges[0].nr_pages, PAGES - ROOM);
	CHECK_EQ(set.ranges[0].what, KVM_WTRACK_RESYNC_REREAD);
	wt_resync(f.wt->fd, &set);
	CHECK_EQ(set.nr, 0);
}

CASE(a_query_of_a_gfn_tells_that_it_is_in_the_resync_set)
{
	WT_ARG(query_gfn, q);
	struct wt_resync set;
	struct full f;
	unsigned int i;

	full_init(&f);
	for (i = 0; i < PAGES; i++) {
		q.gfn = VM_DATA_GFN + i;
		CHECK_ERRNO(__wt_query_gfn(f.wt->fd, &q), 0);
		CHECK_EQ(q.out_state, KVM_WTRACK_GFN_TRACKED |
			 (i < ROOM ? 0 : KVM_WTRACK_GFN_RESYNC));
	}
	take_to_resync(f.wt);
	wt_resync(f.wt->fd, &set);
	CHECK_ERRNO(__wt_query_gfn(f.wt->fd, &q), 0);
	CHECK_EQ(q.out_state, KVM_WTRACK_GFN_TRACKED);
}

CASE(resync_before_the_record_is_released_is_ebusy)
{
	struct full f;
	unsigned int i;

	full_init(&f);
	for (i = 0; i <= ROOM; i++) {
		CHECK_ERRNO(resync_errno(f.wt), EBUSY);
		f.wt->next++;
		wt_release(f.wt);
	}
	CHECK_ERRNO(resync_errno(f.wt), 0);
}

/* A call that fails changes nothing, the array for its answer included. */
CASE(resync_that_is_ebusy_leaves_the_array_as_it_is)
{
	struct kvm_wtrack_resync_range range[8], before[8];
	WT_ARG(resync, r, .ranges = (uintptr_t)range,
	       .nr_ranges = ARRAY_SIZE(range));
	struct full f;

	full_init(&f);
	memset(range, 0x5a, sizeof(range));
	memcpy(before, range, sizeof(range));
	CHECK_ERRNO(__wt_resync(f.wt->fd, &r), EBUSY);
	CHECK(!memcmp(range, before, sizeof(range)));
	take_to_resync(f.wt);
	CHECK_ERRNO(__wt_resync(f.wt->fd, &r), 0);
	CHECK_EQ(r.out_nr_ranges, 1);
	CHECK_EQ(range[0].nr_pages, PAGES - ROOM);
	CHECK(!memcmp(&range[1], &before[1], sizeof(range[1])));
}

CASE(stores_are_recorded_again_after_a_resync)
{
	struct kvm_wtrack_record r;
	struct wt_resync set;
	struct full f;

	full_init(&f);
	take_to_resync(f.wt);
	CHECK(!wt_peek(f.wt));
	wt_resync(f.wt->fd, &set);
	vcpu_call(f.v, g_store8, VM_DATA + 70 * PAGE, 500, 2, PAGE);
	CHECK(wt_take(f.wt, &r));
	CHECK_EQ(r.seq, ROOM + 2);
	CHECK_EQ(r.gpa, VM_DATA + 70 * PAGE);
	CHECK(wt_take(f.wt, &r));
	CHECK(!wt_peek(f.wt));
}

/* What was released but not fetched is neither open nor forgotten. */
CASE(a_closed_ring_stays_closed_until_resync)
{
	struct wt_resync set;
	struct full f;

	full_init(&f);
	take_to_resync(f.wt);
	vcpu_call(f.v, g_store8, VM_DATA, 500, 1, 0);
	CHECK(!wt_peek(f.wt));
	wt_resync(f.wt->fd, &set);
	CHECK_EQ(set.nr, 2);
	CHECK_EQ(set.ranges[0].gfn, VM_DATA_GFN);
	CHECK_EQ(set.ranges[0].nr_pages, 1);
}

CASE(with_room_for_one_range_resync_goes_on_where_it_stopped)
{
	struct kvm_wtrack_resync_range range;
	WT_ARG(resync, a, .ranges = (uintptr_t)&range, .nr_ranges = 1);
	struct full f;
	unsigned int i;

	full_init(&f);
	/* Every second page of the first ROOM, one range each. */
	vcpu_call(f.v, g_store8, VM_DATA, 1, ROOM / 2, 2 * PAGE);
	take_to_resync(f.wt);
	for (i = 0; i < ROOM / 2; i++) {
		CHECK_ERRNO(__wt_resync(f.wt->fd, &a), 0);
		CHECK_EQ(a.out_nr_ranges, 1);
		CHECK_EQ(range.gfn, VM_DATA_GFN + 2 * i);
		CHECK_EQ(range.nr_pages, 1);
		CHECK(a.out_more);
	}
	CHECK_ERRNO(__wt_resync(f.wt->fd, &a), 0);
	CHECK_EQ(range.gfn, VM_DATA_GFN + ROOM);
	CHECK_EQ(range.nr_pages, PAGES - ROOM);
	CHECK(!a.out_more || (!__wt_resync(f.wt->fd, &a) && !a.out_nr_ranges));
}

/* Nothing is cleared that could not be handed over. */
CASE(a_resync_that_fails_loses_nothing)
{
	void *page = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	WT_ARG(resync, a, .ranges = 0, .nr_ranges = 8);
	struct wt_resync set;
	struct full f;

	full_init(&f);
	take_to_resync(f.wt);
	CHECK_ERRNO(__wt_resync(f.wt->fd, &a), EFAULT);
	a.ranges = (uintptr_t)page;
	CHECK_ERRNO(__wt_resync(f.wt->fd, &a), EFAULT);
	CHECK_ERRNO(__wt_resync(f.wt->fd, page), EINVAL);
	a.ranges = (uintptr_t)&set;
	a.__reserved0 = 1;
	CHECK_ERRNO(__wt_resync(f.wt->fd, &a), EINVAL);
	wt_resync(f.wt->fd, &set);
	CHECK_EQ(wt_resync_pages(&set, KVM_WTRACK_RESYNC_REREAD), PAGES - ROOM);
}

CASE(a_page_that_is_removed_leaves_the_resync_set)
{
	struct wt_resync set;
	struct full f;

	full_init(&f);
	wt_remove(f.wt->fd, VM_DATA_GFN + 70, 10);
	take_to_resync(f.wt);
	wt_resync(f.wt->fd, &set);
	CHECK_EQ(set.nr, 2);
	CHECK_EQ(set.ranges[0].nr_pages, 70 - ROOM);
	CHECK_EQ(set.ranges[1].gfn, VM_DATA_GFN + 80);
	CHECK_EQ(wt_resync_pages(&set, KVM_WTRACK_RESYNC_REREAD),
		 PAGES - ROOM - 10);
}

CASE(resync_of_a_ring_that_is_not_closed_gives_nothing)
{
	struct vm *vm = vm_new(1);
	struct wt *wt = wt_session(vm->fd, RECORDS, 0);
	struct wt_resync set;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	wt_resync(wt->fd, &set);
	CHECK_EQ(set.nr, 0);
}
