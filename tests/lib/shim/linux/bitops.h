/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHIM_LINUX_BITOPS_H
#define SHIM_LINUX_BITOPS_H

#include <linux/compiler.h>
#include <linux/types.h>

#define BITS_PER_LONG		(8 * sizeof(long))
#define BITS_TO_LONGS(nr)	(((nr) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define BIT_MASK(nr)		(1UL << (nr) % BITS_PER_LONG)
#define BIT_WORD(nr)		((nr) / BITS_PER_LONG)

/* Atomic, and no barriers, but for test_and_clear_bit(). */
static inline void set_bit(unsigned long nr, unsigned long *bits)
{
	shim_race();
	__atomic_fetch_or(&bits[BIT_WORD(nr)], BIT_MASK(nr), __ATOMIC_RELAXED);
}

static inline void clear_bit(unsigned long nr, unsigned long *bits)
{
	shim_race();
	__atomic_fetch_and(&bits[BIT_WORD(nr)], ~BIT_MASK(nr),
			   __ATOMIC_RELAXED);
}

static inline bool test_bit(unsigned long nr, const unsigned long *bits)
{
	return READ_ONCE(bits[BIT_WORD(nr)]) & BIT_MASK(nr);
}

static inline bool test_and_clear_bit(unsigned long nr, unsigned long *bits)
{
	shim_race();
	return __atomic_fetch_and(&bits[BIT_WORD(nr)], ~BIT_MASK(nr),
				  __ATOMIC_SEQ_CST) & BIT_MASK(nr);
}

/* The first bit from @at on in the words ^ @invert, or @size. */
static inline unsigned long shim_find_bit(const unsigned long *bits,
					  unsigned long size, unsigned long at,
					  unsigned long invert)
{
	unsigned long word;

	while (at < size) {
		word = READ_ONCE(bits[BIT_WORD(at)]) ^ invert;
		word &= ~0UL << at % BITS_PER_LONG;
		at -= at % BITS_PER_LONG;
		if (word) {
			at += __builtin_ctzl(word);
			return at < size ? at : size;
		}
		at += BITS_PER_LONG;
	}
	return size;
}

static inline unsigned long find_next_bit(const unsigned long *bits,
					  unsigned long size, unsigned long at)
{
	return shim_find_bit(bits, size, at, 0);
}

static inline unsigned long find_next_zero_bit(const unsigned long *bits,
					       unsigned long size,
					       unsigned long at)
{
	return shim_find_bit(bits, size, at, ~0UL);
}

#define for_each_set_bit(bit, bits, size)				\
	for ((bit) = find_next_bit(bits, size, 0); (bit) < (size);	\
	     (bit) = find_next_bit(bits, size, (bit) + 1))

#endif
