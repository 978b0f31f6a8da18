/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers as people write them, in files and on command lines. wtrackd and
 * wtrackctl read all of theirs here, so that a text is the same number to both,
 * and nobody can take one without saying between which bounds it has to be.
 *
 *	number	decimal, or hexadecimal behind 0x; 010 is ten
 *	size	a number of bytes; K, M, G or T behind it, in either case,
 *		multiplies it by a power of 1,024
 *	time	decimal, with or without a fraction behind a point, and us, ms,
 *		s, min or h behind it; without a unit it is in seconds
 *
 * Blanks may stand between a number and its unit and nowhere else. There is no
 * sign.
 *
 * Each function takes the whole text. It returns 0; -EINVAL when the text is
 * no such number; -ERANGE when it is one that is not between @min and @max,
 * both of which are allowed themselves. *@ret is left alone when it fails.
 */
#ifndef COMMON_NUMBER_H
#define COMMON_NUMBER_H

#include <stdint.h>

#define NUMBER_US	UINT64_C(1000)		/* nanoseconds */
#define NUMBER_MS	UINT64_C(1000000)
#define NUMBER_SEC	UINT64_C(1000000000)

int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret);
/* Without 0x: process ids, descriptors and user ids are never hexadecimal. */
int number_parse_decimal(const char *text, uint64_t min, uint64_t max,
			 uint64_t *ret);
int number_parse_size(const char *text, uint64_t min, uint64_t max,
		      uint64_t *ret);
/*
 * Bounds and result are counts of @unit_ns nanoseconds. The time is rounded up
 * to a whole one: only a 0 is 0, which often means "no limit".
 */
int number_parse_time(const char *text, uint64_t unit_ns, uint64_t min,
		      uint64_t max, uint64_t *ret);

/*
 * The number, or decimal number, at the beginning of *@text, which is moved
 * behind it. For texts that are made of several.
 */
int number_scan(const char **text, uint64_t *ret);
int number_scan_decimal(const char **text, uint64_t *ret);

#endif
