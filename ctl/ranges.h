/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CTL_RANGES_H
#define CTL_RANGES_H

#include <stddef.h>
#include <stdint.h>

#include <wtrack/range.h>

/* Ascending, and apart from each other. Returns how many are left. */
size_t ranges_merge(struct wtrack_range *ranges, size_t nr);

/* What both have; .nr_pages is 0 for nothing. */
struct wtrack_range ranges_common(const struct wtrack_range *a,
				  const struct wtrack_range *b);

/* Pages of all of them. */
uint64_t ranges_pages(const struct wtrack_range *ranges, size_t nr);

#endif
