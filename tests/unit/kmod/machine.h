/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest and a reader of what it writes.
 *
 * Each vCPU is a thread that stores to bytes of its own in each of the pages,
 * then calls the hook. The reader has a copy of the pages and keeps it true,
 * in the way that the uapi header tells: records are applied in their order,
 * pages are read again when a record or the resync set says so.
 */
#ifndef MACHINE_H
#define MACHINE_H

#include "team.h"
#include "test.h"

#define MACHINE_PAGES	64
#define MACHINE_VCPUS	4
/* What the reader knows of a page. */
enum machine_page {
	MACHINE_ARMED,
	MACHINE_DISARMED,	/* no store of it is recorded */
	MACHINE_UNKNOWN,	/* the ring was closed */
};

/* As much of a page as is ever stored to; each vCPU has a part of it. */
#define MACHINE_BYTES	1024

struct machine {
	struct kwt_space space;
	pthread_mutex_t lock;	/* the VM's lock */
	struct session session;
	u64 gfns[MACHINE_PAGES];
	u32 nr_pages;
	u8 memory[MACHINE_PAGES][MACHINE_BYTES];

	/* The vCPUs' work in a round. */
	u32 stores;
	u32 longest;
	struct test_random random[MACHINE_VCPUS];

	/* The reader. */
	u8 copy[MACHINE_PAGES][MACHINE_BYTES];
	enum machine_page page[MACHINE_PAGES];
	u64 pos;
	u32 room;		/* ranges that one fetch brings */
	u64 write_records;	/* whole stores */
	u64 resync_records;
	u64 guard_records;
	u64 ranges;
};

/* A session that tracks so many pages, spread over three chunks. */
void machine_init(struct machine *m, u32 nr_pages, u32 records, bool coalesce);
void machine_exit(struct machine *m);

/* The work of a vCPU, for a team with the machine as its argument. */
void machine_vcpu(void *machine, u32 me);

/* A store of one vCPU. */
void machine_store(struct machine *m, u32 vcpu, u32 page, u32 offset,
		   const u8 *data, u32 len);

/*
 * The reader takes @nr records, if so many are published: applies them,
 * releases them all, then looks at the pages that it has to.
 */
u32 machine_read(struct machine *m, u32 nr);

/*
 * When all vCPUs are done and all was read: ends the program if the copy is
 * not true.
 */
void machine_check(struct machine *m);

#endif
