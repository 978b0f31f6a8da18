/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of memory that a VMM may give a guest, besides those of vm.h. */
#ifndef GUEST_MEM_H
#define GUEST_MEM_H

#include <stdbool.h>
#include <stdint.h>

#define MEM_HUGE	(2ULL << 20)

/* Memory of the file, which gets that size; mmap(2)'s flags. */
void *mem_of(int fd, uint64_t bytes, int flags);
/* Shared memory of a file without a name, as of a VMM with vhost-user. */
void *mem_file(uint64_t bytes);

/* How many huge pages the host keeps for those who ask for them. */
void mem_huge_pages(unsigned int nr);
/* Shared memory of a file of huge pages: of MEM_HUGE at least. */
void *mem_huge(uint64_t bytes);
/* Private memory at a multiple of MEM_HUGE, in huge pages, written to. */
void *mem_transparent_huge(uint64_t bytes);

/* The debug kernel, which is allnoconfig and more, has neither of them. */
bool mem_can_merge(void);
bool mem_can_swap(void);

/* Has the host merge pages that are alike, and waits until these are. */
void mem_merge(void *mem, uint64_t bytes);
/* Pages of the host that share another one with others. */
long long mem_merged_pages(void);
/* Gives each page memory of its own again. */
void mem_merge_stop(void);

/* Has the host swap to a disk of its memory. */
void mem_swap_start(void);
void mem_swap_stop(void);
/* Pages of the disk that are in use. */
long long mem_swapped_pages(void);

/*
 * Private memory of which no page is there: a thread gives each one that is
 * missing, with bytes of its own, as where a migration is not over yet.
 */
void *mem_served(uint64_t bytes);
/* How many the thread has given. */
uint64_t mem_served_pages(void);

#endif /* GUEST_MEM_H */
