// SPDX-License-Identifier: GPL-2.0-or-later
/* A watch begins, logs, is killed and goes on, and ends. */
#include "scene.h"

#define STORED	"FDSTORE=1\nFDPOLL=0\nFDNAME=watch-doorbells-7-4242"

static struct watch_session *started(const struct wtrack_range *ranges,
				     size_t nr)
{
	struct watch_session *session = scene_start(ranges, nr);

	expect_told(STORED);
	expect_told("BARRIER=1");
	expect(MESSAGE_WATCH_ARMED);
	return session;
}

static void nothing_is_tracked_before_the_session_is_stored(void **state)
{
	struct watch_session *session = scene_start(PAGES({ 8, 4 }));

	(void)state;
	assert_false(fake.tracked[8]);
	expect_nothing();
	expect_told(STORED);
	assert_int_equal(session->state, WATCH_STORING);
	assert_false(fake.tracked[8]);
	expect_told("BARRIER=1");
	assert_int_equal(session->state, WATCH_ACTIVE);
	assert_true(fake.tracked[8] && fake.tracked[11]);
	expect(MESSAGE_WATCH_ARMED);
	expect_field("WTRACK_PAGES", "0x8+4");
	expect_nothing();
}

static void without_a_service_manager_it_works_as_well(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	scene_start(PAGES({ 8, 4 }));
	expect(MESSAGE_WATCH_ARMED);
	assert_true(fake.tracked[8]);
}

static void each_write_is_logged_then_released(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));

	(void)state;
	fake_store(8, 1);
	fake_store(9, 2);
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	expect_field("WTRACK_GFN", "0x8");
	expect_field("WTRACK_SEQ", "1");
	expect_field("WTRACK_VM_NAME", "web");
	expect_field("WTRACK_VM_PID", "4242");
	expect(MESSAGE_WATCH_WRITE);
	expect_field("WTRACK_SEQ", "2");
	expect_nothing();
	assert_int_equal(fake_unread(), 0);
	assert_int_equal(scene.counts.events, 2);
}

static void what_was_not_logged_is_logged_by_the_next_process(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));

	(void)state;
	fake_store(8, 1);
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	fake_store(9, 2);
	session = scene_restart(session);
	expect(MESSAGE_WATCH_RESUMED);
	expect_field("WTRACK_SEQ_FIRST", "2");
	expect(MESSAGE_WATCH_WRITE);
	expect_field("WTRACK_SEQ", "2");
	expect_nothing();
	fake_store(10, 3);
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	expect_field("WTRACK_SEQ", "3");
}

static void next_process_tracks_what_the_watch_is_now(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));

	(void)state;
	ranges_clear(&scene.config.ranges);
	assert_int_equal(ranges_add(&scene.config.ranges,
				    &(struct wtrack_range){ 10, 4 }), 0);
	scene_restart(session);
	assert_false(fake.tracked[8] || fake.tracked[9]);
	assert_true(fake.tracked[10] && fake.tracked[13]);
}

static void changed_pages_do_not_disturb_the_others(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));

	(void)state;
	fake_store(8, 1);
	ranges_clear(&scene.config.ranges);
	assert_int_equal(ranges_add(&scene.config.ranges,
				    &(struct wtrack_range){ 10, 4 }), 0);
	assert_int_equal(watch_session_apply(session), 0);
	assert_true(fake.tracked[10]);
	scene_run(0);
	assert_false(fake.tracked[8]);
	assert_true(fake.tracked[13]);
	expect(MESSAGE_WATCH_WRITE);
	expect_field("WTRACK_SEQ", "1");
	expect_nothing();
}

static void end_of_the_vm_is_the_end_of_the_session(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));

	(void)state;
	fake_store(8, 1);
	fake_vm_gone();
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	expect(MESSAGE_WATCH_ENDED);
	expect_told("FDSTOREREMOVE=1\nFDNAME=watch-doorbells-7-4242");
	assert_true(LIST_EMPTY(&scene.guest->sessions));
}

/* All of its events were logged by the daemon before, the end as well. */
static void vm_that_was_gone_before_ends_at_once(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));

	(void)state;
	fake_vm_gone();
	session->event = wtrack_session_next(session->wtrack);
	session->event = NULL;
	wtrack_session_release(session->wtrack);
	scene_restart(session);
	expect(MESSAGE_WATCH_RESUMED);
	expect(MESSAGE_WATCH_ENDED);
	assert_true(LIST_EMPTY(&scene.guest->sessions));
}

static void what_is_taken_away_is_drained_first(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));

	(void)state;
	fake_store(8, 1);
	watch_session_leave(session, "the watch was taken away");
	assert_false(fake.tracked[8]);
	scene_run(0);
	expect(MESSAGE_WATCH_WRITE);
	expect(MESSAGE_WATCH_STOPPED);
	expect_nothing();
	expect_told("FDSTOREREMOVE=1\nFDNAME=watch-doorbells-7-4242");
	assert_true(LIST_EMPTY(&scene.guest->sessions));
}

static void failure_to_open_is_told_once_and_tried_again(void **state)
{
	struct watch_session *session;

	(void)state;
	scene.open_error = -EUSERS;
	session = scene_start(PAGES({ 8, 4 }));
	expect(MESSAGE_WATCH_FAILED);
	scene_run(1200000);
	expect_nothing();
	assert_int_equal(session->state, WATCH_WAITING);
	scene.open_error = 0;
	scene_await_told();
	expect_told(STORED);
	expect_told("BARRIER=1");
	expect(MESSAGE_WATCH_ARMED);
	assert_true(fake.tracked[8]);
}

/* One too many would be dropped without a word. */
static void full_fd_store_means_that_nothing_is_tracked(void **state)
{
	struct watch_session *session;

	(void)state;
	scene.shared.store_max = 0;
	session = scene_start(PAGES({ 8, 4 }));
	expect(MESSAGE_WATCH_FAILED);
	expect_told("");
	assert_non_null(strstr(scene.entry, "FileDescriptorStoreMax="));
	assert_int_equal(session->state, WATCH_WAITING);
	assert_false(fake.tracked[8]);
	assert_int_equal(scene_nr_not_stored(), 1);
	scene.shared.store_max = 1;
	scene_run(1600000);
	expect_told(STORED);
	expect_told("BARRIER=1");
	expect(MESSAGE_WATCH_ARMED);
	assert_int_equal(scene_nr_not_stored(), 0);
}

static void failures_on_the_way_leave_nothing_open(void **state)
{
	static const enum fake_call calls[] = {
		FAKE_ALLOC, FAKE_OPEN, FAKE_INFO, FAKE_ATTACH, FAKE_RING,
		FAKE_MMAP, FAKE_STATUS,
	};
	struct watch_session *session;
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		fake_fail(calls[i], 1, EMFILE);
		session = scene_start(PAGES({ 8, 4 }));
		expect(MESSAGE_WATCH_FAILED);
		assert_int_equal(session->state, WATCH_WAITING);
		assert_int_equal(fake.nr_open, 0);
		scene_teardown(state);
		scene_setup(state);
	}
}

static void ring_that_was_tampered_with_is_made_anew(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));

	(void)state;
	fake.consumer->pos = 5;
	fake.extra_revents = 1;
	scene_io(session);
	expect(MESSAGE_WATCH_FAILED);
	expect_told("FDSTOREREMOVE=1\nFDNAME=watch-doorbells-7-4242");
	assert_int_equal(session->state, WATCH_WAITING);
	assert_int_equal(fake.nr_open, 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		SCENE(nothing_is_tracked_before_the_session_is_stored),
		SCENE(without_a_service_manager_it_works_as_well),
		SCENE(each_write_is_logged_then_released),
		SCENE(what_was_not_logged_is_logged_by_the_next_process),
		SCENE(next_process_tracks_what_the_watch_is_now),
		SCENE(changed_pages_do_not_disturb_the_others),
		SCENE(end_of_the_vm_is_the_end_of_the_session),
		SCENE(vm_that_was_gone_before_ends_at_once),
		SCENE(what_is_taken_away_is_drained_first),
		SCENE(failure_to_open_is_told_once_and_tried_again),
		SCENE(full_fd_store_means_that_nothing_is_tracked),
		SCENE(failures_on_the_way_leave_nothing_open),
		SCENE(ring_that_was_tampered_with_is_made_anew),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
