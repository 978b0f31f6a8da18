// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory follows what is tracked, not the size of the guest. */
#include <linux/rcupdate.h>

#include "test.h"

#define GIB		(1ULL << 30)
#define GIB_PAGES	(GIB >> KWT_PAGE_SHIFT)

static struct kwt_space space;
static struct session session;
static size_t start;

static void init_budget(bool coalesce, u32 budget)
{
	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, 8, coalesce);
	session.ring.budget = budget;
	session.ring.counts = budget;
	start = space.bytes;
}

static void init(bool coalesce)
{
	init_budget(coalesce, 0);
}

static void done(void)
{
	session_exit(&session);
	assert_int_equal(space.bytes, start);
	assert_int_equal(start, test_bytes());
	kwt_space_exit(&space);
}

static void one_page_costs_at_most_16_kib(void **state)
{
	(void)state;
	init(false);
	session_add_all(&session, FAKE_HIGH_END - 1, 1);
	assert_in_range(test_bytes(), 1, 16 << 10);
	assert_int_equal(space.bytes + session.set.bytes, test_bytes());
	done();
}

static void one_page_costs_a_coalescing_session_at_most_16_kib(void **state)
{
	(void)state;
	init(true);
	session_add_all(&session, FAKE_HIGH_END - 1, 1);
	assert_in_range(test_bytes(), 1, 16 << 10);
	assert_int_equal(space.bytes + session.set.bytes, test_bytes());
	done();
}

static void a_budget_costs_two_bytes_for_each_page_of_a_chunk(void **state)
{
	size_t without;
	int coalesce;

	(void)state;
	for (coalesce = 0; coalesce < 2; coalesce++) {
		init(coalesce);
		session_add_all(&session, 5, 1);
		without = session.set.bytes;
		done();
		init_budget(coalesce, 1);
		session_add_all(&session, 5, 1);
		assert_int_equal(session.set.bytes,
				 without + 2 * KWT_CHUNK_PAGES);
		assert_int_equal(space.bytes + session.set.bytes, test_bytes());
		assert_in_range(test_bytes(), 1, 16 << 10);
		done();
	}
}

/* And two bits of the guard's for each page. */
static void a_dense_gigabyte_costs_at_most_0_06_percent_of_it(void **state)
{
	(void)state;
	init(false);
	session_add_all(&session, FAKE_LOW_END - GIB_PAGES, GIB_PAGES);
	rcu_barrier();
	assert_in_range(test_bytes(), 1, GIB * 6 / 10000 + GIB_PAGES / 4);
	assert_int_equal(space.bytes + session.set.bytes, test_bytes());
	assert_int_equal(fake.arms, GIB_PAGES);
	done();
	assert_int_equal(fake.disarms, GIB_PAGES);
}

static void a_second_session_costs_only_its_bits(void **state)
{
	static struct session other;
	size_t alone;

	(void)state;
	init(false);
	session_init(&other, &space, 8, false);
	session_add_all(&session, 0, KWT_CHUNK_PAGES);
	alone = space.bytes;
	session_add_all(&other, 0, KWT_CHUNK_PAGES);
	assert_int_equal(space.bytes, alone);
	assert_int_equal(other.set.bytes, sizeof(struct kwt_span));
	assert_int_equal(other.set.bytes, session.set.bytes);
	session_exit(&other);
	assert_int_equal(space.bytes, alone);
	done();
}

/* A page that was removed and not told of holds its span, and only that one. */
static void memory_goes_with_the_last_bit(void **state)
{
	struct kvm_wtrack_resync_range range;

	(void)state;
	init(false);
	session_add_all(&session, 5, 3);
	session_add_all(&session, 5 + KWT_CHUNK_PAGES, 1);
	session_region_went(&session, 6);
	assert_int_equal(session_remove(&session, 5), 1);
	assert_int_equal(session_remove(&session, 7), 1);
	assert_int_equal(session.set.bytes, 2 * sizeof(struct kwt_span));
	assert_int_equal(session_remove(&session, 5 + KWT_CHUNK_PAGES), 1);
	assert_int_equal(session.set.bytes, sizeof(struct kwt_span));

	assert_int_equal(session_fetch(&session, &range, 1), 1);
	assert_int_equal(session.set.bytes, 0);
	assert_int_equal(space.bytes, start);
	done();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(one_page_costs_at_most_16_kib),
		CASE(one_page_costs_a_coalescing_session_at_most_16_kib),
		CASE(a_budget_costs_two_bytes_for_each_page_of_a_chunk),
		CASE(a_dense_gigabyte_costs_at_most_0_06_percent_of_it),
		CASE(a_second_session_costs_only_its_bits),
		CASE(memory_goes_with_the_last_bit),
	};

	return RUN(cases);
}
