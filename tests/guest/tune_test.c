// SPDX-License-Identifier: GPL-2.0-or-later
/* What a ring was made with is changed while it is in use. */
#include <poll.h>
#include <pthread.h>

#include "guest.h"
#include "tap.h"
#include "wt.h"

enum { PAGES = 4, LONG_MS = 4000 };

struct tuned {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt;
};

static void tuned_init(struct tuned *t, uint32_t flags, uint32_t budget)
{
	t->vm = vm_new(PAGES);
	t->v = vcpu_new(t->vm);
	t->wt = wt_session_budget(t->vm->fd, 256, flags, budget,
				  budget ? LONG_MS : 0);
	wt_add(t->wt->fd, VM_DATA_GFN, PAGES);
}

static int tune_budget(struct tuned *t, uint32_t budget, uint32_t period_ms)
{
	WT_ARG(tune, a, .flags = KVM_WTRACK_TUNE_F_BUDGET, .budget = budget,
	       .period_ms = period_ms);

	return __wt_tune(t->wt->fd, &a);
}

static int tune_wakeup(struct tuned *t, uint32_t watermark, uint32_t latency_us)
{
	WT_ARG(tune, a, .flags = KVM_WTRACK_TUNE_F_WAKEUP,
	       .watermark = watermark, .latency_us = latency_us);

	return __wt_tune(t->wt->fd, &a);
}

static void store(struct tuned *t, unsigned int page, unsigned int times)
{
	vcpu_call(t->v, g_store8, VM_DATA + page * PAGE, 1, times, 0);
}

/* A page that was disarmed before may be armed again at any time. */
static bool take_but_rearmed(struct tuned *t, struct kvm_wtrack_record *r)
{
	while (wt_take(t->wt, r))
		if (r->type != KVM_WTRACK_RECORD_GUARD ||
		    r->guard.action != KVM_WTRACK_GUARD_REARMED)
			return true;
	return false;
}

/* So many records of stores to the page, and then it is disarmed or not. */
static void check_stores(struct tuned *t, unsigned int page, unsigned int nr,
			 bool disarmed)
{
	struct kvm_wtrack_record r;
	unsigned int i;

	tap_trying("page %u", page);
	for (i = 0; i < nr; i++) {
		CHECK(take_but_rearmed(t, &r));
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
		CHECK_EQ(r.gpa, VM_DATA + page * PAGE);
	}
	if (disarmed) {
		CHECK(take_but_rearmed(t, &r));
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
		CHECK_EQ(r.guard.cause, KVM_WTRACK_CAUSE_BUDGET);
	}
	CHECK(!take_but_rearmed(t, &r));
}

CASE(a_session_without_a_budget_gets_one)
{
	struct tuned t;

	tuned_init(&t, 0, 0);
	store(&t, 0, 50);
	check_stores(&t, 0, 50, false);
	CHECK_ERRNO(tune_budget(&t, 5, LONG_MS), 0);
	store(&t, 0, 50);
	check_stores(&t, 0, 5, true);
	store(&t, 1, 50);
	check_stores(&t, 1, 5, true);
}

CASE(a_session_with_a_budget_loses_it)
{
	struct tuned t;

	tuned_init(&t, 0, 5);
	store(&t, 0, 50);
	check_stores(&t, 0, 5, true);
	CHECK_ERRNO(tune_budget(&t, 0, 0), 0);
	store(&t, 1, 50);
	check_stores(&t, 1, 50, false);
	/* Adding it arms it, as ever. */
	CHECK_ERRNO(__wt_add_page(t.wt->fd, VM_DATA_GFN), 0);
	wt_drain(t.wt);
	store(&t, 0, 50);
	check_stores(&t, 0, 50, false);
	CHECK_ERRNO(tune_budget(&t, 7, LONG_MS), 0);
	store(&t, 2, 50);
	check_stores(&t, 2, 7, true);
}

CASE(pages_that_are_added_later_have_the_new_budget)
{
	struct tuned t;

	tuned_init(&t, 0, 0);
	CHECK_ERRNO(tune_budget(&t, 3, LONG_MS), 0);
	wt_remove(t.wt->fd, VM_DATA_GFN, PAGES);
	wt_add(t.wt->fd, VM_DATA_GFN, PAGES);
	store(&t, 0, 50);
	check_stores(&t, 0, 3, true);
}

/* Whatever the page has spent of an old one, which would go on for seconds. */
CASE(a_shorter_period_begins_soon)
{
	static const uint32_t actions[] = {
		KVM_WTRACK_GUARD_DISARMED, KVM_WTRACK_GUARD_REARMED,
	};
	struct kvm_wtrack_record r;
	struct tuned t;
	unsigned int i;

	tuned_init(&t, 0, 50);
	store(&t, 0, 40);
	check_stores(&t, 0, 40, false);
	CHECK_ERRNO(tune_budget(&t, 5, 8), 0);
	store(&t, 0, 1);
	CHECK(wt_take(t.wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
	for (i = 0; i < 2; i++) {
		CHECK_SOON(wt_peek(t.wt));
		CHECK(wt_take(t.wt, &r));
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
		CHECK_EQ(r.guard.action, actions[i]);
	}
	store(&t, 0, 4);
	check_stores(&t, 0, 4, false);
}

CASE(a_coalescing_session_gets_a_budget_too)
{
	struct kvm_wtrack_record r;
	struct tuned t;
	unsigned int i;

	tuned_init(&t, KVM_WTRACK_RING_F_COALESCE, 0);
	CHECK_ERRNO(tune_budget(&t, 3, LONG_MS), 0);
	for (i = 0; i < 3; i++) {
		store(&t, 0, 1);
		CHECK(wt_take(t.wt, &r));
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
	}
	check_stores(&t, 0, 0, true);
}

CASE(status_tells_what_is_set)
{
	struct kvm_wtrack_status s;
	struct tuned t;

	tuned_init(&t, 0, 5);
	CHECK_ERRNO(tune_wakeup(&t, 100, 2000), 0);
	wt_status(t.wt->fd, &s);
	CHECK_EQ(s.out_watermark, 100);
	CHECK_EQ(s.out_latency_us, 2000);
	CHECK_EQ(s.out_budget, 5);
	CHECK_EQ(s.out_period_ms, LONG_MS);
	CHECK_ERRNO(tune_budget(&t, 9, 8), 0);
	CHECK_ERRNO(tune_wakeup(&t, 0, 0), 0);
	wt_status(t.wt->fd, &s);
	CHECK_EQ(s.out_watermark, 0);
	CHECK_EQ(s.out_latency_us, 0);
	CHECK_EQ(s.out_budget, 9);
	CHECK_EQ(s.out_period_ms, 8);
}

static bool is_ready(struct tuned *t)
{
	struct pollfd p = { .fd = t->wt->fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1 && p.revents & POLLIN;
}

CASE(a_watermark_is_raised_and_lowered)
{
	struct tuned t;

	tuned_init(&t, 0, 0);
	store(&t, 0, 10);
	CHECK(is_ready(&t));
	CHECK_ERRNO(tune_wakeup(&t, 20, 1000000), 0);
	wt_drain(t.wt);
	store(&t, 0, 19);
	CHECK(!is_ready(&t));
	CHECK_ERRNO(tune_wakeup(&t, 19, 1000000), 0);
	CHECK(is_ready(&t));
}

static void *wait_for_records(void *arg)
{
	struct pollfd p = { .fd = ((struct tuned *)arg)->wt->fd,
			    .events = POLLIN };

	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK(p.revents & POLLIN);
	return NULL;
}

/* The latency is so long that the test's limit would be over before. */
CASE(a_reader_that_sleeps_hears_of_a_lower_watermark)
{
	struct tuned t;
	pthread_t reader;

	tuned_init(&t, 0, 0);
	CHECK_ERRNO(tune_wakeup(&t, 100, 1000000), 0);
	CHECK(!pthread_create(&reader, NULL, wait_for_records, &t));
	store(&t, 0, 1);
	CHECK_ERRNO(tune_wakeup(&t, 1, 0), 0);
	CHECK(!pthread_join(reader, NULL));
}

CASE(what_ring_refuses_tune_refuses_and_changes_nothing)
{
	WT_ARG(tune, no_flag, .budget = 1, .period_ms = 1);
	WT_ARG(tune, other, .flags = KVM_WTRACK_TUNE_F_WAKEUP, .budget = 1,
	       .period_ms = 1);
	struct kvm_wtrack_info i;
	struct kvm_wtrack_status s;
	struct tuned t;

	wt_info(&i);
	tuned_init(&t, 0, 5);
	CHECK_ERRNO(tune_budget(&t, 5, 0), EINVAL);
	CHECK_ERRNO(tune_budget(&t, 0, 5), EINVAL);
	CHECK_ERRNO(tune_budget(&t, i.out_max_budget + 1, 5), ERANGE);
	CHECK_ERRNO(tune_budget(&t, 5, i.out_max_period_ms + 1), ERANGE);
	CHECK_ERRNO(tune_wakeup(&t, 129, 5), ERANGE);
	CHECK_ERRNO(tune_wakeup(&t, 2, i.out_max_latency_us + 1), ERANGE);
	CHECK_ERRNO(tune_wakeup(&t, 2, 0), EINVAL);
	CHECK_ERRNO(tune_wakeup(&t, 1, 5), EINVAL);
	CHECK_ERRNO(__wt_tune(t.wt->fd, &no_flag), EINVAL);
	CHECK_ERRNO(__wt_tune(t.wt->fd, &other), EINVAL);
	wt_status(t.wt->fd, &s);
	CHECK_EQ(s.out_watermark, 0);
	CHECK_EQ(s.out_budget, 5);
	CHECK_EQ(s.out_period_ms, LONG_MS);
}

CASE(a_restriction_holds_for_what_is_tuned)
{
	WT_ARG(restrict, r, .budget = 10, .period_ms = 100, .rights = ~0ULL);
	struct kvm_wtrack_status s;
	struct tuned t;

	tuned_init(&t, 0, 5);
	CHECK_ERRNO(__wt_restrict(t.wt->fd, &r), 0);
	CHECK_ERRNO(tune_budget(&t, 11, 100), EPERM);
	CHECK_ERRNO(tune_budget(&t, 10, 99), EPERM);
	CHECK_ERRNO(tune_budget(&t, 10, 100), 0);
	/* None stands for that of the restriction. */
	CHECK_ERRNO(tune_budget(&t, 1, 200), 0);
	CHECK_ERRNO(tune_budget(&t, 0, 0), 0);
	wt_status(t.wt->fd, &s);
	CHECK_EQ(s.out_budget, 10);
	CHECK_EQ(s.out_period_ms, 100);
}

struct storm {
	struct tuned *t;
	int stop;
};

static void *tune_on(void *arg)
{
	struct storm *storm = arg;

	while (!__atomic_load_n(&storm->stop, __ATOMIC_RELAXED)) {
		CHECK_ERRNO(tune_budget(storm->t, 1000, 10), 0);
		CHECK_ERRNO(tune_wakeup(storm->t, 64, 100), 0);
		CHECK_ERRNO(tune_budget(storm->t, 0, 0), 0);
		CHECK_ERRNO(tune_wakeup(storm->t, 0, 0), 0);
	}
	return NULL;
}

CASE_WITHIN(a_session_is_tuned_while_its_guest_stores, 60)
{
	struct tuned t;
	struct storm storm = { .t = &t };
	pthread_t tuner;
	unsigned int i;

	tuned_init(&t, 0, 0);
	CHECK(!pthread_create(&tuner, NULL, tune_on, &storm));
	for (i = 0; i < 200; i++) {
		store(&t, i % PAGES, 50);
		wt_drain(t.wt);
	}
	__atomic_store_n(&storm.stop, 1, __ATOMIC_RELAXED);
	CHECK(!pthread_join(tuner, NULL));
}
