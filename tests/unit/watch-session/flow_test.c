// SPDX-License-Identifier: GPL-2.0-or-later
/* More than the journal takes, more than the ring holds, memory that goes. */
#include "scene.h"
#include "util.h"

static struct watch_session *started(const struct wtrack_range *ranges,
				     size_t nr)
{
	struct watch_session *session;

	unsetenv("NOTIFY_SOCKET");
	session = scene_start(ranges, nr);
	expect(MESSAGE_WATCH_ARMED);
	return session;
}

static void store_times(uint64_t gfn, unsigned int times)
{
	while (times--)
		fake_store(gfn, times);
}

static void limit(uint64_t interval_usec, uint32_t burst)
{
	scene.config.rate_limit_interval_usec = interval_usec;
	scene.config.rate_limit_burst = burst;
}

static void what_is_held_back_is_summed_up_in_time(void **state)
{
	struct watch_session *session;

	(void)state;
	limit(2000000, 2);
	session = started(PAGES({ 8, 4 }));
	store_times(8, 5);
	store_times(9, 3);
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	expect(MESSAGE_WATCH_WRITE);
	expect(MESSAGE_WATCH_LIMITED);
	expect_field("WTRACK_SEQ_FIRST", "3");
	expect_nothing();
	assert_int_equal(fake_unread(), 0);
	assert_int_equal(scene.counts.events, 8);
	assert_int_equal(scene.counts.suppressed, 6);
	scene_await_entry();
	expect(MESSAGE_WATCH_SUPPRESSED);
	expect_field("WTRACK_SUPPRESSED", "6");
	expect_field("WTRACK_SEQ_FIRST", "3");
	expect_field("WTRACK_SEQ_LAST", "8");
	expect_field("WTRACK_PAGES", "0x8:3 0x9:3");
	expect_nothing();
	fake_store(8, 1);
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	expect_field("WTRACK_SEQ", "9");
}

static void end_does_not_swallow_the_summary(void **state)
{
	struct watch_session *session;

	(void)state;
	limit(10000000, 1);
	session = started(PAGES({ 8, 4 }));
	store_times(8, 3);
	fake_vm_gone();
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	expect(MESSAGE_WATCH_LIMITED);
	expect(MESSAGE_WATCH_SUPPRESSED);
	expect_field("WTRACK_SUPPRESSED", "2");
	expect(MESSAGE_WATCH_ENDED);
}

static void summary_is_in_order_with_what_follows(void **state)
{
	struct watch_session *session;

	(void)state;
	limit(10000000, 2);
	session = started(PAGES({ 8, 4 }));
	store_times(8, 3);
	fake_region_removed(8, 1);
	store_times(9, 2);
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	expect(MESSAGE_WATCH_WRITE);
	expect(MESSAGE_WATCH_LIMITED);
	expect(MESSAGE_WATCH_SUPPRESSED);
	expect_field("WTRACK_SEQ_LAST", "3");
	expect(MESSAGE_WATCH_REMOVED);
	expect_field("WTRACK_SEQ", "4");
	if (!skip_to(MESSAGE_WATCH_LIMITED))
		fail_msg("the limit is not closed again");
	expect_field("WTRACK_SEQ_FIRST", "5");
}

/* The places of events that the journal has not taken stay in the ring. */
static void stuck_journal_stops_the_reader_and_loses_nothing(void **state)
{
	unsigned int logged = 0, seq = 0, rounds;
	struct watch_session *session;
	char number[16];

	(void)state;
	session = started(PAGES({ 8, 4 }));
	for (rounds = 0; !session->blocked && rounds < 1000; rounds++) {
		store_times(8, 4);
		scene_io(session);
	}
	assert_true(session->blocked);
	assert_true(fake_unread() > 0);
	scene_run(20000);
	assert_true(session->blocked);
	while (logged < rounds * 4) {
		expect(MESSAGE_WATCH_WRITE);
		snprintf(number, sizeof(number), "%u", ++seq);
		expect_field("WTRACK_SEQ", number);
		logged++;
	}
	scene_run(0);
	expect_nothing();
	assert_false(session->blocked);
	assert_int_equal(fake_unread(), 0);
}

static void kill_while_the_journal_is_stuck_loses_nothing(void **state)
{
	struct watch_session *session;
	unsigned int rounds;
	uint64_t unread;

	(void)state;
	session = started(PAGES({ 8, 4 }));
	for (rounds = 0; !session->blocked; rounds++) {
		store_times(8, 4);
		scene_io(session);
	}
	unread = fake_unread();
	assert_true(unread > 0);
	session = scene_restart(session);
	if (!skip_to(MESSAGE_WATCH_RESUMED))
		fail_msg("it does not go on");
	while (unread--)
		expect(MESSAGE_WATCH_WRITE);
	expect_nothing();
}

static void missing_journal_is_waited_for(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));
	char path[96], other[96];

	(void)state;
	sprintf(path, "%s/journal", scene.dir);
	sprintf(other, "%s/other", scene.dir);
	journal_close(&scene.guest->journal);
	assert_int_equal(rename(path, other), 0);
	fake_store(8, 1);
	scene_io(session);
	assert_true(session->blocked);
	assert_int_equal(rename(other, path), 0);
	scene_await_entry();
	expect(MESSAGE_WATCH_WRITE);
	expect_nothing();
}

static void overflow_names_the_pages_to_read(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }, { 20, 2 }));

	(void)state;
	store_times(8, 30);
	fake_store(20, 1);
	scene_io(session);
	assert_true(skip_to(MESSAGE_WATCH_OVERFLOW));
	expect(MESSAGE_WATCH_RESYNC);
	expect_field("WTRACK_PAGES", "0x8+1 0x14+1");
	expect_field("WTRACK_LAST", "1");
	expect_nothing();
	fake_store(9, 1);
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
}

/* The daemon before had fetched something, nobody knows what. */
static void unfinished_resync_stands_for_all_pages(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }, { 20, 2 }));
	struct wtrack_resync_range range;

	(void)state;
	store_times(8, 30);
	while (wtrack_session_next(session->wtrack))
		;
	assert_int_equal(wtrack_session_resync_next(session->wtrack, &range),
			 1);
	fake.resync[9] = true;
	fake.status.out_state |= KVM_WTRACK_STATE_RESYNC;
	session = scene_restart(session);
	expect(MESSAGE_WATCH_RESUMED);
	if (!skip_to(MESSAGE_WATCH_OVERFLOW))
		fail_msg("no overflow");
	expect(MESSAGE_WATCH_RESYNC);
	expect_field("WTRACK_PAGES", "0x8+4 0x14+2");
	expect_field("WTRACK_LAST", "1");
	expect_nothing();
}

static void refuse_pages(uint64_t gfn, uint64_t end, int error)
{
	for (; gfn < end; gfn++)
		fake.refuse[gfn] = error;
}

static void memory_that_comes_back_is_tracked_again(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }, { 20, 2 }));

	(void)state;
	fake_region_removed(8, 8);
	scene_io(session);
	expect(MESSAGE_WATCH_REMOVED);
	expect_nothing();
	scene_run(20000);
	expect_nothing();
	fake_region_added(8, 8, 0);
	scene_await_entry();
	expect(MESSAGE_WATCH_REARMED);
	expect_field("WTRACK_PAGES", "0x8+4");
	expect_nothing();
	assert_true(fake.tracked[8] && fake.tracked[11]);
	assert_int_equal(session->nr_gaps, 0);
}

/* Pages beside the removed ones are not touched. */
/* How many entries there are now, of all kinds. */
static unsigned int count_entries(void)
{
	unsigned int nr = 0;

	while (skip_to(NULL))
		nr++;
	return nr;
}

static void remove_times(struct watch_session *session, unsigned int nr)
{
	while (nr--) {
		fake_region_removed(8, 8);
		fake_region_added(8, 8, 0);
		scene_io(session);
		scene_run(3000);
	}
}

/* Without waiting for it. */
static void interval_passes(struct watch_session *session)
{
	session->state_begin_usec = 0;
	if (session->paused)
		assert_int_equal(sd_event_source_set_time(session->pause_timer,
							  0), 0);
	scene_run(0);
}

/* A guest that plugs and unplugs memory all the time. */
static void entries_about_pages_have_a_limit_too(void **state)
{
	struct watch_session *session;
	unsigned int i, nr;

	(void)state;
	limit(3600000000, 10);
	scene.shared.user_burst = 1000;
	scene.config.ring_records = 128;
	session = started(PAGES({ 8, 8 }));
	remove_times(session, 40);
	assert_true(session->paused);
	/* Those, and the one that says why there are no more. */
	assert_int_equal(count_entries(), 11);
	assert_non_null(strstr(scene.entry, MESSAGE_WATCH_PAUSED));
	/* What is in the ring is told of when the time has come, as much each time. */
	interval_passes(session);
	scene_io(session);
	nr = count_entries();
	assert_in_range(nr, 1, 11);
	/* When the VM goes, the rest is told of nevertheless. */
	remove_times(session, 40);
	fake_vm_gone();
	for (i = 0; i < 20 && !skip_to(MESSAGE_WATCH_ENDED); i++) {
		interval_passes(session);
		if (!LIST_EMPTY(&scene.guest->sessions))
			scene_io(session);
	}
	assert_true(LIST_EMPTY(&scene.guest->sessions));
}

/* Ten times as much for all VMs of a user, who has used it up elsewhere. */
static void user_has_a_limit_for_all_vms(void **state)
{
	struct watch_session *session;
	unsigned int i;

	(void)state;
	limit(10000000, 10);
	scene.shared.user_burst = 10;
	session = started(PAGES({ 8, 4 }));
	for (i = 0; i < 98; i++)
		watch_user_told(session, now_usec());
	store_times(8, 5);
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	expect(MESSAGE_WATCH_WRITE);
	expect(MESSAGE_WATCH_LIMITED);
	expect_nothing();
	assert_int_equal(session->limit.held.events, 3);
	/* Another user's are not concerned. */
	scene.guest->uid++;
	assert_true(watch_user_may(session, now_usec()));
}

static void only_what_was_removed_is_missing(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 8 }));

	(void)state;
	fake_region_removed(10, 2);
	fake_region_added(10, 2, 0);
	scene_io(session);
	expect(MESSAGE_WATCH_REMOVED);
	scene_await_entry();
	expect(MESSAGE_WATCH_REARMED);
	expect_field("WTRACK_PAGES", "0xa+2");
	expect_nothing();
}

static void pages_without_memory_are_named_and_tried_again(void **state)
{
	struct watch_session *session;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	refuse_pages(9, 11, ENOENT);
	session = scene_start(PAGES({ 8, 4 }));
	expect(MESSAGE_WATCH_ARMED);
	expect(MESSAGE_WATCH_GAP);
	expect_field("WTRACK_PAGES", "0x9+2");
	expect_field("ERRNO", "2");
	assert_true(fake.tracked[8] && fake.tracked[11]);
	scene_run(10000);
	expect_nothing();
	refuse_pages(9, 11, 0);
	scene_await_entry();
	expect(MESSAGE_WATCH_REARMED);
	expect_field("WTRACK_PAGES", "0x9+2");
	assert_true(fake.tracked[9]);
	assert_int_equal(session->backoff_usec, 0);
}

static void retries_become_rare(void **state)
{
	struct watch_session *session;
	int calls;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	refuse_pages(8, 12, ENOENT);
	session = scene_start(PAGES({ 8, 4 }));
	while (session->backoff_usec < 200000)
		assert_true(sd_event_run(scene.guest->event, UINT64_MAX) >= 0);
	calls = fake.nr_calls[FAKE_ADD];
	assert_in_range(calls, 4, 12);
}

/* One callback does a part of it, however much there is. */
static void work_of_one_call_is_bounded(void **state)
{
	struct watch_session *session;
	uint64_t unread;

	(void)state;
	scene.config.ring_records = 1024;
	session = started(PAGES({ 8, 4 }));
	limit(0, 0);
	store_times(8, 1000);
	unread = fake_unread();
	limit(10000000, 1);
	assert_int_equal(watch_session_apply(session), 0);
	watch_session_work(session);
	assert_in_range(unread - fake_unread(), 1, 300);
	scene_run(0);
	assert_int_equal(fake_unread(), 0);
}

static void guard_is_logged(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));
	const struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD, .gpa = 0x9000,
		.guard = { .action = WTRACK_GUARD_DISARMED,
			   .cause = WTRACK_CAUSE_BUDGET },
	};

	(void)state;
	fake_publish(&record);
	scene_io(session);
	expect(MESSAGE_WATCH_GUARD);
	expect_field("WTRACK_ACTION", "disarmed");
	expect_field("WTRACK_GFN", "0x9");
	assert_int_equal(scene.counts.events, 1);
}

/* Of a later module: skipped, and nothing behind it is lost. */
static void unknown_events_are_passed_over(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));
	const struct kvm_wtrack_record record = { .type = 77 };

	(void)state;
	fake_publish(&record);
	fake_store(8, 1);
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	expect_field("WTRACK_SEQ", "2");
	expect_nothing();
	assert_int_equal(fake_unread(), 0);
}

/* It takes a vCPU a moment, as a rule, and nobody is to be told of that. */
static void page_that_a_vcpu_faults_on_is_added_a_moment_later(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	fake.refuse[9] = EAGAIN;
	scene_start(PAGES({ 8, 4 }));
	assert_true(fake.tracked[8] && fake.tracked[10]);
	assert_false(fake.tracked[9]);
	expect_nothing();
	fake.refuse[9] = 0;
	scene_await_entry();
	assert_true(fake.tracked[9]);
	expect(MESSAGE_WATCH_ARMED);
	expect_nothing();
}

/* For as long as the VMM likes; the other pages do not wait for it. */
static void page_that_a_vcpu_waits_for_is_told_of_and_tried_again(void **state)
{
	struct watch_session *session;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	fake.refuse[9] = EAGAIN;
	session = scene_start(PAGES({ 8, 4 }));
	scene_await_entry();
	expect(MESSAGE_WATCH_ARMED);
	expect(MESSAGE_WATCH_GAP);
	expect_field("WTRACK_PAGES", "0x9+1");
	expect_field("ERRNO", "11");
	fake_store(8, 1);
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	expect_nothing();
	fake.refuse[9] = 0;
	scene_await_entry();
	expect(MESSAGE_WATCH_REARMED);
	expect_field("WTRACK_PAGES", "0x9+1");
	assert_true(fake.tracked[9]);
}

/* An administrator ends it while there is something to do. */

static void await_failure(struct watch_session *session)
{
	expect(MESSAGE_WATCH_FAILED);
	expect_field("ERRNO", "108");
	expect_nothing();
	assert_int_equal(session->state, WATCH_WAITING);
	assert_null(session->wtrack);
}

static void end_by_an_administrator_does_not_swallow_the_summary(void **state)
{
	struct watch_session *session;

	(void)state;
	limit(10000000, 1);
	session = started(PAGES({ 8, 4 }));
	store_times(8, 3);
	fake_end();
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	expect(MESSAGE_WATCH_LIMITED);
	expect(MESSAGE_WATCH_SUPPRESSED);
	expect_field("WTRACK_SUPPRESSED", "2");
	await_failure(session);
}

/* Its calls fail earlier than its ring has said why. */
static void what_was_stored_before_a_call_failed_is_logged(void **state)
{
	struct watch_session *session;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	refuse_pages(9, 11, ENOENT);
	session = scene_start(PAGES({ 8, 4 }));
	expect(MESSAGE_WATCH_ARMED);
	expect(MESSAGE_WATCH_GAP);
	fake_store(8, 1);
	refuse_pages(9, 11, ESHUTDOWN);
	scene_await_entry();
	expect(MESSAGE_WATCH_WRITE);
	expect_nothing();
	assert_int_equal(session->state, WATCH_ACTIVE);
	assert_int_equal(session->nr_gaps, 0);
	fake_store(11, 2);
	fake_end();
	scene_io(session);
	expect(MESSAGE_WATCH_WRITE);
	await_failure(session);
}

/* That they are tracked again is not said of pages that are not. */
static void gap_does_not_end_with_the_vm(void **state)
{
	struct watch_session *session;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	refuse_pages(9, 11, ENOENT);
	session = scene_start(PAGES({ 8, 4 }));
	expect(MESSAGE_WATCH_ARMED);
	expect(MESSAGE_WATCH_GAP);
	refuse_pages(9, 11, ESRCH);
	while (session->nr_gaps)
		assert_true(sd_event_run(scene.guest->event, UINT64_MAX) >= 0);
	expect_nothing();
	fake_vm_gone();
	scene_io(session);
	expect(MESSAGE_WATCH_ENDED);
	expect_nothing();
}

/* A reload comes before it is seen that there is nothing to be changed. */
static void other_pages_are_no_reason_to_leave_anything_out(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));

	(void)state;
	fake_store(8, 1);
	fake_end();
	assert_int_equal(ranges_add(&scene.config.ranges,
				    &(struct wtrack_range){ 20, 4 }), 0);
	watch_session_change(session, &scene.config);
	scene_run(0);
	expect(MESSAGE_WATCH_WRITE);
	await_failure(session);
}

static void ended_session_tells_which_pages_to_read(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));

	(void)state;
	store_times(8, 30);
	fake_end();
	scene_io(session);
	assert_true(skip_to(MESSAGE_WATCH_OVERFLOW));
	expect(MESSAGE_WATCH_RESYNC);
	expect_field("WTRACK_PAGES", "0x8+1");
	await_failure(session);
}

/* What is left has a bound: the ring. */
static void paused_watch_sees_that_it_is_ended(void **state)
{
	struct watch_session *session;

	(void)state;
	limit(3600000000, 10);
	scene.config.ring_records = 128;
	session = started(PAGES({ 8, 8 }));
	remove_times(session, 40);
	assert_true(session->paused);
	assert_int_equal(count_entries(), 11);
	fake_end();
	scene_run(20000);
	expect_nothing();
	scene_hang_up();
	scene_run(0);
	assert_true(skip_to(MESSAGE_WATCH_REMOVED));
	assert_true(skip_to(MESSAGE_WATCH_FAILED));
	expect_nothing();
	assert_int_equal(session->state, WATCH_WAITING);
}

/* It is over for another reason, which is the one that is told. */
static void watch_that_was_taken_away_before_is_drained(void **state)
{
	struct watch_session *session = started(PAGES({ 8, 4 }));

	(void)state;
	fake_store(8, 1);
	fake_end();
	watch_session_leave(session, "the watch was taken away");
	scene_run(0);
	expect(MESSAGE_WATCH_WRITE);
	expect(MESSAGE_WATCH_STOPPED);
	expect_nothing();
	assert_true(LIST_EMPTY(&scene.guest->sessions));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		SCENE(what_is_held_back_is_summed_up_in_time),
		SCENE(end_does_not_swallow_the_summary),
		SCENE(summary_is_in_order_with_what_follows),
		SCENE(stuck_journal_stops_the_reader_and_loses_nothing),
		SCENE(kill_while_the_journal_is_stuck_loses_nothing),
		SCENE(missing_journal_is_waited_for),
		SCENE(overflow_names_the_pages_to_read),
		SCENE(unfinished_resync_stands_for_all_pages),
		SCENE(memory_that_comes_back_is_tracked_again),
		SCENE(only_what_was_removed_is_missing),
		SCENE(pages_without_memory_are_named_and_tried_again),
		SCENE(retries_become_rare),
		SCENE(work_of_one_call_is_bounded),
		SCENE(guard_is_logged),
		SCENE(unknown_events_are_passed_over),
		SCENE(entries_about_pages_have_a_limit_too),
		SCENE(user_has_a_limit_for_all_vms),
		SCENE(page_that_a_vcpu_faults_on_is_added_a_moment_later),
		SCENE(page_that_a_vcpu_waits_for_is_told_of_and_tried_again),
		SCENE(end_by_an_administrator_does_not_swallow_the_summary),
		SCENE(what_was_stored_before_a_call_failed_is_logged),
		SCENE(gap_does_not_end_with_the_vm),
		SCENE(other_pages_are_no_reason_to_leave_anything_out),
		SCENE(ended_session_tells_which_pages_to_read),
		SCENE(paused_watch_sees_that_it_is_ended),
		SCENE(watch_that_was_taken_away_before_is_drained),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
