// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Coalescing: a store that finds its page's record unread has no record of its
 * own, so the reader must see it when it reads the page after the release.
 * That holds only with the full fence in wtrack_session_release().
 */
#include <sched.h>

#include "sys.h"
#include "test.h"

#define MIN_ROUNDS	500
#define MAX_ROUNDS	100000
#define ENOUGH_MS	5000	/* on a busy machine */
#define NR_STORES	5
#define GFN		3

static uint64_t stored_round, checked_round;
static bool over;

static void wait_for(const uint64_t *round, uint64_t value)
{
	while (__atomic_load_n(round, __ATOMIC_ACQUIRE) < value)
		sched_yield();
}

static void *vcpu(void *arg)
{
	uint64_t value = 0, round;
	int i;

	(void)arg;
	for (round = 1; !over; round++) {
		for (i = 0; i < NR_STORES; i++)
			fake_store(GFN, ++value);
		__atomic_store_n(&stored_round, round, __ATOMIC_RELEASE);
		wait_for(&checked_round, round);
	}
	return NULL;
}

/* Release first, then look. */
static void drain(struct wtrack_session *session, uint64_t *copy)
{
	const struct wtrack_event *event;

	while ((event = wtrack_session_next(session))) {
		assert_true(wtrack_event_is_page(event));
		assert_int_equal(wtrack_event_get_gfn(event), GFN);
		wtrack_session_release(session);
		*copy = fake_page_read(GFN);
	}
}

static bool enough(uint64_t round, uint64_t start_ms)
{
	return round == MAX_ROUNDS ||
	       (round >= MIN_ROUNDS && wtrack__sys_now_ms() - start_ms > ENOUGH_MS);
}

static void last_write_is_never_missed(void **state)
{
	struct wtrack_session *session = fake_session(8, WTRACK_RING_COALESCE);
	uint64_t copy = 0, round, missed = 0, start_ms = wtrack__sys_now_ms();
	pthread_t thread;

	(void)state;
	fake.tracked[GFN] = true;
	pthread_create(&thread, NULL, vcpu, NULL);
	for (round = 1; !over; round++) {
		while (__atomic_load_n(&stored_round, __ATOMIC_ACQUIRE) < round)
			drain(session, &copy);
		drain(session, &copy);
		missed += copy != fake_page_read(GFN);
		copy = fake_page_read(GFN);
		over = enough(round, start_ms);
		__atomic_store_n(&checked_round, round, __ATOMIC_RELEASE);
	}
	pthread_join(thread, NULL);
	assert_int_equal(missed, 0);
	assert_int_equal(fake.overflows, 0);
	wtrack_session_close(session);
}

static void writes_to_an_unread_page_are_one_event(void **state)
{
	struct wtrack_session *session = fake_session(8, WTRACK_RING_COALESCE);
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		fake_store(i % 2, i);
	assert_int_equal(fake.merged, 98);
	assert_non_null(wtrack_session_next(session));
	assert_non_null(wtrack_session_next(session));
	assert_null(wtrack_session_next(session));
	wtrack_session_release(session);
	fake_store(1, 1);
	assert_non_null(wtrack_session_next(session));
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(last_write_is_never_missed),
		CASE(writes_to_an_unread_page_are_one_event),
	};

	return RUN(cases);
}
