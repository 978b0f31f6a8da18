/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /dev/kvm-wtrack as the tests use it. __wt_X() makes one ioctl and returns
 * its errno, 0 for success; wt_x() checks that all of it went well.
 */
#ifndef GUEST_WT_H
#define GUEST_WT_H

#include <errno.h>
#include <linux/kvm_wtrack.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "vm.h"

#define WT_CALL(call, CALL)						\
	static inline int __wt_##call(int fd, struct kvm_wtrack_##call *arg) \
	{								\
		return ioctl(fd, KVM_WTRACK_##CALL, arg) ? errno : 0;	\
	}

WT_CALL(info, INFO)
WT_CALL(attach, ATTACH)
WT_CALL(status, STATUS)
WT_CALL(restrict, RESTRICT)
WT_CALL(ring, RING)
WT_CALL(tune, TUNE)
WT_CALL(add, ADD)
WT_CALL(rearm, REARM)
WT_CALL(remove, REMOVE)
WT_CALL(query, QUERY)
WT_CALL(query_gfn, QUERY_GFN)
WT_CALL(resync, RESYNC)
WT_CALL(fence, FENCE)
WT_CALL(regions, REGIONS)
WT_CALL(read, READ)
WT_CALL(release, RELEASE)

/* WT_ARG(attach, a, .vm_fd = fd): a local struct kvm_wtrack_attach. */
#define WT_ARG(call, var, ...)						\
	struct kvm_wtrack_##call var = { .size = sizeof(var), __VA_ARGS__ }

/* A session and its mapped ring. */
struct wt {
	int fd;
	uint32_t nr_records;
	uint64_t next;		/* number of the next record, from 0 */
	struct kvm_wtrack_consumer *consumer;
	const struct kvm_wtrack_record *records;
	uint64_t consumer_bytes, records_bytes;
};

int wt_open(void);
void wt_attach(int fd, int vm_fd);
/* open, ATTACH, RING with these records and flags, mmap. */
struct wt *wt_session(int vm_fd, uint32_t records, uint32_t flags);
/* The same with a budget. */
struct wt *wt_session_budget(int vm_fd, uint32_t records, uint32_t flags,
			     uint32_t budget, uint32_t period_ms);
/* The same with the smallest ring there is. */
struct wt *wt_session_small(int vm_fd, uint32_t flags);
/* Maps the ring of a session that has one; the errno, or 0. */
int __wt_map(struct wt *wt);
struct wt *wt_from_fd(int fd);
/* Unmaps and closes. */
void wt_close(struct wt *wt);

void wt_info(struct kvm_wtrack_info *info);
void wt_status(int fd, struct kvm_wtrack_status *status);

/* One range; checks that each page of it was done and changed its state. */
void wt_add(int fd, uint64_t gfn, uint64_t nr_pages);
void wt_rearm(int fd, uint64_t gfn, uint64_t nr_pages);
void wt_remove(int fd, uint64_t gfn, uint64_t nr_pages);
/* The errno for this one page. */
int __wt_add_page(int fd, uint64_t gfn);
/* The same without waiting. */
int __wt_add_page_nowait(int fd, uint64_t gfn);
/* Likewise. */
int __wt_rearm_page(int fd, uint64_t gfn);
int __wt_rearm_page_nowait(int fd, uint64_t gfn);
int __wt_remove_page(int fd, uint64_t gfn);
/* With the fence: sequence number behind which the pages have no record. */
uint64_t wt_remove_fence(int fd, uint64_t gfn, uint64_t nr_pages);
uint64_t wt_fence(int fd);

/* QUERY_GFN. */
unsigned int wt_users(int fd, uint64_t gfn);
bool wt_tracked(int fd, uint64_t gfn);
/* KVM_WTRACK_GFN_* */
uint32_t wt_gfn_state(int fd, uint64_t gfn);
/* Is the ring closed, or its resync set not fetched? */
bool wt_has_overflowed(int fd);
/* Pages that QUERY reports, all ranges together. */
uint64_t wt_query_pages(int fd);

/* READ: the errno of the call; how far it came is in *@ret. */
int __wt_read_bytes(int fd, uint64_t gpa, void *buffer, uint64_t len,
		    uint32_t flags, struct kvm_wtrack_read *ret);
/* The same, and all of it could be read. */
void wt_read_bytes(int fd, uint64_t gpa, void *buffer, uint64_t len);
/* The errno of this one page, with and without waiting for it. */
int wt_read_error(int fd, uint64_t gpa);
int wt_read_error_nofault(int fd, uint64_t gpa);

/* All that REGIONS reports, in as many calls as it takes. */
struct wt_regions {
	unsigned int nr;
	struct kvm_wtrack_region region[64];
	uint64_t generation;
};

void wt_regions(int fd, struct wt_regions *regions);

/* The ring: the next record, if it is there. It is not released by this. */
const struct kvm_wtrack_record *wt_peek(const struct wt *wt);
/* Copies the next record, steps over it and releases it. */
bool wt_take(struct wt *wt, struct kvm_wtrack_record *rec);
/* Takes all that is there; how many. */
uint64_t wt_drain(struct wt *wt);
/* Releases what was stepped over, and wakes vCPUs that wait for it. */
void wt_release(struct wt *wt);

/* A fixed array of ranges from RESYNC, all rounds of it. */
struct wt_resync {
	unsigned int nr;
	struct kvm_wtrack_resync_range ranges[512];
};

/*
 * The set to its end, or as far as it is there: if the ring is full again meanwhile,
 * the rest follows the next RESYNC record.
 */
void wt_resync(int fd, struct wt_resync *set);
uint64_t wt_resync_pages(const struct wt_resync *set, uint32_t what);

#endif /* GUEST_WT_H */
