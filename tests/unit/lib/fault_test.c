// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Everything that the library asks of the system fails once, at every place
 * where it is asked for: the failure is told, and nothing is left behind.
 */
#include "test.h"

static int overflow_and_recover(struct wtrack_session *session)
{
	const struct wtrack_event *event;
	struct wtrack_resync_range range;
	int i, r;

	for (i = 0; i < 20; i++)
		fake_store(i, i);
	while ((event = wtrack_session_next(session))) {
		if (wtrack_event_get_type(event) != WTRACK_EVENT_RESYNC)
			continue;
		while ((r = wtrack_session_resync_next(session, &range)) > 0)
			;
		if (r < 0)
			return r;
	}
	wtrack_session_release(session);
	return wtrack_session_wait(session, 0);
}

static int ask(struct wtrack_session *session)
{
	struct wtrack_status status;
	struct wtrack_region region;
	struct wtrack_range range;
	uint64_t gfn = 0, at = 0, seq, word;
	uint32_t waiters;
	int r;

	r = wtrack_session_query(session, &gfn, &range, 1);
	if (r >= 0)
		r = wtrack_session_query_gfn(session, 1, NULL, NULL);
	if (r >= 0)
		r = wtrack_session_get_status(session, &status, sizeof(status));
	if (r >= 0)
		r = wtrack_session_fence(session, &seq);
	if (r >= 0)
		r = wtrack_session_get_waiters(session, &waiters, NULL);
	if (r >= 0)
		r = wtrack_session_read(session, 0, &word, sizeof(word), NULL,
					0);
	if (r >= 0)
		r = wtrack_session_regions_next(session, &at, &region, NULL);
	return r;
}

static int use(struct wtrack_session *session)
{
	struct wtrack_range range = { 0, 50 };
	const struct wtrack_restriction restriction = {
		.ranges = &range, .nr_ranges = 1,
	};
	uint64_t seq;
	int r;

	r = wtrack_session_restrict(session, &restriction, sizeof(restriction));
	if (r >= 0)
		r = wtrack_session_make_ring(session, 8, 0, 0, 0);
	if (r >= 0)
		r = wtrack_session_set_wakeup(session, 1, 0);
	if (r >= 0)
		r = wtrack_session_add(session, &range, 1, NULL, 0);
	if (r >= 0)
		r = wtrack_session_rearm(session, &range, 1, NULL, 0);
	if (r >= 0)
		r = overflow_and_recover(session);
	if (r >= 0)
		r = ask(session);
	if (r >= 0)
		r = wtrack_session_remove_fenced(session, &range, 1, NULL, 0,
						 &seq);
	return r;
}

static int whole_life(void)
{
	struct wtrack_session *session = UNTOUCHED;
	struct wtrack_info info;
	int r;

	fake.vmm.nr_fds = 2;
	fake.daemon.error = "org.wtrack1.Error.NoSuchVM";
	r = wtrack_get_info(&info, sizeof(info));
	if (r >= 0)
		r = wtrack_session_open_daemon_pid(FAKE_PID, 0, &session, NULL);
	if (r == -ESRCH)
		r = wtrack_session_open_pid(FAKE_PID, &session);
	if (r < 0) {
		assert_ptr_equal(session, UNTOUCHED);
		return r;
	}
	r = use(session);
	wtrack_session_close(session);
	return r;
}

static void every_failure_is_told_and_leaves_nothing(void **state)
{
	int call, nth, failures = 0;

	for (call = 0; call < FAKE_NR_CALLS; call++) {
		for (nth = 1;; nth++) {
			fake_teardown(state);
			fake_setup(state);
			fake_fail(call, nth, ENOMEM);
			errno = EXDEV;
			if (whole_life() == 0)
				break;
			assert_int_equal(errno, EXDEV);
			failures++;
		}
		assert_int_equal(fake.nr_calls[call], nth - 1);
		/* The scenario reaches all that can fail. */
		assert_in_range(nth, 2, 100);
	}
	assert_in_range(failures, FAKE_NR_CALLS, 1000);
}

static int take_over(void)
{
	struct wtrack_session *session = UNTOUCHED;
	int fd = fake_session_fd(8);
	int r;

	r = wtrack_session_open_fd(fd, &session);
	if (r < 0) {
		assert_ptr_equal(session, UNTOUCHED);
		assert_int_equal(fake.nr_open, 1);
		fake.nr_open--;
		return r;
	}
	wtrack_session_close(session);
	return 0;
}

static void every_failed_take_over_leaves_the_descriptor(void **state)
{
	static const enum fake_call calls[] = {
		FAKE_INFO, FAKE_ALLOC, FAKE_STATUS, FAKE_MMAP,
	};
	size_t i;
	int nth;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		for (nth = 1;; nth++) {
			fake_teardown(state);
			fake_setup(state);
			fake_fail(calls[i], nth, ENOMEM);
			if (take_over() == 0)
				break;
		}
		assert_int_equal(nth - 1, calls[i] == FAKE_MMAP ? 2 : 1);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(every_failure_is_told_and_leaves_nothing),
		CASE(every_failed_take_over_leaves_the_descriptor),
	};

	return RUN(cases);
}
