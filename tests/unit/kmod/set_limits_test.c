// SPDX-License-Identifier: GPL-2.0-or-later
/* Where adding ends: at limits, at KVM's refusal, at the end of memory. */
#include <linux/rcupdate.h>

#include "test.h"

#define MOST_USERS	65535
#define GFN		1234

static struct kwt_space space;
static struct session session, other;

static void init(bool coalesce)
{
	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, 8, coalesce);
	session_init(&other, &space, 8, false);
}

static void done(void)
{
	session_exit(&session);
	session_exit(&other);
	assert_int_equal(space.bytes, test_bytes());
	kwt_space_exit(&space);
}

static int add_to(struct kwt_set *set)
{
	struct kwt_span *span = kwt_span_get(set, kwt_chunk_index(GFN));
	int r = kwt_set_add(set, span, GFN);

	kwt_span_put(set, span);
	return r;
}

static void drop_from(struct kwt_set *set)
{
	assert_true(kwt_set_clear_first(set, true));
	assert_false(kwt_set_clear_first(set, true));
}

static void shuffle(struct kwt_set **sets, u32 n)
{
	struct test_random r = test_random(300);
	struct kwt_set *set;
	u32 i, j;

	for (i = n - 1; i; i--) {
		j = test_below(&r, i + 1);
		set = sets[i];
		sets[i] = sets[j];
		sets[j] = set;
	}
}

static void a_gfn_has_65535_users_and_not_one_more(void **state)
{
	struct kwt_set *memory = calloc(MOST_USERS, sizeof(*memory));
	struct kwt_set **sets = calloc(MOST_USERS, sizeof(*sets));
	u32 i;

	(void)state;
	init(false);
	for (i = 0; i < MOST_USERS; i++) {
		sets[i] = &memory[i];
		*sets[i] = session.set;
		assert_int_equal(add_to(sets[i]), 1);
	}
	assert_int_equal(kwt_space_users(&space, GFN), MOST_USERS);
	assert_int_equal(add_to(&session.set), -EOVERFLOW);
	assert_int_equal(add_to(sets[0]), 0);
	assert_int_equal(kwt_space_users(&space, GFN), MOST_USERS);
	assert_int_equal(kwt_set_state(&session.set, GFN), 0);
	assert_int_equal(session.set.bytes, 0);
	assert_int_equal(fake.arms, 1);

	shuffle(sets, MOST_USERS);
	drop_from(sets[0]);
	assert_int_equal(add_to(sets[0]), 1);
	for (i = 0; i < MOST_USERS; i++) {
		assert_int_equal(fake.disarms, 0);
		assert_true(fake_armed(GFN));
		drop_from(sets[i]);
		if (i % 5000 == 0)
			rcu_barrier();
	}
	assert_int_equal(fake.disarms, 1);
	assert_int_equal(fake.arms, 1);
	free(sets);
	free(memory);
	done();
}

static void fewer_users_may_be_the_limit(void **state)
{
	(void)state;
	init(false);
	session.set.max_users = 1;
	other.set.max_users = 1;
	assert_int_equal(session_add(&session, GFN), 1);
	assert_int_equal(session_add(&other, GFN), -EOVERFLOW);
	assert_int_equal(session_add(&other, GFN + 1), 1);
	other.set.max_users = 2;
	assert_int_equal(session_add(&other, GFN), 1);
	assert_int_equal(session_add(&session, GFN), 0);
	done();
}

static void a_session_has_no_more_pages_than_it_may(void **state)
{
	(void)state;
	init(false);
	session.set.max_pages = 2;
	assert_int_equal(session_add(&session, GFN), 1);
	assert_int_equal(session_add(&session, 5 * GFN), 1);
	assert_int_equal(session_add(&session, GFN), 0);
	assert_int_equal(session_add(&session, GFN + 1), -ENOSPC);
	assert_int_equal(session_add(&session, 9 * GFN), -ENOSPC);
	assert_int_equal(session.set.pages, 2);
	assert_int_equal(kwt_space_users(&space, GFN + 1), 0);
	assert_int_equal(fake.arms, 2);

	assert_int_equal(session_remove(&session, 5 * GFN), 1);
	assert_int_equal(session_add(&session, GFN + 1), 1);
	/* A lower limit takes nothing away. */
	session.set.max_pages = 1;
	assert_int_equal(session_add(&session, GFN), 0);
	assert_int_equal(session_remove(&session, GFN), 1);
	assert_int_equal(session_add(&session, GFN), -ENOSPC);
	done();
}

static void a_session_removes_only_what_it_added(void **state)
{
	(void)state;
	init(false);
	assert_int_equal(session_remove(&session, GFN), -ENOENT);
	assert_int_equal(session_add(&session, GFN), 1);
	assert_int_equal(session_add(&other, GFN + 1), 1);
	assert_int_equal(session_remove(&session, GFN + 1), -ENOENT);
	assert_int_equal(session_remove(&other, GFN), -ENOENT);
	assert_int_equal(session_remove(&session, GFN), 1);
	assert_int_equal(session_remove(&session, GFN), -ENOENT);
	assert_int_equal(other.set.pages, 1);
	assert_true(fake_armed(GFN + 1));
	done();
}

static int refused_with;

static int refuse(u64 gfn)
{
	(void)gfn;
	return refused_with;
}

static void a_gfn_that_kvm_refuses_leaves_no_trace(void **state)
{
	const int errors[] = { -ENOENT, -EOPNOTSUPP, -ENOMEM };
	size_t bytes;
	u32 i;

	(void)state;
	init(true);
	fake.refuse = refuse;
	bytes = space.bytes;
	for (i = 0; i < 3; i++) {
		refused_with = errors[i];
		assert_int_equal(session_add(&session, GFN), errors[i]);
		assert_int_equal(kwt_set_state(&session.set, GFN), 0);
		assert_int_equal(kwt_space_users(&space, GFN), 0);
		assert_int_equal(session.set.pages, 0);
		assert_int_equal(session.set.bytes, 0);
		assert_int_equal(space.bytes, bytes);
	}
	/* Beyond the guest's memory. */
	refused_with = 0;
	assert_int_equal(session_add(&session, FAKE_LOW_END), -ENOENT);
	assert_int_equal(fake.disarms, 0);
	assert_int_equal(session_add(&session, GFN), 1);
	done();
}

static void an_add_without_memory_leaves_no_trace(void **state)
{
	unsigned int nth, failed = 0;

	(void)state;
	init(true);
	session.ring.budget = 1;
	session.ring.counts = true;
	/* So that the next chunk makes the table grow. */
	assert_int_equal(session_add(&other, 0), 1);
	assert_int_equal(session_add(&other, 2 * KWT_CHUNK_PAGES), 1);
	assert_int_equal(session_add(&other, 3 * KWT_CHUNK_PAGES), 1);
	assert_int_equal(session_add(&other, 4 * KWT_CHUNK_PAGES), 1);
	for (nth = 1;; nth++) {
		shim_fail_alloc(nth);
		if (session_add(&session, GFN) == 1)
			break;
		failed += shim_alloc_failed();
		assert_int_equal(session.set.bytes, 0);
		assert_int_equal(kwt_space_users(&space, GFN), 0);
		assert_null(kwt_chunk_find(&space, kwt_chunk_index(GFN)));
		rcu_barrier();
		assert_int_equal(space.bytes + other.set.bytes, test_bytes());
	}
	shim_fail_alloc(0);
	/* The span, its sequence numbers and counts, the table, the chunk. */
	assert_in_range(failed, 5, nth - 1);
	assert_int_equal(fake.arms, 5);
	done();
}

static void the_pages_of_a_vm_that_is_gone_are_not_disarmed(void **state)
{
	(void)state;
	init(false);
	assert_int_equal(session_add(&session, GFN), 1);
	assert_int_equal(session_add(&session, GFN + KWT_CHUNK_PAGES), 1);
	assert_int_equal(session_add(&other, GFN), 1);
	while (kwt_set_clear_first(&session.set, false))
		;
	while (kwt_set_clear_first(&other.set, false))
		;
	assert_int_equal(fake.disarms, 0);
	assert_int_equal(fake_armed_pages(), 2);
	assert_int_equal(kwt_space_users(&space, GFN), 0);
	fake_reset();
	done();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_gfn_has_65535_users_and_not_one_more),
		CASE(fewer_users_may_be_the_limit),
		CASE(a_session_has_no_more_pages_than_it_may),
		CASE(a_session_removes_only_what_it_added),
		CASE(a_gfn_that_kvm_refuses_leaves_no_trace),
		CASE(an_add_without_memory_leaves_no_trace),
		CASE(the_pages_of_a_vm_that_is_gone_are_not_disarmed),
	};

	return RUN(cases);
}
