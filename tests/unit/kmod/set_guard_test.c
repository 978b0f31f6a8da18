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

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_page_is_disarmed_for_those_who_track_it),
		CASE(adding_it_again_arms_it),
		CASE(another_session_that_adds_it_arms_it_for_both),
		CASE(a_page_that_cannot_be_armed_is_not_added),
		CASE(removing_it_gives_nothing_back_twice),
		CASE(the_end_of_a_session_leaves_it_disarmed_for_the_other),
	};

	return RUN(cases);
}
