/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The guest's memory: what there is of it, and what it holds. */
#ifndef WTRACK_MEMORY_H
#define WTRACK_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wtrack_session;

/**
 * struct wtrack_read - what was read
 * @done: bytes that were read; all of them when the function returned 0
 * @seq: what was read contains every write of an event up to this sequence
 *	number; 0 in a session without a ring
 * @generation: of the guest's memory regions before anything was read; as from
 *	wtrack_session_regions_next()
 * @reserved: 0
 */
struct wtrack_read {
	uint64_t done;
	uint64_t seq;
	uint64_t generation;
	uint64_t reserved;
};

/*
 * For the flags of read: return -EINTR when a signal comes, instead of
 * continuing.
 */
#define WTRACK_READ_INTR	(1U << 0)
/*
 * For the flags of read: stop with -EAGAIN at a page that is not in memory now,
 * instead of fetching it and waiting for it.
 */
#define WTRACK_READ_NOFAULT	(1U << 1)

/**
 * wtrack_session_read() - read the guest's memory
 * @session: the session, with or without a ring
 * @gpa: guest physical address of the first byte
 * @buffer: where to store the bytes
 * @len: how many; with 0 nothing is done
 * @ret: where to store how far it came, or NULL. Is filled in whenever the
 *	function returns
 * @flags: 0, WTRACK_READ_INTR, WTRACK_READ_NOFAULT, or both
 *
 * A session reads the pages that its restriction allows, tracked or not, also in
 * a process that has no other way to the guest's memory. It stops at the first
 * byte that cannot be read. Any thread.
 *
 * The pages were the guest's when they were read. They were not all read at one
 * moment, and of a write that is being made a part may be there.
 *
 * The memory is read as the VMM would read it. What was paged out is fetched,
 * and the call waits for what the VMM provides on demand (userfaultfd, for
 * instance in a migration by post-copy), as long as that takes:
 * WTRACK_READ_INTR and a signal end it, on kernels before 6.3 only one that
 * ends the program. Anonymous memory that was never written reads as zeros, and
 * reading it allocates nothing. Reading shared memory (memfd, hugetlb) that was
 * never written allocates its pages, and the VMM is charged for them, as if the
 * guest had read them. A session that reads more in a second than
 * wtrack_info.read_bytes_per_s is held up.
 *
 * What events mean for the bytes that were read: a write is in memory before there
 * is an event of it. The bytes contain each write whose event has a sequence number
 * up to @ret's seq, even if the caller has not taken that event yet: a caller that
 * keeps a copy of the page can skip it. For a write that the bytes do not contain,
 * an event with a higher number follows, or the resync set or an event of type
 * WTRACK_EVENT_GUARD names the page as one to read again. The bytes may or may not
 * contain a write whose event has a higher number; storing its bytes in the copy is
 * right in both cases, unless vCPUs race for the same bytes (event.h).
 *
 * A session with WTRACK_RING_COALESCE cannot skip events by their number: the
 * module may merge a later write into an event that was there, but not released,
 * when the bytes were read. Call wtrack_session_release() before reading, and read
 * the page again for each event of it that is taken afterwards.
 *
 * Return: 0 when @len bytes were read. Otherwise why the byte behind those that
 * were cannot be read:
 *	-EAGAIN		its page is not in memory, and WTRACK_READ_NOFAULT was
 *			given
 *	-EBUSY		the VMM changes the guest's memory regions all the time
 *	-EHWPOISON	the hardware has reported that the memory is broken
 *	-ENOENT		the guest has no memory at this page
 *	-ENOMEM		no memory
 *	-ENXIO		the VMM has no readable memory where the guest's should be
 *	-EOPNOTSUPP	the page is private to the guest, or of a device; or the
 *			VM became confidential after the session was opened
 *	-EPERM		the page is outside of the session's restriction
 * or a reason why the call went no further:
 *	-EFAULT		@buffer is not memory of this process
 *	-EINTR		a signal came and WTRACK_READ_INTR was given
 *	-EINVAL		unknown flag, or the bytes go beyond 52 bits of address
 *	-ENOMEM		no memory
 *	-EPROTO		the module answered nonsense
 *	-ESRCH		the VM is gone
 * Since: 1.0
 */
int wtrack_session_read(struct wtrack_session *session, uint64_t gpa,
			void *buffer, size_t len, struct wtrack_read *ret,
			unsigned int flags);

/* The guest cannot write to it. */
#define WTRACK_REGION_READONLY	(UINT32_C(1) << 0)
/* KVM logs which of its pages are written to, for the VMM. */
#define WTRACK_REGION_DIRTY_LOG	(UINT32_C(1) << 1)
/* Its pages may be private to the guest. */
#define WTRACK_REGION_PRIVATE	(UINT32_C(1) << 2)
/* KVM made it for itself. */
#define WTRACK_REGION_KVM	(UINT32_C(1) << 3)

/**
 * struct wtrack_region - consecutive pages of the guest's memory
 * @gfn: number of the first page: its address divided by 4096
 * @nr_pages: how many
 * @flags: WTRACK_REGION_*
 * @reserved: 0
 */
struct wtrack_region {
	uint64_t gfn;
	uint64_t nr_pages;
	uint32_t flags;
	uint32_t reserved;
};

/**
 * wtrack_session_regions_next() - the next region of the guest's memory
 * @session: the session, with or without a ring
 * @gfn: where to begin, first 0; is moved to the place to continue at, and to
 *	WTRACK_GFN_END (range.h) behind the last
 * @ret: where to store the region
 * @ret_generation: where to store the number of the memory regions, or NULL. It
 *	changes whenever a region does. Is stored to when there are no more, too
 *
 * The regions come in ascending order. They are KVM's memslots: what the VMM has
 * registered, and what KVM has made for itself. Of a session that is restricted to
 * some pages only these come:
 *
 *	uint64_t gfn = 0;
 *
 *	while ((r = wtrack_session_regions_next(session, &gfn, &region,
 *						&generation)) > 0)
 *		use(&region);
 *
 * If all calls gave the same generation, the regions are those of one moment. If
 * it changes, begin again with 0. struct wtrack_status has the generation as well,
 * so that a change is noticed without asking for all regions. Any thread.
 *
 * Return: 1 with a region, 0 when there are no more, or
 *	-ENOMEM		no memory
 *	-EPROTO		the module answered nonsense
 *	-ESRCH		the VM is gone
 * Since: 1.0
 */
int wtrack_session_regions_next(struct wtrack_session *session, uint64_t *gfn,
				struct wtrack_region *ret,
				uint64_t *ret_generation);

#ifdef __cplusplus
}
#endif

#endif
