// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "timeline.h"

#define FIRST_WIDTH_NS	1000000

void timeline_init(struct timeline *timeline, uint64_t start_ns)
{
	*timeline = (struct timeline) {
		.start_ns = start_ns,
		.width_ns = FIRST_WIDTH_NS,
	};
}

static void halve(struct timeline *timeline)
{
	size_t i;

	for (i = 0; i < TIMELINE_BINS / 2; i++)
		timeline->bins[i] = timeline->bins[2 * i] +
				    timeline->bins[2 * i + 1];
	memset(timeline->bins + TIMELINE_BINS / 2, 0,
	       TIMELINE_BINS / 2 * sizeof(timeline->bins[0]));
	timeline->nr = (timeline->nr + 1) / 2;
	timeline->width_ns *= 2;
}

void timeline_add(struct timeline *timeline, uint64_t time_ns, uint64_t count)
{
	uint64_t at = 0;

	if (time_ns > timeline->start_ns)
		at = time_ns - timeline->start_ns;
	while (at / timeline->width_ns >= TIMELINE_BINS)
		halve(timeline);
	at /= timeline->width_ns;
	timeline->bins[at] += count;
	if (at >= timeline->nr)
		timeline->nr = at + 1;
}

uint64_t timeline_max(const struct timeline *timeline)
{
	uint64_t max = 0;
	size_t i;

	for (i = 0; i < timeline->nr; i++)
		if (timeline->bins[i] > max)
			max = timeline->bins[i];
	return max;
}
