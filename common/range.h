/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages and addresses as people write them, with the numbers of number.h. */
#ifndef COMMON_RANGE_H
#define COMMON_RANGE_H

#include <stdint.h>

#include <wtrack/range.h>

#define PAGE_SHIFT	12
#define PAGE_BYTES	(UINT64_C(1) << PAGE_SHIFT)
/* Guest physical addresses have 52 bits. */
#define GFN_MAX		((UINT64_C(1) << (52 - PAGE_SHIFT)) - 1)

/*
 * All of them take the whole text. They return 0; -EINVAL for what is no
 * range, and for an empty one; -ERANGE for one that ends above 52 bits of
 * address. *@ret is left alone when they fail.
 */

/* GFN, GFN+COUNT, or FIRST-LAST, the last one included. */
int range_parse_gfns(const char *text, struct wtrack_range *ret);
/* ADDRESS+SIZE, or ADDRESS for one byte: all pages that have a byte of it. */
int range_parse_gpas(const char *text, struct wtrack_range *ret);
/* The same text, but the bytes themselves. */
int range_parse_bytes(const char *text, uint64_t *ret_gpa, uint64_t *ret_size);

#endif
