// SPDX-License-Identifier: GPL-2.0-or-later
/* READ of all kinds of memory that a VMM gives a guest. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "fd.h"
#include "guest.h"
#include "mem.h"
#include "module.h"
#include "tap.h"
#include "wt.h"

struct job {
	int fd;
	struct vm *vm;
	uint64_t bytes;
};

static struct job job_new(void *mem, uint64_t bytes)
{
	struct job job = { .bytes = bytes };

	CHECK_SYS(mem != MAP_FAILED);
	job.vm = vm_new_with(mem, bytes / PAGE);
	job.fd = wt_open();
	wt_attach(job.fd, job.vm->fd);
	return job;
}

/* The guest stores a word to each page. */
static void store_each(struct job *job)
{
	struct vcpu *v = vcpu_new(job->vm);

	vcpu_call(v, g_store8, VM_DATA, 0x1000, job->bytes / PAGE, PAGE);
	vcpu_close(v);
}

static void read_each(void *arg)
{
	struct job *job = arg;
	unsigned char *got = mem_shared(job->bytes);
	uint64_t i;

	wt_read_bytes(job->fd, VM_DATA, got, job->bytes);
	for (i = 0; i < job->bytes / PAGE; i++)
		CHECK_EQ(*(uint64_t *)(got + i * PAGE), 0x1000 + i);
}

/* By another process than the VMM. */
static void check_kind(void *mem, uint64_t bytes)
{
	struct job job = job_new(mem, bytes);

	store_each(&job);
	child_join(child_fork(read_each, &job));
	close(job.fd);
	vm_close(job.vm);
}

CASE(anonymous_shared_and_of_a_file)
{
	check_kind(mem_sparse(64 * PAGE), 64 * PAGE);
	check_kind(mem_shared(64 * PAGE), 64 * PAGE);
	check_kind(mem_file(64 * PAGE), 64 * PAGE);
	check_kind(mem_of(memfd_create("x", 0), 64 * PAGE, MAP_PRIVATE),
		   64 * PAGE);
}

CASE(huge_pages)
{
	void *mem;

	mem_huge_pages(4);
	mem = mmap(NULL, MEM_HUGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	check_kind(mem, MEM_HUGE);
	munmap(mem, MEM_HUGE);
	check_kind(mem_of(memfd_create("h", MFD_HUGETLB), MEM_HUGE, MAP_SHARED),
		   MEM_HUGE);
	mem_huge_pages(0);
}

CASE(transparent_huge_pages)
{
	check_kind(mem_transparent_huge(MEM_HUGE), MEM_HUGE);
}

static void read_merged(void *arg)
{
	struct job *job = arg;
	unsigned char *got = mem_shared(job->bytes);
	uint64_t i;

	wt_read_bytes(job->fd, VM_DATA, got, job->bytes);
	for (i = 0; i < job->bytes; i++)
		CHECK_EQ(got[i], 0x77);
}

CASE_WITHIN(merged_pages, 60)
{
	void *mem = mem_sparse(64 * PAGE);
	struct job job = job_new(mem, 64 * PAGE);

	if (!mem_can_merge()) {
		tap_note("this kernel does not merge pages");
		return;
	}
	memset(mem, 0x77, 64 * PAGE);
	mem_merge(mem, 64 * PAGE);
	child_join(child_fork(read_merged, &job));
	CHECK(mem_merged_pages() >= 60);
	mem_merge_stop();
}

static uint64_t pages_there(void *mem, uint64_t bytes)
{
	unsigned char there[1024];
	uint64_t n = 0, i;

	CHECK(bytes / PAGE <= sizeof(there));
	CHECK_SYS(!mincore(mem, bytes, there));
	for (i = 0; i < bytes / PAGE; i++)
		n += there[i] & 1;
	return n;
}

static long long page_table_kib(void)
{
	char line[128];
	FILE *f = fopen("/proc/self/status", "r");
	long long kib = -1;

	CHECK_SYS(f);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "VmPTE:", 6))
			kib = atoll(line + 6);
	fclose(f);
	CHECK(kib >= 0);
	return kib;
}

static void read_zeros(void *arg)
{
	struct job *job = arg;
	unsigned char *got = mem_shared(job->bytes);
	uint64_t i;

	memset(got, 0xee, job->bytes);
	wt_read_bytes(job->fd, VM_DATA, got, job->bytes);
	for (i = 0; i < job->bytes; i++)
		CHECK_EQ(got[i], 0);
	CHECK_ERRNO(wt_read_error_nofault(job->fd, VM_DATA), 0);
}

/* No page, no page table: not even one of zeros. */
CASE(what_nobody_wrote_is_zeros_and_stays_unwritten)
{
	const uint64_t bytes = 1024 * PAGE;
	void *mem = mem_sparse(bytes);
	struct job job = job_new(mem, bytes);
	long long kib = page_table_kib();

	child_join(child_fork(read_zeros, &job));
	CHECK_EQ(pages_there(mem, bytes), 0);
	CHECK_EQ(page_table_kib(), kib);
}

/* A balloon gives pages back: they are zeros from then on. */
CASE(what_was_given_back_is_zeros_among_what_was_not)
{
	const uint64_t bytes = 64 * PAGE;
	unsigned char *mem = mem_sparse(bytes), *got = mem_shared(bytes);
	struct job job = job_new(mem, bytes);
	uint64_t i;

	store_each(&job);
	for (i = 0; i < 64; i += 1 + i % 5)
		CHECK_SYS(!madvise(mem + i * PAGE, PAGE, MADV_DONTNEED));
	wt_read_bytes(job.fd, VM_DATA, got, bytes);
	for (i = 0; i < 64; i++)
		CHECK_EQ(*(uint64_t *)(got + i * PAGE),
			 *(uint64_t *)(mem + i * PAGE));
}

/* What it is documented to do: the page is made, as if the guest had read it. */
CASE(a_hole_of_a_file_is_zeros_and_gets_a_page)
{
	int file = memfd_create("x", 0);
	void *mem = mem_of(file, 64 * PAGE, MAP_SHARED);
	struct job job = job_new(mem, 64 * PAGE);
	struct stat st;
	struct kvm_wtrack_read read;
	char got[PAGE];

	CHECK_ERRNO(wt_read_error_nofault(job.fd, VM_DATA), EAGAIN);
	CHECK_SYS(!fstat(file, &st));
	CHECK_EQ(st.st_blocks, 0);
	CHECK_ERRNO(__wt_read_bytes(job.fd, VM_DATA + PAGE, got, PAGE, 0, &read),
		    0);
	CHECK_EQ(read.out_done, PAGE);
	CHECK(!memchr(got, 0xee, PAGE));
	CHECK_SYS(!fstat(file, &st));
	CHECK_EQ(st.st_blocks, PAGE / 512);
	/* What is there can be had without waiting. */
	CHECK_ERRNO(wt_read_error_nofault(job.fd, VM_DATA + PAGE), 0);
	CHECK_ERRNO(__wt_read_bytes(job.fd, VM_DATA + PAGE, got, 2,
				    KVM_WTRACK_READ_F_NOFAULT, &read), 0);
	CHECK_EQ(read.out_done, 2);
}

CASE(what_the_vmm_cannot_read_itself_is_enxio)
{
	const uint64_t bytes = 8 * PAGE;
	unsigned char *mem = mem_sparse(bytes);
	int file = memfd_create("x", 0);
	struct job job = job_new(mem, bytes);

	store_each(&job);
	CHECK_SYS(!mprotect(mem + PAGE, PAGE, PROT_NONE));
	CHECK_SYS(!munmap(mem + 3 * PAGE, PAGE));
	/* Behind the end of the file. */
	CHECK_SYS(!ftruncate(file, PAGE));
	CHECK_SYS(mmap(mem + 5 * PAGE, 2 * PAGE, PROT_READ,
		       MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED);
	CHECK_ERRNO(wt_read_error(job.fd, VM_DATA), 0);
	CHECK_ERRNO(wt_read_error(job.fd, VM_DATA + PAGE), ENXIO);
	CHECK_ERRNO(wt_read_error_nofault(job.fd, VM_DATA + PAGE), ENXIO);
	CHECK_ERRNO(wt_read_error(job.fd, VM_DATA + 2 * PAGE), 0);
	CHECK_ERRNO(wt_read_error(job.fd, VM_DATA + 3 * PAGE), ENXIO);
	CHECK_ERRNO(wt_read_error(job.fd, VM_DATA + 4 * PAGE), 0);
	CHECK_ERRNO(wt_read_error(job.fd, VM_DATA + 5 * PAGE), 0);
	CHECK_ERRNO(wt_read_error(job.fd, VM_DATA + 6 * PAGE), ENXIO);
	CHECK_ERRNO(wt_read_error(job.fd, VM_DATA + 7 * PAGE), 0);
}

/* The emulated display has its memory behind a BAR. */
static int open_bar(void)
{
	DIR *dir = opendir("/sys/bus/pci/devices");
	char path[300], class[32];
	struct dirent *entry;
	FILE *f;

	while (dir && (entry = readdir(dir))) {
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/class",
			 entry->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (!fgets(class, sizeof(class), f))
			class[0] = '\0';
		fclose(f);
		if (strncmp(class, "0x0300", 6))
			continue;
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0",
			 entry->d_name);
		return open(path, O_RDWR | O_CLOEXEC);
	}
	return -1;
}

CASE(the_memory_of_a_device_is_left_alone)
{
	int bar = open_bar();
	void *mem;

	if (bar < 0) {
		tap_note("no device with a BAR here");
		return;
	}
	mem = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, bar, 0);
	CHECK_ERRNO(wt_read_error(job_new(mem, 16 * PAGE).fd, VM_DATA),
		    EOPNOTSUPP);
}

/* The VMM is told of what it lost. */
static void on_bus(int signal)
{
	(void)signal;
}

CASE(memory_that_the_hardware_has_lost_is_said_to_be)
{
	struct sigaction action = { .sa_handler = on_bus };
	unsigned char *mem = mem_sparse(4 * PAGE);
	struct job job = job_new(mem, 4 * PAGE);

	CHECK_SYS(!sigaction(SIGBUS, &action, NULL));
	store_each(&job);
	if (madvise(mem + PAGE, PAGE, MADV_HWPOISON)) {
		tap_note("this kernel has no MADV_HWPOISON: %m");
		return;
	}
	CHECK_ERRNO(wt_read_error(job.fd, VM_DATA), 0);
	CHECK_ERRNO(wt_read_error(job.fd, VM_DATA + PAGE), EHWPOISON);
	CHECK_ERRNO(wt_read_error(job.fd, VM_DATA + 2 * PAGE), 0);
}
