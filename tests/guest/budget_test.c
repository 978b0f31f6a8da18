// SPDX-License-Identifier: GPL-2.0-or-later
/* A page that is written to too often costs its guest no more than allowed. */
#include <string.h>

#include "guest.h"
#include "tap.h"
#include "wt.h"

enum { PAGES = 4, BUDGET = 10, LONG_MS = 4000, SHORT_MS = 200 };

struct setup {
	struct vm *vm;
	struct vcpu *vcpu;
	struct wt *wt;
};

static void init(struct setup *s, uint32_t period_ms, uint32_t flags)
{
	s->vm = vm_new(PAGES);
	s->vcpu = vcpu_new(s->vm);
	s->wt = wt_session_budget(s->vm->fd, 64, flags, BUDGET, period_ms);
	wt_add(s->wt->fd, VM_DATA_GFN, PAGES);
}

/* Stores of 1, 2, ... to the words of the first page. */
static void store(struct setup *s, unsigned int nr)
{
	uint64_t *word = (uint64_t *)s->vm->data;
	unsigned int i;

	vcpu_call(s->vcpu, g_store8, VM_DATA, 1, nr, 8);
	for (i = 0; i < nr; i++)
		CHECK_EQ(word[i], i + 1);
}

static void expect_stores(struct wt *wt, unsigned int nr)
{
	struct kvm_wtrack_record rec;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		tap_trying("store %u", i);
		CHECK(wt_take(wt, &rec));
		CHECK_EQ(rec.type, KVM_WTRACK_RECORD_WRITE);
		CHECK_EQ(rec.gpa, VM_DATA + i * 8);
	}
}

static void expect_guard(struct wt *wt, uint32_t action, uint32_t cause,
			 struct kvm_wtrack_record *rec)
{
	CHECK(wt_take(wt, rec));
	CHECK_EQ(rec->type, KVM_WTRACK_RECORD_GUARD);
	CHECK_EQ(rec->guard.action, action);
	CHECK_EQ(rec->guard.cause, cause);
	CHECK_EQ(rec->gpa / PAGE, VM_DATA_GFN);
}

static uint32_t state_of(int fd, uint64_t gfn)
{
	WT_ARG(query_gfn, q, .gfn = gfn);

	CHECK_ERRNO(__wt_query_gfn(fd, &q), 0);
	return q.out_state;
}

CASE(the_store_that_uses_up_a_budget_is_the_last_one_recorded)
{
	struct kvm_wtrack_record rec;
	struct setup s;

	init(&s, LONG_MS, 0);
	store(&s, 100);
	expect_stores(s.wt, BUDGET);
	expect_guard(s.wt, KVM_WTRACK_GUARD_DISARMED, KVM_WTRACK_CAUSE_BUDGET,
		     &rec);
	CHECK_EQ(rec.gpa, VM_DATA + (BUDGET - 1) * 8);
	CHECK_EQ(rec.flags, KVM_WTRACK_RECORD_F_VCPU |
			    KVM_WTRACK_RECORD_F_RIP);
	CHECK_EQ(rec.vcpu, 0);
	CHECK(!wt_peek(s.wt));
	CHECK_EQ(state_of(s.wt->fd, VM_DATA_GFN),
		 KVM_WTRACK_GFN_TRACKED | KVM_WTRACK_GFN_DISARMED);
	CHECK_EQ(state_of(s.wt->fd, VM_DATA_GFN + 1), KVM_WTRACK_GFN_TRACKED);
}

CASE(when_the_period_is_over_the_page_is_armed_and_to_be_reread)
{
	struct kvm_wtrack_record rec;
	struct kvm_wtrack_status st;
	struct setup s;

	init(&s, SHORT_MS, 0);
	store(&s, 100);
	expect_stores(s.wt, BUDGET);
	expect_guard(s.wt, KVM_WTRACK_GUARD_DISARMED, KVM_WTRACK_CAUSE_BUDGET,
		     &rec);
	CHECK_SOON(wt_peek(s.wt));
	expect_guard(s.wt, KVM_WTRACK_GUARD_REARMED, KVM_WTRACK_CAUSE_NONE,
		     &rec);
	CHECK_EQ(rec.gpa, VM_DATA);
	CHECK_EQ(rec.flags, KVM_WTRACK_RECORD_F_PAGE);
	CHECK_EQ(state_of(s.wt->fd, VM_DATA_GFN), KVM_WTRACK_GFN_TRACKED);
	wt_status(s.wt->fd, &st);
	CHECK_EQ(st.out_disarms, 1);
	CHECK_EQ(st.out_over_budget, 1);
	CHECK_EQ(st.out_rearms, 1);
	CHECK_EQ(st.out_unreported, 0);
	store(&s, BUDGET - 1);
	expect_stores(s.wt, BUDGET - 1);
	CHECK(!wt_peek(s.wt));
}

CASE(each_page_has_its_own_budget)
{
	struct kvm_wtrack_record rec;
	struct setup s;
	unsigned int i;

	init(&s, LONG_MS, 0);
	for (i = 0; i < BUDGET - 1; i++)
		vcpu_call(s.vcpu, g_store8, VM_DATA, 1, PAGES, PAGE);
	CHECK_EQ(wt_drain(s.wt), PAGES * (BUDGET - 1));
	vcpu_call(s.vcpu, g_store8, VM_DATA, 1, 5, 8);
	CHECK(wt_take(s.wt, &rec));
	expect_guard(s.wt, KVM_WTRACK_GUARD_DISARMED, KVM_WTRACK_CAUSE_BUDGET,
		     &rec);
	CHECK(!wt_peek(s.wt));
	for (i = 1; i < PAGES; i++)
		CHECK_EQ(state_of(s.wt->fd, VM_DATA_GFN + i),
			 KVM_WTRACK_GFN_TRACKED);
}

CASE(a_session_without_a_budget_gets_every_store)
{
	struct wt *wt;
	struct setup s;

	init(&s, LONG_MS, 0);
	wt = wt_session(s.vm->fd, 64, 0);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	store(&s, 5 * BUDGET);
	expect_stores(wt, 5 * BUDGET);
	expect_stores(s.wt, 5 * BUDGET);
	CHECK(!wt_peek(wt) && !wt_peek(s.wt));
	/* When it is gone the other one's budget counts. */
	wt_close(wt);
	store(&s, 1);
	CHECK(state_of(s.wt->fd, VM_DATA_GFN) & KVM_WTRACK_GFN_DISARMED);
}

CASE(a_session_that_stops_does_not_track_the_page_any_more)
{
	struct kvm_wtrack_record rec;
	struct wt *other;
	struct setup s;

	init(&s, SHORT_MS, KVM_WTRACK_RING_F_STOP);
	other = wt_session_budget(s.vm->fd, 64, 0, BUDGET, SHORT_MS);
	wt_add(other->fd, VM_DATA_GFN, 1);
	store(&s, 100);
	expect_stores(s.wt, BUDGET);
	expect_guard(s.wt, KVM_WTRACK_GUARD_STOPPED, KVM_WTRACK_CAUSE_BUDGET,
		     &rec);
	expect_stores(other, BUDGET);
	expect_guard(other, KVM_WTRACK_GUARD_DISARMED, KVM_WTRACK_CAUSE_BUDGET,
		     &rec);
	CHECK(!wt_tracked(s.wt->fd, VM_DATA_GFN));
	CHECK_EQ(wt_query_pages(s.wt->fd), PAGES - 1);
	/* The other one goes on alone. */
	CHECK_SOON(wt_peek(other));
	expect_guard(other, KVM_WTRACK_GUARD_REARMED, KVM_WTRACK_CAUSE_NONE,
		     &rec);
	store(&s, 1);
	expect_stores(other, 1);
	CHECK(!wt_peek(s.wt));
	wt_add(s.wt->fd, VM_DATA_GFN, 1);
}

CASE(adding_a_page_that_is_over_its_budget_arms_it_at_once)
{
	struct kvm_wtrack_record rec;
	struct setup s;

	init(&s, LONG_MS, 0);
	store(&s, 100);
	CHECK_EQ(wt_drain(s.wt), BUDGET + 1);
	CHECK_ERRNO(__wt_add_page(s.wt->fd, VM_DATA_GFN), 0);
	CHECK_EQ(state_of(s.wt->fd, VM_DATA_GFN), KVM_WTRACK_GFN_TRACKED);
	expect_guard(s.wt, KVM_WTRACK_GUARD_REARMED, KVM_WTRACK_CAUSE_NONE,
		     &rec);
	store(&s, 1);
	expect_stores(s.wt, 1);
}

/* 62 records fill the ring; the stores of the other pages do. */
CASE(a_full_ring_has_it_said_by_the_resync_set)
{
	struct wt_resync set;
	struct setup s;
	unsigned int i;

	init(&s, LONG_MS, 0);
	for (i = 1; i < PAGES; i++)
		vcpu_call(s.vcpu, g_store8, VM_DATA + i * PAGE, 1, BUDGET - 1,
			  8);
	wt_remove(s.wt->fd, VM_DATA_GFN + 1, PAGES - 1);
	wt_add(s.wt->fd, VM_DATA_GFN + 1, PAGES - 1);
	for (i = 1; i < PAGES; i++)
		vcpu_call(s.vcpu, g_store8, VM_DATA + i * PAGE, 1, BUDGET - 1,
			  8);
	store(&s, 100);
	CHECK(wt_drain(s.wt));
	wt_resync(s.wt->fd, &set);
	CHECK_EQ(set.nr, 1);
	CHECK_EQ(set.ranges[0].gfn, VM_DATA_GFN);
	CHECK_EQ(set.ranges[0].nr_pages, 1);
	CHECK_EQ(set.ranges[0].what, KVM_WTRACK_RESYNC_DISARMED);
}

CASE(a_ring_without_a_budget_has_that_of_the_restriction)
{
	WT_ARG(restrict, r, .budget = BUDGET, .period_ms = LONG_MS,
	       .rights = ~0ULL);
	WT_ARG(ring, ring, .records = 64);
	struct setup s = { .vm = vm_new(PAGES) };
	struct kvm_wtrack_record rec;
	int fd = wt_open();

	s.vcpu = vcpu_new(s.vm);
	wt_attach(fd, s.vm->fd);
	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	s.wt = wt_from_fd(fd);
	wt_add(fd, VM_DATA_GFN, 1);
	store(&s, 100);
	expect_stores(s.wt, BUDGET);
	expect_guard(s.wt, KVM_WTRACK_GUARD_DISARMED, KVM_WTRACK_CAUSE_BUDGET,
		     &rec);
}
