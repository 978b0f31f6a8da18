// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The promises about threads, with as many of them as the library allows. What
 * the reader's thread shares with the vCPUs is ordered by the ring alone, so
 * ThreadSanitizer sees it when a barrier is missing.
 */
#include <sched.h>

#include "test.h"

#define NR_VCPUS	2
#define NR_STORES	40000

/* How many stores wait for room instead of overflowing the ring. */
static bool wait_for_room;
static int nr_running;

static void *vcpu(void *arg)
{
	uint64_t gfn = (uintptr_t)arg;
	uint64_t i;

	for (i = 1; i <= NR_STORES; i++) {
		while (wait_for_room && fake_unread() > 64 - 2 - NR_VCPUS)
			sched_yield();
		fake_store(gfn, i);
	}
	__atomic_sub_fetch(&nr_running, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void start_vcpus(pthread_t *threads)
{
	uintptr_t i;

	nr_running = NR_VCPUS;
	for (i = 0; i < NR_VCPUS; i++) {
		fake.tracked[i] = true;
		pthread_create(&threads[i], NULL, vcpu, (void *)i);
	}
}

static bool vcpus_run(void)
{
	return __atomic_load_n(&nr_running, __ATOMIC_ACQUIRE) > 0;
}

static void join(pthread_t *threads, int nr)
{
	while (nr--)
		pthread_join(threads[nr], NULL);
}

/* What the reader knows of the guest's memory. */
struct copy {
	struct wtrack_session *session;
	uint64_t pages[NR_VCPUS];
	uint64_t events, resyncs;
	bool disorder;		/* a store came before an older one */
};

static void apply_write(struct copy *copy, const struct wtrack_event *event)
{
	uint64_t gfn = wtrack_event_get_gfn(event);
	uint64_t value;

	memcpy(&value, wtrack_event_get_data(event), sizeof(value));
	copy->disorder |= wait_for_room && value != copy->pages[gfn] + 1;
	copy->pages[gfn] = value;
	copy->events++;
}

static void apply_resync(struct copy *copy)
{
	struct wtrack_resync_range range;

	while (wtrack_session_resync_next(copy->session, &range) > 0)
		copy->pages[range.gfn] = fake_page_read(range.gfn);
	copy->resyncs++;
}

/* Returns false when the ring was empty. */
static bool drain(struct copy *copy)
{
	const struct wtrack_event *event;
	bool any = false;

	while ((event = wtrack_session_next(copy->session))) {
		any = true;
		if (wtrack_event_get_type(event) == WTRACK_EVENT_RESYNC)
			apply_resync(copy);
		else
			apply_write(copy, event);
	}
	wtrack_session_release(copy->session);
	return any;
}

static void follow(struct copy *copy)
{
	bool last;

	do {
		last = !vcpus_run();
		if (!drain(copy))
			sched_yield();
	} while (!last || drain(copy));
}

static void no_write_is_lost_or_torn_without_a_lock(void **state)
{
	struct copy copy = { .session = fake_session(64, 0) };
	pthread_t threads[NR_VCPUS];
	int i;

	(void)state;
	wait_for_room = true;
	start_vcpus(threads);
	follow(&copy);
	join(threads, NR_VCPUS);
	assert_false(copy.disorder);
	assert_int_equal(copy.events, NR_VCPUS * NR_STORES);
	assert_int_equal(copy.resyncs, 0);
	for (i = 0; i < NR_VCPUS; i++)
		assert_int_equal(copy.pages[i], NR_STORES);
	wtrack_session_close(copy.session);
}

static void copy_is_true_after_any_number_of_overflows(void **state)
{
	struct copy copy = { .session = fake_session(8, 0) };
	pthread_t threads[NR_VCPUS];
	int i;

	(void)state;
	wait_for_room = false;
	start_vcpus(threads);
	follow(&copy);
	join(threads, NR_VCPUS);
	assert_true(copy.resyncs > 0);
	for (i = 0; i < NR_VCPUS; i++)
		assert_int_equal(copy.pages[i], NR_STORES);
	wtrack_session_close(copy.session);
}

static void sleeping_reader_misses_nothing(void **state)
{
	struct copy copy = { .session = fake_session(64, 0) };
	pthread_t threads[NR_VCPUS];

	(void)state;
	wait_for_room = true;
	start_vcpus(threads);
	while (copy.events < NR_VCPUS * NR_STORES) {
		if (wtrack_session_wait(copy.session, -1) != 1)
			break;
		drain(&copy);
	}
	join(threads, NR_VCPUS);
	assert_int_equal(copy.events, NR_VCPUS * NR_STORES);
	assert_int_equal(copy.resyncs, 0);
	assert_false(copy.disorder);
	wtrack_session_close(copy.session);
}

struct control {
	struct wtrack_session *session;
	uint64_t gfn;
	int failures;
};

/* All that any thread may call, on pages of its own. */
static void *control(void *arg)
{
	struct control *ctl = arg;
	struct wtrack_range ranges[40], found;
	struct wtrack_status status;
	struct wtrack_session *s = ctl->session;
	struct wtrack_region region;
	uint64_t gfn, at, seq, word;
	int i, round;

	for (i = 0; i < 40; i++)
		ranges[i] = (struct wtrack_range) { ctl->gfn + i * 2, 1 };
	for (round = 0; round < 200; round++) {
		gfn = ctl->gfn;
		at = 0;
		ctl->failures +=
			wtrack_session_add(s, ranges, 40, NULL, 0) ||
			wtrack_session_query(s, &gfn, &found, 1) != 1 ||
			wtrack_session_query_gfn(s, gfn, NULL, NULL) ||
			wtrack_session_fence(s, &seq) ||
			wtrack_session_read(s, ctl->gfn * 4096, &word,
					    sizeof(word), NULL, 0) ||
			wtrack_session_regions_next(s, &at, &region,
						    NULL) != 1 ||
			wtrack_session_get_status(s, &status, sizeof(status)) ||
			wtrack_session_remove(s, ranges, 20, NULL, 0) ||
			wtrack_session_remove_fenced(s, ranges + 20, 20, NULL,
						     0, &seq);
	}
	return NULL;
}

static void other_threads_may_change_and_ask_meanwhile(void **state)
{
	struct copy copy = { .session = fake_session(8, 0) };
	struct control ctl[2] = {
		{ .session = copy.session, .gfn = 1000 },
		{ .session = copy.session, .gfn = 2000 },
	};
	pthread_t threads[NR_VCPUS], controls[2];
	int i;

	(void)state;
	wait_for_room = false;
	start_vcpus(threads);
	for (i = 0; i < 2; i++)
		pthread_create(&controls[i], NULL, control, &ctl[i]);
	follow(&copy);
	join(controls, 2);
	join(threads, NR_VCPUS);
	assert_int_equal(ctl[0].failures + ctl[1].failures, 0);
	for (i = 0; i < NR_VCPUS; i++)
		assert_int_equal(copy.pages[i], NR_STORES);
	wtrack_session_close(copy.session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(no_write_is_lost_or_torn_without_a_lock),
		CASE(copy_is_true_after_any_number_of_overflows),
		CASE(sleeping_reader_misses_nothing),
		CASE(other_threads_may_change_and_ask_meanwhile),
	};

	return RUN(cases);
}
