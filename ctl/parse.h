/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and ranges as people write them. */
#ifndef CTL_PARSE_H
#define CTL_PARSE_H

#include <stdint.h>

#include <wtrack/range.h>

#define PAGE_SHIFT	12
#define PAGE_BYTES	(UINT64_C(1) << PAGE_SHIFT)
/* One more than the last page of 52 bits of address. */
#define GFN_LIMIT	(UINT64_C(1) << (52 - PAGE_SHIFT))

/*
 * All of them take the whole text, and return 0, -EINVAL when it is no such
 * thing, or -ERANGE when it is too large. Decimal, or hexadecimal with 0x.
 */
int parse_u64(const char *text, uint64_t *ret);
/* With a suffix K, M, G or T, powers of 1,024. */
int parse_size(const char *text, uint64_t *ret);
/* Seconds with decimals, or with a suffix ms, s, min or h. */
int parse_seconds(const char *text, uint64_t *ret_ns);
/* GFN, GFN+COUNT, or FIRST-LAST. */
int parse_gfns(const char *text, struct wtrack_range *ret);
/* ADDR or ADDR+SIZE: all pages that have a byte of it. */
int parse_gpas(const char *text, struct wtrack_range *ret);

#endif
