// SPDX-License-Identifier: GPL-2.0-or-later
/* Rings that are too small: the reader's copy is true all the same. */
#include "machine.h"

static struct machine m;

/* One round, with what the machine has been told; the reader is never idle. */
static void round_of(struct team *team, struct test_random *r, u32 greed)
{
	bool busy;
	u32 i;

	for (i = 0; i < MACHINE_VCPUS; i++)
		m.random[i] = test_random(test_next(r));
	team_go(team);
	for (;;) {
		busy = team_busy(team);
		if (!machine_read(&m, 1 + test_below(r, greed)) && !busy)
			break;
		if (test_one_in(r, 4))
			sched_yield();
	}
	machine_check(&m);
}

static void rounds(bool coalesce)
{
	struct test_random r = test_random(700 + coalesce);
	u32 round, n = test_rounds(2000), records, parts;
	u64 overflows = 0, stores, told;
	struct team team;

	team_start(&team, MACHINE_VCPUS, machine_vcpu, &m);
	shim_race_odds = 16;
	for (round = 0; round < n; round++) {
		records = 4 << test_below(&r, 4);
		machine_init(&m, 1 + test_below(&r, 12), records, coalesce);
		parts = records - KWT_RING_SPARE < 6 ?
			records - KWT_RING_SPARE : 6;
		m.room = 1 + test_below(&r, 4);
		m.stores = 1 + test_below(&r, 40);
		m.longest = 1 + test_below(&r, parts * KVM_WTRACK_DATA_BYTES);
		round_of(&team, &r, records);

		stores = (u64)m.stores * MACHINE_VCPUS;
		told = m.write_records +
		       atomic64_read(&m.session.ring.resync_writes) +
		       atomic64_read(&m.session.ring.merged);
		shim_require(told == stores);
		overflows += m.resync_records;
		machine_exit(&m);
	}
	team_end(&team);
	assert_true(overflows > 0);
}

static void after_any_overflow_the_copy_is_true(void **state)
{
	(void)state;
	rounds(false);
}

static void coalescing_sessions_overflow_exactly_as_well(void **state)
{
	(void)state;
	rounds(true);
}

static struct session others[2];

/* Under the lock: other sessions track and untrack around and on the pages. */
static void disturb(struct test_random *r)
{
	struct session *other = &others[test_below(r, 2)];
	u64 gfn = test_below(r, 2) ? m.gfns[test_below(r, m.nr_pages)] :
				     test_below(r, 200) * 256;

	pthread_mutex_lock(&m.lock);
	if (test_below(r, 2))
		session_add(other, gfn);
	else
		session_remove(other, gfn);
	pthread_mutex_unlock(&m.lock);
	if (test_one_in(r, 16))
		rcu_barrier();
}

/* One more thread than there are vCPUs. */
static void vcpu_or_others(void *machine, u32 me)
{
	static u64 calls;
	struct test_random r;
	u32 n;

	if (me < MACHINE_VCPUS) {
		machine_vcpu(machine, me);
		return;
	}
	r = test_random(calls++);
	for (n = 0; n < 50; n++)
		disturb(&r);
}

static void other_sessions_that_come_and_go_change_nothing(void **state)
{
	struct test_random r = test_random(702);
	u32 round, n = test_rounds(500), i;
	struct team team;

	(void)state;
	team_start(&team, MACHINE_VCPUS + 1, vcpu_or_others, &m);
	shim_race_odds = 16;
	for (round = 0; round < n; round++) {
		machine_init(&m, 9, 16, test_below(&r, 2));
		m.room = 2;
		m.stores = 40;
		m.longest = 16;
		for (i = 0; i < 2; i++)
			session_init(&others[i], &m.space, 8, i);
		round_of(&team, &r, 16);
		for (i = 0; i < 2; i++)
			session_exit(&others[i]);
		machine_exit(&m);
	}
	team_end(&team);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(after_any_overflow_the_copy_is_true),
		CASE(coalescing_sessions_overflow_exactly_as_well),
		CASE(other_sessions_that_come_and_go_change_nothing),
	};

	return RUN(cases);
}
