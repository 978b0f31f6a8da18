/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A copy of all of a guest's memory, kept by a session's events: what a reader
 * has to do who wants it exact.
 */
#ifndef BOOT_COPY_H
#define BOOT_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include <wtrack/wtrack.h>

#include "vm.h"

enum { NR_CAUSES = 16 };

struct page {
	uint32_t writes;		/* events with data */
	uint32_t rereads;
	uint32_t causes[NR_CAUSES];	/* guard events other than REARMED */
	uint64_t rip;			/* of the last write */
	uint64_t seq;			/* of the last event of any kind */
	bool tracked;
	bool disarmed;
	bool stale;			/* to be re-read after the release */
};

struct copy {
	const struct vm *vm;
	struct wtrack_session *session;	/* NULL: nobody keeps the copy */
	uint8_t *bytes;
	struct page *pages;
	uint32_t *stale;
	unsigned int nr_stale;

	struct wtrack_status status;	/* at the end */
	uint64_t seq;
	uint64_t gaps;			/* in the sequence; must not be */
	uint64_t writes, rereads, resyncs, rearms, changed;
	uint64_t disarms[NR_CAUSES];
	uint64_t lost;			/* pages whose tracking ended */
	unsigned int tracked, disarmed;
	unsigned int disarmed_at_end;	/* when the guest stopped */
};

/* Attaches, tracks all pages that can be tracked, then copies the memory. */
void copy_start(struct copy *copy, const struct vm *vm);
/* Copies it and nothing else. */
void copy_start_unkept(struct copy *copy, const struct vm *vm);
/* The guest stands still: takes all that is under way. */
void copy_catch_up(struct copy *copy);
/*
 * The guest has ended: takes all that is under way, and waits until all pages
 * are observed again.
 */
void copy_finish(struct copy *copy);
void copy_free(struct copy *copy);

/* Takes all events that are there. */
void copy_step(struct copy *copy);
void copy_reread(struct copy *copy, uint64_t gfn);
/* Ends the program when r is an error of libwtrack. */
void copy_check(int r, const char *what);

#endif /* BOOT_COPY_H */
