// SPDX-License-Identifier: GPL-2.0-or-later
/* What a stream costs its guest: the default budget, and when it is told. */
#include "cost.h"
#include "test.h"

#define SECOND	UINT64_C(1000000000)
#define START	(100 * SECOND)

/*
 * Stores that all pages have in the worst second there is: it begins with the end of
 * a period, whose budget is used up then.
 */
static uint64_t worst_second(uint64_t pages, uint32_t budget, uint32_t period_ms)
{
	return pages * budget * (1000 / period_ms + 2);
}

static void default_budget_keeps_to_the_bound(void **state)
{
	uint32_t budget, period_ms, before = UINT32_MAX;
	uint64_t pages;

	(void)state;
	assert_int_equal(COST_MAX_STORES, 10575);
	for (pages = 1; pages <= 5287; pages++) {
		cost_default_budget(pages, &budget, &period_ms);
		assert_true(budget > 0);
		assert_true(period_ms == 100 || period_ms == 1000 ||
			    period_ms == 4000);
		assert_true(worst_second(pages, budget, period_ms) <=
			    COST_MAX_STORES);
		if (period_ms == 100)
			assert_true(budget <= before);
		before = budget;
	}
	cost_default_budget(1, &budget, &period_ms);
	assert_int_equal(budget, 881);
	assert_int_equal(period_ms, 100);
}

/* There is no smaller one. */
static void many_pages_have_the_smallest_budget(void **state)
{
	uint32_t budget, period_ms;

	(void)state;
	cost_default_budget(1 << 20, &budget, &period_ms);
	assert_int_equal(budget, 1);
	assert_int_equal(period_ms, 4000);
}

static void much_is_told_once(void **state)
{
	struct cost_meter meter = { 0 };

	(void)state;
	/* Before there is a second nothing is known. */
	meter.stores = 1000000;
	assert_true(cost_meter_check(&meter, START) == 0);
	meter.stores = COST_MAX_STORES;
	assert_true(cost_meter_check(&meter, START + SECOND / 2) == 0);
	assert_true(cost_meter_check(&meter, START + SECOND) == 0);
	/* In two seconds twice as many are as much. */
	meter.stores = 2 * COST_MAX_STORES;
	assert_true(cost_meter_check(&meter, START + 3 * SECOND) == 0);
	meter.stores = 2 * COST_MAX_STORES;
	assert_true(cost_meter_check(&meter, START + 4 * SECOND) ==
		    2.0 * COST_MAX_STORES);
	meter.stores = 2 * COST_MAX_STORES;
	assert_true(cost_meter_check(&meter, START + 5 * SECOND) == 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(default_budget_keeps_to_the_bound),
		CASE(many_pages_have_the_smallest_budget),
		CASE(much_is_told_once),
	};

	return RUN(cases);
}
