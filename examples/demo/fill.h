/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One page, filled by every kind of store that KVM's emulator is good at. */
#ifndef DEMO_FILL_H
#define DEMO_FILL_H

#include <stdint.h>

#include "report.h"

/*
 * Stores to the page behind its marker and counts each store. before() is
 * called before the stores of each kind, after() after each instruction; they
 * must not touch the page.
 */
void fill(uint8_t *page, uint64_t seed, struct stores *made,
	  void (*before)(unsigned int count, const char *what),
	  void (*after)(void));

#endif
