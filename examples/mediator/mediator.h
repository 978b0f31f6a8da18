/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mediator: keeps a shadow of the guest's GPU page table, from what the
 * session tells it.
 *
 *	mediator.c	life, and what happens at a doorbell
 *	drain.c		events become changes of the shadow
 *	shadow.c	the shadow, and its comparison with a walk of guest memory
 *	track.c		tables are tracked as long as the directory links them
 *	replica.c	a cross-check: the tables as the data of the events say
 */
#ifndef MEDIATOR_MEDIATOR_H
#define MEDIATOR_MEDIATOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <wtrack/wtrack.h>

#include "gpu.h"

struct counts {
	uint64_t doorbells[REGIONS + 1];
	uint64_t records;
	uint64_t resyncs;
	uint64_t pages_read;		/* again: for an event, or disarmed */
	uint64_t disarmed;
	uint64_t rearmed;
	uint64_t tables_added;
	uint64_t tables_removed;
	uint64_t entries_compared;
	uint64_t words_compared;	/* of the replica */
	uint64_t raced_words;		/* of these, wrong because stores raced */
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
 * @memory: the guest's, as the VMM has it mapped
 * @coalesce: the session has a coalescing ring
 * @lock: protects all below; who holds it is the session's consumer
 * @linked: the table that each directory entry links, or NO_PAGE
 * @tables: the shadow of each table, valid while it has links
 * @fence: of each page, the last sequence number that an event of it may have
 *	while it is not tracked
 * @stale: pages to be read when the events at hand are released
 * @disarmed: pages whose stores are not seen, to be read at each doorbell
 * @replica: what the pages contain as the events' data have it
 * @seq: of the last event
 * @counts: for the report
 */
struct mediator {
	struct wtrack_session *session;
	const unsigned char *memory;
	bool coalesce;
	pthread_mutex_t lock;
	int linked[ENTRIES];
	struct shadow_table tables[NR_TABLES];
	uint64_t fence[NR_PAGES];
	bool stale[NR_PAGES];
	bool disarmed[NR_PAGES];
	uint64_t replica[NR_PAGES][ENTRIES];
	uint64_t seq;
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

/* drain.c */
void drain(struct mediator *m);
void read_disarmed(struct mediator *m);

/* shadow.c */
void shadow_read_word(struct mediator *m, int page, unsigned int index);
void shadow_read_page(struct mediator *m, int page);
void shadow_compare(struct mediator *m, unsigned int slot, unsigned int nr);

/* track.c */
void track_directory(struct mediator *m);
void track_link(struct mediator *m, unsigned int slot, int table);
bool track_has(const struct mediator *m, int page);
void track_compare(struct mediator *m);

/* replica.c */
void replica_write(struct mediator *m, int page,
		   const struct wtrack_event *event);
void replica_read_page(struct mediator *m, int page);
void replica_compare(struct mediator *m, unsigned int region);
void replica_settle_raced(struct mediator *m);

/* One word of guest memory, which vCPUs may be writing to. */
static inline uint64_t mediator_load(const struct mediator *m, uint64_t gpa)
{
	return __atomic_load_n((const uint64_t *)(m->memory + gpa),
			       __ATOMIC_ACQUIRE);
}

#endif /* MEDIATOR_MEDIATOR_H */
