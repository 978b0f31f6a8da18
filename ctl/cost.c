// SPDX-License-Identifier: GPL-2.0-or-later
#include "cost.h"

#define SECOND_NS	UINT64_C(1000000000)

/* A period that is longer lets more pages have a store in it. */
static const uint32_t periods_ms[] = { 100, 1000, 4000 };

uint32_t cost_budget(uint64_t stores_per_second, uint64_t pages,
		     uint32_t period_ms)
{
	uint64_t budget = stores_per_second / (1000 / period_ms + 2) / pages;

	return budget < COST_MAX_BUDGET ? (uint32_t)budget : COST_MAX_BUDGET;
}

void cost_default_budget(uint64_t pages, uint32_t *ret_budget,
			 uint32_t *ret_period_ms)
{
	size_t i;

	for (i = 0; i < sizeof(periods_ms) / sizeof(periods_ms[0]); i++) {
		*ret_period_ms = periods_ms[i];
		*ret_budget = cost_budget(COST_MAX_STORES, pages,
					  periods_ms[i]);
		if (*ret_budget)
			return;
	}
	*ret_budget = 1;
}

double cost_meter_check(struct cost_meter *meter, uint64_t now_ns)
{
	uint64_t ns = now_ns - meter->since_ns;
	double rate = 0;

	if (meter->since_ns && ns < SECOND_NS)
		return 0;
	if (meter->since_ns)
		rate = (double)meter->stores * 1e9 / (double)ns;
	meter->stores = 0;
	meter->since_ns = now_ns;
	if (meter->told || cost_share(rate) <= COST_MAX_SHARE)
		return 0;
	meter->told = true;
	return rate;
}
