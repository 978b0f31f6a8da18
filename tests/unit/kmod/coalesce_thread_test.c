// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The store that comes while the reader releases the record it would merge
 * into: either the reader's look at the page sees it, or it gets a record.
 *
 * One vCPU stores twice. The first store brings a record, and the second runs
 * into the reader's work on that. Then it waits until the reader is idle, and
 * looks whether he has seen it.
 */
#include <time.h>

#include "team.h"
#include "test.h"

#define GFN		77ULL
#define GPA		(GFN << KWT_PAGE_SHIFT)

static struct kwt_space space;
static struct session session;
static u64 page __attribute__((__aligned__(64)));

/* The reader's: what it saw of the page, after it had released so many. */
static u64 seen __attribute__((__aligned__(64))), seen_pos;
static bool over;

/* Whom we wait for may need this CPU. */
static void give_way(void)
{
	static _Thread_local u32 calls;

	if (++calls % 256 == 0)
		sched_yield();
}

static void reader(void *arg, u32 me)
{
	u64 pos = 0;

	(void)arg;
	(void)me;
	while (!READ_ONCE(over)) {
		if (!session_record(&session, pos)) {
			give_way();
			continue;
		}
		/* So that the vCPU's next store to it takes its time. */
		(void)__atomic_load_n(&page, __ATOMIC_RELAXED);
		session_release(&session, ++pos);
		WRITE_ONCE(seen, __atomic_load_n(&page, __ATOMIC_RELAXED));
		smp_store_release(&seen_pos, pos);
	}
}

static void store(u64 value)
{
	__atomic_store_n(&page, value, __ATOMIC_RELAXED);
	hook(&space, GPA, &value, sizeof(value), 0);
}

static void spin(u64 n)
{
	while (n--)
		__asm__ volatile("" ::: "memory");
}

/* On the border between stores that merge and stores that do not. */
static u64 next_delay(u64 delay)
{
	static s64 before;
	s64 merged = atomic64_read(&session.ring.merged);
	bool more = merged != before;

	before = merged;
	if (more)
		return delay < 4000 ? delay + 4 : delay;
	return delay ? delay - 1 : 0;
}

static void a_store_that_merges_is_seen(void **state)
{
	struct test_random r = test_random(950);
	time_t end = time(NULL) + test_rounds(4);
	u64 delay = 0, value;
	struct team team;

	(void)state;
	seen = 0;
	seen_pos = 0;
	over = false;
	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, 64, true);
	session_add_all(&session, GFN, 1);
	shim_nothing_goes = true;
	team_start(&team, 1, reader, NULL);
	team_go(&team);
	for (value = 2; time(NULL) < end; value += 2) {
		store(value);
		spin(delay + test_below(&r, 32));
		store(value + 1);
		delay = next_delay(delay);
		while (smp_load_acquire(&seen_pos) !=
		       kwt_ring_head(&session.ring))
			give_way();
		shim_require(READ_ONCE(seen) == value + 1);
	}
	WRITE_ONCE(over, true);
	team_end(&team);
	shim_nothing_goes = false;
	assert_true(atomic64_read(&session.ring.merged) > 0);
	session_exit(&session);
	kwt_space_exit(&space);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_store_that_merges_is_seen),
	};

	return RUN(cases);
}
