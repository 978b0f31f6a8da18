/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest's program says about its page on the serial console, and the
 * watcher holds against what it saw itself.
 */
#ifndef DEMO_REPORT_H
#define DEMO_REPORT_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES	4096
/* At the start of the page, random, never overwritten. */
#define MARKER_BYTES	16

/* Number of the page, and its marker in hexadecimal. */
#define REPORT_PAGE	"demo: page gfn %llx marker %s"
/* What comes next. */
#define REPORT_NOW	"demo: now "
/* Stores of 1, 2, 4 and 8 bytes, and the page's checksum in the end. */
#define REPORT_DONE	"demo: done %u %u %u %u sum %llx"

/* Stores by size: [n] counts those of 1 << n bytes. */
struct stores {
	unsigned int by_size[4];
};

/* FNV-1a. */
static inline uint64_t page_sum(const volatile uint8_t *page)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (size_t i = 0; i < PAGE_BYTES; i++)
		sum = (sum ^ page[i]) * 0x100000001b3;
	return sum;
}

#endif
