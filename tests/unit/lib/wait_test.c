// SPDX-License-Identifier: GPL-2.0-or-later
/* Waiting: when it sleeps, when it does not, and why it ends. */
#include <poll.h>
#include <unistd.h>

#include "sys.h"
#include "test.h"

static void wait_does_not_sleep_when_an_event_is_there(void **state)
{
	struct wtrack_session *session = fake_session(64, 0);

	(void)state;
	fake.ring.watermark = 32;
	fake_store(1, 1);
	assert_int_equal(wtrack_session_wait(session, -1), 1);
	assert_int_equal(wtrack_session_wait(session, 0), 1);
	assert_int_equal(fake.nr_calls[FAKE_POLL], 0);
	wtrack_session_close(session);
}

static void wait_ends_in_time(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	uint64_t start = wtrack__sys_now_ms();

	(void)state;
	assert_int_equal(wtrack_session_wait(session, 0), 0);
	assert_int_equal(wtrack_session_wait(session, 30), 0);
	assert_true(wtrack__sys_now_ms() - start >= 29);
	wtrack_session_close(session);
}

static void *store_later(void *arg)
{
	(void)arg;
	usleep(20000);
	fake_store(1, 1);
	return NULL;
}

static void wait_wakes_up_for_an_event(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, store_later, NULL);
	assert_int_equal(wtrack_session_wait(session, -1), 1);
	assert_non_null(wtrack_session_next(session));
	pthread_join(thread, NULL);
	wtrack_session_close(session);
}

static void store_once(void)
{
	fake.before_poll = NULL;
	fake_store(1, 1);
}

static void event_below_the_watermark_is_there_when_time_is_over(void **state)
{
	struct wtrack_session *session = fake_session(64, 0);

	(void)state;
	fake.ring.watermark = 32;
	fake.before_poll = store_once;
	assert_int_equal(wtrack_session_wait(session, 10), 1);
	assert_int_equal(fake.nr_calls[FAKE_POLL], 1);
	wtrack_session_close(session);
}

static void signal_ends_the_wait(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);

	(void)state;
	fake_fail(FAKE_POLL, 1, EINTR);
	assert_int_equal(wtrack_session_wait(session, -1), -EINTR);
	assert_int_equal(fake.nr_calls[FAKE_POLL], 1);
	wtrack_session_close(session);
}

/* Otherwise poll would report the unreleased events at once, for ever. */
static void wait_without_release_is_ebusy(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);

	(void)state;
	fake_store(1, 1);
	assert_non_null(wtrack_session_next(session));
	assert_int_equal(wtrack_session_wait(session, -1), -EBUSY);
	fake_store(1, 1);
	assert_int_equal(wtrack_session_wait(session, -1), 1);
	assert_non_null(wtrack_session_next(session));
	wtrack_session_release(session);
	assert_int_equal(wtrack_session_wait(session, 0), 0);
	wtrack_session_close(session);
}

static uint8_t type_to_publish;

static void *publish_later(void *arg)
{
	struct kvm_wtrack_record record = { .type = type_to_publish };

	usleep(20000);
	fake_publish_at(*(uint64_t *)arg, &record);
	return NULL;
}

static void wait_goes_on_until_a_reserved_record_is_published(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	uint64_t pos = fake_reserve();
	pthread_t thread;

	(void)state;
	type_to_publish = KVM_WTRACK_RECORD_WRITE;
	assert_int_equal(wtrack_session_wait(session, 5), 0);
	pthread_create(&thread, NULL, publish_later, &pos);
	assert_int_equal(wtrack_session_wait(session, -1), 1);
	pthread_join(thread, NULL);
	wtrack_session_close(session);
}

static void the_end_is_an_event_and_then_eshutdown(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	const struct wtrack_event *event;

	(void)state;
	fake_write(0x1000, "x", 1);
	fake_end();
	assert_int_equal(wtrack_session_wait(session, -1), 1);
	event = wtrack_session_next(session);
	assert_int_equal(wtrack_event_get_type(event), WTRACK_EVENT_WRITE);
	event = wtrack_session_next(session);
	assert_int_equal(wtrack_event_get_type(event), WTRACK_EVENT_ENDED);
	assert_null(wtrack_session_next(session));
	assert_int_equal(wtrack_session_wait(session, -1), -ESHUTDOWN);
	wtrack_session_release(session);
	assert_int_equal(wtrack_session_wait(session, -1), -ESHUTDOWN);
	wtrack_session_close(session);
}

static void vm_gone_is_an_event_and_then_esrch(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	const struct wtrack_event *event;

	(void)state;
	fake_store(1, 1);
	fake_vm_gone();
	assert_int_equal(wtrack_session_wait(session, -1), 1);
	event = wtrack_session_next(session);
	assert_int_equal(wtrack_event_get_type(event), WTRACK_EVENT_WRITE);
	event = wtrack_session_next(session);
	assert_int_equal(wtrack_event_get_type(event), WTRACK_EVENT_VM_GONE);
	assert_int_equal(wtrack_session_wait(session, -1), -ESRCH);
	wtrack_session_release(session);
	assert_int_equal(wtrack_session_wait(session, -1), -ESRCH);
	assert_null(wtrack_session_next(session));
	wtrack_session_close(session);
}

static void event_behind_the_hangup_is_waited_for(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	uint64_t pos = fake_reserve();
	pthread_t thread;

	(void)state;
	type_to_publish = KVM_WTRACK_RECORD_VM_GONE;
	fake.status.out_state |= KVM_WTRACK_STATE_VM_GONE;
	pthread_create(&thread, NULL, publish_later, &pos);
	assert_int_equal(wtrack_session_wait(session, -1), 1);
	assert_int_equal(wtrack_event_get_type(wtrack_session_next(session)),
			 WTRACK_EVENT_VM_GONE);
	pthread_join(thread, NULL);
	wtrack_session_close(session);
}

/* The reader before took the event; poll is all that is left to tell. */
static void take_over_of_a_dead_vm_is_esrch(void **state)
{
	struct wtrack_session *session;
	int fd = fake_session_fd(8);

	(void)state;
	fake_vm_gone();
	fake.consumer->pos = 1;
	assert_int_equal(wtrack_session_open_fd(fd, &session), 0);
	assert_null(wtrack_session_next(session));
	assert_int_equal(wtrack_session_wait(session, -1), -ESRCH);
	assert_int_equal(wtrack_session_wait(session, 0), -ESRCH);
	fake_fail(FAKE_STATUS, 1, ENOTTY);
	assert_int_equal(wtrack_session_wait(session, -1), -ENOTTY);
	wtrack_session_close(session);
}

static void poll_that_reports_an_error_is_eio(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);

	(void)state;
	fake.extra_revents = POLLERR;
	assert_int_equal(wtrack_session_wait(session, -1), -EIO);
	fake.extra_revents = POLLNVAL;
	assert_int_equal(wtrack_session_wait(session, -1), -EIO);
	wtrack_session_close(session);
}

static void errno_is_left_alone(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);

	(void)state;
	errno = EXDEV;
	fake_fail(FAKE_POLL, 1, EINTR);
	assert_int_equal(wtrack_session_wait(session, -1), -EINTR);
	assert_int_equal(errno, EXDEV);
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(wait_does_not_sleep_when_an_event_is_there),
		CASE(wait_ends_in_time),
		CASE(wait_wakes_up_for_an_event),
		CASE(event_below_the_watermark_is_there_when_time_is_over),
		CASE(signal_ends_the_wait),
		CASE(wait_without_release_is_ebusy),
		CASE(wait_goes_on_until_a_reserved_record_is_published),
		CASE(the_end_is_an_event_and_then_eshutdown),
		CASE(vm_gone_is_an_event_and_then_esrch),
		CASE(event_behind_the_hangup_is_waited_for),
		CASE(take_over_of_a_dead_vm_is_esrch),
		CASE(poll_that_reports_an_error_is_eio),
		CASE(errno_is_left_alone),
	};

	return RUN(cases);
}
