// SPDX-License-Identifier: GPL-2.0-or-later
/* Single chunks: how they are found, and how long they stay. */
#include <linux/rcupdate.h>

#include "test.h"

static void deleted_chunks_do_not_fill_the_table(void **state)
{
	struct kwt_space space;
	size_t start;
	u64 i;

	(void)state;
	assert_int_equal(kwt_space_init(&space), 0);
	start = space.bytes;
	for (i = 0; i < 100000; i++) {
		kwt_chunk_put(&space, kwt_chunk_get(&space, i));
		assert_int_equal(space.bytes, start);
		if (i % 100 == 0)
			rcu_barrier();
	}
	assert_null(kwt_chunk_find(&space, 0));
	kwt_space_exit(&space);
}

static void a_chunk_with_a_span_is_not_freed(void **state)
{
	struct hlist_node node;
	struct kwt_space space;
	struct kwt_chunk *chunk;

	(void)state;
	assert_int_equal(kwt_space_init(&space), 0);
	chunk = kwt_chunk_get(&space, 5);
	hlist_add_head_rcu(&node, &chunk->spans);
	kwt_chunk_put(&space, chunk);
	assert_ptr_equal(kwt_chunk_find(&space, 5), chunk);
	hlist_del_rcu(&node);
	kwt_chunk_put(&space, chunk);
	assert_null(kwt_chunk_find(&space, 5));
	kwt_space_exit(&space);
}

/* The guard has disarmed something in it, and will come back. */
static void a_chunk_in_the_list_of_the_guard_is_not_freed(void **state)
{
	struct kwt_space space;
	struct kwt_chunk *chunk;
	size_t start;

	(void)state;
	assert_int_equal(kwt_space_init(&space), 0);
	start = space.bytes;
	chunk = kwt_chunk_get(&space, 5);
	assert_true(list_empty(&chunk->in_tripped));
	list_add_tail(&chunk->in_tripped, &space.tripped);
	kwt_chunk_put(&space, chunk);
	assert_ptr_equal(kwt_chunk_find(&space, 5), chunk);
	/* A session that comes meanwhile finds the same one. */
	assert_ptr_equal(kwt_chunk_get(&space, 5), chunk);
	kwt_chunk_put(&space, chunk);
	assert_ptr_equal(space.tripped.next, &chunk->in_tripped);

	list_del_init(&chunk->in_tripped);
	assert_true(list_empty(&space.tripped));
	kwt_chunk_put(&space, chunk);
	assert_null(kwt_chunk_find(&space, 5));
	assert_int_equal(space.bytes, start);
	kwt_space_exit(&space);
}

static void what_the_guard_remembers_goes_with_the_chunk(void **state)
{
	struct kwt_space space;
	struct kwt_chunk *chunk;
	size_t without;
	u16 *guard;

	(void)state;
	assert_int_equal(kwt_space_init(&space), 0);
	chunk = kwt_chunk_get(&space, 5);
	without = space.bytes;
	shim_fail_alloc(1);
	assert_false(kwt_chunk_guard(&space, chunk));
	assert_null(chunk->guard);
	assert_int_equal(space.bytes, without);
	assert_true(kwt_chunk_guard(&space, chunk));
	guard = chunk->guard;
	assert_non_null(guard);
	assert_int_equal(guard[0] | guard[KWT_CHUNK_MASK], 0);
	assert_true(kwt_chunk_guard(&space, chunk));
	assert_ptr_equal(chunk->guard, guard);
	assert_int_equal(space.bytes, without + 2 * KWT_CHUNK_PAGES);
	assert_int_equal(space.bytes, test_bytes());
	kwt_chunk_put(&space, chunk);
	rcu_barrier();
	assert_int_equal(space.bytes, test_bytes());
	kwt_space_exit(&space);
}

static void what_a_reader_found_stays_until_it_is_done(void **state)
{
	struct kwt_chunk *found, *late;
	struct kwt_table *table;
	struct kwt_space space;
	u64 i;

	(void)state;
	assert_int_equal(kwt_space_init(&space), 0);
	for (i = 0; i < 100; i++)
		assert_non_null(kwt_chunk_get(&space, i));

	rcu_read_lock();
	table = rcu_dereference_sched(space.table);
	found = kwt_table_find(table, 7);
	for (i = 0; i < 100; i++)
		kwt_chunk_put(&space, kwt_chunk_find(&space, i));
	assert_ptr_not_equal(table, space.table);
	/* All of this reads memory that nobody can find any more. */
	assert_int_equal(found->index, 7);
	late = kwt_table_find(table, 99);
	assert_true(!late || late->index == 99);
	rcu_read_unlock();

	kwt_space_exit(&space);
}

static void users_are_those_of_the_chunk_of_the_gfn(void **state)
{
	struct kwt_space space;
	u64 i, gfn;

	(void)state;
	assert_int_equal(kwt_space_init(&space), 0);
	assert_int_equal(kwt_space_users(&space, 0), 0);
	for (i = 0; i < 1000; i++)
		kwt_chunk_get(&space, i)->users[i] = i + 1;
	for (i = 0; i < 1000; i++) {
		gfn = (i << KWT_CHUNK_SHIFT) + i;
		assert_int_equal(kwt_space_users(&space, gfn), i + 1);
		assert_int_equal(kwt_space_users(&space, gfn + 1), 0);
	}
	for (i = 0; i < 1000; i++)
		kwt_chunk_put(&space, kwt_chunk_find(&space, i));
	assert_int_equal(kwt_space_users(&space, 0), 0);
	kwt_space_exit(&space);
}

static void nothing_is_left_when_the_start_fails(void **state)
{
	struct kwt_space space;
	unsigned int nth;

	(void)state;
	shim_fail_alloc(1);
	assert_int_equal(kwt_space_init(&space), -ENOMEM);

	kwt_caches_destroy();
	for (nth = 1; nth <= 2; nth++) {
		shim_fail_alloc(nth);
		assert_int_equal(kwt_caches_create(), -ENOMEM);
		assert_true(shim_alloc_failed());
	}
	assert_int_equal(kwt_caches_create(), 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(deleted_chunks_do_not_fill_the_table),
		CASE(a_chunk_with_a_span_is_not_freed),
		CASE(a_chunk_in_the_list_of_the_guard_is_not_freed),
		CASE(what_the_guard_remembers_goes_with_the_chunk),
		CASE(what_a_reader_found_stays_until_it_is_done),
		CASE(users_are_those_of_the_chunk_of_the_gfn),
		CASE(nothing_is_left_when_the_start_fails),
	};

	return RUN(cases);
}
