/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tracking costs a guest, of counts. */
#ifndef CTL_COST_H
#define CTL_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A store to a tracked page, which KVM emulates for one session: 4,728 instructions
 * (docs/PERFORMANCE.md), at one a nanosecond. A store for which the guard disarms
 * its page instead takes about as many, 4,547.
 */
#define COST_STORE_NS	4728
/* What no command exceeds without being asked to: a share of one vCPU's time. */
#define COST_MAX_SHARE	0.05
/* That many stores a second: 10,575. */
#define COST_MAX_STORES	((uint64_t)(COST_MAX_SHARE * 1e9 / COST_STORE_NS))
/* The largest budget that the module takes. */
#define COST_MAX_BUDGET	UINT16_MAX

/*
 * Returns which share of one vCPU's time this many emulated stores a second cost. To
 * the writes of a VM come the stores for which the guard disarmed their pages. Each
 * session that tracks such a page counts its disarming, so that the largest count of
 * the VM's sessions is the VM's own, or less.
 */
static inline double cost_share(double stores_per_second)
{
	return stores_per_second * COST_STORE_NS / 1e9;
}

/*
 * What each page may have in a period, so that all of them together have no more
 * stores in any second. A second has parts of two periods more than fit into it.
 */
uint32_t cost_budget(uint64_t stores_per_second, uint64_t pages,
		     uint32_t period_ms);
/*
 * Finds the largest budget with which @pages pages together have at most
 * COST_MAX_STORES emulated stores a second. The smallest budget that the module takes is
 * one store in four seconds, so more than 5,287 pages may exceed that bound.
 */
void cost_default_budget(uint64_t pages, uint32_t *ret_budget,
			 uint32_t *ret_period_ms);

/**
 * struct cost_meter - notices when a stream costs much
 * @stores: since
 * @since_ns: then; 0 before the first check
 * @told: it was
 */
struct cost_meter {
	uint64_t stores;
	uint64_t since_ns;
	bool told;
};

/*
 * To be called now and then. The stores a second of the last second or more, once,
 * when they are above COST_MAX_SHARE; otherwise 0.
 */
double cost_meter_check(struct cost_meter *meter, uint64_t now_ns);

#endif
