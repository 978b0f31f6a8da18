// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions that are told of the first store to a page, until they arm it again. */
#include "guard.h"
#include "test.h"

#define GFN		1500ULL
#define GPA		(GFN << KWT_PAGE_SHIFT)
#define DISARMED	(KVM_WTRACK_GFN_TRACKED | KVM_WTRACK_GFN_DISARMED)

static struct kwt_space space;
static struct session session, other;
static const u8 data[1024] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static void add_session(struct session *s, bool once, bool coalesce)
{
	session_init(s, &space, 64, coalesce);
	s->ring.once = once;
}

static void init(bool other_once)
{
	assert_int_equal(kwt_space_init(&space), 0);
	add_session(&session, true, false);
	add_session(&other, other_once, false);
	session_add_all(&session, GFN, 2);
}

static void done(void)
{
	session_exit(&session);
	session_exit(&other);
	assert_int_equal(fake_armed_pages(), 0);
	assert_int_equal(space.bytes, test_bytes());
	kwt_space_exit(&space);
}

static void store(u32 len)
{
	hook(&space, GPA, data, len, 3);
}

static u64 head(struct session *s)
{
	return kwt_ring_head(&s->ring);
}

static u32 state_of(struct session *s)
{
	return kwt_set_state(&s->set, GFN);
}

static int rearm(struct session *s)
{
	struct kwt_set *set = &s->set;

	fake_work(&space);
	return kwt_set_rearm(set, kwt_span_find(set, kwt_chunk_index(GFN)),
			     GFN);
}

static const struct kvm_wtrack_record *last(struct session *s)
{
	const struct kvm_wtrack_record *record = session_record(s, head(s) - 1);

	assert_non_null(record);
	assert_int_equal(record->gpa >> KWT_PAGE_SHIFT, GFN);
	return record;
}

static void check_write(struct session *s, u32 len)
{
	const struct kvm_wtrack_record *record = last(s);

	assert_int_equal(record->type, KVM_WTRACK_RECORD_WRITE);
	assert_true(record->flags & KVM_WTRACK_RECORD_F_ONCE);
	assert_int_equal(record->total, len);
	assert_int_equal(record->vcpu, 3);
	assert_int_equal(record->rip, HOOK_RIP);
}

static void one_store_is_a_record_and_ends_the_protection(void **state)
{
	static const u32 lens[] = { 8, 1, 2, 4, 16, 24 };
	u32 i;

	(void)state;
	init(false);
	for (i = 0; i < 6; i++) {
		assert_true(fake_armed(GFN));
		assert_int_equal(state_of(&session), KVM_WTRACK_GFN_TRACKED);
		store(lens[i]);
		check_write(&session, lens[i]);
		assert_memory_equal(last(&session)->data, data, lens[i]);
		assert_false(fake_armed(GFN));
		assert_true(fake_armed(GFN + 1));
		assert_int_equal(state_of(&session), DISARMED);
		store(8);
		store(lens[i]);
		assert_int_equal(head(&session), i + 1);
		assert_int_equal(rearm(&session), 1);
		assert_int_equal(head(&session), i + 1);
	}
	/* The guard has no part in it. */
	assert_int_equal(fake.trips, 0);
	assert_int_equal(fake.rearms, 0);
	assert_true(list_empty(&space.tripped));
	done();
}

static void all_parts_of_a_long_store_have_the_flag(void **state)
{
	u32 nr = DIV_ROUND_UP(1024, KVM_WTRACK_DATA_BYTES), i;

	(void)state;
	init(false);
	store(1024);
	assert_int_equal(head(&session), nr);
	for (i = 0; i < nr; i++)
		assert_true(session_record(&session, i)->flags &
			    KVM_WTRACK_RECORD_F_ONCE);
	check_write(&session, 1024);
	store(1024);
	assert_int_equal(head(&session), nr);
	done();
}

static void a_page_is_armed_by_rearm_and_by_add(void **state)
{
	(void)state;
	init(false);
	store(8);
	assert_int_equal(session_add(&session, GFN), 0);
	assert_true(fake_armed(GFN));
	store(8);
	assert_int_equal(rearm(&session), 1);
	assert_int_equal(rearm(&session), 0);
	assert_int_equal(head(&session), 2);
	assert_int_equal(rearm(&other), -ENOENT);
	assert_int_equal(session_remove(&session, GFN), 1);
	assert_int_equal(rearm(&session), -ENOENT);
	assert_int_equal(state_of(&session), 0);
	assert_false(fake_armed(GFN));
	done();
}

static void another_session_gets_every_store(void **state)
{
	u32 i;

	(void)state;
	init(false);
	session_add_all(&other, GFN, 1);
	for (i = 0; i < 5; i++)
		store(8);
	assert_int_equal(head(&session), 1);
	assert_int_equal(head(&other), 5);
	assert_true(fake_armed(GFN));
	assert_false(last(&other)->flags & KVM_WTRACK_RECORD_F_ONCE);
	/* The page was armed all the time. */
	assert_int_equal(rearm(&session), 1);
	store(8);
	assert_int_equal(head(&session), 2);
	assert_int_equal(head(&other), 6);
	assert_int_equal(fake.rearms, 0);
	done();
}

static void the_last_one_that_observes_takes_the_protection_along(void **state)
{
	(void)state;
	init(false);
	session_add_all(&other, GFN, 1);
	store(8);
	assert_true(fake_armed(GFN));
	assert_int_equal(session_remove(&other, GFN), 1);
	assert_false(fake_armed(GFN));
	assert_int_equal(kwt_space_users(&space, GFN), 1);
	/* Whoever comes next has it armed, for itself alone. */
	assert_int_equal(session_add(&other, GFN), 1);
	assert_true(fake_armed(GFN));
	assert_int_equal(state_of(&session), DISARMED);
	store(8);
	assert_int_equal(head(&session), 1);
	assert_int_equal(head(&other), 2);
	while (kwt_set_clear_first(&other.set, true))
		;
	assert_false(fake_armed(GFN));
	done();
}

static void two_sessions_arm_it_each_for_itself(void **state)
{
	(void)state;
	init(true);
	session_add_all(&other, GFN, 1);
	store(8);
	assert_false(fake_armed(GFN));
	assert_int_equal(rearm(&other), 1);
	store(8);
	assert_false(fake_armed(GFN));
	assert_int_equal(head(&session), 1);
	assert_int_equal(head(&other), 2);
	assert_int_equal(rearm(&session), 1);
	assert_int_equal(rearm(&other), 1);
	store(8);
	assert_int_equal(head(&session), 2);
	assert_int_equal(head(&other), 3);
	done();
}

static void a_full_ring_has_it_in_the_resync_set(void **state)
{
	struct kvm_wtrack_resync_range range;

	(void)state;
	init(false);
	while (!kwt_ring_close(&session.ring, 0))
		;
	store(8);
	assert_false(fake_armed(GFN));
	assert_int_equal(state_of(&session), DISARMED | KVM_WTRACK_GFN_RESYNC);
	assert_int_equal(session_fetch(&session, &range, 1), 1);
	assert_int_equal(range.gfn, GFN);
	assert_int_equal(range.nr_pages, 1);
	assert_int_equal(range.what, KVM_WTRACK_RESYNC_DISARMED);
	assert_int_equal(rearm(&session), 1);
	store(8);
	check_write(&session, 8);
	done();
}

static void the_guard_tells_of_the_first_store(void **state)
{
	(void)state;
	init(false);
	session_add_all(&other, GFN, 1);
	fake_trip(&space, GFN);
	assert_int_equal(last(&session)->type, KVM_WTRACK_RECORD_GUARD);
	assert_int_equal(last(&session)->guard.action,
			 KVM_WTRACK_GUARD_DISARMED);
	assert_true(last(&session)->flags & KVM_WTRACK_RECORD_F_ONCE);
	assert_false(last(&other)->flags & KVM_WTRACK_RECORD_F_ONCE);
	/* Armed for the other one: it does not concern this one. */
	assert_int_equal(session_add(&other, GFN), 0);
	assert_int_equal(fake.rearms, 1);
	assert_int_equal(head(&session), 1);
	assert_int_equal(state_of(&session), DISARMED);
	store(8);
	assert_int_equal(head(&session), 1);
	/* And nor does the next time. */
	fake_trip(&space, GFN);
	assert_int_equal(head(&session), 1);
	assert_int_equal(atomic64_read(&session.ring.disarms), 1);
	/* Armed by this one: the other one waits for it. */
	assert_int_equal(rearm(&session), 1);
	assert_int_equal(last(&other)->guard.action, KVM_WTRACK_GUARD_REARMED);
	assert_int_equal(state_of(&other), KVM_WTRACK_GFN_TRACKED);
	assert_int_equal(head(&session), 1);
	done();
}

static void the_guard_may_give_the_page_up(void **state)
{
	(void)state;
	init(false);
	session.ring.stop = true;
	fake_trip(&space, GFN);
	assert_int_equal(last(&session)->guard.action, KVM_WTRACK_GUARD_STOPPED);
	assert_int_equal(state_of(&session), 0);
	/* Not what it does not observe. */
	assert_int_equal(session_add(&session, GFN), 1);
	session_add_all(&other, GFN, 1);
	store(8);
	fake_trip(&space, GFN);
	assert_int_equal(head(&session), 2);
	assert_int_equal(state_of(&session), DISARMED);
	done();
}

static void coalescing_does_not_hide_the_first_store(void **state)
{
	(void)state;
	assert_int_equal(kwt_space_init(&space), 0);
	add_session(&session, true, true);
	add_session(&other, false, false);
	session_add_all(&session, GFN, 2);
	store(8);
	check_write(&session, 8);
	assert_true(last(&session)->flags & KVM_WTRACK_RECORD_F_PAGE);
	/* The record of the time before is unread. */
	assert_int_equal(rearm(&session), 1);
	store(16);
	assert_int_equal(head(&session), 2);
	check_write(&session, 16);
	assert_false(fake_armed(GFN));
	done();
}

/* Nobody loses a budget because of a session that does not observe the page. */
static void a_budget_is_that_of_those_who_observe(void **state)
{
	(void)state;
	assert_int_equal(kwt_space_init(&space), 0);
	add_session(&session, true, false);
	session_init(&other, &space, 64, false);
	other.ring.budget = 2;
	other.ring.counts = true;
	other.ring.period_ns = 1000;
	session_add_all(&session, GFN, 2);
	session_add_all(&other, GFN, 1);
	store(8);
	assert_int_equal(fake.trips, 0);
	store(8);
	assert_int_equal(fake.trips, 1);
	assert_int_equal(head(&session), 1);
	done();
}

/* Records of stores that are older than the arming say that there may be newer. */
/* A session that wants no store emulated does so also when it was told. */
static void the_period_of_a_native_session_is_its_own_or_none(void **state)
{
	const struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.gpa = GPA,
		.guard = { KVM_WTRACK_GUARD_DISARMED, KVM_WTRACK_CAUSE_NATIVE },
	};
	struct kwt_chunk *chunk;
	u64 period_ns;

	(void)state;
	for (period_ns = 0; period_ns < 2; period_ns++) {
		init(false);
		session.ring.native = true;
		session.ring.period_ns = period_ns;
		session_add_all(&other, GFN, 1);
		chunk = kwt_chunk_find(&space, kwt_chunk_index(GFN));
		assert_true(kwt_chunk_guard(&space, chunk));
		preempt_disable();
		kwt_guard_trip(&space, chunk, &record);
		preempt_enable();
		assert_int_equal(!!(chunk->guard[kwt_chunk_bit(GFN)] &
				    KWT_GUARD_BUDGET), period_ns);
		done();
	}
}

static void a_store_from_before_the_arming_says_so(void **state)
{
	(void)state;
	init(false);
	session_add_all(&other, GFN, 1);
	store(8);
	assert_int_equal(rearm(&session), 1);
	hook_arming_nr = space.arming_nr - 1;
	store(8);
	assert_true(last(&session)->flags & KVM_WTRACK_RECORD_F_PAGE);
	assert_int_equal(rearm(&session), 1);
	hook_arming_nr = space.arming_nr;
	store(8);
	assert_false(last(&session)->flags & KVM_WTRACK_RECORD_F_PAGE);
	hook_arming_nr = U64_MAX;
	done();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(one_store_is_a_record_and_ends_the_protection),
		CASE(all_parts_of_a_long_store_have_the_flag),
		CASE(a_page_is_armed_by_rearm_and_by_add),
		CASE(another_session_gets_every_store),
		CASE(the_last_one_that_observes_takes_the_protection_along),
		CASE(two_sessions_arm_it_each_for_itself),
		CASE(a_full_ring_has_it_in_the_resync_set),
		CASE(the_guard_tells_of_the_first_store),
		CASE(the_guard_may_give_the_page_up),
		CASE(coalescing_does_not_hide_the_first_store),
		CASE(a_budget_is_that_of_those_who_observe),
		CASE(the_period_of_a_native_session_is_its_own_or_none),
		CASE(a_store_from_before_the_arming_says_so),
	};

	return RUN(cases);
}
