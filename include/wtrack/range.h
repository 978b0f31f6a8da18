/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which pages a session tracks. */
#ifndef WTRACK_RANGE_H
#define WTRACK_RANGE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wtrack_session;

/**
 * struct wtrack_range - consecutive pages of guest physical memory
 * @gfn: number of the first page: its address divided by 4096
 * @nr_pages: how many
 */
struct wtrack_range {
	uint64_t gfn;
	uint64_t nr_pages;
};

/**
 * struct wtrack_result - what became of a range that was added, armed again or
 *	removed
 * @done: pages that were handled; all of them when it is the range's nr_pages
 *	less @skipped
 * @changed: pages of @done that the session did not track before (add), did not
 *	observe (rearm), or tracked (remove)
 * @error_gfn: first page that was refused or not reached, if @error is not 0
 * @error: why, as a negative errno; 0 when all pages are done or skipped
 * @reserved: 0
 * @skipped: with WTRACK_CHANGE_SKIP_HOLES, pages that the guest has no memory for
 */
struct wtrack_result {
	uint64_t done;
	uint64_t changed;
	uint64_t error_gfn;
	int32_t error;
	uint32_t reserved;
	uint64_t skipped;
};

/*
 * For the flags of add, rearm and remove: return -EINTR when a signal comes,
 * instead of continuing. @results then tell how far it came.
 */
#define WTRACK_CHANGE_INTR	(1U << 0)
/*
 * For the flags of add and rearm: refuse a page that cannot be armed just now with
 * -EAGAIN, instead of waiting. That is one on which KVM handles a fault of the
 * guest's, for as long as the VMM takes to provide the page, and each page of a VM
 * for some milliseconds after the first session was opened on it.
 */
#define WTRACK_CHANGE_NOWAIT	(1U << 1)
/*
 * For the flags of add: skip pages to which the guest cannot store as to ordinary
 * memory, instead of refusing them with -ENOENT or -EOPNOTSUPP. So all memory of a
 * guest is one range: { 0, UINT64_C(1) << 40 }. Memory that the guest gets later is
 * not tracked. That also holds with WTRACK_RING_STICKY, with which such pages are
 * tracked without this flag.
 */
#define WTRACK_CHANGE_SKIP_HOLES	(1U << 2)

/**
 * wtrack_session_add() - track pages
 * @session: the session
 * @ranges: which pages; they may overlap each other and what is tracked
 * @nr_ranges: how many ranges, in any number; with 0 nothing is done
 * @results: where to store what became of each range, an array of @nr_ranges,
 *	or NULL. Is filled in whenever the function returns
 * @flags: WTRACK_CHANGE_INTR, WTRACK_CHANGE_NOWAIT and WTRACK_CHANGE_SKIP_HOLES,
 *	any of them or 0
 *
 * A page that is refused does not stop the others. From the moment the call
 * returns, no write of a vCPU to a page that is done goes unnoticed: add
 * first, then read the page's contents. A page that the session tracked before
 * and does not observe (event.h) is armed again, as wtrack_session_rearm() does it.
 * With WTRACK_RING_STICKY a page without memory, or with memory that is read-only,
 * private or KVM's own, is not refused: it is absent until there is memory (event.h).
 * Any thread.
 *
 * Return: 0 when all pages are tracked now. Otherwise the reason of the first
 * page that was refused, while all others are tracked:
 *	-EAGAIN		the page cannot be tracked just now, and
 *			WTRACK_CHANGE_NOWAIT was given
 *	-ENOENT		the guest has no memory at this page
 *	-ENOMEM		no memory
 *	-ENOSPC		the session's page limit is reached
 *	-EOPNOTSUPP	KVM cannot track this page: it is read-only for the
 *			guest, private to it, or KVM's own; or the VM became
 *			confidential after the session was opened
 *	-EOVERFLOW	the page is tracked by as many sessions as can be
 *	-EPERM		the page is outside of the session's restriction
 * or a reason why the call went no further:
 *	-EINTR		a signal came and WTRACK_CHANGE_INTR was given
 *	-EINVAL		unknown flag, or a range is empty, or goes beyond 52
 *			bits of address
 *	-ENOBUFS	the session has no ring
 *	-ENOMEM		no memory
 *	-EPERM		the session has no WTRACK_RIGHT_CHANGE
 *	-EPROTO		the module answered nonsense
 *	-ESHUTDOWN	an administrator has ended the session
 *	-ESRCH		the VM is gone
 * Since: 1.0
 */
int wtrack_session_add(struct wtrack_session *session,
		       const struct wtrack_range *ranges, size_t nr_ranges,
		       struct wtrack_result *results, unsigned int flags);

/**
 * wtrack_session_rearm() - observe pages again
 * @session: the session
 * @ranges: which pages
 * @nr_ranges: how many ranges, in any number; with 0 nothing is done
 * @results: as in wtrack_session_add()
 * @flags: 0, WTRACK_CHANGE_INTR, WTRACK_CHANGE_NOWAIT, or both
 *
 * For pages that the session tracks and does not observe: those that were stored
 * to in a session with WTRACK_RING_ONCE, and those that the guard has disarmed
 * (event.h). Other pages that it tracks stay as they are, and it adds none. From
 * the moment the call returns, no write of a vCPU to a page that is done goes
 * unnoticed: arm it first, then read its contents, in which is what was stored
 * since it was disarmed. Any thread.
 *
 * Return: 0 when all pages are observed now. Otherwise the reason of the first
 * page that was refused, while all others are observed:
 *	-EAGAIN		the page cannot be armed just now, and
 *			WTRACK_CHANGE_NOWAIT was given
 *	-ENOENT		this session does not track the page
 *	-ENOMEM		no memory
 *	-EOPNOTSUPP	KVM cannot track this page, or the VM became confidential
 *			after the session was opened
 * or a reason why the call went no further:
 *	-EINTR		a signal came and WTRACK_CHANGE_INTR was given
 *	-EINVAL		unknown flag, or a range is empty, or goes beyond 52
 *			bits of address
 *	-ENOBUFS	the session has no ring
 *	-ENOMEM		no memory
 *	-ENOTTY		the module lacks WTRACK_FEAT_ONCE
 *	-EPROTO		the module answered nonsense
 *	-ESRCH		the VM is gone
 * Since: 1.0
 */
int wtrack_session_rearm(struct wtrack_session *session,
			 const struct wtrack_range *ranges, size_t nr_ranges,
			 struct wtrack_result *results, unsigned int flags);

/**
 * wtrack_session_remove() - stop tracking pages
 * @session: the session
 * @ranges: which pages
 * @nr_ranges: how many ranges, in any number; with 0 nothing is done
 * @results: as in wtrack_session_add()
 * @flags: 0 or WTRACK_CHANGE_INTR
 *
 * A session removes only what it added. Events of removed pages may still be in
 * the ring, and may still appear for a moment. wtrack_session_remove_fenced()
 * tells the caller when that is over. Any thread.
 *
 * Return: 0 when all pages were tracked by the session and are not any more.
 * Otherwise the reason of the first page that was refused, while all others
 * are removed:
 *	-ENOENT		this session does not track the page
 * or a reason why the call went no further:
 *	-EINTR		a signal came and WTRACK_CHANGE_INTR was given
 *	-EINVAL		unknown flag, or a range is empty, or goes beyond 52
 *			bits of address
 *	-ENOBUFS	the session has no ring
 *	-ENOMEM		no memory
 *	-EPERM		the session has no WTRACK_RIGHT_CHANGE
 *	-EPROTO		the module answered nonsense
 *	-ESHUTDOWN	an administrator has ended the session
 *	-ESRCH		the VM is gone
 * Since: 1.0
 */
int wtrack_session_remove(struct wtrack_session *session,
			  const struct wtrack_range *ranges, size_t nr_ranges,
			  struct wtrack_result *results, unsigned int flags);

/**
 * wtrack_session_remove_fenced() - stop tracking pages and know when the last
 *	event of them was seen
 * @session: the session
 * @ranges: which pages
 * @nr_ranges: how many ranges, in any number; with 0 it is only a fence
 * @results: as in wtrack_session_add()
 * @flags: 0 or WTRACK_CHANGE_INTR
 * @ret_seq: where to store a sequence number: no event of the removed pages
 *	has a higher one. Is stored also when pages were refused
 *
 * Any thread; also the consumer, without reading the ring meanwhile.
 *
 * Return: as wtrack_session_remove().
 * Since: 1.0
 */
int wtrack_session_remove_fenced(struct wtrack_session *session,
				 const struct wtrack_range *ranges,
				 size_t nr_ranges,
				 struct wtrack_result *results,
				 unsigned int flags, uint64_t *ret_seq);

/* Where a query ends: there is nothing more. */
#define WTRACK_GFN_END	UINT64_MAX

/**
 * wtrack_session_query() - which pages a session tracks
 * @session: the session
 * @gfn: where to start; moved to the place to continue at, WTRACK_GFN_END at
 *	the end
 * @ranges: where to store the ranges, in ascending order
 * @nr_ranges: room in @ranges, not 0
 *
 * Call it until it returns 0:
 *
 *	uint64_t gfn = 0;
 *
 *	while ((n = wtrack_session_query(session, &gfn, ranges, 64)) > 0)
 *		print(ranges, n);
 *
 * What other threads add and remove meanwhile may or may not be seen. Any
 * thread.
 *
 * Return: number of ranges stored, 0 at the end, or
 *	-EINVAL		@nr_ranges is 0
 *	-ENOBUFS	the session has no ring
 *	-ENOMEM		no memory
 *	-EPROTO		the module answered nonsense
 *	-ESHUTDOWN	an administrator has ended the session
 * Since: 1.0
 */
int wtrack_session_query(struct wtrack_session *session, uint64_t *gfn,
			 struct wtrack_range *ranges, size_t nr_ranges);

/* This session tracks the page. */
#define WTRACK_GFN_TRACKED	(UINT32_C(1) << 0)
/* The page is in this session's resync set. */
#define WTRACK_GFN_RESYNC	(UINT32_C(1) << 1)
/* This session tracks the page, but does not observe it now: event.h. */
#define WTRACK_GFN_DISARMED	(UINT32_C(1) << 2)
/* This session tracks the page, and the guest has no memory there: event.h. */
#define WTRACK_GFN_ABSENT	(UINT32_C(1) << 3)

/**
 * wtrack_session_query_gfn() - ask about one page
 * @session: the session
 * @gfn: number of the page
 * @ret_users: where to store how many sessions of this VM track it, or NULL.
 *	Without WTRACK_RIGHT_OTHERS the others are not counted
 * @ret_state: where to store WTRACK_GFN_* bits, or NULL
 *
 * Any thread.
 *
 * Return: 0, or
 *	-EINVAL		@gfn is beyond 52 bits of address
 *	-EPERM		the page is outside of the session's restriction
 *	-ESHUTDOWN	an administrator has ended the session
 * Since: 1.0
 */
int wtrack_session_query_gfn(struct wtrack_session *session, uint64_t gfn,
			     uint32_t *ret_users, uint32_t *ret_state);

#ifdef __cplusplus
}
#endif

#endif
