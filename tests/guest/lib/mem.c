// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem.h"
#include "module.h"
#include "tap.h"
#include "vm.h"

#define KSM	"/sys/kernel/mm/ksm/"

void *mem_of(int fd, uint64_t bytes, int flags)
{
	void *mem;

	CHECK_SYS(fd >= 0);
	CHECK_SYS(!ftruncate(fd, bytes));
	mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
	CHECK_SYS(mem != MAP_FAILED);
	return mem;
}

void *mem_file(uint64_t bytes)
{
	return mem_of(memfd_create("guest", MFD_CLOEXEC), bytes, MAP_SHARED);
}

void mem_huge_pages(unsigned int nr)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", nr);
	file_write("/proc/sys/vm/nr_hugepages", text);
}

static uint64_t round_up_huge(uint64_t bytes)
{
	return (bytes + MEM_HUGE - 1) & ~(MEM_HUGE - 1);
}

void *mem_huge(uint64_t bytes)
{
	return mem_of(memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB),
		      round_up_huge(bytes), MAP_SHARED);
}

void *mem_transparent_huge(uint64_t bytes)
{
	unsigned char *mem = mem_sparse(round_up_huge(bytes) + MEM_HUGE);

	mem += -(uintptr_t)mem & (MEM_HUGE - 1);
	CHECK_SYS(!madvise(mem, round_up_huge(bytes), MADV_HUGEPAGE));
	memset(mem, 1, round_up_huge(bytes));
	return mem;
}

long long mem_merged_pages(void)
{
	return file_number(KSM "pages_sharing");
}

/* A page that is alike to others shares with the first of them. */
void mem_merge(void *mem, uint64_t bytes)
{
	long long before = mem_merged_pages(), pages = bytes / PAGE;

	CHECK_SYS(!madvise(mem, bytes, MADV_MERGEABLE));
	file_write(KSM "pages_to_scan", "1000");
	file_write(KSM "run", "1");
	CHECK_SOON(mem_merged_pages() >= before + pages - 4);
}

void mem_merge_stop(void)
{
	file_write(KSM "run", "2");
	file_write(KSM "run", "0");
}
