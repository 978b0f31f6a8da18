/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest code that several tests run. Arguments as vcpu_call() passes them. */
#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "vm.h"

/* (address, value, count, stride): 8-byte stores of value, value + 1, ... */
extern const struct guest_code g_store8;
/* (address, pages): 8-byte stores to the first word of each page in turn. */
extern const struct guest_code g_store8_forever;
/* (address, value): 8-byte stores of value, value + 1, ... to one place. */
extern const struct guest_code g_count_forever;
/*
 * (address, pages, seed, count, lane): that many 8-byte stores to places that
 * a random generator chooses, but only to even words (lane 0), odd words
 * (lane 1) or the first 64 words of the pages (lane 2). Count 0 has no end.
 */
extern const struct guest_code g_random;
/*
 * (address, stride, count): 8-byte stores of the x87 unit, which KVM does not
 * emulate.
 */
extern const struct guest_code g_fstp;
/*
 * (address, pages, seed, count): as g_random in lane 0, but one store in 32 is
 * of the x87 unit, to an odd word. Count 0 has no end.
 */
extern const struct guest_code g_random_fstp;
/* Nothing but a loop. */
extern const struct guest_code g_idle;

enum { LANE_EVEN, LANE_ODD, LANE_SHARED };

#endif /* GUEST_GUEST_H */
