// SPDX-License-Identifier: GPL-2.0-or-later
/* What a ring is made with, and given later: budget and wake-up. */
#include "test.h"

static void ring_is_made_with_the_budget(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);

	(void)state;
	assert_int_equal(wtrack_session_set_budget(session, 1000, 100), 0);
	assert_int_equal(fake.nr_calls[FAKE_RING], 0);
	assert_int_equal(wtrack_session_make_ring(session, 8, 0, 0, 0), 0);
	assert_int_equal(fake.ring.budget, 1000);
	assert_int_equal(fake.ring.period_ms, 100);
	wtrack_session_close(session);
}

static void without_being_set_there_is_none(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);

	(void)state;
	assert_int_equal(fake.ring.budget, 0);
	assert_int_equal(fake.ring.period_ms, 0);
	wtrack_session_close(session);
}

static void last_budget_before_the_ring_counts(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);

	(void)state;
	assert_int_equal(wtrack_session_set_budget(session, 5, 6), 0);
	assert_int_equal(wtrack_session_set_budget(session, 0, 0), 0);
	assert_int_equal(wtrack_session_set_budget(session, 7, 8), 0);
	/* What is refused changes nothing. */
	assert_int_equal(wtrack_session_set_budget(session, 9, 0), -EINVAL);
	assert_int_equal(wtrack_session_make_ring(session, 8, 0, 0, 0), 0);
	assert_int_equal(fake.ring.budget, 7);
	assert_int_equal(fake.ring.period_ms, 8);
	wtrack_session_close(session);
}

static void budget_survives_a_ring_that_was_refused(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);

	(void)state;
	assert_int_equal(wtrack_session_set_budget(session, 7, 8), 0);
	fake_fail(FAKE_RING, 1, EPERM);
	assert_int_equal(wtrack_session_make_ring(session, 8, 0, 0, 0), -EPERM);
	assert_int_equal(wtrack_session_make_ring(session, 8, 0, 0, 0), 0);
	assert_int_equal(fake.ring.budget, 7);
	wtrack_session_close(session);
}

static void budget_out_of_bounds_is_erange(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);

	(void)state;
	assert_int_equal(wtrack_session_set_budget(session, 1001, 1), -ERANGE);
	assert_int_equal(wtrack_session_set_budget(session, UINT32_MAX, 1),
			 -ERANGE);
	assert_int_equal(wtrack_session_set_budget(session, 1, 101), -ERANGE);
	assert_int_equal(wtrack_session_set_budget(session, 1, UINT32_MAX),
			 -ERANGE);
	assert_int_equal(wtrack_session_set_budget(session, 1000, 100), 0);
	wtrack_session_close(session);
}

static void budget_and_period_come_together(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);

	(void)state;
	assert_int_equal(wtrack_session_set_budget(session, 1, 0), -EINVAL);
	assert_int_equal(wtrack_session_set_budget(session, 0, 1), -EINVAL);
	wtrack_session_close(session);
}

/* A module without budgets reports their bounds as 0. */
static void module_without_budgets_takes_none_but_0(void **state)
{
	struct wtrack_session *session;

	(void)state;
	fake.info.out_max_budget = 0;
	fake.info.out_max_period_ms = 0;
	session = fake_session(0, 0);
	assert_int_equal(wtrack_session_set_budget(session, 1, 1), -ERANGE);
	assert_int_equal(wtrack_session_set_budget(session, 0, 0), 0);
	wtrack_session_close(session);
}

/* From then on the module says what may be. */
static void the_budget_of_a_ring_is_tuned(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);

	(void)state;
	assert_int_equal(wtrack_session_set_budget(session, 7, 8), 0);
	assert_int_equal(fake.tune.flags, KVM_WTRACK_TUNE_F_BUDGET);
	assert_int_equal(fake.tune.budget, 7);
	assert_int_equal(fake.tune.period_ms, 8);
	assert_int_equal(wtrack_session_set_budget(session, 0, 0), 0);
	assert_int_equal(fake.tune.budget, 0);
	fake_fail(FAKE_TUNE, 1, EPERM);
	assert_int_equal(wtrack_session_set_budget(session, 9, 9), -EPERM);
	wtrack_session_close(session);
}

static void also_by_whom_takes_over_a_session_with_a_ring(void **state)
{
	struct wtrack_session *session;

	(void)state;
	assert_int_equal(wtrack_session_open_fd(fake_session_fd(8), &session),
			 0);
	assert_int_equal(wtrack_session_set_budget(session, 1, 2), 0);
	assert_int_equal(fake.tune.budget, 1);
	wtrack_session_close(session);
}

static void wake_up_is_tuned_and_needs_a_ring(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);

	(void)state;
	assert_int_equal(wtrack_session_set_wakeup(session, 3, 4), -ENOBUFS);
	assert_int_equal(wtrack_session_make_ring(session, 8, 0, 0, 0), 0);
	assert_int_equal(wtrack_session_set_wakeup(session, 3, 4), 0);
	assert_int_equal(fake.tune.flags, KVM_WTRACK_TUNE_F_WAKEUP);
	assert_int_equal(fake.tune.watermark, 3);
	assert_int_equal(fake.tune.latency_us, 4);
	assert_int_equal(fake.tune.budget, 0);
	fake_fail(FAKE_TUNE, 1, ERANGE);
	assert_int_equal(wtrack_session_set_wakeup(session, 9, 9), -ERANGE);
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(ring_is_made_with_the_budget),
		CASE(without_being_set_there_is_none),
		CASE(last_budget_before_the_ring_counts),
		CASE(budget_survives_a_ring_that_was_refused),
		CASE(budget_out_of_bounds_is_erange),
		CASE(budget_and_period_come_together),
		CASE(module_without_budgets_takes_none_but_0),
		CASE(the_budget_of_a_ring_is_tuned),
		CASE(also_by_whom_takes_over_a_session_with_a_ring),
		CASE(wake_up_is_tuned_and_needs_a_ring),
	};

	return RUN(cases);
}
