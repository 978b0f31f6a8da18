// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mem.h"
#include "module.h"
#include "tap.h"
#include "vm.h"

#define KSM	"/sys/kernel/mm/ksm/"
#define DISK	"/dev/ram0"

enum { SWAP_PAGES = 4096 };

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

bool mem_can_merge(void)
{
	return !access(KSM "run", W_OK);
}

bool mem_can_swap(void)
{
	return !access("/proc/swaps", R_OK);
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

/* What mkswap(8) writes to the first page. */
struct swap_header {
	char boot[1024];
	uint32_t version, last_page, bad_pages;
	char unused[PAGE - 1024 - 3 * sizeof(uint32_t) - 10];
	char magic[10];
};

static void make_swap(void)
{
	struct swap_header header = {
		.version = 1, .last_page = SWAP_PAGES - 1,
	};
	int fd = open(DISK, O_WRONLY | O_CLOEXEC);

	_Static_assert(sizeof(header) == PAGE, "the magic ends the page");
	memcpy(header.magic, "SWAPSPACE2", sizeof(header.magic));
	CHECK_SYS(fd >= 0);
	CHECK_SYS(write(fd, &header, sizeof(header)) == sizeof(header));
	CHECK_SYS(!close(fd));
}

void mem_swap_start(void)
{
	CHECK_ERRNO(module_load("brd", "rd_nr=1 rd_size=16384"), 0);
	CHECK_SOON(!access(DISK, W_OK));
	make_swap();
	CHECK_SYS(!swapon(DISK, 0));
}

void mem_swap_stop(void)
{
	CHECK_SYS(!swapoff(DISK));
	CHECK_ERRNO(module_unload("brd"), 0);
}

long long mem_swapped_pages(void)
{
	struct sysinfo info;

	CHECK_SYS(!sysinfo(&info));
	return (info.totalswap - info.freeswap) * info.mem_unit / PAGE;
}

/* One in a process: its thread ends with the case. */
static struct {
	int fd;
	uint64_t pages;
} served;

static void *serve(void *arg)
{
	unsigned char page[PAGE];
	struct uffdio_copy copy;
	struct uffd_msg msg;

	(void)arg;
	for (;;) {
		CHECK_SYS(read(served.fd, &msg, sizeof(msg)) == sizeof(msg));
		CHECK_EQ(msg.event, UFFD_EVENT_PAGEFAULT);
		memset(page, 0x80 + served.pages % 64, sizeof(page));
		copy = (struct uffdio_copy){
			.dst = msg.arg.pagefault.address & -PAGE,
			.src = (uintptr_t)page, .len = PAGE,
		};
		/* Two that wait for the same page are both told of. */
		CHECK_SYS(!ioctl(served.fd, UFFDIO_COPY, &copy) ||
			  errno == EEXIST);
		__atomic_add_fetch(&served.pages, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

void *mem_served(uint64_t bytes)
{
	struct uffdio_api api = { .api = UFFD_API };
	void *mem = mem_sparse(bytes);
	struct uffdio_register reg = {
		.range = { (uintptr_t)mem, bytes },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	pthread_t thread;

	served.fd = syscall(SYS_userfaultfd, O_CLOEXEC);
	CHECK_SYS(served.fd >= 0);
	CHECK_SYS(!ioctl(served.fd, UFFDIO_API, &api));
	CHECK_SYS(!ioctl(served.fd, UFFDIO_REGISTER, &reg));
	CHECK(!pthread_create(&thread, NULL, serve, NULL));
	return mem;
}

uint64_t mem_served_pages(void)
{
	return __atomic_load_n(&served.pages, __ATOMIC_RELAXED);
}
