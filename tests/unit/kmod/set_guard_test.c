// SPDX-License-Identifier: GPL-2.0-or-later
/* What the guard has disarmed, seen by the sessions that track it. */
#include "test.h"

#define GFN		1500ULL
#define BOTH		(KVM_WTRACK_GFN_TRACKED | KVM_WTRACK_GFN_DISARMED)

static struct kwt_space space;
static struct session session, other;

static void init(void)
{
	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, 8, false);
	session_init(&other, &space, 8, false);
	session_add_all(&session, GFN, 2);
	fake_trip(&space, GFN);
}

static void done(void)
{
	session_exit(&session);
	session_exit(&other);
	assert_int_equal(fake_armed_pages(), 0);
	kwt_space_exit(&space);
}

static u32 state_of(struct session *s, u64 gfn)
{
	return kwt_set_state(&s->set, gfn);
}

static void a_page_is_disarmed_for_those_who_track_it(void **state)
{
	(void)state;
	init();
	assert_int_equal(state_of(&session, GFN), BOTH);
	assert_int_equal(state_of(&session, GFN + 1), KVM_WTRACK_GFN_TRACKED);
	assert_int_equal(state_of(&session, GFN + 2), 0);
	assert_int_equal(state_of(&other, GFN), 0);
	/* In the same chunk, but not this page. */
	session_add_all(&other, GFN + 1, 1);
	assert_int_equal(state_of(&other, GFN), 0);
	done();
}

static void adding_it_again_arms_it(void **state)
{
	(void)state;
	init();
	assert_int_equal(session_add(&session, GFN), 0);
	assert_int_equal(fake.rearms, 1);
	assert_int_equal(state_of(&session, GFN), KVM_WTRACK_GFN_TRACKED);
	assert_int_equal(session.set.pages, 2);
	assert_int_equal(kwt_space_users(&space, GFN), 1);
	/* And an armed one is left alone. */
	assert_int_equal(session_add(&session, GFN), 0);
	assert_int_equal(fake.rearms, 1);
	done();
}

static void another_session_that_adds_it_arms_it_for_both(void **state)
{
	(void)state;
	init();
	assert_int_equal(session_add(&other, GFN), 1);
	assert_int_equal(fake.rearms, 1);
	assert_int_equal(fake.arms, 2);
	assert_int_equal(kwt_space_users(&space, GFN), 2);
	assert_int_equal(state_of(&session, GFN), KVM_WTRACK_GFN_TRACKED);
	assert_int_equal(state_of(&other, GFN), KVM_WTRACK_GFN_TRACKED);
	done();
}

static int refused_with;

static int refuse(u64 gfn)
{
	(void)gfn;
	return refused_with;
}

static void a_page_that_cannot_be_armed_is_not_added(void **state)
{
	const int errors[] = { -ENOENT, -EOPNOTSUPP, -ENOMEM };
	u32 i;

	(void)state;
	init();
	fake.refuse = refuse;
	for (i = 0; i < 3; i++) {
		refused_with = errors[i];
		assert_int_equal(session_add(&other, GFN), errors[i]);
		assert_int_equal(state_of(&other, GFN), 0);
		assert_int_equal(other.set.pages, 0);
		assert_int_equal(other.set.bytes, 0);
		/* Who relies on being told from now on has to know. */
		assert_int_equal(session_add(&session, GFN), errors[i]);
		assert_int_equal(state_of(&session, GFN), BOTH);
		assert_int_equal(kwt_space_users(&space, GFN), 1);
	}
	refused_with = 0;
	assert_int_equal(session_add(&other, GFN), 1);
	done();
}

static void removing_it_gives_nothing_back_twice(void **state)
{
	(void)state;
	init();
	assert_int_equal(session_remove(&session, GFN), 1);
	assert_int_equal(fake.disarms, 0);
	assert_int_equal(state_of(&session, GFN), 0);
	/* Nobody tracks it: it is armed like any other. */
	assert_int_equal(session_add(&session, GFN), 1);
	assert_int_equal(fake.rearms, 0);
	assert_int_equal(fake.arms, 3);
	assert_int_equal(session_remove(&session, GFN), 1);
	assert_int_equal(fake.disarms, 1);
	done();
}

static void the_end_of_a_session_leaves_it_disarmed_for_the_other(void **state)
{
	(void)state;
	init();
	assert_int_equal(session_add(&other, GFN), 1);
	fake_trip(&space, GFN);
	while (kwt_set_clear_first(&session.set, true))
		;
	assert_int_equal(state_of(&other, GFN), BOTH);
	assert_int_equal(fake.disarms, 1);
	done();
}

static u32 query_pages(struct session *s)
{
	struct kvm_wtrack_range range;
	u64 gfn = 0;
	u32 n = 0;

	while (gfn != U64_MAX)
		if (kwt_set_query(&s->set, &gfn, &range, 1))
			n += range.nr_pages;
	return n;
}

static u32 action_at(struct session *s, u64 pos)
{
	const struct kvm_wtrack_record *record = session_record(s, pos);

	assert_non_null(record);
	assert_int_equal(record->type, KVM_WTRACK_RECORD_GUARD);
	return record->guard.action;
}

static void init_stop(u32 records)
{
	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, records, false);
	session.ring.stop = true;
	session_init(&other, &space, 8, false);
	session_add_all(&session, GFN, 2);
}

/* Nothing comes by afterwards to make it so. */
static void a_page_that_was_stopped_is_not_tracked_from_that_moment(void **state)
{
	static const u64 word;

	(void)state;
	init_stop(8);
	session_add_all(&other, GFN, 1);
	session.set.max_pages = 2;
	fake_trip(&space, GFN);
	assert_int_equal(action_at(&session, 0), KVM_WTRACK_GUARD_STOPPED);
	assert_int_equal(action_at(&other, 0), KVM_WTRACK_GUARD_DISARMED);
	assert_int_equal(state_of(&session, GFN), 0);
	assert_int_equal(state_of(&other, GFN), BOTH);
	assert_int_equal(kwt_space_users(&space, GFN), 1);
	assert_int_equal(kwt_set_pages(&session.set), 1);
	assert_int_equal(query_pages(&session), 1);
	assert_int_equal(session_remove(&session, GFN), -ENOENT);
	hook(&space, GFN << KWT_PAGE_SHIFT, &word, 8, 0);
	assert_int_equal(kwt_ring_head(&session.ring), 1);
	/* There is room for another page, and then for none. */
	assert_int_equal(session_add(&session, GFN + 9), 1);
	assert_int_equal(session_add(&session, GFN + 2), -ENOSPC);
	done();
}

static void it_is_tracked_again_when_it_is_added(void **state)
{
	static const u64 word;

	(void)state;
	init_stop(8);
	fake_trip(&space, GFN);
	assert_int_equal(kwt_space_users(&space, GFN), 0);
	assert_int_equal(session_add(&session, GFN), 1);
	assert_true(fake_armed(GFN));
	assert_int_equal(state_of(&session, GFN), KVM_WTRACK_GFN_TRACKED);
	hook(&space, GFN << KWT_PAGE_SHIFT, &word, 8, 0);
	assert_int_equal(kwt_ring_head(&session.ring), 2);
	fake_trip(&space, GFN);
	assert_int_equal(action_at(&session, 2), KVM_WTRACK_GUARD_STOPPED);
	done();
}

/* The span is held by what there is to tell, and goes with it. */
static void the_last_page_that_stops_behind_a_full_ring_is_in_the_set(void **state)
{
	struct kvm_wtrack_resync_range range;
	static const u64 word;
	u32 n;

	(void)state;
	init_stop(8);
	assert_int_equal(session_remove(&session, GFN + 1), 1);
	for (n = 0; n < 6; n++)
		hook(&space, GFN << KWT_PAGE_SHIFT, &word, 8, 0);
	fake_trip(&space, GFN);
	assert_int_equal(kwt_set_pages(&session.set), 0);
	kwt_span_put(&session.set, kwt_span_first(&session.set, 0));
	assert_int_equal(state_of(&session, GFN), KVM_WTRACK_GFN_RESYNC);
	assert_int_equal(session_fetch(&session, &range, 1), 1);
	assert_int_equal(range.gfn, GFN);
	assert_int_equal(range.nr_pages, 1);
	assert_int_equal(range.what, KVM_WTRACK_RESYNC_REMOVED);
	assert_null(kwt_span_first(&session.set, 0));
	done();
}

/* Of those who look without arm_lock first. */
static void trip_now(void)
{
	fake_trip(&space, GFN);
}

static void a_page_that_stops_while_it_is_removed_is_given_back_once(void **state)
{
	(void)state;
	init_stop(8);
	session_add_all(&other, GFN, 1);
	shim_before_lock = trip_now;
	(void)session_remove(&session, GFN);
	assert_int_equal(kwt_set_pages(&session.set), 1);
	assert_int_equal(kwt_space_users(&space, GFN), 1);
	done();
	/* The last one. */
	init_stop(8);
	shim_before_lock = trip_now;
	(void)session_remove(&session, GFN);
	assert_int_equal(kwt_set_pages(&session.set), 1);
	assert_int_equal(kwt_space_users(&space, GFN), 0);
	assert_int_equal(fake_armed_pages(), 1);
	done();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_page_is_disarmed_for_those_who_track_it),
		CASE(adding_it_again_arms_it),
		CASE(another_session_that_adds_it_arms_it_for_both),
		CASE(a_page_that_cannot_be_armed_is_not_added),
		CASE(removing_it_gives_nothing_back_twice),
		CASE(the_end_of_a_session_leaves_it_disarmed_for_the_other),
		CASE(a_page_that_was_stopped_is_not_tracked_from_that_moment),
		CASE(it_is_tracked_again_when_it_is_added),
		CASE(the_last_page_that_stops_behind_a_full_ring_is_in_the_set),
		CASE(a_page_that_stops_while_it_is_removed_is_given_back_once),
	};

	return RUN(cases);
}
