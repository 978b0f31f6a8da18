// SPDX-License-Identifier: GPL-2.0-or-later
#include "crc32c.h"

#define POLYNOMIAL	0x82f63b78u	/* 0x1edc6f41, lowest bit first */

static uint32_t table[256];

/* Before main(): read by any thread then. */
__attribute__((constructor))
static void make_table(void)
{
	uint32_t i, crc;
	int bit;

	for (i = 0; i < 256; i++) {
		crc = i;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
		table[i] = crc;
	}
}

uint32_t crc32c(uint32_t crc, const void *data, size_t len)
{
	const unsigned char *byte = data;

	crc = ~crc;
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *byte++) & 0xff];
	return ~crc;
}
