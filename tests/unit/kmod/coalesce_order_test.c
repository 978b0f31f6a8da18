// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The barriers of a coalescing session, module and library, in a model of the
 * processor: a store becomes visible to others as late as it may, which is at
 * the next barrier of whoever made it. A guest's store runs into a reader that
 * releases the record of an earlier one and then looks at the page, at each two
 * steps of the module's code in turn. The store must be seen or recorded.
 */
#include "session.h"
#include "test.h"

/* A store that its processor has made and nobody else can see. */
struct buffer {
	u64 *at;
	u64 value;
};

static struct buffer reader, vcpu;

static void drain(struct buffer *b)
{
	if (b->at)
		__atomic_store_n(b->at, b->value, __ATOMIC_RELAXED);
	b->at = NULL;
}

static void put(struct buffer *b, u64 *at, u64 value)
{
	drain(b);
	b->at = at;
	b->value = value;
}

static void reader_stores(u64 *at, u64 value, int order)
{
	put(&reader, at, value);
	if (order == __ATOMIC_SEQ_CST)
		drain(&reader);
}

static inline u64 reader_exchanges(u64 *at, u64 value)
{
	u64 old;

	drain(&reader);
	old = *at;
	*at = value;
	return old;
}

static inline void reader_fences(int order)
{
	if (order == __ATOMIC_SEQ_CST)
		drain(&reader);
}

/* The library's own code, on that processor. */
#define uint64_t u64
#define __atomic_store_n(at, value, order)	reader_stores(at, value, order)
#define __atomic_exchange_n(at, value, order)	reader_exchanges(at, value)
#define __atomic_thread_fence(order)		reader_fences(order)
#include "barrier.h"
#undef __atomic_store_n
#undef __atomic_exchange_n
#undef __atomic_thread_fence
#undef uint64_t

#define GFN		77ULL
#define GPA		(GFN << KWT_PAGE_SHIFT)

static struct kwt_space space;
static struct session session;
static u64 page, seen;
static void (*release)(struct kvm_wtrack_consumer *consumer, u64 pos);
static u32 steps, release_at, look_at;
static int barriers;

/* What a reader would do that takes the position for an ordinary index. */
static void store_release(struct kvm_wtrack_consumer *consumer, u64 pos)
{
	reader_stores((u64 *)&consumer->pos, pos, __ATOMIC_RELEASE);
}

static void reader_steps(void)
{
	if (steps == release_at)
		release(&session.consumer, 1);
	if (steps == look_at)
		seen = page;
	steps++;
}

/* Before each access of the module to what others access as well. */
static void step(void)
{
	if (barriers != shim_barrier_word)
		drain(&vcpu);
	barriers = shim_barrier_word;
	reader_steps();
}

static void store(u64 value)
{
	put(&vcpu, &page, value);
	barriers = shim_barrier_word;
	hook(&space, GPA, &value, sizeof(value), 0);
	drain(&vcpu);
}

/* Returns whether the second of two stores is neither seen nor recorded. */
static bool is_missed(u32 *nr_steps)
{
	bool missed;

	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, 64, true);
	session_add_all(&session, GFN, 1);
	store(1);
	assert_int_equal(kwt_ring_head(&session.ring), 1);
	seen = 0;
	steps = 0;
	shim_step = step;
	shim_race_odds = 1;
	store(2);
	shim_race_odds = 0;
	shim_step = NULL;
	*nr_steps = steps;
	while (steps <= look_at)
		reader_steps();
	drain(&reader);
	missed = seen != 2 && kwt_ring_head(&session.ring) == 1;
	session_exit(&session);
	kwt_space_exit(&space);
	return missed;
}

/* The release and the look at all pairs of steps: how many miss the store? */
static u32 count_missed(void)
{
	u32 missed = 0, nr_steps;

	release_at = 0;
	do {
		look_at = release_at;
		do
			missed += is_missed(&nr_steps);
		while (look_at++ <= nr_steps);
	} while (release_at++ <= nr_steps);
	assert_true(nr_steps > 3);
	return missed;
}

static void a_store_is_seen_or_recorded(void **state)
{
	(void)state;
	release = consumer_store_pos;
	assert_int_equal(count_missed(), 0);
}

static void a_position_that_is_only_stored_misses_some(void **state)
{
	(void)state;
	release = store_release;
	assert_true(count_missed() > 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_store_is_seen_or_recorded),
		CASE(a_position_that_is_only_stored_misses_some),
	};

	return RUN(cases);
}
