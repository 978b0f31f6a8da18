/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counts over time, of which nobody knows how long it will be. */
#ifndef CTL_TIMELINE_H
#define CTL_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#define TIMELINE_BINS	64

/**
 * struct timeline - counts in bins of the same width
 * @start_ns: of the first bin; what is earlier counts there
 * @width_ns: doubles when the time is longer than all bins
 * @nr: bins up to the last count
 * @bins: the counts
 */
struct timeline {
	uint64_t start_ns;
	uint64_t width_ns;
	size_t nr;
	uint64_t bins[TIMELINE_BINS];
};

void timeline_init(struct timeline *timeline, uint64_t start_ns);
void timeline_add(struct timeline *timeline, uint64_t time_ns, uint64_t count);
uint64_t timeline_max(const struct timeline *timeline);

#endif
