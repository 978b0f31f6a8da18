// SPDX-License-Identifier: GPL-2.0-or-later
/* Overflows: the resync event, the ranges behind it, and what can go wrong. */
#include "test.h"

static uint8_t next_type(struct wtrack_session *session)
{
	const struct wtrack_event *event = wtrack_session_next(session);

	assert_non_null(event);
	return wtrack_event_get_type(event);
}

/* Six records and the RESYNC record fill a ring of eight. */
static struct wtrack_session *overflown(int nr_lost)
{
	struct wtrack_session *session = fake_session(8, 0);
	int i;

	memset(fake.tracked, true, sizeof(fake.tracked));
	for (i = 0; i < 6 + nr_lost; i++)
		fake_store(i, i);
	assert_true(fake_ring_closed());
	for (i = 0; i < 6; i++)
		assert_int_equal(next_type(session), WTRACK_EVENT_WRITE);
	assert_int_equal(next_type(session), WTRACK_EVENT_RESYNC);
	return session;
}

static int fetch(struct wtrack_session *session, uint64_t first, int nr)
{
	struct wtrack_resync_range range;
	int i, r;

	for (i = 0; i < nr; i++) {
		r = wtrack_session_resync_next(session, &range);
		if (r != 1)
			return r;
		assert_int_equal(range.gfn, first + i);
		assert_int_equal(range.nr_pages, 1);
		assert_int_equal(range.what, WTRACK_RESYNC_REREAD);
	}
	return wtrack_session_resync_next(session, &range);
}

static void overflow_brings_the_pages_to_reread(void **state)
{
	struct wtrack_session *session = overflown(4);

	(void)state;
	assert_int_equal(fetch(session, 6, 4), 0);
	assert_false(fake_ring_closed());
	assert_int_equal(fake.consumer->pos, 7);
	fake_store(1, 1);
	assert_int_equal(wtrack_session_wait(session, -1), 1);
	assert_int_equal(next_type(session), WTRACK_EVENT_WRITE);
	wtrack_session_close(session);
}

/* The set needs more calls than one: the fake's limit is 16 ranges. */
static void large_sets_are_fetched_in_parts(void **state)
{
	struct wtrack_session *session = overflown(100);

	(void)state;
	assert_int_equal(fetch(session, 6, 100), 0);
	assert_int_equal(fake.nr_calls[FAKE_RESYNC], 7);
	wtrack_session_close(session);
}

static void library_releases_what_the_caller_forgot(void **state)
{
	struct wtrack_session *session = overflown(1);
	struct wtrack_resync_range range;

	(void)state;
	assert_int_equal(fake.consumer->pos, 0);
	assert_int_equal(wtrack_session_resync_next(session, &range), 1);
	assert_int_equal(fake.consumer->pos, 7);
	assert_int_equal(wtrack_session_resync_next(session, &range), 0);
	wtrack_session_close(session);
}

static void without_overflow_there_is_nothing_to_fetch(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_resync_range range;

	(void)state;
	fake_store(1, 1);
	assert_int_equal(wtrack_session_resync_next(session, &range), 0);
	assert_non_null(wtrack_session_next(session));
	assert_int_equal(wtrack_session_resync_next(session, &range), 0);
	assert_int_equal(fake.nr_calls[FAKE_RESYNC], 0);
	/* Nothing was released behind the caller's back. */
	assert_int_equal(fake.consumer->pos, 0);
	wtrack_session_close(session);
}

static void unfinished_resync_holds_back_newer_events(void **state)
{
	struct wtrack_session *session = overflown(2);
	struct wtrack_resync_range range;

	(void)state;
	wtrack_session_release(session);
	assert_int_equal(wtrack_session_wait(session, -1), -EBUSY);
	assert_int_equal(wtrack_session_resync_next(session, &range), 1);
	assert_false(fake_ring_closed());
	fake_store(1, 1);
	assert_null(wtrack_session_next(session));
	assert_int_equal(wtrack_session_wait(session, -1), -EBUSY);
	assert_int_equal(wtrack_session_resync_next(session, &range), 1);
	assert_int_equal(wtrack_session_resync_next(session, &range), 0);
	assert_int_equal(next_type(session), WTRACK_EVENT_WRITE);
	wtrack_session_close(session);
}

static void overflow_once_more(unsigned long request, void *args)
{
	int i;

	(void)args;
	if (request != KVM_WTRACK_RESYNC || fake.nr_calls[FAKE_RESYNC] != 1)
		return;
	for (i = 0; i < 7; i++)
		fake_store(200 + i, i);
}

/* The module wants the new RESYNC record released before it goes on. */
static void overflow_during_a_resync_brings_a_second_one(void **state)
{
	struct wtrack_session *session = overflown(20);
	int i;

	(void)state;
	fake.distort = overflow_once_more;
	assert_int_equal(fetch(session, 6, 16), 0);
	for (i = 0; i < 6; i++)
		assert_int_equal(next_type(session), WTRACK_EVENT_WRITE);
	assert_int_equal(next_type(session), WTRACK_EVENT_RESYNC);
	assert_int_equal(fetch(session, 22, 4), 1);
	wtrack_session_close(session);
}

static void written_removed_and_disarmed_pages_are_told_apart(void **state)
{
	struct wtrack_session *session = overflown(3);
	struct wtrack_resync_range range;

	(void)state;
	fake.tracked[7] = false;
	fake.disarmed[8] = true;
	assert_int_equal(wtrack_session_resync_next(session, &range), 1);
	assert_int_equal(range.what, WTRACK_RESYNC_REREAD);
	assert_int_equal(wtrack_session_resync_next(session, &range), 1);
	assert_int_equal(range.gfn, 7);
	assert_int_equal(range.what, WTRACK_RESYNC_REMOVED);
	assert_int_equal(wtrack_session_resync_next(session, &range), 1);
	assert_int_equal(range.gfn, 8);
	assert_int_equal(range.what, WTRACK_RESYNC_DISARMED);
	wtrack_session_close(session);
}

static void failed_fetch_can_be_repeated(void **state)
{
	struct wtrack_session *session = overflown(2);
	struct wtrack_resync_range range = { .gfn = 99 };

	(void)state;
	fake_fail(FAKE_RESYNC, 1, ENOMEM);
	assert_int_equal(wtrack_session_resync_next(session, &range), -ENOMEM);
	fake_fail(FAKE_RESYNC, 1, EBUSY);
	assert_int_equal(wtrack_session_resync_next(session, &range), -EBUSY);
	assert_int_equal(range.gfn, 99);
	assert_null(wtrack_session_next(session));
	fake_fail_times(FAKE_RESYNC, 1, 3, EINTR);
	assert_int_equal(fetch(session, 6, 2), 0);
	wtrack_session_close(session);
}

/* What was true of the resync before does not hold for the next one. */
static void each_resync_starts_anew(void **state)
{
	struct wtrack_session *session = overflown(2);
	struct wtrack_resync_range range;
	int i;

	(void)state;
	assert_int_equal(fetch(session, 6, 2), 0);
	for (i = 0; i < 7; i++)
		fake_store(i, i);
	while (wtrack_session_next(session))
		;
	fake_fail(FAKE_RESYNC, 1, EBUSY);
	assert_int_equal(wtrack_session_resync_next(session, &range), -EBUSY);
	assert_int_equal(fetch(session, 6, 1), 0);
	wtrack_session_close(session);
}

static void too_many_ranges(unsigned long request, void *args)
{
	if (request == KVM_WTRACK_RESYNC)
		((struct kvm_wtrack_resync *)args)->out_nr_ranges = 129;
}

static void answer_beyond_the_buffer_is_eproto(void **state)
{
	struct wtrack_session *session = overflown(2);
	struct wtrack_resync_range range = { .gfn = 99 };

	(void)state;
	fake.distort = too_many_ranges;
	assert_int_equal(wtrack_session_resync_next(session, &range), -EPROTO);
	assert_int_equal(range.gfn, 99);
	wtrack_session_close(session);
}

static void buffer_is_the_limit_when_the_module_has_none(void **state)
{
	struct wtrack_session *session;

	(void)state;
	fake.info.out_max_ranges = UINT32_MAX;
	session = overflown(300);
	assert_int_equal(fetch(session, 6, 300), 0);
	assert_int_equal(fake.nr_calls[FAKE_RESYNC], 3);
	wtrack_session_close(session);
}

static void vm_gone_gets_past_an_unfinished_resync(void **state)
{
	struct wtrack_session *session = overflown(2);

	(void)state;
	fake_vm_gone();
	assert_int_equal(wtrack_session_wait(session, -1), 1);
	assert_int_equal(next_type(session), WTRACK_EVENT_VM_GONE);
	assert_int_equal(wtrack_session_wait(session, -1), -ESRCH);
	assert_int_equal(fetch(session, 6, 2), 0);
	assert_int_equal(wtrack_session_wait(session, -1), -ESRCH);
	wtrack_session_close(session);
}

/* The reader before released the RESYNC record and did not fetch the set. */
static void inherited_resync_is_the_first_event(void **state)
{
	const struct wtrack_event *event;
	struct wtrack_session *session;
	int fd = fake_session_fd(8);
	int i;

	(void)state;
	memset(fake.tracked, true, sizeof(fake.tracked));
	for (i = 0; i < 9; i++)
		fake_store(i, i);
	fake.consumer->pos = 7;
	assert_int_equal(wtrack_session_open_fd(fd, &session), 0);
	assert_int_equal(wtrack_session_wait(session, -1), 1);
	event = wtrack_session_next(session);
	assert_non_null(event);
	assert_int_equal(wtrack_event_get_type(event), WTRACK_EVENT_RESYNC);
	assert_int_equal(wtrack_event_get_seq(event), 7);
	assert_null(wtrack_session_next(session));
	assert_int_equal(wtrack_session_wait(session, -1), -EBUSY);
	assert_int_equal(fetch(session, 6, 3), 0);
	fake_store(1, 1);
	event = wtrack_session_next(session);
	assert_int_equal(wtrack_event_get_seq(event), 8);
	wtrack_session_close(session);
}

static void resync_event_in_the_ring_is_not_inherited_twice(void **state)
{
	struct wtrack_session *session;
	int fd = fake_session_fd(8);
	int i;

	(void)state;
	memset(fake.tracked, true, sizeof(fake.tracked));
	for (i = 0; i < 7; i++)
		fake_store(i, i);
	fake.consumer->pos = 5;
	assert_int_equal(wtrack_session_open_fd(fd, &session), 0);
	assert_int_equal(next_type(session), WTRACK_EVENT_WRITE);
	assert_int_equal(next_type(session), WTRACK_EVENT_RESYNC);
	assert_int_equal(fetch(session, 6, 1), 0);
	assert_null(wtrack_session_next(session));
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(overflow_brings_the_pages_to_reread),
		CASE(large_sets_are_fetched_in_parts),
		CASE(library_releases_what_the_caller_forgot),
		CASE(without_overflow_there_is_nothing_to_fetch),
		CASE(unfinished_resync_holds_back_newer_events),
		CASE(overflow_during_a_resync_brings_a_second_one),
		CASE(written_removed_and_disarmed_pages_are_told_apart),
		CASE(failed_fetch_can_be_repeated),
		CASE(each_resync_starts_anew),
		CASE(answer_beyond_the_buffer_is_eproto),
		CASE(buffer_is_the_limit_when_the_module_has_none),
		CASE(vm_gone_gets_past_an_unfinished_resync),
		CASE(inherited_resync_is_the_first_event),
		CASE(resync_event_in_the_ring_is_not_inherited_twice),
	};

	return RUN(cases);
}
