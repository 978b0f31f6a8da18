// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory: how much is held, and that all of it is given back. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "module.h"
#include "tap.h"
#include "wt.h"

#define GIB		(1ULL << 30)
#define SLAB		"/sys/kernel/slab/kvm_wtrack_"

static uint64_t status_bytes(int fd)
{
	struct kvm_wtrack_status s;

	wt_status(fd, &s);
	return s.out_memory_bytes + s.out_vm_memory_bytes;
}

static void check_one_page(struct vm *vm, uint64_t gfn)
{
	struct wt *wt = wt_session_small(vm->fd, 0);
	uint64_t bytes;

	wt_add(wt->fd, gfn, 1);
	bytes = status_bytes(wt->fd);
	tap_note("one page tracked: %llu bytes", (unsigned long long)bytes);
	CHECK(bytes <= 16384);
	wt_close(wt);
}

CASE(one_tracked_page_takes_at_most_16_kib)
{
	check_one_page(vm_new(1), VM_DATA_GFN);
}

/* Size and address of the guest do not matter. */
CASE(nor_does_it_take_more_in_a_huge_sparse_guest)
{
	struct vm *vm = vm_new(1);

	vm_slot(vm, VM_SLOT_EXTRA, VM_HIGH, mem_sparse(64 * GIB), 64 * GIB, 0);
	check_one_page(vm, VM_HIGH / PAGE + 12345678);
}

CASE_WITHIN(a_densely_tracked_gigabyte_takes_at_most_6_parts_in_10000, 90)
{
	struct vm *vm = vm_new(1);
	struct wt *wt = wt_session_small(vm->fd, 0);
	uint64_t bytes, began = clock_ns();

	vm_slot(vm, VM_SLOT_EXTRA, GIB, mem_sparse(GIB), GIB, 0);
	wt_add(wt->fd, GIB / PAGE, GIB / PAGE);
	bytes = status_bytes(wt->fd);
	tap_note("a gigabyte tracked: %llu bytes, after %llu ms",
		 (unsigned long long)bytes,
		 (unsigned long long)(clock_ns() - began) / 1000000);
	/* And two bits of the guard's for each page. */
	CHECK(bytes <= GIB / 10000 * 6 + GIB / PAGE / 4);
	wt_remove(wt->fd, GIB / PAGE, GIB / PAGE);
	CHECK(status_bytes(wt->fd) <= 16384);
}

/* Lines of a file that have a word in them. */
static int count_lines(const char *path, const char *word)
{
	char line[512];
	FILE *f = fopen(path, "r");
	int n = 0;

	CHECK_SYS(f);
	while (fgets(line, sizeof(line), f))
		n += !!strstr(line, word);
	fclose(f);
	return n;
}

/* Objects that are in use, not those that a processor keeps at hand. */
static long long slab_objects(const char *cache)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), SLAB "%s/shrink", cache);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	CHECK_SYS(fd >= 0 && write(fd, "1", 1) == 1);
	close(fd);
	snprintf(path, sizeof(path), SLAB "%s/objects", cache);
	return file_number(path);
}

static int vmalloc_areas(void)
{
	return count_lines("/proc/vmallocinfo", "[kvm_wtrack]");
}

static void use_memory(void *arg)
{
	const uint64_t pages = 20000;
	struct vm *vm = vm_new(pages);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt[6];
	unsigned int i;

	(void)arg;
	for (i = 0; i < 6; i++) {
		wt[i] = wt_session(vm->fd, 64 << i, i % 2);
		wt_add(wt[i]->fd, VM_DATA_GFN, pages);
	}
	vcpu_call(v, g_store8, VM_DATA, 1, 500, PAGE);
	wt_remove(wt[1]->fd, VM_DATA_GFN + 100, pages - 200);
	wt_close(wt[2]);
	CHECK(slab_objects("chunk") >= 19);
	CHECK(slab_objects("span") >= 4 * 19);
	CHECK(vmalloc_areas() >= 5);
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, 0, 0);
}

/* What was closed before may still wait for its grace period. */
static void check_nothing_held(void)
{
	CHECK_SOON(slab_objects("chunk") == 0);
	CHECK_SOON(slab_objects("span") == 0);
	CHECK_SOON(vmalloc_areas() == 0);
}

CASE_WITHIN(all_memory_is_given_back_over_and_over, 90)
{
	unsigned int i;

	check_nothing_held();
	for (i = 0; i < 4; i++) {
		child_join(child_fork(use_memory, NULL));
		check_nothing_held();
	}
}

/* With what processors keep at hand, which may be tens of megabytes. */
static long long free_kib(void)
{
	long long pages = 0, n;
	char line[128];
	FILE *f = fopen("/proc/zoneinfo", "r");

	CHECK_SYS(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " pages free %lld", &n) == 1 ||
		    sscanf(line, " count: %lld", &n) == 1)
			pages += n;
	fclose(f);
	return pages * (long long)(PAGE / 1024);
}

/* When what was freed before is free. */
static long long settled_free_kib(void)
{
	long long last, now = free_kib();

	do {
		last = now;
		sleep_ms(300);
		now = free_kib();
	} while (llabs(now - last) > 200);
	return now;
}

/* What STATUS says against what the host has less. */
CASE_WITHIN(status_tells_what_sessions_cost, 60)
{
	enum { SESSIONS = 300, RECORDS = 4096 };
	struct vm *vm = vm_new(64);
	struct wt *wt = wt_session(vm->fd, RECORDS, 0);
	struct kvm_wtrack_status s;
	long long before, used, told;
	WT_ARG(ring, ring, .records = RECORDS);
	unsigned int i;

	wt_add(wt->fd, VM_DATA_GFN, 64);
	before = settled_free_kib();
	for (i = 0; i < SESSIONS; i++) {
		int fd = wt_open();

		wt_attach(fd, vm->fd);
		CHECK_ERRNO(__wt_ring(fd, &ring), 0);
		wt_add(fd, VM_DATA_GFN, 64);
	}
	used = before - settled_free_kib();
	wt_status(wt->fd, &s);
	told = SESSIONS * s.out_memory_bytes / 1024;
	tap_note("%d sessions: %lld KiB told, %lld KiB used", SESSIONS, told,
		 used);
	CHECK(used > told * 9 / 10);
	CHECK(used < told * (host_is_debug() ? 16 : 12) / 10);
}
