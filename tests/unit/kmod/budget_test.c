// SPDX-License-Identifier: GPL-2.0-or-later
/* Budgets: how many stores a page has in a period before it is disarmed. */
#include "test.h"

#define GFN		77ULL
#define GPA		(GFN << KWT_PAGE_SHIFT)
#define RECORDS		64
#define PERIOD		1000ULL

static struct kwt_space space;
static struct session session, other;
static const u64 word = 0x1122334455667788;

static void add_session(struct session *s, u32 budget, u64 period_ns,
			bool coalesce)
{
	session_init(s, &space, RECORDS, coalesce);
	s->ring.budget = budget;
	s->ring.counts = budget;
	s->ring.period_ns = period_ns;
}

static void init(u32 budget, u32 other_budget)
{
	assert_int_equal(kwt_space_init(&space), 0);
	add_session(&session, budget, PERIOD, false);
	add_session(&other, other_budget, PERIOD, false);
	session_add_all(&session, GFN, 2);
	shim_now = 5000;
}

static void done(void)
{
	session_exit(&other);
	session_exit(&session);
	assert_int_equal(space.bytes, test_bytes());
	kwt_space_exit(&space);
}

/* Stores, each of which is read at once; returns how often the page tripped. */
static u64 stores(u64 gpa, u32 nr)
{
	u64 before = fake.trips;

	for (; nr; nr--) {
		hook(&space, gpa, &word, sizeof(word), 3);
		session_release(&session, kwt_ring_head(&session.ring));
		session_release(&other, kwt_ring_head(&other.ring));
	}
	return fake.trips - before;
}

/* What the guard's worker does later. */
static void rearm(u64 gfn)
{
	assert_int_equal(session_add(&session, gfn), 0);
	assert_true(fake_armed(gfn));
}

static void the_store_that_uses_up_the_budget_disarms_its_page(void **state)
{
	u32 budget;

	(void)state;
	for (budget = 1; budget <= 100; budget++) {
		fake_reset();
		init(budget, 0);
		assert_int_equal(stores(GPA, budget - 1), 0);
		assert_true(fake_armed(GFN));
		assert_int_equal(stores(GPA + 8, 1), 1);
		assert_false(fake_armed(GFN));
		/* That store is a record like those before it. */
		assert_int_equal(kwt_ring_head(&session.ring), budget + 1);
		assert_int_equal(session_record(&session, budget - 1)->gpa,
				 GPA + 8);
		done();
	}
}

static void the_guard_is_told_whose_store_it_was(void **state)
{
	const struct kvm_wtrack_record expected = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.flags = KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP,
		.vcpu = 3,
		.gpa = GPA + 16,
		.time_ns = 5000,
		.rip = HOOK_RIP,
		.guard = { KVM_WTRACK_GUARD_DISARMED, KVM_WTRACK_CAUSE_BUDGET },
	};

	(void)state;
	init(1, 0);
	assert_int_equal(stores(GPA + 16, 1), 1);
	assert_memory_equal(&fake.last_trip, &expected, sizeof(expected));
	done();
}

/* Of any kind: short, long, and such as find no room. */
static void each_notification_counts_as_one(void **state)
{
	static const u8 data[1024];
	u32 n;

	(void)state;
	init(70, 0);
	hook(&space, GPA, data, 1, 3);
	hook(&space, GPA, data, 16, 3);
	hook(&space, GPA, data, 1024, 3);
	for (n = 0; n < 66; n++)
		hook(&space, GPA, data, 8, 3);
	assert_true(atomic64_read(&session.ring.resync_writes) > 0);
	assert_int_equal(fake.trips, 0);
	hook(&space, GPA, data, 8, 3);
	assert_int_equal(fake.trips, 1);
	session_reopen(&session);
	done();
}

static void each_page_has_a_budget_of_its_own(void **state)
{
	(void)state;
	init(5, 0);
	assert_int_equal(stores(GPA, 4), 0);
	assert_int_equal(stores(GPA + KWT_PAGE_SIZE, 4), 0);
	assert_int_equal(stores(GPA + KWT_PAGE_SIZE, 1), 1);
	assert_true(fake_armed(GFN));
	assert_false(fake_armed(GFN + 1));
	assert_int_equal(stores(GPA, 1), 1);
	done();
}

static void a_period_begins_with_the_first_store_after_the_last(void **state)
{
	u32 n;

	(void)state;
	init(5, 0);
	for (n = 0; n < 10; n++) {
		assert_int_equal(stores(GPA, 2), 0);
		shim_now += PERIOD - 1;
		assert_int_equal(stores(GPA, 2), 0);
		shim_now += 1;
	}
	assert_int_equal(stores(GPA, 4), 0);
	shim_now += PERIOD - 1;
	assert_int_equal(stores(GPA, 1), 1);
	/* Armed too early it trips at once, and in the next period not. */
	rearm(GFN);
	assert_int_equal(stores(GPA, 1), 1);
	rearm(GFN);
	shim_now += 1;
	assert_int_equal(stores(GPA, 4), 0);
	assert_int_equal(stores(GPA, 1), 1);
	done();
}

/* The largest budget is all that the counter can count. */
static void the_count_does_not_wrap_around(void **state)
{
	u32 n;

	(void)state;
	init(U16_MAX, 0);
	assert_int_equal(stores(GPA, U16_MAX - 1), 0);
	for (n = 0; n < 10; n++) {
		assert_int_equal(stores(GPA, 1), 1);
		rearm(GFN);
	}
	done();
}

static void a_session_without_a_budget_gets_every_store(void **state)
{
	(void)state;
	init(5, 0);
	session_add_all(&other, GFN, 1);
	assert_int_equal(stores(GPA, 100), 0);
	assert_int_equal(kwt_ring_head(&other.ring), 100);
	assert_int_equal(kwt_ring_head(&session.ring), 100);
	/* It does not stand in the way on other pages, or when it is gone. */
	assert_int_equal(stores(GPA + KWT_PAGE_SIZE, 5), 1);
	assert_int_equal(session_remove(&other, GFN), 1);
	assert_int_equal(stores(GPA, 1), 1);
	done();
}

static void a_page_of_several_sessions_has_the_largest_budget(void **state)
{
	(void)state;
	init(3, 8);
	session_add_all(&other, GFN, 2);
	assert_int_equal(stores(GPA, 7), 0);
	assert_int_equal(stores(GPA, 1), 1);
	assert_int_equal(kwt_ring_head(&session.ring), 8 + 1);
	done();
	init(8, 3);
	session_add_all(&other, GFN, 2);
	assert_int_equal(stores(GPA, 7), 0);
	assert_int_equal(stores(GPA, 1), 1);
	done();
}

static void each_session_counts_its_own_period(void **state)
{
	(void)state;
	init(3, 0);
	session_exit(&other);
	add_session(&other, 3, 3 * PERIOD, false);
	session_add_all(&other, GFN, 1);
	assert_int_equal(stores(GPA, 2), 0);
	shim_now += PERIOD;
	/* The fifth within three periods, but only the second in its own. */
	assert_int_equal(stores(GPA, 2), 0);
	assert_int_equal(stores(GPA, 1), 1);
	done();
}

static void merged_stores_count_as_well(void **state)
{
	u32 n;

	(void)state;
	assert_int_equal(kwt_space_init(&space), 0);
	add_session(&session, 4, PERIOD, true);
	add_session(&other, 0, 0, false);
	session_add_all(&session, GFN, 1);
	for (n = 0; n < 3; n++)
		hook(&space, GPA, &word, 8, 3);
	assert_int_equal(fake.trips, 0);
	hook(&space, GPA, &word, 8, 3);
	assert_int_equal(fake.trips, 1);
	/* One record for all of them, and that of the guard. */
	assert_int_equal(kwt_ring_head(&session.ring), 2);
	assert_int_equal(atomic64_read(&session.ring.merged), 3);
	done();
}

static u32 action_at(u64 pos)
{
	const struct kvm_wtrack_record *record = session_record(&session, pos);

	assert_non_null(record);
	return record->type == KVM_WTRACK_RECORD_GUARD ? record->guard.action :
							  0;
}

/* As KVM does with the rest of a string instruction. */
static void what_is_stored_to_a_disarmed_page_is_neither_recorded_nor_counted(void **state)
{
	static const u8 data[1024];
	bool coalesce;
	u32 n;

	(void)state;
	for (coalesce = false; ; coalesce = true) {
		fake_reset();
		assert_int_equal(kwt_space_init(&space), 0);
		add_session(&session, 2, PERIOD, coalesce);
		add_session(&other, 3, PERIOD, false);
		session_add_all(&session, GFN, 1);
		session_add_all(&other, GFN, 1);
		assert_int_equal(stores(GPA, 3), 1);
		assert_int_equal(action_at(kwt_ring_head(&session.ring) - 1),
				 KVM_WTRACK_GUARD_DISARMED);
		n = kwt_ring_head(&session.ring);
		assert_int_equal(stores(GPA, 1021), 0);
		hook(&space, GPA, data, 1, 3);
		hook(&space, GPA, data, sizeof(data), 3);
		assert_int_equal(kwt_ring_head(&session.ring), n);
		assert_int_equal(kwt_ring_head(&other.ring), 4);
		assert_int_equal(atomic64_read(&session.ring.resync_writes), 0);
		shim_now += PERIOD;
		rearm(GFN);
		assert_int_equal(action_at(n), KVM_WTRACK_GUARD_REARMED);
		/* The whole budget is there: nothing was counted. */
		assert_int_equal(stores(GPA, 2), 0);
		assert_int_equal(stores(GPA, 1), 1);
		done();
		if (coalesce)
			break;
	}
}

static void a_full_ring_has_no_store_to_a_disarmed_page_in_its_set(void **state)
{
	u64 writes;
	u32 n;

	(void)state;
	init(70, 0);
	for (n = 0; n < 70; n++)
		hook(&space, GPA, &word, 8, 3);
	writes = atomic64_read(&session.ring.resync_writes);
	assert_int_equal(fake.trips, 1);
	for (n = 0; n < 70; n++)
		hook(&space, GPA, &word, 8, 3);
	assert_int_equal(atomic64_read(&session.ring.resync_writes), writes);
	session_reopen(&session);
	done();
}

static void other_joins(void)
{
	assert_int_equal(session_add(&other, GFN), 1);
}

static void session_leaves(void)
{
	assert_int_equal(session_remove(&session, GFN), 1);
}

/* Between the look at the sessions and the guard's lock. */
static void a_session_that_joins_in_between_is_not_disarmed_for_others(void **state)
{
	u32 budget;

	(void)state;
	for (budget = 0; budget < 3; budget += 2) {
		init(2, budget);
		assert_int_equal(stores(GPA, 1), 0);
		shim_before_lock = other_joins;
		assert_int_equal(stores(GPA, 1), 0);
		assert_true(fake_armed(GFN));
		assert_int_equal(kwt_ring_head(&other.ring), 0);
		assert_int_equal(kwt_set_state(&other.set, GFN),
				 KVM_WTRACK_GFN_TRACKED);
		/* From then on it counts as any other. */
		assert_int_equal(stores(GPA, 1), 0);
		assert_int_equal(stores(GPA, 1), budget ? 1 : 0);
		done();
	}
}

static void a_session_that_leaves_in_between_does_not_count(void **state)
{
	(void)state;
	init(2, 2);
	session_add_all(&other, GFN, 1);
	assert_int_equal(stores(GPA, 1), 0);
	shim_before_lock = session_leaves;
	assert_int_equal(stores(GPA, 1), 1);
	/* Its two stores, and nothing of the guard. */
	assert_int_equal(kwt_ring_head(&session.ring), 2);
	assert_int_equal(action_at(1), 0);
	assert_int_equal(kwt_ring_head(&other.ring), 3);
	done();
}

static void tune(u32 budget, u64 period_ns)
{
	session.ring.budget = budget;
	session.ring.period_ns = period_ns;
	assert_int_equal(kwt_span_tune(&session.set,
				       kwt_span_first(&session.set, 0)), 0);
}

static void a_period_is_no_longer_than_the_one_that_is_tuned(void **state)
{
	(void)state;
	init(50, 0);
	session.ring.period_ns = 100 * PERIOD;
	assert_int_equal(stores(GPA, 40), 0);
	tune(5, PERIOD);
	/* What was spent was spent. */
	assert_int_equal(stores(GPA, 1), 1);
	shim_now += PERIOD;
	rearm(GFN);
	assert_int_equal(stores(GPA, 4), 0);
	assert_int_equal(stores(GPA, 1), 1);
	done();
}

static void nor_does_it_begin_anew_when_that_is_asked_for(void **state)
{
	u32 n;

	(void)state;
	init(5, 0);
	assert_int_equal(stores(GPA, 1), 0);
	for (n = 0; n < 3; n++) {
		tune(5, PERIOD);
		assert_int_equal(stores(GPA, 1), 0);
	}
	tune(5, PERIOD);
	assert_int_equal(stores(GPA, 1), 1);
	done();
}

static void a_page_added_anew_has_spent_nothing(void **state)
{
	(void)state;
	init(5, 0);
	assert_int_equal(stores(GPA, 4), 0);
	assert_int_equal(session_remove(&session, GFN), 1);
	assert_int_equal(session_add(&session, GFN), 1);
	assert_int_equal(stores(GPA, 4), 0);
	assert_int_equal(stores(GPA, 1), 1);
	done();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_store_that_uses_up_the_budget_disarms_its_page),
		CASE(the_guard_is_told_whose_store_it_was),
		CASE(each_notification_counts_as_one),
		CASE(each_page_has_a_budget_of_its_own),
		CASE(a_period_begins_with_the_first_store_after_the_last),
		CASE(the_count_does_not_wrap_around),
		CASE(a_session_without_a_budget_gets_every_store),
		CASE(a_page_of_several_sessions_has_the_largest_budget),
		CASE(each_session_counts_its_own_period),
		CASE(merged_stores_count_as_well),
		CASE(what_is_stored_to_a_disarmed_page_is_neither_recorded_nor_counted),
		CASE(a_full_ring_has_no_store_to_a_disarmed_page_in_its_set),
		CASE(a_session_that_joins_in_between_is_not_disarmed_for_others),
		CASE(a_session_that_leaves_in_between_does_not_count),
		CASE(a_period_is_no_longer_than_the_one_that_is_tuned),
		CASE(nor_does_it_begin_anew_when_that_is_asked_for),
		CASE(a_page_added_anew_has_spent_nothing),
	};

	return RUN(cases);
}
