/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tripping the guard over and over, and watching what becomes of the pages. */
#ifndef GUEST_TRIP_H
#define GUEST_TRIP_H

#include "mirror.h"

/* A VM with pages that are all tracked, and somebody who follows. */
struct trip {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt;
	struct mirror mirror;
	/* Of the last records of that kind. */
	uint64_t disarmed_ns, rearmed_ns;
	/* By the clock of ticks, before the last store that tripped. */
	uint64_t before_ns;
};

void trip_init(struct trip *t, uint64_t pages, struct vm *vm, struct wt *wt);
/* The usual: a VM of its own and a large ring. */
void trip_init_plain(struct trip *t, uint64_t pages);
/* A store to that page that KVM cannot emulate. It was armed before. */
void trip(struct trip *t, uint64_t page);
/*
 * Waits until it is armed again: how long it was not, in ms and by the clock of
 * ticks. It is never less than what the module waits, apart from one tick.
 */
uint64_t trip_wait(struct trip *t);
/* A store to that page is recorded with its data, and the copy is exact. */
void trip_check_armed(struct trip *t, uint64_t page);
uint32_t trip_state(struct trip *t, uint64_t page);

#endif /* GUEST_TRIP_H */
