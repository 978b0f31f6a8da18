/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of pages. */
#ifndef RANGES_H
#define RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtrack/range.h>

/* A sorted set: its ranges neither overlap nor touch. */
struct ranges {
	struct wtrack_range *at;
	size_t nr;
};

/* The functions that may fail return -ENOMEM. */
int ranges_add(struct ranges *ranges, const struct wtrack_range *range);
int ranges_copy(const struct ranges *ranges, struct ranges *ret);
/* The pages of @ranges that are not in @without. */
int ranges_subtract(const struct ranges *ranges, const struct ranges *without,
		    struct ranges *ret);
bool ranges_equal(const struct ranges *a, const struct ranges *b);
bool ranges_overlap(const struct wtrack_range *a, const struct wtrack_range *b);
uint64_t ranges_pages(const struct ranges *ranges);
void ranges_clear(struct ranges *ranges);

#endif
