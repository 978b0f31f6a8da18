/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A copy of all of a guest's memory: one that the library keeps, or none. */
#ifndef BOOT_COPY_H
#define BOOT_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include <wtrack/wtrack.h>

#include "vm.h"

struct page {
	uint32_t writes;
	uint32_t rereads;	/* changes that a reading has found */
	uint64_t rip;		/* of the last write */
	bool guest;		/* is memory that the guest can store to, now */
};

struct copy {
	const struct vm *vm;
	struct page *pages;
	uint8_t *bytes;			/* if nobody keeps it */
	struct wtrack_session *session;	/* NULL: nobody keeps it */
	struct wtrack_mirror *mirror;
	uint64_t generation;		/* of the regions that were added */

	uint64_t writes, rereads;	/* changes of each kind */
	uint64_t states[WTRACK_MIRROR_REMOVED + 1];	/* pages that came so */
	uint64_t regions;		/* how often there were others */
	struct wtrack_status status;	/* at the end */
	struct wtrack_mirror_status mirror_status;
	uint64_t unobserved;		/* pages, when the guest had ended */
};

/* Attaches, and mirrors all memory that the guest has. */
void copy_start(struct copy *copy, const struct vm *vm);
/* Copies the memory once and does nothing else. */
void copy_start_unkept(struct copy *copy, const struct vm *vm);
/* Takes all changes that are there. */
void copy_step(struct copy *copy);
/* The guest stands still: makes the copy exact. */
void copy_sync(struct copy *copy);
/* The guest has ended: the same, and waits until all pages are live again. */
void copy_finish(struct copy *copy);
void copy_free(struct copy *copy);

/* The copy of a page, or NULL. */
const void *copy_page(const struct copy *copy, uint64_t gfn);
/* What is known of it: WTRACK_MIRROR_*, or a negative number. */
int copy_state(const struct copy *copy, uint64_t gfn);

#endif /* BOOT_COPY_H */
