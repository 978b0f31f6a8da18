// SPDX-License-Identifier: GPL-2.0-or-later
/* Write hooks look chunks up while others come, go and make the table move. */
#include <linux/rcupdate.h>

#include "team.h"
#include "test.h"

#define NR_READERS	3
#define NR_STAY		20
#define NR_COME		400

static struct kwt_space space;
static u64 stay[NR_STAY], come[NR_COME];
static bool over;

static void look_up(struct test_random *r)
{
	struct kwt_table *table = rcu_dereference_sched(space.table);
	u64 index = stay[test_below(r, NR_STAY)];
	struct kwt_chunk *chunk = kwt_table_find(table, index);

	/* The table stays ours while others replace it. */
	shim_require(chunk && chunk->index == index);

	index = come[test_below(r, NR_COME)];
	chunk = kwt_table_find(table, index);
	shim_require(!chunk || chunk->index == index);
	shim_require(!kwt_table_find(table, 1ULL << 50));
}

static void reader(void *arg, u32 me)
{
	struct test_random r = test_random(me);

	(void)arg;
	while (!READ_ONCE(over)) {
		preempt_disable();
		look_up(&r);
		look_up(&r);
		preempt_enable();
	}
}

static void fill(u64 *indices, u32 nr, struct test_random *r, u64 base)
{
	u64 i;

	for (i = 0; i < nr; i++)
		indices[i] = base + i + (i % 2 ? (i + test_below(r, 2)) << 20 :
						 0);
}

static void come_and_go(struct test_random *r, u32 steps)
{
	struct kwt_chunk *chunk;
	u32 step;
	u64 index;

	for (step = 0; step < steps; step++) {
		index = come[test_below(r, NR_COME)];
		if (test_below(r, 2 * NR_COME) < step % (2 * NR_COME)) {
			chunk = kwt_chunk_find(&space, index);
			if (chunk)
				kwt_chunk_put(&space, chunk);
		} else {
			assert_non_null(kwt_chunk_get(&space, index));
		}
		if (test_one_in(r, 50))
			rcu_barrier();
	}
}

static void chunks_that_stay_are_always_found(void **state)
{
	struct test_random r = test_random(100);
	struct team team;
	u32 i;

	(void)state;
	over = false;
	assert_int_equal(kwt_space_init(&space), 0);
	fill(stay, NR_STAY, &r, 0);
	fill(come, NR_COME, &r, 1ULL << 30);
	for (i = 0; i < NR_STAY; i++)
		kwt_chunk_get(&space, stay[i])->users[0] = 1;

	shim_race_odds = 64;
	team_start(&team, NR_READERS, reader, NULL);
	team_go(&team);
	come_and_go(&r, test_rounds(60000));
	WRITE_ONCE(over, true);
	team_end(&team);

	for (i = 0; i < NR_COME; i++)
		if (kwt_chunk_find(&space, come[i]))
			kwt_chunk_put(&space, kwt_chunk_find(&space, come[i]));
	for (i = 0; i < NR_STAY; i++)
		kwt_chunk_put(&space, kwt_chunk_find(&space, stay[i]));
	rcu_barrier();
	assert_int_equal(space.bytes, test_bytes());
	kwt_space_exit(&space);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(chunks_that_stay_are_always_found),
	};

	return RUN(cases);
}
