/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tracking costs a guest, of counts. */
#ifndef CTL_COST_H
#define CTL_COST_H

/*
 * A store to a tracked page, which KVM emulates for one session: 4,728 instructions
 * (docs/PERFORMANCE.md), at one a nanosecond. A store for which the guard disarms
 * its page instead takes about as many, 4,547.
 */
#define COST_STORE_NS	4728
/* What no command exceeds without being asked to: a share of one vCPU's time. */
#define COST_MAX_SHARE	0.05

/* The share of one vCPU's time that so many stores a second take. */
static inline double cost_share(double stores_per_second)
{
	return stores_per_second * COST_STORE_NS / 1e9;
}

#endif
