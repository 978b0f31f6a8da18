// SPDX-License-Identifier: GPL-2.0-or-later
/* Chunks in the space of a VM: found, made, freed. */
#include <linux/rcupdate.h>

#include "test.h"

#define NR_CHUNKS	1024

struct model {
	struct kwt_space space;
	u64 index[NR_CHUNKS];
	struct kwt_chunk *chunk[NR_CHUNKS];
	u32 live;
};

static void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
	assert_int_equal(kwt_space_init(&m->space), 0);
}

static void get(struct model *m, u32 i)
{
	struct kwt_chunk *chunk = kwt_chunk_get(&m->space, m->index[i]);

	assert_non_null(chunk);
	assert_int_equal(chunk->index, m->index[i]);
	if (m->chunk[i])
		assert_ptr_equal(chunk, m->chunk[i]);
	else
		m->live++;
	m->chunk[i] = chunk;
}

static void put(struct model *m, u32 i)
{
	if (!m->chunk[i])
		return;
	kwt_chunk_put(&m->space, m->chunk[i]);
	m->chunk[i] = NULL;
	m->live--;
}

static void verify(struct model *m)
{
	struct kwt_table *table = m->space.table;
	u32 i;

	for (i = 0; i < NR_CHUNKS; i++)
		assert_ptr_equal(kwt_chunk_find(&m->space, m->index[i]),
				 m->chunk[i]);
	assert_int_equal(table->live, m->live);
	assert_true(2 * table->taken <= table->mask + 1);
	rcu_barrier();
	assert_int_equal(m->space.bytes, test_bytes());
}

static void model_exit(struct model *m)
{
	u32 i;

	for (i = 0; i < NR_CHUNKS; i++)
		put(m, i);
	verify(m);
	kwt_space_exit(&m->space);
}

/* Grows, comes and goes, shrinks; three times over. */
static void churn(struct model *m, struct test_random *r)
{
	u32 step, i;

	for (step = 0; step < test_rounds(24000); step++) {
		i = test_below(r, NR_CHUNKS);
		if (test_below(r, 8000) < step % 8000)
			put(m, i);
		else
			get(m, i);
		if (step % 400 == 0)
			verify(m);
	}
	model_exit(m);
}

static void random_chunks_come_and_go_as_in_a_model(void **state)
{
	static struct model m;
	struct test_random r = test_random(1);
	u32 i;

	(void)state;
	model_init(&m);
	for (i = 0; i < NR_CHUNKS; i++)
		m.index[i] = i % 2 ? i : (test_next(&r) >> 34) + NR_CHUNKS + i;
	churn(&m, &r);
}

/* Its place is the first slot or the last one, in all tables of this test. */
static u64 next_at_an_end(u64 index)
{
	const struct kwt_table largest = { .mask = 4 * NR_CHUNKS - 1 };
	u64 hash;

	do
		hash = kwt_table_hash(&largest, ++index);
	while (hash && hash != largest.mask);
	return index;
}

static void chunks_with_equal_hashes_come_and_go_as_in_a_model(void **state)
{
	static struct model m;
	struct test_random r = test_random(2);
	u64 index = 0;
	u32 i;

	(void)state;
	model_init(&m);
	for (i = 0; i < NR_CHUNKS; i++)
		m.index[i] = index = next_at_an_end(index);
	churn(&m, &r);
}

static void a_get_without_memory_changes_nothing(void **state)
{
	static struct model m;
	struct kwt_chunk *chunk;
	u32 i, failed = 0;

	(void)state;
	model_init(&m);
	for (i = 0; i < NR_CHUNKS; i++) {
		m.index[i] = i;
		/* The table's new size, then the chunk. */
		shim_fail_alloc(1 + i % 2);
		chunk = kwt_chunk_get(&m.space, i);
		failed += shim_alloc_failed();
		shim_fail_alloc(0);
		if (chunk) {
			m.chunk[i] = chunk;
			m.live++;
		}
		assert_ptr_equal(kwt_chunk_find(&m.space, i), chunk);
		if (i % 100 == 0)
			verify(&m);
	}
	assert_true(failed > 100);
	assert_true(m.live > 100 && m.live < NR_CHUNKS);
	model_exit(&m);
}

static void a_put_without_memory_is_done_all_the_same(void **state)
{
	static struct model m;
	u32 i, failed = 0;

	(void)state;
	model_init(&m);
	for (i = 0; i < NR_CHUNKS; i++) {
		m.index[i] = i;
		get(&m, i);
	}
	for (i = 0; i < NR_CHUNKS - 1; i++) {
		shim_fail_alloc(1);
		put(&m, i);
		failed += shim_alloc_failed();
		if (i % 100 == 0)
			verify(&m);
	}
	assert_true(failed > 100);
	shim_fail_alloc(0);
	verify(&m);
	model_exit(&m);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(random_chunks_come_and_go_as_in_a_model),
		CASE(chunks_with_equal_hashes_come_and_go_as_in_a_model),
		CASE(a_get_without_memory_changes_nothing),
		CASE(a_put_without_memory_is_done_all_the_same),
	};

	return RUN(cases);
}
