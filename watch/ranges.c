// SPDX-License-Identifier: GPL-2.0-or-later
/* Sorted sets of pages. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ranges.h"

static uint64_t end_of(const struct wtrack_range *range)
{
	return range->gfn + range->nr_pages;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static int append(struct ranges *ranges, uint64_t first, uint64_t end)
{
	struct wtrack_range *at;

	at = reallocarray(ranges->at, ranges->nr + 1, sizeof(*at));
	if (!at)
		return -ENOMEM;
	at[ranges->nr++] = (struct wtrack_range){ first, end - first };
	ranges->at = at;
	return 0;
}

/* Ranges [from, to) overlap or touch the new one, which takes their place. */
static void merge(struct ranges *ranges, size_t from, size_t to,
		  struct wtrack_range range)
{
	uint64_t end = end_of(&range);
	size_t i;

	for (i = from; i < to; i++) {
		range.gfn = min_u64(range.gfn, ranges->at[i].gfn);
		end = max_u64(end, end_of(&ranges->at[i]));
	}
	range.nr_pages = end - range.gfn;
	memmove(&ranges->at[from + 1], &ranges->at[to],
		(ranges->nr - to) * sizeof(*ranges->at));
	ranges->nr -= to - from - 1;
	ranges->at[from] = range;
}

static int insert(struct ranges *ranges, size_t index,
		  const struct wtrack_range *range)
{
	/* Makes room; what it appends is overwritten. */
	if (append(ranges, 0, 0) < 0)
		return -ENOMEM;
	memmove(&ranges->at[index + 1], &ranges->at[index],
		(ranges->nr - 1 - index) * sizeof(*ranges->at));
	ranges->at[index] = *range;
	return 0;
}

int ranges_add(struct ranges *ranges, const struct wtrack_range *range)
{
	size_t from = 0, to;

	while (from < ranges->nr && end_of(&ranges->at[from]) < range->gfn)
		from++;
	to = from;
	while (to < ranges->nr && ranges->at[to].gfn <= end_of(range))
		to++;
	if (from == to)
		return insert(ranges, from, range);
	merge(ranges, from, to, *range);
	return 0;
}

int ranges_copy(const struct ranges *ranges, struct ranges *ret)
{
	const struct ranges nothing = { 0 };

	return ranges_subtract(ranges, &nothing, ret);
}

/* What is left of one range, in pieces. */
static int subtract_from(const struct wtrack_range *range,
			 const struct ranges *without, struct ranges *left)
{
	uint64_t at = range->gfn, end = end_of(range);
	size_t i;
	int r;

	for (i = 0; i < without->nr && at < end; i++) {
		const struct wtrack_range *hole = &without->at[i];

		if (end_of(hole) <= at || hole->gfn >= end)
			continue;
		if (hole->gfn > at) {
			r = append(left, at, hole->gfn);
			if (r < 0)
				return r;
		}
		at = end_of(hole);
	}
	return at < end ? append(left, at, end) : 0;
}

int ranges_subtract(const struct ranges *ranges, const struct ranges *without,
		    struct ranges *ret)
{
	struct ranges left = { 0 };
	size_t i;
	int r;

	for (i = 0; i < ranges->nr; i++) {
		r = subtract_from(&ranges->at[i], without, &left);
		if (r < 0) {
			ranges_clear(&left);
			return r;
		}
	}
	*ret = left;
	return 0;
}

bool ranges_equal(const struct ranges *a, const struct ranges *b)
{
	return a->nr == b->nr &&
	       (!a->nr || !memcmp(a->at, b->at, a->nr * sizeof(*a->at)));
}

bool ranges_overlap(const struct wtrack_range *a, const struct wtrack_range *b)
{
	return a->gfn < end_of(b) && b->gfn < end_of(a);
}

uint64_t ranges_pages(const struct ranges *ranges)
{
	uint64_t pages = 0;
	size_t i;

	for (i = 0; i < ranges->nr; i++)
		pages += ranges->at[i].nr_pages;
	return pages;
}

void ranges_clear(struct ranges *ranges)
{
	free(ranges->at);
	*ranges = (struct ranges){ 0 };
}
