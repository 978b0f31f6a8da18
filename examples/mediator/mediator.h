/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mediator: keeps a shadow of the guest's GPU page table, from a mirror of
 * the pages that it is made of.
 *
 *	mediator.c	life, and what happens at a doorbell
 *	shadow.c	the mirror's changes become changes of the shadow
 *	compare.c	is the shadow what a walk of guest memory gives?
 */
#ifndef MEDIATOR_MEDIATOR_H
#define MEDIATOR_MEDIATOR_H

#include <pthread.h>
#include <stdint.h>

#include <wtrack/wtrack.h>

#include "gpu.h"

struct counts {
	uint64_t doorbells[REGIONS + 1];
	uint64_t changes;		/* of bytes, that the mirror handed out */
	uint64_t states;		/* of pages: disarmed, or live again */
	uint64_t tables_added;
	uint64_t tables_removed;
	uint64_t entries_compared;
	uint64_t mismatches;
};

/* Of the session's ring. */
struct ring_options {
	uint32_t records;
	bool coalesce;
	uint32_t budget;		/* for each page and BUDGET_MS, or 0 */
};

enum { BUDGET_MS = 20 };

struct shadow_table {
	unsigned int links;		/* directory entries */
	uint64_t entry[ENTRIES];
};

/**
 * struct mediator - one session and its shadow
 * @session: on the VM that the mediator is a part of
 * @mirror: of the directory, and of each table that it links
 * @memory: the guest's, as the VMM has it mapped: to compare with, no more
 * @lock: protects all below, and the mirror
 * @linked: the table that each directory entry links, or NO_PAGE
 * @tables: the shadow of each table, valid while it has links
 * @counts: for the report
 */
struct mediator {
	struct wtrack_session *session;
	struct wtrack_mirror *mirror;
	const unsigned char *memory;
	pthread_mutex_t lock;
	int linked[ENTRIES];
	struct shadow_table tables[NR_TABLES];
	struct counts counts;
};

/* mediator.c */
struct mediator *mediator_open(int vm_fd, const unsigned char *memory,
			       const struct ring_options *ring);
void mediator_close(struct mediator *m);
/* @what: a region or DOORBELL_ALL. By any thread. */
void mediator_doorbell(struct mediator *m, uint32_t what);
__attribute__((format(printf, 2, 3)))
void mediator_mismatch(struct mediator *m, const char *format, ...);
/* Ends the program when r is an error of the library. */
void mediator_check(int r, const char *what);

/* shadow.c */
void shadow_begin(struct mediator *m);
void shadow_change(struct mediator *m, const struct wtrack_change *change);

/* compare.c */
void compare_region(struct mediator *m, unsigned int region);
void compare_all(struct mediator *m);

#endif /* MEDIATOR_MEDIATOR_H */
