// SPDX-License-Identifier: GPL-2.0-or-later
/* Adding and removing ranges, in any number, some of them refused. */
#include "ranges.h"
#include "test.h"

static void ranges_need_a_ring(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_range range = { 1, 1 };
	struct wtrack_result result;

	(void)state;
	assert_int_equal(wtrack_session_add(session, &range, 1, &result, 0),
			 -ENOBUFS);
	check(&result, 0, 0, -ENOBUFS, 1);
	assert_int_equal(wtrack_session_remove(session, &range, 1, NULL, 0),
			 -ENOBUFS);
	assert_int_equal(wtrack_session_rearm(session, &range, 1, NULL, 0),
			 -ENOBUFS);
	wtrack_session_close(session);
}

static void no_ranges_are_no_call(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);

	(void)state;
	assert_int_equal(wtrack_session_add(session, NULL, 0, NULL, 0), 0);
	assert_int_equal(wtrack_session_remove(session, NULL, 0, NULL, 0), 0);
	assert_int_equal(fake.nr_calls[FAKE_ADD] + fake.nr_calls[FAKE_REMOVE],
			 0);
	wtrack_session_close(session);
}

static void large_arrays_are_split(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_result results[NR];
	struct wtrack_range ranges[NR];
	size_t i;

	(void)state;
	fill(ranges);
	memset(results, 0xee, sizeof(results));
	assert_int_equal(wtrack_session_add(session, ranges, NR, results, 0),
			 0);
	assert_int_equal(fake.nr_calls[FAKE_ADD], 4);
	assert_int_equal(fake.biggest_call, 16);
	assert_int_equal(nr_tracked(), NR * 3);
	for (i = 0; i < NR; i++)
		check(&results[i], 3, 3, 0, 0);
	assert_int_equal(wtrack_session_remove(session, ranges, NR, NULL, 0),
			 0);
	assert_int_equal(fake.nr_calls[FAKE_REMOVE], 4);
	assert_int_equal(nr_tracked(), 0);
	wtrack_session_close(session);
}

static void only_what_is_not_observed_is_changed_by_arming_it(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range ranges[2] = { { 5, 10 }, { 14, 3 } };
	struct wtrack_result results[2];

	(void)state;
	assert_int_equal(wtrack_session_add(session, ranges, 1, NULL, 0), 0);
	fake.disarmed[6] = true;
	fake.disarmed[9] = true;
	fake.refuse[7] = EAGAIN;
	fake.pages_to_signal = 4;
	assert_int_equal(wtrack_session_rearm(session, ranges, 2, results,
					      WTRACK_CHANGE_NOWAIT), -EAGAIN);
	check(&results[0], 9, 2, -EAGAIN, 7);
	check(&results[1], 1, 0, -ENOENT, 15);
	assert_false(fake.disarmed[6] || fake.disarmed[9]);
	assert_int_equal(nr_tracked(), 10);
	assert_int_equal(wtrack_session_rearm(session, ranges, 1, NULL, 0), 0);
	assert_int_equal(wtrack_session_rearm(session, ranges, 1, NULL, 4),
			 -EINVAL);
	wtrack_session_close(session);
}

static void adding_twice_changes_nothing(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range = { 5, 10 };
	struct wtrack_result result;

	(void)state;
	fake.tracked[7] = true;
	assert_int_equal(wtrack_session_add(session, &range, 1, &result, 0), 0);
	check(&result, 10, 9, 0, 0);
	assert_int_equal(wtrack_session_add(session, &range, 1, &result, 0), 0);
	check(&result, 10, 0, 0, 0);
	wtrack_session_close(session);
}

static void refused_pages_do_not_stop_the_others(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_result results[NR];
	struct wtrack_range ranges[NR];

	(void)state;
	fill(ranges);
	fake.refuse[20 * 4 + 1] = EOPNOTSUPP;
	fake.refuse[20 * 4 + 2] = ENOSPC;
	fake.refuse[40 * 4] = EPERM;
	assert_int_equal(wtrack_session_add(session, ranges, NR, results, 0),
			 -EOPNOTSUPP);
	assert_int_equal(nr_tracked(), NR * 3 - 3);
	check(&results[19], 3, 3, 0, 0);
	check(&results[20], 1, 1, -EOPNOTSUPP, 20 * 4 + 1);
	check(&results[40], 2, 2, -EPERM, 40 * 4);
	check(&results[49], 3, 3, 0, 0);
	wtrack_session_close(session);
}

static void refusal_is_told_without_results(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range = { FAKE_PAGES - 1, 2 };

	(void)state;
	assert_int_equal(wtrack_session_add(session, &range, 1, NULL, 0),
			 -ENOENT);
	assert_true(fake.tracked[FAKE_PAGES - 1]);
	wtrack_session_close(session);
}

static void failed_call_tells_what_was_not_reached(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_result results[NR];
	struct wtrack_range ranges[NR];
	size_t i;

	(void)state;
	fill(ranges);
	fake.refuse[1] = EPERM;
	fake_fail(FAKE_ADD, 2, ESRCH);
	assert_int_equal(wtrack_session_add(session, ranges, NR, results, 0),
			 -ESRCH);
	check(&results[0], 2, 2, -EPERM, 1);
	for (i = 1; i < 16; i++)
		check(&results[i], 3, 3, 0, 0);
	for (; i < NR; i++)
		check(&results[i], 0, 0, -ESRCH, i * 4);
	wtrack_session_close(session);
}

static void malformed_range_in_the_middle_is_told(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range ranges[3] = {
		{ 1, 1 }, { 2, UINT64_MAX }, { 3, 1 },
	};
	struct wtrack_result results[3];

	(void)state;
	assert_int_equal(wtrack_session_add(session, ranges, 3, results, 0),
			 -EINVAL);
	check(&results[0], 1, 1, 0, 0);
	check(&results[1], 0, 0, -EINVAL, 2);
	check(&results[2], 0, 0, -EINVAL, 3);
	wtrack_session_close(session);
}

/* A signal in between, and an error that is none of a hole. */
static void holes_are_skipped(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range = { FAKE_PAGES - 10, 100 };
	struct wtrack_result result;

	(void)state;
	fake.refuse[FAKE_PAGES - 8] = EOPNOTSUPP;
	fake.pages_to_signal = 13;
	assert_int_equal(wtrack_session_add(session, &range, 1, &result,
					    WTRACK_CHANGE_SKIP_HOLES), 0);
	check(&result, 9, 9, 0, 0);
	assert_int_equal(result.skipped, 91);
	fake.refuse[FAKE_PAGES - 7] = EPERM;
	assert_int_equal(wtrack_session_add(session, &range, 1, &result,
					    WTRACK_CHANGE_SKIP_HOLES), -EPERM);
	check(&result, 8, 0, -EPERM, FAKE_PAGES - 7);
	assert_int_equal(result.skipped, 91);
	assert_int_equal(wtrack_session_add(session, &range, 1, &result, 0),
			 -EOPNOTSUPP);
	assert_int_equal(result.skipped, 0);
	wtrack_session_close(session);
}

/* What was not reached begins behind what was done and skipped. */
static void an_interruption_among_holes_tells_where(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range = { FAKE_PAGES - 10, 100 };
	struct wtrack_result result;

	(void)state;
	fake.pages_to_signal = 30;
	assert_int_equal(wtrack_session_add(session, &range, 1, &result,
					    WTRACK_CHANGE_SKIP_HOLES |
					    WTRACK_CHANGE_INTR), -EINTR);
	check(&result, 10, 10, -EINTR, FAKE_PAGES + 20);
	assert_int_equal(result.skipped, 20);
	wtrack_session_close(session);
}

static void unknown_flags_are_refused(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range = { 1, 1 };
	struct wtrack_result result;
	uint64_t seq = 99;

	(void)state;
	assert_int_equal(wtrack_session_add(session, &range, 1, &result, 8),
			 -EINVAL);
	check(&result, 0, 0, -EINVAL, 1);
	assert_int_equal(wtrack_session_remove(session, &range, 1, NULL,
					WTRACK_CHANGE_NOWAIT), -EINVAL);
	assert_int_equal(wtrack_session_remove(session, &range, 1, NULL,
					WTRACK_CHANGE_SKIP_HOLES), -EINVAL);
	assert_int_equal(wtrack_session_remove_fenced(session, &range, 1, NULL,
						      8, &seq), -EINVAL);
	assert_int_equal(seq, 99);
	wtrack_session_close(session);
}

static void a_page_is_waited_for_or_refused(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range = { 5, 3 };
	struct wtrack_result result;

	(void)state;
	fake.refuse[6] = EAGAIN;
	assert_int_equal(wtrack_session_add(session, &range, 1, &result,
					    WTRACK_CHANGE_NOWAIT), -EAGAIN);
	check(&result, 2, 2, -EAGAIN, 6);
	assert_int_equal(wtrack_session_add(session, &range, 1, &result, 0), 0);
	check(&result, 3, 1, 0, 0);
	wtrack_session_close(session);
}

static void without_memory_nothing_is_done(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range = { 9, 1 };
	struct wtrack_result result;

	(void)state;
	fake_fail(FAKE_ALLOC, 1, ENOMEM);
	assert_int_equal(wtrack_session_add(session, &range, 1, &result, 0),
			 -ENOMEM);
	check(&result, 0, 0, -ENOMEM, 9);
	assert_int_equal(fake.nr_calls[FAKE_ADD], 0);
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(ranges_need_a_ring),
		CASE(no_ranges_are_no_call),
		CASE(large_arrays_are_split),
		CASE(only_what_is_not_observed_is_changed_by_arming_it),
		CASE(adding_twice_changes_nothing),
		CASE(refused_pages_do_not_stop_the_others),
		CASE(refusal_is_told_without_results),
		CASE(failed_call_tells_what_was_not_reached),
		CASE(malformed_range_in_the_middle_is_told),
		CASE(holes_are_skipped),
		CASE(an_interruption_among_holes_tells_where),
		CASE(unknown_flags_are_refused),
		CASE(a_page_is_waited_for_or_refused),
		CASE(without_memory_nothing_is_done),
	};

	return RUN(cases);
}
