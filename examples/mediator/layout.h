/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest and the VMM agree on: where things are in guest memory, and
 * what the doorbells mean. Both include this file.
 *
 *	0		256 KiB: x86 page tables, code, stacks, control page
 *	GPU_DIRECTORY	the directory page of the GPU's page table
 *	GPU_POOL(r)	the table pages of region r
 *
 * The GPU's address space has four regions, which differ in who may edit them:
 *
 *	0, 1		vCPU 0 and vCPU 1, each alone
 *	2		both, while they hold the guest's lock
 *	3		both, at any time: their stores race
 *
 * A region is a run of directory entries and a pool of table pages, of which
 * its directory entries link some, none, or one several times. The pools are
 * far apart, so that they share as little as possible in the module.
 */
#ifndef MEDIATOR_LAYOUT_H
#define MEDIATOR_LAYOUT_H

#include <stdint.h>

#define PAGE_BYTES	4096ULL
#define ENTRIES		512U		/* of 8 bytes in a page */

#define X86_PML4	0x1000ULL
#define X86_PDPT	0x2000ULL
#define X86_PD		0x3000ULL
#define GUEST_CONTROL	0x8000ULL
#define GUEST_CODE	0x10000ULL	/* guest.ld has it as well */
#define GUEST_STACK(v)	(0x30000ULL + ((v) + 1) * PAGE_BYTES)

#define GPU_DIRECTORY	0x100000ULL
#define GPU_POOL(r)	(((r) + 1) * 0x400000ULL)
#define GUEST_BYTES	GPU_POOL(REGIONS)

enum { NR_VCPUS = 2 };
enum { REGION_LOCKED = NR_VCPUS, REGION_RACED, REGIONS };
enum {
	REGION_SLOTS = 16,		/* directory entries of a region */
	REGION_TABLES = 12,		/* pages of its pool */
	NR_TABLES = REGIONS * REGION_TABLES,
};

/* The first directory entry of a region. */
#define REGION_SLOT(r)	((r) * (ENTRIES / REGIONS))

/*
 * A directory entry and a table entry look alike: the guest physical address
 * of a page, and flags. All other bits are the guest's own.
 */
#define GPU_VALID	(1ULL << 0)
#define GPU_WRITE	(1ULL << 1)
#define GPU_CACHED	(1ULL << 2)
#define GPU_ADDRESS	0x000000fffffff000ULL

/*
 * A doorbell is a 32-bit OUT to this port. The value is a region that nobody
 * edits until the doorbell is answered, or DOORBELL_ALL: no region is edited,
 * because it is answered when all vCPUs have rung it.
 */
#define DOORBELL_PORT	0x50
#define DOORBELL_ALL	REGIONS

/* How an entry, or a run of them, is edited. */
enum edit {
	EDIT_STORE,			/* mov, 8 bytes */
	EDIT_HALF,			/* mov, 4 bytes */
	EDIT_XCHG,			/* xchg: locked */
	EDIT_FILL,			/* rep stos */
	EDIT_COPY,			/* rep movs */
	NR_EDITS,
};

/* At GUEST_CONTROL; never tracked. */
struct control {
	uint64_t seed;
	uint64_t edits;			/* that each vCPU shall make */
	uint64_t made[NR_VCPUS][NR_EDITS];
	uint32_t lock;
};

#endif /* MEDIATOR_LAYOUT_H */
