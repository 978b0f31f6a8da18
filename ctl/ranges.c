// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "ranges.h"

static int by_gfn(const void *a, const void *b)
{
	const struct wtrack_range *one = a, *other = b;

	return one->gfn < other->gfn ? -1 : one->gfn > other->gfn;
}

static uint64_t end_of(const struct wtrack_range *range)
{
	return range->gfn + range->nr_pages;
}

size_t ranges_merge(struct wtrack_range *ranges, size_t nr)
{
	size_t from, to = 0;

	if (!nr)
		return 0;
	qsort(ranges, nr, sizeof(*ranges), by_gfn);
	for (from = 1; from < nr; from++) {
		if (ranges[from].gfn > end_of(&ranges[to]))
			ranges[++to] = ranges[from];
		else if (end_of(&ranges[from]) > end_of(&ranges[to]))
			ranges[to].nr_pages = end_of(&ranges[from]) -
					      ranges[to].gfn;
	}
	return to + 1;
}

struct wtrack_range ranges_common(const struct wtrack_range *a,
				  const struct wtrack_range *b)
{
	uint64_t gfn = a->gfn > b->gfn ? a->gfn : b->gfn;
	uint64_t end = end_of(a) < end_of(b) ? end_of(a) : end_of(b);

	return (struct wtrack_range) { gfn, end > gfn ? end - gfn : 0 };
}

uint64_t ranges_pages(const struct wtrack_range *ranges, size_t nr)
{
	uint64_t pages = 0;

	while (nr--)
		pages += ranges[nr].nr_pages;
	return pages;
}
