/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages as people write them, and sets of pages. */
#ifndef RANGES_H
#define RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtrack/range.h>

/* Guest physical addresses have 52 bits. */
#define RANGES_MAX_GFN	((UINT64_C(1) << 40) - 1)

/* A sorted set: its ranges neither overlap nor touch. */
struct ranges {
	struct wtrack_range *at;
	size_t nr;
};

/*
 * "0x8000", "0x8000+4" (four pages) or "0x8000-0x8003" (the last included),
 * decimal or with 0x. 0, -EINVAL for what is none of these, -ERANGE when it
 * goes beyond 52 bits of address.
 */
int range_parse_gfn(const char *text, struct wtrack_range *ret);

/*
 * "0x8000000+16K": an address and a size in bytes, K, M, G or T, which give all
 * pages that have a byte in there. Errors as above.
 */
int range_parse_gpa(const char *text, struct wtrack_range *ret);

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
