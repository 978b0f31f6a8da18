// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions and what they track. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tap.h"
#include "wt.h"

int wt_open(void)
{
	int fd = open(KVM_WTRACK_DEVICE, O_RDWR | O_CLOEXEC);

	CHECK_SYS(fd >= 0);
	return fd;
}

void wt_attach(int fd, int vm_fd)
{
	WT_ARG(attach, a, .vm_fd = vm_fd);

	CHECK_ERRNO(__wt_attach(fd, &a), 0);
}

int __wt_map(struct wt *wt)
{
	struct kvm_wtrack_status s;
	void *p;

	wt_status(wt->fd, &s);
	p = mmap(NULL, s.out_consumer_bytes, PROT_READ | PROT_WRITE,
		 MAP_SHARED, wt->fd, s.out_consumer_offset);
	if (p == MAP_FAILED)
		return errno;
	wt->consumer = p;
	p = mmap(NULL, s.out_records_bytes, PROT_READ, MAP_SHARED, wt->fd,
		 s.out_records_offset);
	if (p == MAP_FAILED)
		return errno;
	wt->records = p;
	wt->nr_records = s.out_records;
	wt->consumer_bytes = s.out_consumer_bytes;
	wt->records_bytes = s.out_records_bytes;
	return 0;
}

struct wt *wt_from_fd(int fd)
{
	struct wt *wt = calloc(1, sizeof(*wt));

	CHECK(wt);
	wt->fd = fd;
	CHECK_ERRNO(__wt_map(wt), 0);
	wt->next = wt->consumer->pos;
	return wt;
}

struct wt *wt_session_budget(int vm_fd, uint32_t records, uint32_t flags,
			     uint32_t budget, uint32_t period_ms)
{
	WT_ARG(ring, r, .records = records, .flags = flags, .budget = budget,
	       .period_ms = period_ms);
	int fd = wt_open();

	wt_attach(fd, vm_fd);
	CHECK_ERRNO(__wt_ring(fd, &r), 0);
	return wt_from_fd(fd);
}

struct wt *wt_session(int vm_fd, uint32_t records, uint32_t flags)
{
	return wt_session_budget(vm_fd, records, flags, 0, 0);
}

struct wt *wt_session_small(int vm_fd, uint32_t flags)
{
	struct kvm_wtrack_info info;

	wt_info(&info);
	return wt_session(vm_fd, info.out_min_records, flags);
}

void wt_close(struct wt *wt)
{
	munmap(wt->consumer, wt->consumer_bytes);
	munmap((void *)wt->records, wt->records_bytes);
	close(wt->fd);
	free(wt);
}

void wt_info(struct kvm_wtrack_info *info)
{
	int fd = wt_open();

	*info = (struct kvm_wtrack_info){ .size = sizeof(*info) };
	CHECK_ERRNO(__wt_info(fd, info), 0);
	close(fd);
}

void wt_status(int fd, struct kvm_wtrack_status *status)
{
	*status = (struct kvm_wtrack_status){ .size = sizeof(*status) };
	CHECK_ERRNO(__wt_status(fd, status), 0);
}

static void check_whole(const struct kvm_wtrack_change *c)
{
	CHECK_ERRNO(c->out_error, 0);
	CHECK_EQ(c->out_done, c->nr_pages);
	CHECK_EQ(c->out_changed, c->nr_pages);
	CHECK_EQ(c->out_failed, 0);
}

void wt_add(int fd, uint64_t gfn, uint64_t nr_pages)
{
	struct kvm_wtrack_change c = { .gfn = gfn, .nr_pages = nr_pages };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);

	CHECK_ERRNO(__wt_add(fd, &a), 0);
	check_whole(&c);
	CHECK_EQ(a.out_nr_changes, 1);
	CHECK_EQ(a.out_failed_pages, 0);
}

void wt_rearm(int fd, uint64_t gfn, uint64_t nr_pages)
{
	struct kvm_wtrack_change c = { .gfn = gfn, .nr_pages = nr_pages };
	WT_ARG(rearm, a, .changes = (uintptr_t)&c, .nr_changes = 1);

	CHECK_ERRNO(__wt_rearm(fd, &a), 0);
	check_whole(&c);
	CHECK_EQ(a.out_nr_changes, 1);
	CHECK_EQ(a.out_failed_pages, 0);
}

static uint64_t remove_range(int fd, uint64_t gfn, uint64_t nr_pages,
			     uint32_t flags)
{
	struct kvm_wtrack_change c = { .gfn = gfn, .nr_pages = nr_pages };
	WT_ARG(remove, a, .flags = flags, .changes = (uintptr_t)&c,
	       .nr_changes = 1);

	CHECK_ERRNO(__wt_remove(fd, &a), 0);
	check_whole(&c);
	CHECK_EQ(a.out_nr_changes, 1);
	CHECK_EQ(a.out_failed_pages, 0);
	return a.out_seq;
}

void wt_remove(int fd, uint64_t gfn, uint64_t nr_pages)
{
	remove_range(fd, gfn, nr_pages, 0);
}

uint64_t wt_remove_fence(int fd, uint64_t gfn, uint64_t nr_pages)
{
	return remove_range(fd, gfn, nr_pages, KVM_WTRACK_REMOVE_F_FENCE);
}

uint64_t wt_fence(int fd)
{
	WT_ARG(fence, f);

	CHECK_ERRNO(__wt_fence(fd, &f), 0);
	return f.out_seq;
}

static int add_page(int fd, uint64_t gfn, uint32_t flags)
{
	struct kvm_wtrack_change c = { .gfn = gfn, .nr_pages = 1 };
	WT_ARG(add, a, .flags = flags, .changes = (uintptr_t)&c,
	       .nr_changes = 1);

	CHECK_ERRNO(__wt_add(fd, &a), 0);
	CHECK_EQ(a.out_failed_pages, c.out_error ? 1 : 0);
	CHECK_EQ(c.out_failed, a.out_failed_pages);
	CHECK_EQ(c.out_done, c.out_error ? 0 : 1);
	return c.out_error;
}

int __wt_add_page(int fd, uint64_t gfn)
{
	return add_page(fd, gfn, 0);
}

int __wt_add_page_nowait(int fd, uint64_t gfn)
{
	return add_page(fd, gfn, KVM_WTRACK_ADD_F_NOWAIT);
}

static int rearm_page(int fd, uint64_t gfn, uint32_t flags)
{
	struct kvm_wtrack_change c = { .gfn = gfn, .nr_pages = 1 };
	WT_ARG(rearm, a, .flags = flags, .changes = (uintptr_t)&c,
	       .nr_changes = 1);

	CHECK_ERRNO(__wt_rearm(fd, &a), 0);
	CHECK_EQ(a.out_failed_pages, c.out_error ? 1 : 0);
	CHECK_EQ(c.out_failed, a.out_failed_pages);
	CHECK_EQ(c.out_done, c.out_error ? 0 : 1);
	return c.out_error;
}

int __wt_rearm_page(int fd, uint64_t gfn)
{
	return rearm_page(fd, gfn, 0);
}

int __wt_rearm_page_nowait(int fd, uint64_t gfn)
{
	return rearm_page(fd, gfn, KVM_WTRACK_REARM_F_NOWAIT);
}

int __wt_remove_page(int fd, uint64_t gfn)
{
	struct kvm_wtrack_change c = { .gfn = gfn, .nr_pages = 1 };
	WT_ARG(remove, a, .changes = (uintptr_t)&c, .nr_changes = 1);

	CHECK_ERRNO(__wt_remove(fd, &a), 0);
	CHECK_EQ(a.out_failed_pages, c.out_error ? 1 : 0);
	CHECK_EQ(c.out_failed, a.out_failed_pages);
	CHECK_EQ(c.out_done, c.out_error ? 0 : 1);
	return c.out_error;
}

static void query_gfn(int fd, struct kvm_wtrack_query_gfn *q, uint64_t gfn)
{
	*q = (struct kvm_wtrack_query_gfn){ .size = sizeof(*q), .gfn = gfn };
	CHECK_ERRNO(__wt_query_gfn(fd, q), 0);
}

unsigned int wt_users(int fd, uint64_t gfn)
{
	struct kvm_wtrack_query_gfn q;

	query_gfn(fd, &q, gfn);
	return q.out_users;
}

uint32_t wt_gfn_state(int fd, uint64_t gfn)
{
	struct kvm_wtrack_query_gfn q;

	query_gfn(fd, &q, gfn);
	return q.out_state;
}

bool wt_tracked(int fd, uint64_t gfn)
{
	return wt_gfn_state(fd, gfn) & KVM_WTRACK_GFN_TRACKED;
}

bool wt_has_overflowed(int fd)
{
	struct kvm_wtrack_status s;

	wt_status(fd, &s);
	return s.out_state & KVM_WTRACK_STATE_RESYNC;
}

uint64_t wt_query_pages(int fd)
{
	struct kvm_wtrack_range ranges[32];
	WT_ARG(query, q, .ranges = (uintptr_t)ranges, .nr_ranges = 32);
	uint64_t pages = 0;
	unsigned int i;

	do {
		CHECK_ERRNO(__wt_query(fd, &q), 0);
		for (i = 0; i < q.out_nr_ranges; i++)
			pages += ranges[i].nr_pages;
		q.gfn = q.out_next_gfn;
	} while (q.out_next_gfn != ~0ULL);
	return pages;
}

int __wt_read_bytes(int fd, uint64_t gpa, void *buffer, uint64_t len,
		    uint32_t flags, struct kvm_wtrack_read *ret)
{
	*ret = (struct kvm_wtrack_read){
		.size = sizeof(*ret), .flags = flags, .gpa = gpa, .len = len,
		.buffer = (uintptr_t)buffer,
	};
	return __wt_read(fd, ret);
}

void wt_read_bytes(int fd, uint64_t gpa, void *buffer, uint64_t len)
{
	struct kvm_wtrack_read read;
	uint64_t done;

	for (done = 0; done < len; done += read.out_done) {
		CHECK_ERRNO(__wt_read_bytes(fd, gpa + done, (char *)buffer + done,
					    len - done, 0, &read), 0);
		CHECK_ERRNO(read.out_error, 0);
		CHECK(read.out_done > 0 && read.out_done <= len - done);
	}
}

static int read_error(int fd, uint64_t gpa, uint32_t flags)
{
	struct kvm_wtrack_read read;
	char byte = 0x5a;

	CHECK_ERRNO(__wt_read_bytes(fd, gpa, &byte, 1, flags, &read), 0);
	CHECK_EQ(read.out_done, !read.out_error);
	if (read.out_error)
		CHECK_EQ(byte, 0x5a);
	return read.out_error;
}

int wt_read_error(int fd, uint64_t gpa)
{
	return read_error(fd, gpa, 0);
}

int wt_read_error_nofault(int fd, uint64_t gpa)
{
	return read_error(fd, gpa, KVM_WTRACK_READ_F_NOFAULT);
}

void wt_regions(int fd, struct wt_regions *regions)
{
	WT_ARG(regions, r, 0);

	memset(regions, 0, sizeof(*regions));
	do {
		r.regions = (uintptr_t)&regions->region[regions->nr];
		r.nr_regions = ARRAY_SIZE(regions->region) - regions->nr;
		CHECK_ERRNO(__wt_regions(fd, &r), 0);
		if (r.gfn)
			CHECK_EQ(r.out_generation, regions->generation);
		CHECK(r.out_next_gfn > r.gfn);
		regions->generation = r.out_generation;
		regions->nr += r.out_nr_regions;
		r.gfn = r.out_next_gfn;
	} while (r.gfn != ~0ULL);
}
