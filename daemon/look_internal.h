/* SPDX-License-Identifier: GPL-2.0-or-later */
/* look.c has the threads, look_process.c is what they do. */
#ifndef WTRACKD_LOOK_INTERNAL_H
#define WTRACKD_LOOK_INTERNAL_H

#include "look.h"

struct look_at {
	pid_t pid;
	int *known;		/* descriptors that are preferred to others */
	unsigned int nr_known;
	struct look_result result;
};

/* Fills in the result; returns its error. */
int look_at_process(struct look_at *at);

#endif
