// SPDX-License-Identifier: GPL-2.0-or-later
/* Synchronous sessions: vCPUs that wait are woken, and nobody else is. */
#include "test.h"

static struct wtrack_session *sync_session(void)
{
	struct wtrack_session *session = fake_session(0, 0);

	assert_int_equal(wtrack_session_set_sync(session, 500), 0);
	assert_int_equal(wtrack_session_make_ring(session, 8, WTRACK_RING_SYNC,
						  0, 0), 0);
	return session;
}

static void ring_is_made_with_the_time(void **state)
{
	struct wtrack_session *session = sync_session();

	(void)state;
	assert_int_equal(fake.ring.flags, KVM_WTRACK_RING_F_SYNC);
	assert_int_equal(fake.ring.sync_us, 500);
	assert_int_equal(wtrack_session_set_sync(session, 1), 0);
	assert_int_equal(fake.tune.flags, KVM_WTRACK_TUNE_F_SYNC);
	assert_int_equal(fake.tune.sync_us, 1);
	fake_fail(FAKE_TUNE, 1, EPERM);
	assert_int_equal(wtrack_session_set_sync(session, 2), -EPERM);
	wtrack_session_close(session);
}

static void time_that_was_refused_changes_nothing(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);

	(void)state;
	assert_int_equal(wtrack_session_set_sync(session, 100000), 0);
	assert_int_equal(wtrack_session_set_sync(session, 100001), -ERANGE);
	fake_fail(FAKE_RING, 1, EPERM);
	assert_int_equal(wtrack_session_make_ring(session, 8, WTRACK_RING_SYNC,
						  0, 0), -EPERM);
	assert_int_equal(wtrack_session_make_ring(session, 8, WTRACK_RING_SYNC,
						  0, 0), 0);
	assert_int_equal(fake.ring.sync_us, 100000);
	wtrack_session_close(session);
}

/* A module that knows of none reports a bound of 0. */
static void module_without_synchronous_sessions_takes_no_time(void **state)
{
	struct wtrack_session *session;

	(void)state;
	fake.info.out_max_sync_us = 0;
	session = fake_session(0, 0);
	assert_int_equal(wtrack_session_set_sync(session, 1), -ERANGE);
	assert_int_equal(wtrack_session_set_sync(session, 0), 0);
	wtrack_session_close(session);
}

static void release_makes_a_call_only_for_vcpus_that_wait(void **state)
{
	struct wtrack_session *session = sync_session();

	(void)state;
	fake.tracked[1] = true;
	fake_store(1, 1);
	assert_non_null(wtrack_session_next(session));
	wtrack_session_release(session);
	assert_int_equal(fake.nr_calls[FAKE_RELEASE], 0);
	fake_store(1, 2);
	fake_wait(1, 0);
	assert_non_null(wtrack_session_next(session));
	assert_int_equal(fake.waiters, 1);
	wtrack_session_release(session);
	assert_int_equal(fake.nr_calls[FAKE_RELEASE], 1);
	assert_int_equal(fake.waiters, 0);
	/* Nothing is released, and so nobody goes on. */
	fake_wait(1, 0);
	wtrack_session_release(session);
	assert_int_equal(fake.nr_calls[FAKE_RELEASE], 1);
	wtrack_session_close(session);
}

static void release_goes_on_when_a_signal_comes(void **state)
{
	struct wtrack_session *session = sync_session();

	(void)state;
	fake.tracked[1] = true;
	fake_store(1, 1);
	fake_wait(1, 1);
	assert_non_null(wtrack_session_next(session));
	fake_fail_times(FAKE_RELEASE, 1, 2, EINTR);
	wtrack_session_release(session);
	assert_int_equal(fake.waiters, 0);
	wtrack_session_close(session);
}

static void looking_wakes_nobody(void **state)
{
	struct wtrack_session *session = sync_session();
	uint32_t waiters = 77, signalled = 78;

	(void)state;
	fake_wait(3, 2);
	assert_int_equal(wtrack_session_get_waiters(session, &waiters,
						    &signalled), 0);
	assert_int_equal(waiters, 3);
	assert_int_equal(signalled, 2);
	assert_int_equal(fake.waiters, 3);
	assert_int_equal(wtrack_session_get_waiters(session, &waiters, NULL),
			 0);
	fake_fail(FAKE_RELEASE, 1, ESRCH);
	waiters = 77;
	assert_int_equal(wtrack_session_get_waiters(session, &waiters, NULL),
			 -ESRCH);
	assert_int_equal(waiters, 77);
	wtrack_session_close(session);
}

static void events_that_are_not_waited_for_say_so(void **state)
{
	struct wtrack_session *session = sync_session();
	struct kvm_wtrack_record record = { .type = KVM_WTRACK_RECORD_WRITE };

	(void)state;
	fake_publish(&record);
	record.flags = KVM_WTRACK_RECORD_F_ASYNC;
	fake_publish(&record);
	assert_false(wtrack_event_is_async(wtrack_session_next(session)));
	assert_true(wtrack_event_is_async(wtrack_session_next(session)));
	wtrack_session_close(session);
}

static struct wtrack_mirror *sync_mirror(struct wtrack_session *session,
					 unsigned int ring_flags)
{
	const struct wtrack_mirror_options options = {
		.records = 8, .ring_flags = WTRACK_RING_SYNC | ring_flags,
	};
	const struct wtrack_range page = { 1, 1 };
	struct wtrack_mirror *mirror;

	assert_int_equal(wtrack_session_set_sync(session, 500), 0);
	assert_int_equal(wtrack_mirror_new(session, &options, sizeof(options),
					   &mirror), 0);
	assert_int_equal(wtrack_mirror_add(mirror, &page, 1, NULL, 0), 0);
	return mirror;
}

/* With @next: wtrack_mirror_update() or wtrack_mirror_sync(). */
static void check_mirror(int (*next)(struct wtrack_mirror *mirror,
				     const struct wtrack_change **ret))
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = sync_mirror(session, 0);
	const struct wtrack_change *change;
	uint64_t before = 0, i;

	for (i = 1; i < 20; i++) {
		fake_store(1, i);
		fake_wait(1, 0);
		assert_int_equal(next(mirror, &change), 1);
		assert_int_equal(change->what, WTRACK_CHANGED_WRITE);
		assert_memory_equal(change->old_bytes, &before, 8);
		assert_memory_equal(change->new_bytes, &i, 8);
		assert_int_equal(fake.waiters, 1);
		assert_int_equal(next(mirror, &change), 0);
		assert_int_equal(fake.waiters, 0);
		assert_int_equal(fake.nr_calls[FAKE_RELEASE], i);
		before = i;
	}
	wtrack_mirror_close(mirror);
	wtrack_session_close(session);
}

static void mirror_releases_at_the_end_of_an_update(void **state)
{
	(void)state;
	check_mirror(wtrack_mirror_update);
}

static void mirror_releases_at_the_end_of_a_sync(void **state)
{
	(void)state;
	check_mirror(wtrack_mirror_sync);
}

/* When the page cannot be read, it is armed, and the vCPU still waits. */
static void mirror_arms_pages_again_before_it_releases(void **state)
{
	struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_WRITE, .len = 8, .total = 8,
		.flags = KVM_WTRACK_RECORD_F_ONCE, .gpa = 4096, .data = { 7 },
	};
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = sync_mirror(session, WTRACK_RING_ONCE);

	(void)state;
	fake_page_write(1, 7);
	fake.disarmed[1] = true;
	fake_publish(&record);
	fake_wait(1, 0);
	fake_fail(FAKE_READ, 1, ENOMEM);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), -ENOMEM);
	assert_false(fake.disarmed[1]);
	assert_int_equal(fake.waiters, 1);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(fake.waiters, 0);
	wtrack_mirror_close(mirror);
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(ring_is_made_with_the_time),
		CASE(time_that_was_refused_changes_nothing),
		CASE(module_without_synchronous_sessions_takes_no_time),
		CASE(release_makes_a_call_only_for_vcpus_that_wait),
		CASE(release_goes_on_when_a_signal_comes),
		CASE(looking_wakes_nobody),
		CASE(events_that_are_not_waited_for_say_so),
		CASE(mirror_releases_at_the_end_of_an_update),
		CASE(mirror_releases_at_the_end_of_a_sync),
		CASE(mirror_arms_pages_again_before_it_releases),
	};

	return RUN(cases);
}
