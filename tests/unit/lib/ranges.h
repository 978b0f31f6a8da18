/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of add and remove share. */
#ifndef RANGES_H
#define RANGES_H

#include <wtrack/range.h>

#define NR	50	/* more than one call takes: the fake's limit is 16 */

/* NR ranges of three pages, every four pages. */
void fill(struct wtrack_range *ranges);
void check(const struct wtrack_result *result, uint64_t done,
	   uint64_t changed, int error, uint64_t error_gfn);
int nr_tracked(void);

#endif
