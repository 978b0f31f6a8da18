/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* State and counters of a session. */
#ifndef WTRACK_STATUS_H
#define WTRACK_STATUS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wtrack_session;

#define WTRACK_STATE_ATTACHED	(UINT32_C(1) << 0)
#define WTRACK_STATE_RESTRICTED	(UINT32_C(1) << 1)
#define WTRACK_STATE_RING	(UINT32_C(1) << 2)
/* The ring was made with WTRACK_RING_COALESCE. */
#define WTRACK_STATE_COALESCE	(UINT32_C(1) << 3)
/* Closed by an overflow, until the resync set is fetched. */
#define WTRACK_STATE_RESYNC	(UINT32_C(1) << 4)
/* The VM is gone. */
#define WTRACK_STATE_VM_GONE	(UINT32_C(1) << 5)
/* An administrator has ended the session: it tracks nothing any more. */
#define WTRACK_STATE_ENDED	(UINT32_C(1) << 6)

/**
 * struct wtrack_status - state and counters of a session
 * @state: WTRACK_STATE_* bits
 * @vm_pid: process id of the VMM, in the pid namespace of the caller; 0 when it
 *	is not visible there or gone
 * @vm_id: names the VM, as long as the module stays loaded
 * @session_id: names the session, as above
 * @records: size of the ring in records, 0 without one
 * @unread: records that were not released yet
 * @pages: pages that the session tracks
 * @max_pages: pages that it may track
 * @events: records since the start
 * @merged: writes that a coalescing session merged into an unread record
 * @overflows: how often the ring was closed
 * @resync_writes: writes that went to the resync set
 * @regions_removed: removals of guest memory that ended tracking
 * @wakeups: how often a sleeping reader was woken
 * @memory_bytes: kernel memory held for this session, the ring included
 * @vm_memory_bytes: kernel memory held for the VM, all sessions together; 0
 *	without WTRACK_RIGHT_OTHERS
 * @disarms: how often the guard disarmed a page of this session (event.h)
 * @over_budget: those of @disarms because of the budget
 * @rearms: how often it armed one again
 * @unreported: stores that KVM made without telling what was stored
 * @rights: WTRACK_RIGHT_*, those that the session has (session.h)
 * @generation: of the guest's memory regions: changes whenever one does. 0 when
 *	the VM is gone
 * @absent: of @pages, those without memory: see WTRACK_RING_STICKY
 * @sync_waits: how often a vCPU has waited for the reader, in a session with
 *	WTRACK_RING_SYNC
 * @sync_timeouts: those of @sync_waits that ended because the reader was late
 *
 * A later version may append fields.
 */
struct wtrack_status {
	uint32_t state;
	int32_t vm_pid;
	uint64_t vm_id;
	uint64_t session_id;
	uint32_t records;
	uint32_t unread;
	uint64_t pages;
	uint64_t max_pages;
	uint64_t events;
	uint64_t merged;
	uint64_t overflows;
	uint64_t resync_writes;
	uint64_t regions_removed;
	uint64_t wakeups;
	uint64_t memory_bytes;
	uint64_t vm_memory_bytes;
	uint64_t disarms;
	uint64_t over_budget;
	uint64_t rearms;
	uint64_t unreported;
	uint64_t rights;
	uint64_t generation;
	uint64_t absent;
	uint64_t sync_waits;
	uint64_t sync_timeouts;
};

/**
 * wtrack_session_get_status() - ask for a session's state and counters
 * @session: the session
 * @ret: where to store them
 * @size: sizeof(struct wtrack_status) as the caller knows it; of a longer
 *	struct than the library knows, the rest is set to 0
 *
 * Any thread. Works also when the VM is gone or the session was ended.
 *
 * Return: 0, or
 *	-EINVAL		@size is 0
 * Since: 1.0
 */
int wtrack_session_get_status(struct wtrack_session *session,
			      struct wtrack_status *ret, size_t size);

#ifdef __cplusplus
}
#endif

#endif
