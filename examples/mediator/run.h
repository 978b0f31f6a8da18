/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run: a VM and its mediator from the first edit to the last. */
#ifndef MEDIATOR_RUN_H
#define MEDIATOR_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "mediator.h"

struct run {
	uint64_t edits;			/* of both vCPUs together */
	uint64_t seed;
	struct ring_options ring;
	struct counts counts;		/* from here on: what came out */
	struct wtrack_status status;
	struct wtrack_mirror_status mirror;
	uint64_t made[NR_EDITS];
	uint64_t ms;
};

void run(struct run *run);
/* Lines that begin with "# ". */
void run_report(const struct run *run);

#endif /* MEDIATOR_RUN_H */
