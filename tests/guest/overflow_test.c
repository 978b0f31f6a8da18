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

/*
 * A set that is cut. The guest fills the ring with stores to the first page, stores
 * once to the last one, counts that as a round, and goes on storing to the first one
 * until the host asks for another round. In between there are chunks to look
 * through, so that the guest often fills the ring while a set is fetched.
 */
enum { CHUNK = 1024, CHUNKS = 200, MOST_ROUNDS = 20000 };

#define FIRST	(VM_DATA + PAGE)
#define LAST	(VM_DATA + CHUNKS * CHUNK * PAGE)

/* (first page, last page, rounds made and asked for): never ends. */
GUEST_CODE(g_rounds,
	   "1: mov $100, %ecx\n"
	   "2: mov %rax, (%rdi)\n"
	   "   inc %rax\n"
	   "   dec %ecx\n"
	   "   jnz 2b\n"
	   "   mov %rax, (%rsi)\n"
	   "   incq (%rdx)\n"
	   "3: mov %rax, (%rdi)\n"
	   "   inc %rax\n"
	   "   mov 8(%rdx), %rbx\n"
	   "   cmp %rbx, (%rdx)\n"
	   "   jae 3b\n"
	   "   jmp 1b");

struct cut {
	struct vm *vm;
	struct wt *wt;
	volatile uint64_t *made, *asked;
	uint64_t seq;		/* of the last fence */
	unsigned int cuts;
	bool has_last;		/* a record or a set had the last page */
};

static void cut_init(struct cut *c)
{
	unsigned int i;

	*c = (struct cut) { .vm = vm_new((CHUNKS + 1) * CHUNK) };
	c->made = (uint64_t *)c->vm->data;
	c->asked = c->made + 1;
	*c->asked = 1;
	c->wt = wt_session(c->vm->fd, RECORDS, 0);
	wt_add(c->wt->fd, FIRST / PAGE, 1);
	for (i = 1; i <= CHUNKS; i++)
		wt_add(c->wt->fd, VM_DATA_GFN + i * CHUNK, 1);
	vcpu_start(vcpu_new(c->vm), g_rounds, FIRST, LAST, VM_DATA);
}

/* To its end, or until it is cut: then the rest follows a record that is there. */
static void fetch_set(struct cut *c)
{
	struct kvm_wtrack_resync_range ranges[16];
	WT_ARG(resync, a, .ranges = (uintptr_t)ranges,
	       .nr_ranges = ARRAY_SIZE(ranges));
	unsigned int i;
	int err;

	while (!(err = __wt_resync(c->wt->fd, &a))) {
		for (i = 0; i < a.out_nr_ranges; i++)
			c->has_last |= ranges[i].gfn == LAST / PAGE;
		if (!a.out_more)
			return;
	}
	CHECK_ERRNO(err, EBUSY);
	c->cuts++;
	c->seq = wt_fence(c->wt->fd);
}

static void take_round(struct cut *c)
{
	struct kvm_wtrack_record r;

	c->seq = wt_fence(c->wt->fd);
	c->has_last = false;
	while (c->wt->next < c->seq) {
		CHECK(wt_take(c->wt, &r));
		if (r.type == KVM_WTRACK_RECORD_RESYNC)
			fetch_set(c);
		else
			c->has_last |= r.gpa == LAST;
	}
}

CASE_WITHIN(what_is_left_of_a_set_that_is_cut_is_not_lost, 120)
{
	/* Sets are cut less often where a guest's stores take longer. */
	const unsigned int wanted = host_is_debug() ? 1 : 5;
	unsigned int round;
	struct cut c;

	cut_init(&c);
	for (round = 1; c.cuts < wanted && round < MOST_ROUNDS; round++) {
		CHECK_SOON(*c.made == round);
		take_round(&c);
		tap_trying("round %u, %u sets cut", round, c.cuts);
		CHECK(c.has_last);
		*c.asked = round + 1;
	}
	CHECK_EQ(c.cuts, wanted);
}
