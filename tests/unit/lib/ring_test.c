// SPDX-License-Identifier: GPL-2.0-or-later
/* Making the ring, handing out events in place, releasing them. */
#include "test.h"

static void ring_is_made_as_asked(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);

	(void)state;
	assert_int_equal(wtrack_session_make_ring(session, 64,
						  WTRACK_RING_COALESCE |
						  WTRACK_RING_STOP |
						  WTRACK_RING_NATIVE |
						  WTRACK_RING_STICKY |
						  WTRACK_RING_ONCE,
						  32, 500), 0);
	assert_int_equal(fake.ring.records, 64);
	assert_int_equal(fake.ring.flags, KVM_WTRACK_RING_F_COALESCE |
					  KVM_WTRACK_RING_F_STOP |
					  KVM_WTRACK_RING_F_NATIVE |
					  KVM_WTRACK_RING_F_STICKY |
					  KVM_WTRACK_RING_F_ONCE);
	assert_int_equal(fake.ring.watermark, 32);
	assert_int_equal(fake.ring.latency_us, 500);
	assert_int_equal(fake.nr_mapped, 2);
	assert_int_equal(wtrack_session_make_ring(session, 64, 0, 0, 0),
			 -EBUSY);
	wtrack_session_close(session);
}

static void failed_ring_maps_nothing(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);

	(void)state;
	fake_fail(FAKE_RING, 1, EPERM);
	assert_int_equal(wtrack_session_make_ring(session, 8, 0, 0, 0), -EPERM);
	assert_int_equal(wtrack_session_make_ring(session, FAKE_RECORDS * 2, 0,
						  0, 0), -ERANGE);
	fake_fail(FAKE_MMAP, 2, ENOMEM);
	assert_int_equal(wtrack_session_make_ring(session, 8, 0, 0, 0),
			 -ENOMEM);
	assert_int_equal(fake.nr_mapped, 0);
	assert_null(wtrack_session_next(session));
	assert_int_equal(wtrack_session_wait(session, -1), -ENOBUFS);
	wtrack_session_close(session);
}

static void without_ring_there_is_nothing_to_read(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_resync_range range;

	(void)state;
	assert_null(wtrack_session_next(session));
	wtrack_session_release(session);
	assert_int_equal(wtrack_session_wait(session, 0), -ENOBUFS);
	assert_int_equal(wtrack_session_resync_next(session, &range), -ENOBUFS);
	wtrack_session_close(session);
}

static void events_are_handed_out_in_place_and_in_order(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		fake_store(i, i);
	for (i = 0; i < 5; i++)
		assert_ptr_equal(wtrack_session_next(session),
				 &fake.records[i]);
	assert_null(wtrack_session_next(session));
	assert_int_equal(fake.nr_calls[FAKE_POLL], 0);
	wtrack_session_close(session);
}

static void nothing_is_released_before_release(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);

	(void)state;
	fake_store(1, 1);
	fake_store(2, 2);
	fake_store(3, 3);
	assert_non_null(wtrack_session_next(session));
	assert_non_null(wtrack_session_next(session));
	assert_int_equal(fake.consumer->pos, 0);
	wtrack_session_release(session);
	assert_int_equal(fake.consumer->pos, 2);
	wtrack_session_release(session);
	assert_int_equal(fake.consumer->pos, 2);
	assert_non_null(wtrack_session_next(session));
	wtrack_session_release(session);
	assert_int_equal(fake.consumer->pos, 3);
	wtrack_session_close(session);
}

static void order_survives_many_rounds_of_the_ring(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	const struct wtrack_event *event;
	uint64_t seq = 0, value;
	int round, i;

	(void)state;
	for (round = 0; round < 1000; round++) {
		for (i = 0; i <= round % 6; i++)
			fake_store(3, seq + i);
		while ((event = wtrack_session_next(session))) {
			memcpy(&value, wtrack_event_get_data(event), 8);
			assert_int_equal(value, seq);
			assert_int_equal(wtrack_event_get_seq(event), ++seq);
		}
		wtrack_session_release(session);
	}
	assert_int_equal(fake.overflows, 0);
	wtrack_session_close(session);
}

/* A full round that nobody released: the next place holds the first event. */
static void full_ring_is_not_read_twice(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct kvm_wtrack_record record = { .type = KVM_WTRACK_RECORD_WRITE };
	int i;

	(void)state;
	for (i = 0; i < 8; i++)
		fake_publish(&record);
	for (i = 0; i < 8; i++)
		assert_non_null(wtrack_session_next(session));
	assert_null(wtrack_session_next(session));
	assert_int_equal(wtrack_session_wait(session, 0), -EBUSY);
	wtrack_session_close(session);
}

/* Whoever reserved first may publish last. */
static void later_record_waits_for_the_earlier_one(void **state)
{
	struct kvm_wtrack_record record = { .type = KVM_WTRACK_RECORD_WRITE };
	struct wtrack_session *session = fake_session(8, 0);
	uint64_t first = fake_reserve();
	uint64_t second = fake_reserve();

	(void)state;
	fake_publish_at(second, &record);
	assert_null(wtrack_session_next(session));
	fake_publish_at(first, &record);
	assert_ptr_equal(wtrack_session_next(session), &fake.records[0]);
	assert_ptr_equal(wtrack_session_next(session), &fake.records[1]);
	wtrack_session_close(session);
}

static void unknown_types_are_handed_out(void **state)
{
	struct kvm_wtrack_record record = {
		.type = 200, .flags = 0xff, .gpa = 5 << 12, .len = 9,
	};
	struct wtrack_session *session = fake_session(8, 0);
	const struct wtrack_event *event;

	(void)state;
	fake_publish(&record);
	event = wtrack_session_next(session);
	assert_non_null(event);
	assert_int_equal(wtrack_event_get_type(event), 200);
	assert_int_equal(wtrack_event_get_len(event), 0);
	wtrack_session_release(session);
	fake_store(1, 1);
	assert_non_null(wtrack_session_next(session));
	wtrack_session_close(session);
}

static void position_beyond_32_bits_works(void **state)
{
	const uint64_t far = (UINT64_C(1) << 40) - 3;
	struct wtrack_session *session;
	int fd = fake_session_fd(8);
	int i;

	(void)state;
	fake.head = far;
	fake.consumer->pos = far;
	for (i = 0; i < 8; i++)
		fake.records[(far + i) & 7].seq = far + i - 7;
	assert_int_equal(wtrack_session_open_fd(fd, &session), 0);
	assert_null(wtrack_session_next(session));
	for (i = 0; i < 6; i++)
		fake_store(i, i);
	for (i = 0; i < 6; i++)
		assert_int_equal(wtrack_event_get_seq(
				wtrack_session_next(session)), far + i + 1);
	assert_null(wtrack_session_next(session));
	wtrack_session_release(session);
	assert_int_equal(fake.consumer->pos, far + 6);
	wtrack_session_close(session);
}

/* Another holder of the descriptor gave back what is still in use here. */
static void stolen_position_is_eio(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	int i;

	(void)state;
	fake_store(1, 1);
	for (i = 0; i < 9; i++) {
		fake.consumer->pos = i;
		fake_store(1, i);
	}
	assert_null(wtrack_session_next(session));
	assert_int_equal(wtrack_session_wait(session, -1), -EIO);
	assert_int_equal(fake.nr_calls[FAKE_POLL], 0);
	wtrack_session_close(session);
}

/* The module reports it by poll(2), again and again. */
static void position_that_is_moved_while_waiting_is_eio(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);

	(void)state;
	fake_store(1, 1);
	assert_non_null(wtrack_session_next(session));
	wtrack_session_release(session);
	fake.consumer->pos = 7;
	assert_int_equal(wtrack_session_wait(session, -1), -EIO);
	fake.consumer->pos = 0;
	assert_int_equal(wtrack_session_wait(session, -1), -EIO);
	wtrack_session_close(session);
}

static void position_outside_of_the_ring_is_not_taken_over(void **state)
{
	struct wtrack_session *session = UNTOUCHED;
	int fd = fake_session_fd(8);

	(void)state;
	fake_store(1, 1);
	fake.consumer->pos = 2;
	assert_int_equal(wtrack_session_open_fd(fd, &session), -EIO);
	fake.consumer->pos = (uint64_t)-8;
	assert_int_equal(wtrack_session_open_fd(fd, &session), -EIO);
	assert_ptr_equal(session, UNTOUCHED);
	assert_int_equal(fake.nr_mapped, 0);
	/* As far behind as a full ring can be. */
	fake.consumer->pos = (uint64_t)-7;
	assert_int_equal(wtrack_session_open_fd(fd, &session), 0);
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(ring_is_made_as_asked),
		CASE(failed_ring_maps_nothing),
		CASE(without_ring_there_is_nothing_to_read),
		CASE(events_are_handed_out_in_place_and_in_order),
		CASE(nothing_is_released_before_release),
		CASE(order_survives_many_rounds_of_the_ring),
		CASE(full_ring_is_not_read_twice),
		CASE(later_record_waits_for_the_earlier_one),
		CASE(unknown_types_are_handed_out),
		CASE(position_beyond_32_bits_works),
		CASE(stolen_position_is_eio),
		CASE(position_that_is_moved_while_waiting_is_eio),
		CASE(position_outside_of_the_ring_is_not_taken_over),
	};

	return RUN(cases);
}
