// SPDX-License-Identifier: GPL-2.0-or-later
/* Sets of pages. */
#include "test.h"

#include "ranges.h"

static void assert_is(const struct ranges *ranges,
		      const struct wtrack_range *expected, size_t nr)
{
	size_t i;

	assert_int_equal(ranges->nr, nr);
	for (i = 0; i < nr; i++) {
		assert_int_equal(ranges->at[i].gfn, expected[i].gfn);
		assert_int_equal(ranges->at[i].nr_pages, expected[i].nr_pages);
	}
}

static void add_all(struct ranges *ranges, const struct wtrack_range *all,
		    size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		assert_int_equal(ranges_add(ranges, &all[i]), 0);
}

static void what_overlaps_or_touches_is_one_range(void **state)
{
	struct ranges ranges = { 0 };

	(void)state;
	add_all(&ranges, ARRAY({ 10, 2 }, { 20, 2 }, { 14, 2 }, { 1, 1 }), 4);
	assert_is(&ranges, ARRAY({ 1, 1 }, { 10, 2 }, { 14, 2 }, { 20, 2 }), 4);
	add_all(&ranges, ARRAY({ 12, 2 }), 1);
	assert_is(&ranges, ARRAY({ 1, 1 }, { 10, 6 }, { 20, 2 }), 3);
	add_all(&ranges, ARRAY({ 11, 1 }, { 0, 30 }), 2);
	assert_is(&ranges, ARRAY({ 0, 30 }), 1);
	assert_int_equal(ranges_pages(&ranges), 30);
	ranges_clear(&ranges);
}

/* A byte a page is as plain as it gets. */
static void sets_agree_with_a_bitmap(void **state)
{
	struct ranges a = { 0 }, b = { 0 }, left;
	unsigned char in_a[64], in_b[64];
	unsigned int seed = 1, i, round, n;
	struct wtrack_range range;

	(void)state;
	for (round = 0; round < 2000; round++) {
		memset(in_a, 0, sizeof(in_a));
		memset(in_b, 0, sizeof(in_b));
		for (i = 0; i < 8; i++) {
			range.gfn = (uint64_t)rand_r(&seed) % 56;
			range.nr_pages = 1 + (uint64_t)rand_r(&seed) % 8;
			assert_int_equal(ranges_add(i & 1 ? &a : &b, &range),
					 0);
			memset((i & 1 ? in_a : in_b) + range.gfn, 1,
			       range.nr_pages);
		}
		assert_int_equal(ranges_subtract(&a, &b, &left), 0);
		for (n = 0, i = 0; i < left.nr; i++) {
			for (; n < left.at[i].gfn; n++)
				assert_false(in_a[n] && !in_b[n]);
			for (; n < left.at[i].gfn + left.at[i].nr_pages; n++)
				assert_true(in_a[n] && !in_b[n]);
		}
		for (; n < sizeof(in_a); n++)
			assert_false(in_a[n] && !in_b[n]);
		ranges_clear(&a);
		ranges_clear(&b);
		ranges_clear(&left);
	}
}

static void equal_sets_are_told_from_others(void **state)
{
	struct ranges a = { 0 }, b = { 0 }, copy;

	(void)state;
	assert_true(ranges_equal(&a, &b));
	add_all(&a, ARRAY({ 1, 1 }, { 5, 2 }), 2);
	assert_false(ranges_equal(&a, &b));
	assert_int_equal(ranges_copy(&a, &copy), 0);
	assert_true(ranges_equal(&a, &copy));
	add_all(&b, ARRAY({ 1, 1 }, { 5, 3 }), 2);
	assert_false(ranges_equal(&a, &b));
	ranges_clear(&a);
	ranges_clear(&b);
	ranges_clear(&copy);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(what_overlaps_or_touches_is_one_range),
		cmocka_unit_test(sets_agree_with_a_bitmap),
		cmocka_unit_test(equal_sets_are_told_from_others),
	};

	return RUN(cases);
}
