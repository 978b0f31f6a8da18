/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reader's copy of guest memory, kept by the records alone and by what they
 * tell it to read again. When all is drained, the copy is the memory.
 */
#ifndef GUEST_MIRROR_H
#define GUEST_MIRROR_H

#include "wt.h"

struct mirror {
	struct wt *wt;
	const unsigned char *truth;
	unsigned char *copy;
	uint64_t pages;
	bool reread_always;	/* do not believe the data in records */
	uint64_t writes, resyncs, rereads, regions;
	bool gone;
};

/* The pages at VM_DATA, which the session tracks already. */
void mirror_init(struct mirror *m, struct wt *wt, const void *truth,
		 uint64_t pages);
/* Works through what is there; how many records that were. */
uint64_t mirror_step(struct mirror *m);
/* With all vCPUs stopped: to the end, and the copy must be the memory. */
void mirror_finish(struct mirror *m);

#endif /* GUEST_MIRROR_H */
