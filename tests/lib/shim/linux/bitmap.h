/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHIM_LINUX_BITMAP_H
#define SHIM_LINUX_BITMAP_H

#include <linux/bitops.h>
#include <linux/minmax.h>

#define DECLARE_BITMAP(name, bits)	unsigned long name[BITS_TO_LONGS(bits)]

static inline void bitmap_or(unsigned long *to, const unsigned long *a,
			     const unsigned long *b, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < BITS_TO_LONGS(nr); i++)
		to[i] = a[i] | b[i];
}

static inline bool bitmap_empty(const unsigned long *bits, unsigned int nr)
{
	return find_next_bit(bits, nr, 0) == nr;
}

#endif
