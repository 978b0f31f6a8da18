// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Pages that the guard disarms while vCPUs store to them, and that are armed
 * again: between the two records there is none, and the copy is true.
 */
#include "machine.h"

#define PAGES	3

static struct machine m;
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

/*
 * A store that KVM makes. Its vCPU may be scheduled away before it notifies,
 * while the page is disarmed, others store, and it is armed again.
 */
static void store_late(struct test_random *r, u32 vcpu, u32 page, u32 offset,
		       u8 value)
{
	u64 nr = READ_ONCE(m.space.arming_nr);
	u32 n;

	__atomic_store_n(&m.memory[page][offset], value, __ATOMIC_RELAXED);
	for (n = test_one_in(r, 16) ? 4 : 0; n; n--)
		if (READ_ONCE(m.space.arming_nr) == nr)
			sched_yield();
	hook(&m.space, (m.gfns[page] << KWT_PAGE_SHIFT) + offset, &value, 1,
	     vcpu);
}

/* One instruction: a store, or a string of them, of which KVM makes all. */
static void execute(struct test_random *r, u32 vcpu)
{
	u32 page = test_below(r, PAGES), n = 1 + test_below(r, 8);
	bool emulated;
	u8 value;

	/* A fault. It may be handled later than others that come behind it. */
	hook_arming_nr = READ_ONCE(m.space.arming_nr);
	pthread_rwlock_rdlock(&mapped[page]);
	/* Some code KVM interprets, whatever it stores to. */
	emulated = fake_armed(m.gfns[page]) || test_one_in(r, 2);
	/* Also over what another vCPU has stored, and is about to notify of. */
	if (!emulated)
		store_natively(test_below(r, MACHINE_VCPUS), page,
			       test_below(r, 64), test_next(r));
	pthread_rwlock_unlock(&mapped[page]);
	for (; emulated && n; n--) {
		value = test_next(r);
		store_late(r, vcpu, page, vcpu * 64 + test_below(r, 64), value);
		if (test_one_in(r, 12))
			trip(page);
	}
}

static void arm_again(u32 page)
{
	u64 gfn = m.gfns[page];
	struct kwt_chunk *chunk = kwt_chunk_find(&m.space,
						 kwt_chunk_index(gfn));

	if (!kwt_chunk_disarmed(chunk, kwt_chunk_bit(gfn)))
		return;
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
	u32 round, n = test_rounds(100), i;
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

/*
 * A vCPU has stored, and notifies only when the page was disarmed, stored to by
 * another one that nobody saw, and armed again: @len bytes, of what was 1 and
 * is 2.
 */
static void store_before_notify_behind(u32 len, bool remove)
{
	u64 gpa;
	u8 old[64];

	machine_init(&m, PAGES, 64, false);
	gpa = m.gfns[0] << KWT_PAGE_SHIFT;
	memset(old, 1, sizeof(old));
	hook_arming_nr = READ_ONCE(m.space.arming_nr);
	memcpy(m.memory[0], old, len);
	if (remove) {
		assert_int_equal(session_remove(&m.session, m.gfns[0]), 1);
		memset(m.memory[0], 2, len);
		session_add_all(&m.session, m.gfns[0], 1);
		memcpy(m.copy[0], m.memory[0], sizeof(m.copy[0]));
	} else {
		trip(0);
		memset(m.memory[0], 2, len);
		arm_again(0);
		while (machine_read(&m, 1000))
			;
	}
	hook(&m.space, gpa, old, len, 0);
	while (machine_read(&m, 1000))
		;
	machine_check(&m);
	/* A store of the time after that is told with its bytes. */
	hook_arming_nr = READ_ONCE(m.space.arming_nr);
	memset(m.memory[0], 3, len);
	hook(&m.space, gpa, m.memory[0], len, 0);
	assert_int_equal(session_record(&m.session, m.pos)->flags &
			 KVM_WTRACK_RECORD_F_PAGE, 0);
	while (machine_read(&m, 1000))
		;
	machine_check(&m);
	machine_exit(&m);
	hook_arming_nr = U64_MAX;
}

static void a_late_record_does_not_undo_what_was_read_again(void **state)
{
	(void)state;
	store_before_notify_behind(8, false);
	store_before_notify_behind(1, false);
	store_before_notify_behind(64, false);
}

static void nor_what_was_read_when_the_page_was_added_again(void **state)
{
	(void)state;
	store_before_notify_behind(8, true);
	store_before_notify_behind(1, true);
	store_before_notify_behind(64, true);
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
	u32 round, n = test_rounds(50);
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
		CASE(a_late_record_does_not_undo_what_was_read_again),
		CASE(nor_what_was_read_when_the_page_was_added_again),
		CASE(pages_that_are_stopped_and_added_are_counted),
	};

	return RUN(cases);
}
