/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A mirror: a copy of guest pages that is exact, and what changes in it.
 *
 * A mirror keeps a copy of the pages that it is given. It takes a session's
 * events, does what each of them asks for (event.h, resync.h), and hands out
 * what changed, with the bytes of before:
 *
 *	wtrack_mirror_new(session, NULL, 0, &mirror);
 *	wtrack_mirror_add(mirror, ranges, n, NULL, 0);
 *	while ((r = wtrack_mirror_wait(mirror, -1)) > 0)
 *		while ((r = wtrack_mirror_update(mirror, &change)) > 0)
 *			look_at(change);
 *
 * The guarantee
 * -------------
 * When wtrack_mirror_sync() has returned 0, each byte of each page that is live
 * or disarmed is what the guest's memory has, if the last store to it was made
 * by a vCPU before the sync began. So it is exact for a vCPU that waits, be it
 * at a doorbell or because the VM is paused. A byte that a vCPU which runs on has
 * stored to meanwhile may be as it was before that store or after it.
 *
 * When wtrack_mirror_update() has returned 0, the copy has everything that the
 * events said which were there, with one exception: what needed memory to be read
 * again and kept changing meanwhile is left to the next call, and
 * wtrack_mirror_wait() then returns at once. While the guest is quiet, updates alone
 * make the copy exact. Pages that are disarmed are the exception: only a sync
 * reads them.
 *
 * Stores of two vCPUs to the same bytes may be recorded in the other order than
 * memory saw them. Where that is possible the mirror reads the page again, so
 * that the copy ends as memory does. It is possible when the later record is of
 * a vCPU that has made no other record since the earlier one, which was of
 * another vCPU; a vCPU publishes its records in its own order, each before its
 * next instruction.
 *
 * Synchronous sessions
 * --------------------
 * A mirror releases the events of a session with WTRACK_RING_SYNC (ring.h), for
 * which vCPUs wait, when wtrack_mirror_update() or wtrack_mirror_sync() returns
 * 0, and when half of the ring is taken. Until then a vCPU waits right behind
 * the store that the caller looks at: the change has the previous bytes and the
 * new ones. With WTRACK_RING_ONCE as well the pages are armed again before the
 * vCPU continues. The time is set before: wtrack_session_set_sync(). A caller
 * that takes longer for a change, or that stops at an error, is a late reader.
 *
 * The exceptions
 * --------------
 * The module does not see what others than vCPUs store, see kvm-wtrack(7). A
 * caller that knows of such a store calls wtrack_mirror_reread(). The same
 * holds for stores in system management mode, and for stores that a fence does
 * not cover, see kvm_wtrack(4), until the vCPU enters the guest again. Bytes of
 * a store that is made while the page is read may be there in part until the
 * event of that store has come.
 *
 * Threads and lifetime
 * --------------------
 * A mirror is for one thread at a time, which is also the session's consumer:
 * as long as there is a mirror, no other code may call wtrack_session_next(),
 * wtrack_session_wait(), wtrack_session_release() or
 * wtrack_session_resync_next() of the session, and pages are added and removed
 * through the mirror. The session stays the caller's, and is closed after the
 * mirror.
 */
#ifndef WTRACK_MIRROR_H
#define WTRACK_MIRROR_H

#include <stddef.h>
#include <stdint.h>

#include <wtrack/range.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wtrack_event;
struct wtrack_session;

/* Opaque; made by wtrack_mirror_new(), freed by wtrack_mirror_close(). */
struct wtrack_mirror;

/* What is known of a page: its copy follows the guest's stores. */
#define WTRACK_MIRROR_LIVE	1
/*
 * The guard has disarmed it (event.h), or it could not be armed again in a session
 * with WTRACK_RING_ONCE: the copy is as it was when the page was last read, which
 * each sync does. It will be live again.
 */
#define WTRACK_MIRROR_DISARMED	2
/*
 * The guest has no memory there now, or none that can be tracked and read. The
 * copy is of before, or of zeros if there never was any. It will be live, and read,
 * when there is memory.
 */
#define WTRACK_MIRROR_ABSENT	3
/*
 * The session does not track it any more, because it was made with
 * WTRACK_RING_STOP: the copy is of before, until the page is added again. Or an
 * administrator has ended the session: the copy stays as it is.
 */
#define WTRACK_MIRROR_REMOVED	4

/**
 * struct wtrack_mirror_options - how a mirror is made
 * @records: places in the ring that is made, a power of two; 0 for 4096, or as
 *	many as the session may have
 * @ring_flags: WTRACK_RING_* of it. With WTRACK_RING_ONCE each update arms the pages
 *	again that were stored to, and reads them: the guest pays for one store to
 *	each of them and update. WTRACK_RING_STICKY is set in any case, if the
 *	module has WTRACK_FEAT_STICKY
 * @watermark: as in wtrack_session_make_ring()
 * @latency_us: as in wtrack_session_make_ring()
 *
 * A later version may append fields. Have all that you do not set be 0.
 */
struct wtrack_mirror_options {
	uint32_t records;
	uint32_t ring_flags;
	uint32_t watermark;
	uint32_t latency_us;
};

/**
 * wtrack_mirror_new() - begin to keep a copy of guest memory
 * @session: the session. It may have a ring already, of any kind; otherwise the
 *	mirror makes one
 * @options: for the ring, or NULL for an ordinary one
 * @size: sizeof(struct wtrack_mirror_options) as the caller knows it; fields
 *	behind it count as 0; does not matter when @options is NULL
 * @ret: where to store the mirror, which has no pages yet
 *
 * What the session tracked before is not in the mirror until it is added to it.
 * A budget is set before (wtrack_session_set_budget()).
 *
 * Return: 0, or the errors of wtrack_session_make_ring(), or
 *	-E2BIG		@size is more than this library knows, and the rest of
 *			@options is not 0
 *	-EBUSY		the session has a ring, and @options want one
 *	-EINVAL		@size is 0
 *	-ENOMEM		no memory
 * Since: 1.0
 */
int wtrack_mirror_new(struct wtrack_session *session,
		      const struct wtrack_mirror_options *options, size_t size,
		      struct wtrack_mirror **ret);

/**
 * wtrack_mirror_close() - end a mirror
 * @mirror: the mirror, or NULL, which does nothing
 *
 * Removes its pages from the session and frees it with all copies. The session
 * is not closed. Events that were not handed out stay in its ring.
 * Since: 1.0
 */
void wtrack_mirror_close(struct wtrack_mirror *mirror);

/**
 * wtrack_mirror_add() - add pages
 * @mirror: the mirror
 * @ranges: which pages; they may overlap each other and what is there
 * @nr_ranges: how many ranges, in any number; with 0 nothing is done
 * @results: as in wtrack_session_add()
 * @flags: as in wtrack_session_add()
 *
 * Tracks the pages and reads them: their copy is there when the call returns, and
 * what comes later is a change. A page that is refused does not stop the others,
 * and is not in the mirror. A page that is there already stays as it is, but one
 * that is disarmed is armed, and one that is absent or removed is read anew. With
 * WTRACK_CHANGE_SKIP_HOLES "all memory of the guest" is one range: { 0, 2^40 }.
 *
 * A page without memory, or with memory that the guest cannot store to, is taken as
 * well if the ring has WTRACK_RING_STICKY; it is absent, which the next update tells,
 * until there is memory. Otherwise it is refused. WTRACK_CHANGE_SKIP_HOLES has such
 * pages skipped with either kind of ring.
 *
 * A mirror takes about 4,300 bytes for each page, also for one that is absent.
 *
 * Return: as wtrack_session_add(), and for a page also
 *	-EHWPOISON	the host's memory of the page is broken
 *	-EPERM		the session may not read memory
 *	-ENXIO		the VMM has no readable memory there
 * or as a reason why the call went no further
 *	-EBUSY		the VMM changes the guest's memory regions all the time
 * Since: 1.0
 */
int wtrack_mirror_add(struct wtrack_mirror *mirror,
		      const struct wtrack_range *ranges, size_t nr_ranges,
		      struct wtrack_result *results, unsigned int flags);

/**
 * wtrack_mirror_remove() - remove pages
 * @mirror: the mirror
 * @ranges: which pages
 * @nr_ranges: how many ranges, in any number; with 0 nothing is done
 *
 * The session does not track them any more, and their copies are freed. Changes
 * that were not handed out are not handed out any more.
 *
 * Return: 0 when all pages were in the mirror. Otherwise, while all others are
 * removed:
 *	-ENOENT		a page was not in the mirror
 * or a reason why nothing was removed, or why not all was:
 *	-EINVAL		a range is empty, or goes beyond 52 bits of address
 *	-ENOMEM		no memory
 *	-EPROTO		the module answered nonsense
 * Since: 1.0
 */
int wtrack_mirror_remove(struct wtrack_mirror *mirror,
			 const struct wtrack_range *ranges, size_t nr_ranges);

/**
 * wtrack_mirror_reread() - have pages read again
 * @mirror: the mirror
 * @ranges: which pages; what is not in the mirror is skipped
 * @nr_ranges: how many ranges, in any number
 *
 * For what is not seen, as when the VMM has loaded a snapshot or a
 * device has stored by DMA. The pages are read by the next wtrack_mirror_update()
 * or wtrack_mirror_sync(), which hand out what changed.
 * Since: 1.0
 */
void wtrack_mirror_reread(struct wtrack_mirror *mirror,
			  const struct wtrack_range *ranges, size_t nr_ranges);

/* What a change is: a store, or a part of one. */
#define WTRACK_CHANGED_WRITE	1
/* A page was read again, and these bytes are different now. */
#define WTRACK_CHANGED_REREAD	2
/* The state of pages is another one now; their bytes are the same. */
#define WTRACK_CHANGED_STATE	3

/**
 * struct wtrack_change - what changed in a mirror
 * @what: WTRACK_CHANGED_*; skip what you do not know
 * @state: STATE: the new state, WTRACK_MIRROR_*; otherwise that of the page
 * @gpa: guest physical address of the first byte
 * @len: bytes from there on. STATE: of the pages, 4096 for each
 * @old_bytes: what the copy had there before. STATE: NULL
 * @new_bytes: what it has now. STATE: NULL
 * @event: WRITE: the event, which tells the vCPU, the instruction, the time and
 *	more (event.h). Otherwise NULL
 *
 * Belongs to the mirror; all of it is valid until the next call on the mirror. The
 * old bytes of a change are what the changes before it made of them. Those of a
 * WRITE do not cross a page; a longer store comes in parts, as its events do.
 *
 * A later version may append fields.
 */
struct wtrack_change {
	uint32_t what;
	uint32_t state;
	uint64_t gpa;
	uint64_t len;
	const unsigned char *old_bytes;
	const unsigned char *new_bytes;
	const struct wtrack_event *event;
};

/**
 * wtrack_mirror_update() - the next change
 * @mirror: the mirror
 * @ret: where to store the change, or NULL to work through all there are
 *
 * Brings the copy forward by one change and hands it out. Call it until it
 * returns 0. A store of a value that was there already is a change, too. A page
 * that is read again has a change for each place where it is different, and none
 * if it is not.
 *
 * The function does not wait for events. It does wait for memory that it has to
 * read again, as wtrack_session_read() does.
 *
 * Return: 1 with a change, 0 when there is none left, or
 *	-EBUSY		the VMM changes the guest's memory regions all the time,
 *			or the position in the ring was overwritten by another
 *			holder of the session
 *	-ENOMEM		no memory
 *	-EPERM		the session may not read memory any more
 *	-EPROTO		the module answered nonsense
 *	-ESHUTDOWN	an administrator has ended the session, and all was handed
 *			out. The copy can still be looked at
 *	-ESRCH		the VM is gone, and all was handed out. The copy can still
 *			be looked at
 * After a failure nothing is lost: call it again.
 * Since: 1.0
 */
int wtrack_mirror_update(struct wtrack_mirror *mirror,
			 const struct wtrack_change **ret);

/**
 * wtrack_mirror_sync() - bring the copy up to what memory has now
 * @mirror: the mirror
 * @ret: as in wtrack_mirror_update()
 *
 * As wtrack_mirror_update(), but when it returns 0 the copy is exact, as "The
 * guarantee" says, for all stores made before the first of these calls. It
 * waits for stores that are under way, some milliseconds at most for each vCPU.
 * Pages that are disarmed are read. A page that is absent becomes live if there
 * is memory and it can be tracked without waiting. A call of
 * wtrack_mirror_update() in between begins anew.
 *
 * Return: as wtrack_mirror_update().
 * Since: 1.0
 */
int wtrack_mirror_sync(struct wtrack_mirror *mirror,
		       const struct wtrack_change **ret);

/**
 * wtrack_mirror_wait() - sleep until there is something to update
 * @mirror: the mirror
 * @timeout_ms: how long at most; 0 does not sleep, a negative one never ends
 *
 * Return: 1 when wtrack_mirror_update() may have a change, 0 when the time is
 * over, or
 *	-EINTR		a signal came
 *	-EIO		the position in the ring was overwritten by another
 *			holder of the session
 *	-ESHUTDOWN	an administrator has ended the session, and all was handed
 *			out
 *	-ESRCH		the VM is gone, and all was handed out
 * Since: 1.0
 */
int wtrack_mirror_wait(struct wtrack_mirror *mirror, int timeout_ms);

/**
 * wtrack_mirror_get_fd() - the descriptor to poll
 * @mirror: the mirror
 *
 * It is the session's (wtrack_session_get_fd()). When poll(2) reports POLLIN or
 * POLLHUP, call wtrack_mirror_update() until it returns 0 or an error. Do so once
 * before the first poll, and after wtrack_mirror_reread().
 *
 * Return: the descriptor; cannot fail.
 * Since: 1.0
 */
int wtrack_mirror_get_fd(const struct wtrack_mirror *mirror);

/**
 * wtrack_mirror_page() - the copy of a page
 * @mirror: the mirror
 * @gfn: number of the page
 *
 * Return: its 4096 bytes, or NULL if the page is not in the mirror. The address
 * stays the same until the page is removed, the bytes until the next call of
 * wtrack_mirror_update() or wtrack_mirror_sync().
 * Since: 1.0
 */
const void *wtrack_mirror_page(const struct wtrack_mirror *mirror,
			       uint64_t gfn);

/**
 * wtrack_mirror_get_state() - what is known of a page
 * @mirror: the mirror
 * @gfn: number of the page
 *
 * Return: WTRACK_MIRROR_*, or
 *	-ENOENT		the page is not in the mirror
 * Since: 1.0
 */
int wtrack_mirror_get_state(const struct wtrack_mirror *mirror, uint64_t gfn);

/**
 * struct wtrack_mirror_status - counters of a mirror
 * @pages: pages in the mirror
 * @live: pages of @pages that are live
 * @disarmed: disarmed
 * @absent: absent
 * @removed: removed
 * @memory_bytes: memory of this process that the mirror takes
 * @writes: write events whose bytes were taken
 * @rereads: pages that were read again
 * @conflicts: those of @rereads because two vCPUs stored to the same bytes
 * @resyncs: how often the ring was full
 *
 * A later version may append fields.
 */
struct wtrack_mirror_status {
	uint64_t pages;
	uint64_t live;
	uint64_t disarmed;
	uint64_t absent;
	uint64_t removed;
	uint64_t memory_bytes;
	uint64_t writes;
	uint64_t rereads;
	uint64_t conflicts;
	uint64_t resyncs;
};

/**
 * wtrack_mirror_get_status() - ask for a mirror's counters
 * @mirror: the mirror
 * @ret: where to store them
 * @size: sizeof(struct wtrack_mirror_status) as the caller knows it; of a longer
 *	struct than the library knows, the rest is set to 0
 *
 * Return: 0, or
 *	-EINVAL		@size is 0
 * Since: 1.0
 */
int wtrack_mirror_get_status(const struct wtrack_mirror *mirror,
			     struct wtrack_mirror_status *ret, size_t size);

#ifdef __cplusplus
}
#endif

#endif
