/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The GPU: its table's format, and what a mediator makes of an entry. */
#ifndef MEDIATOR_GPU_H
#define MEDIATOR_GPU_H

#include <stdint.h>

#include "layout.h"

/* Pages that may be tracked have a number: the tables first, by region. */
enum { PAGE_DIRECTORY = NR_TABLES, NR_PAGES, NO_PAGE = -1 };

/* The page at a gfn, or NO_PAGE. */
int gpu_page_at(uint64_t gfn);
uint64_t gpu_page_gpa(int page);

/* The table that a directory entry links, or NO_PAGE. */
int gpu_linked_table(uint64_t pde);

/*
 * A shadow entry is what the real GPU would use: a bus address and flags of
 * another format. 0 faults.
 */
#define SHADOW_PRESENT	(1ULL << 63)
#define SHADOW_READONLY	(1ULL << 62)
#define SHADOW_SNOOP	(1ULL << 61)
/* Where a guest lands that names memory it does not have. */
#define SHADOW_SCRATCH	(SHADOW_PRESENT | SHADOW_READONLY)

uint64_t gpu_translate(uint64_t pte);

#endif /* MEDIATOR_GPU_H */
