// SPDX-License-Identifier: GPL-2.0-or-later
/* Fences, and removal with a fence. */
#include "test.h"

static void track(uint64_t gfn, uint64_t nr)
{
	while (nr--)
		fake.tracked[gfn + nr] = true;
}

static void fence_stores_nothing_when_it_fails(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	uint64_t seq = 99;

	(void)state;
	fake_store(1, 1);
	fake_fail(FAKE_FENCE, 1, ESRCH);
	assert_int_equal(wtrack_session_fence(session, &seq), -ESRCH);
	assert_int_equal(seq, 99);
	assert_int_equal(wtrack_session_fence(session, &seq), 0);
	assert_int_equal(seq, 1);
	wtrack_session_close(session);
}

static void fenced_removal_tells_the_last_event(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range = { 1, 2 };
	uint64_t seq = 99;

	(void)state;
	track(1, 2);
	fake_store(1, 1);
	fake_store(2, 2);
	assert_int_equal(wtrack_session_remove_fenced(session, &range, 1, NULL,
						      0, &seq), 0);
	assert_int_equal(seq, 2);
	assert_int_equal(fake.nr_calls[FAKE_FENCE], 0);
	wtrack_session_close(session);
}

static void fenced_removal_tells_it_also_when_pages_are_refused(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range = { 1, 2 };
	uint64_t seq = 99;

	(void)state;
	track(1, 1);
	fake_store(1, 1);
	assert_int_equal(wtrack_session_remove_fenced(session, &range, 1, NULL,
						      0, &seq), -ENOENT);
	assert_int_equal(seq, 1);
	wtrack_session_close(session);
}

static void fenced_removal_of_nothing_is_a_fence(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	uint64_t seq = 99;

	(void)state;
	assert_int_equal(wtrack_session_remove_fenced(session, NULL, 0, NULL, 0,
						      &seq), 0);
	assert_int_equal(seq, 0);
	assert_int_equal(fake.nr_calls[FAKE_FENCE], 1);
	wtrack_session_close(session);
}

static void signal_before_the_fence_does_not_lose_it(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range = { 1, 2 };
	uint64_t seq = 99;

	(void)state;
	track(1, 2);
	fake_store(1, 1);
	fake.pages_to_signal = 2;
	assert_int_equal(wtrack_session_remove_fenced(session, &range, 1, NULL,
						      0, &seq), 0);
	assert_int_equal(seq, 1);
	assert_int_equal(fake.nr_calls[FAKE_FENCE], 1);
	wtrack_session_close(session);
}

static void failed_fenced_removal_stores_nothing(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range = { 1, 2 };
	uint64_t seq = 99;

	(void)state;
	track(1, 2);
	fake.pages_to_signal = 2;
	fake_fail(FAKE_FENCE, 1, ESRCH);
	assert_int_equal(wtrack_session_remove_fenced(session, &range, 1, NULL,
						      0, &seq), -ESRCH);
	fake_fail(FAKE_REMOVE, 1, ESRCH);
	assert_int_equal(wtrack_session_remove_fenced(session, &range, 1, NULL,
						      0, &seq), -ESRCH);
	assert_int_equal(seq, 99);
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(fence_stores_nothing_when_it_fails),
		CASE(fenced_removal_tells_the_last_event),
		CASE(fenced_removal_tells_it_also_when_pages_are_refused),
		CASE(fenced_removal_of_nothing_is_a_fence),
		CASE(signal_before_the_fence_does_not_lose_it),
		CASE(failed_fenced_removal_stores_nothing),
	};

	return RUN(cases);
}
