// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages that the guard disarms while vCPUs store to them, and that are armed
 * again: between the two records there is none, and the copy is true.
 */
#include "machine.h"

#define PAGES	3

static struct machine m;
/* KVM's read side: held from a fault to the last notification of it. */
static pthread_rwlock_t handled = PTHREAD_RWLOCK_INITIALIZER;
/* What processors know of a page: nobody stores natively while it is armed. */
static pthread_rwlock_t mapped[PAGES];

static void store_natively(u32 vcpu, u32 page, u32 offset, u8 value)
{
	__atomic_store_n(&m.memory[page][vcpu * 64 + offset], value,
			 __ATOMIC_RELAXED);
}

/* It is disarmed by somebody's fault, or by a budget, in a vCPU's thread. */
static void trip(u32 page)
{
	const struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.gpa = m.gfns[page] << KWT_PAGE_SHIFT,
		.guard.action = KVM_WTRACK_GUARD_DISARMED,
	};
	struct kwt_chunk *chunk;

	preempt_disable();
	chunk = kwt_chunk_find(&m.space, kwt_chunk_index(m.gfns[page]));
	if (chunk)
		kwt_guard_trip(&m.space, chunk, &record);
	preempt_enable();
}

/* That are still at it. */
static u32 vcpus;

/* One instruction: a store, or a string of them, of which KVM makes all. */
static void execute(struct test_random *r, u32 vcpu)
{
	u32 page = test_below(r, PAGES), n = 1 + test_below(r, 8);
	bool emulated;
	u8 value;

	pthread_rwlock_rdlock(&handled);
	pthread_rwlock_rdlock(&mapped[page]);
	/* Some code KVM interprets, whatever it stores to. */
	emulated = fake_armed(m.gfns[page]) || test_one_in(r, 2);
	if (!emulated)
		store_natively(vcpu, page, test_below(r, 64), test_next(r));
	pthread_rwlock_unlock(&mapped[page]);
	for (; emulated && n; n--) {
		value = test_next(r);
		machine_store(&m, vcpu, page, vcpu * 64 + test_below(r, 64),
			      &value, 1);
		if (test_one_in(r, 12))
			trip(page);
	}
	pthread_rwlock_unlock(&handled);
}

static void arm_again(u32 page)
{
	u64 gfn = m.gfns[page];
	struct kwt_chunk *chunk = kwt_chunk_find(&m.space,
						 kwt_chunk_index(gfn));

	if (!kwt_chunk_disarmed(chunk, kwt_chunk_bit(gfn)))
		return;
	/* What kwt_settled() waits for. */
	pthread_rwlock_wrlock(&handled);
	pthread_rwlock_unlock(&handled);
	pthread_mutex_lock(&m.lock);
	pthread_rwlock_wrlock(&mapped[page]);
	shim_require(!kwt_rearm(&m.space, chunk, kwt_chunk_bit(gfn)));
	pthread_rwlock_unlock(&mapped[page]);
	pthread_mutex_unlock(&m.lock);
}

/* The session's own caller, and what was stopped may be added again. */
static void add_or_remove(struct test_random *r)
{
	u64 gfn = m.gfns[test_below(r, PAGES)];

	pthread_mutex_lock(&m.lock);
	if (test_below(r, 3))
		session_add(&m.session, gfn);
	else
		session_remove(&m.session, gfn);
	pthread_mutex_unlock(&m.lock);
	if (test_one_in(r, 16))
		rcu_barrier();
}

/* One more thread than there are vCPUs: the worker, or that caller. */
static void vcpu_or_worker(void *machine, u32 me)
{
	static u64 calls;
	struct test_random r;
	u32 n;

	(void)machine;
	r = test_random(__atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED));
	if (me == MACHINE_VCPUS) {
		while (__atomic_load_n(&vcpus, __ATOMIC_RELAXED))
			if (m.session.ring.stop)
				add_or_remove(&r);
			else
				arm_again(test_below(&r, PAGES));
		return;
	}
	for (n = 0; n < 100; n++)
		execute(&r, me);
	__atomic_fetch_sub(&vcpus, 1, __ATOMIC_RELAXED);
}

static void read_all(struct test_random *r)
{
	machine_read(&m, 1 + test_below(r, 20));
	if (test_one_in(r, 4))
		sched_yield();
}

static void rounds(u32 records, bool coalesce)
{
	u32 round, n = test_rounds(200), i;
	struct test_random r = test_random(800 + records + coalesce);
	u64 seen = 0;
	struct team team;

	for (i = 0; i < PAGES; i++)
		assert_int_equal(pthread_rwlock_init(&mapped[i], NULL), 0);
	team_start(&team, MACHINE_VCPUS + 1, vcpu_or_worker, &m);
	shim_race_odds = 4;
	for (round = 0; round < n; round++) {
		machine_init(&m, PAGES, records, coalesce);
		vcpus = MACHINE_VCPUS;
		team_go(&team);
		while (team_busy(&team))
			read_all(&r);
		for (i = 0; i < PAGES; i++)
			arm_again(i);
		while (machine_read(&m, 1000))
			;
		machine_check(&m);
		seen += m.guard_records;
		machine_exit(&m);
	}
	team_end(&team);
	assert_true(seen > n);
}

static void nothing_is_between_disarmed_and_rearmed(void **state)
{
	(void)state;
	rounds(4096, false);
}

static void nor_in_a_coalescing_session(void **state)
{
	(void)state;
	rounds(4096, true);
}

static void rings_that_are_too_small_lose_nothing(void **state)
{
	(void)state;
	rounds(8, false);
	rounds(8, true);
}

/* The counts are what they should be, whoever gave the pages up. */
static void check_counts(void)
{
	struct kwt_set *set = &m.session.set;
	u64 pages = 0;
	u32 i, state;

	for (i = 0; i < PAGES; i++) {
		state = kwt_set_state(set, m.gfns[i]) & ~KVM_WTRACK_GFN_RESYNC;
		assert_int_equal(state & ~KVM_WTRACK_GFN_TRACKED, 0);
		assert_int_equal(kwt_space_users(&m.space, m.gfns[i]), !!state);
		assert_int_equal(fake_armed(m.gfns[i]), !!state);
		pages += !!state;
	}
	assert_int_equal(kwt_set_pages(set), pages);
	assert_int_equal(fake_armed_pages(), pages);
}

static void pages_that_are_stopped_and_added_are_counted(void **state)
{
	struct test_random r = test_random(900);
	u32 round, n = test_rounds(100);
	struct team team;

	(void)state;
	team_start(&team, MACHINE_VCPUS + 1, vcpu_or_worker, &m);
	shim_race_odds = 4;
	for (round = 0; round < n; round++) {
		machine_init(&m, PAGES, 4 << test_below(&r, 4),
			     test_below(&r, 2));
		m.session.ring.stop = true;
		vcpus = MACHINE_VCPUS;
		team_go(&team);
		while (team_busy(&team))
			sched_yield();
		check_counts();
		machine_exit(&m);
	}
	team_end(&team);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(nothing_is_between_disarmed_and_rearmed),
		CASE(nor_in_a_coalescing_session),
		CASE(rings_that_are_too_small_lose_nothing),
		CASE(pages_that_are_stopped_and_added_are_counted),
	};

	return RUN(cases);
}
