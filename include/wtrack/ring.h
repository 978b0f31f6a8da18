/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A session's ring: waiting for events, reading them in place. */
#ifndef WTRACK_RING_H
#define WTRACK_RING_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wtrack_event;
struct wtrack_session;

/*
 * At most one unread event for each page, for readers that re-read whole pages
 * anyway: a ring with room for one event of each tracked page is not filled by
 * writes then. Note the pages of the events, release the events, then re-read
 * the pages: never the other way round, or the last write is missed.
 */
#define WTRACK_RING_COALESCE	(1U << 0)
/*
 * A page that the guard stops observing is not tracked by this session any
 * more, instead of being observed again a little later.
 */
#define WTRACK_RING_STOP	(1U << 1)
/*
 * No store that faults on the session's pages is emulated by KVM. Each disarms
 * its page before it is made, for the period of the session's budget or, without
 * one, for the guard's back-off (event.h): the session learns that the page was
 * stored to. It is for pages with what vCPUs, devices or the VMM read without a
 * lock while the guest stores to it, as the indices of virtio's rings: of a store
 * that KVM emulates they may see a part. The events of all sessions that track
 * the page are then such.
 */
#define WTRACK_RING_NATIVE	(1U << 2)
/*
 * The session's pages outlive their memory: they are absent while it is removed from
 * the guest, and armed again when there is memory. See "Memory that comes and goes"
 * in event.h.
 */
#define WTRACK_RING_STICKY	(1U << 3)
/*
 * Only the first store to each page is an event, until the session arms the page
 * again: see "First touch" in event.h.
 */
#define WTRACK_RING_ONCE	(1U << 4)
/*
 * A vCPU that has stored to one of the session's pages executes its next
 * instruction when the event is released, or when the time that
 * wtrack_session_set_sync() has set is over. A reader that has let a vCPU wait
 * for so long is late: no vCPU waits for it until it is in step, that is, has
 * released all events when the next store is made. vCPUs wait for write events
 * alone, and for a resync that stands for one; behind each store of those that
 * KVM emulates in a row, as of a string instruction. Meanwhile the other
 * functions work as usual, and other vCPUs run. A change of the VM's memory
 * slots waits for a vCPU that waits. Not together with WTRACK_RING_COALESCE or
 * WTRACK_RING_NATIVE.
 */
#define WTRACK_RING_SYNC	(1U << 5)

/**
 * wtrack_session_set_budget() - limit what a page may cost the guest
 * @session: the session
 * @budget: how many stores to each page are reported in each period; 0 for no
 *	limit, which is the default
 * @period_ms: the period in milliseconds, 0 only with @budget 0
 *
 * Each store to a tracked page costs the guest some thousand instructions. A
 * page that is written to more often than the budget allows is disarmed for the
 * rest of the period: the guest writes to it at full speed, and an event of
 * type WTRACK_EVENT_GUARD tells of it (event.h). A page that several sessions
 * track is disarmed when it is over the budgets of all of them. A page that is
 * removed and added has its whole budget again.
 *
 * Without a ring, the budget is for the one that wtrack_session_make_ring() will
 * make. With a ring, it holds from now on: a page that is disarmed for the old budget
 * is armed again when the old period is over, or the new one. If the session's
 * restriction has a budget, that holds for a session without one. Consumer thread.
 *
 * Return: 0, or
 *	-EINVAL		one of @budget and @period_ms without the other
 *	-ENOMEM		no memory
 *	-EPERM		the session has a ring, and its restriction does not
 *			allow this budget; without a ring that is found when the
 *			ring is made
 *	-ERANGE		@budget or @period_ms is out of bounds: see struct
 *			wtrack_info
 *	-ESHUTDOWN	an administrator has ended the session
 * Since: 1.0
 */
int wtrack_session_set_budget(struct wtrack_session *session, uint32_t budget,
			      uint32_t period_ms);

/**
 * wtrack_session_set_sync() - how long a vCPU waits for the reader
 * @session: the session
 * @timeout_us: how long at most, in microseconds; not 0 for a ring with
 *	WTRACK_RING_SYNC, 0, which is the default, for others
 *
 * It is for the ring that wtrack_session_make_ring() makes, or from now on for the
 * one that the session has. However many sessions and stores a vCPU waits for, in
 * all it waits no longer than the max_sync_us of struct wtrack_info before it
 * enters the guest again. Consumer thread.
 *
 * Return: 0, or
 *	-EINVAL		the session has a ring without WTRACK_RING_SYNC, or
 *			@timeout_us is 0 for one that has it
 *	-EPERM		the session has a ring, and its restriction does not
 *			allow this time; without a ring that is found when the
 *			ring is made
 *	-ERANGE		@timeout_us is out of bounds: see struct wtrack_info
 *	-ESHUTDOWN	an administrator has ended the session
 * Since: 1.0
 */
int wtrack_session_set_sync(struct wtrack_session *session,
			    uint32_t timeout_us);

/**
 * wtrack_session_make_ring() - make the session's ring
 * @session: the session
 * @records: how many events it holds, a power of two; two of the places are
 *	kept for the module's own events
 * @flags: WTRACK_RING_* bits
 * @watermark: wake sleeping readers when that many events are unread; 0 and 1
 *	mean at once, at most @records / 2. They are woken at once for an event that
 *	a vCPU waits for
 * @latency_us: with a watermark above 1, wake them also when the oldest unread
 *	event is that old, not 0; without, 0
 *
 * Once in the life of a session, before pages are added. Its memory is charged
 * to the caller. Consumer thread.
 *
 * Return: 0, or
 *	-EBUSY		the session has a ring
 *	-EINVAL		@records is not a power of two, an unknown flag, flags
 *			that exclude each other, WTRACK_RING_SYNC without a time
 *			or the other way round, or one of watermark and latency
 *			without the other
 *	-ENOMEM		no memory, or no address space to map the ring. In the
 *			latter case a second call returns -EBUSY: close the
 *			session
 *	-EPERM		@records is above the session's restriction, or the
 *			budget is, or its period below, or the time to wait
 *	-EPROTO		the module answered nonsense
 *	-ERANGE		@records, @watermark or @latency_us is out of bounds:
 *			see struct wtrack_info
 *	-ESRCH		the VM is gone
 *	-EUSERS		the VM has as many sessions with WTRACK_RING_SYNC as it may
 *			have
 * Since: 1.0
 */
int wtrack_session_make_ring(struct wtrack_session *session, uint32_t records,
			     unsigned int flags, uint32_t watermark,
			     uint32_t latency_us);

/**
 * wtrack_session_set_wakeup() - change when sleeping readers are woken
 * @session: the session
 * @watermark: as of wtrack_session_make_ring()
 * @latency_us: as of wtrack_session_make_ring()
 *
 * Changes the ring that the session has. Readers that sleep are woken, and go back to
 * sleep by the new values. Any thread.
 *
 * Return: 0, or
 *	-EINVAL		one of watermark and latency without the other
 *	-ENOBUFS	the session has no ring
 *	-ERANGE		@watermark or @latency_us is out of bounds: see struct
 *			wtrack_info
 *	-ESHUTDOWN	an administrator has ended the session
 * Since: 1.0
 */
int wtrack_session_set_wakeup(struct wtrack_session *session,
			      uint32_t watermark, uint32_t latency_us);

/**
 * wtrack_session_wait() - sleep until an event can be read
 * @session: the session
 * @timeout_ms: how long at most; 0 does not sleep, a negative one never ends
 *
 * Does not sleep, and makes no system call, when an event is there. Otherwise
 * it sleeps as the watermark and the latency of the ring want. Events that
 * were handed out stay valid. Consumer thread.
 *
 * Return: 1 when wtrack_session_next() has an event, 0 when the time is over,
 * or
 *	-EBUSY		nothing can come: events that were handed out are not
 *			released, or a resync is not finished
 *	-EINTR		a signal came
 *	-EIO		the position in the ring was overwritten by another
 *			holder of the session
 *	-ENOBUFS	the session has no ring
 *	-ESRCH		the VM is gone and all events were handed out
 * Since: 1.0
 */
int wtrack_session_wait(struct wtrack_session *session, int timeout_ms);

/**
 * wtrack_session_next() - the next event
 * @session: the session
 *
 * The event is read where the kernel wrote it. It stays valid, and takes up
 * room in the ring, until wtrack_session_release() or
 * wtrack_session_resync_next(). All events of a session have one order.
 *
 * After an event of type WTRACK_EVENT_RESYNC, WTRACK_EVENT_VM_GONE is the only
 * event that is handed out before wtrack_session_resync_next() has returned 0.
 *
 * A return of 0 does not mean that all writes so far were handed out: an event
 * may be behind that of another vCPU which is not complete yet. To get all that
 * one of several vCPUs wrote before its doorbell, call wtrack_session_fence()
 * first.
 *
 * Makes no system call. Consumer thread.
 *
 * Return: the event, or NULL when there is none; why that is so,
 * wtrack_session_wait() tells.
 * Since: 1.0
 */
const struct wtrack_event *wtrack_session_next(struct wtrack_session *session);

/**
 * wtrack_session_release() - give back all events handed out so far
 * @session: the session
 *
 * The events are not valid any more, and the module may use their places
 * again. Once for a batch of events is enough.
 *
 * It includes a full memory barrier: what the caller reads from guest memory
 * afterwards is at least as new as all writes that the module did not report
 * separately because the released events were unread. A coalescing session
 * needs just that.
 *
 * Makes no system call, but one if the session has WTRACK_RING_SYNC and a vCPU
 * waits. Without a ring it does nothing. Consumer thread.
 * Since: 1.0
 */
void wtrack_session_release(struct wtrack_session *session);

/**
 * wtrack_session_get_waiters() - how many vCPUs wait for the reader?
 * @session: the session
 * @ret_waiters: where to store how many vCPUs wait for an event that is not
 *	released; 0 if the session does not have WTRACK_RING_SYNC
 * @ret_signalled: where to store in the threads of how many of them a signal is
 *	pending, or NULL
 *
 * Wakes no vCPU. This function is for debuggers: a vCPU that waits takes no
 * signal, but when it continues it takes the signal before the guest's next
 * instruction. A debugger that wants to stop a VMM exactly behind a store does
 * not release the event, sends the VMM SIGSTOP, and calls this until as many
 * vCPUs are signalled as wait: the VMM's threads tell each other. Then it
 * releases the event. If no vCPU waits any more it was too late. Any thread.
 *
 * Return: 0, or
 *	-ENOBUFS	the session has no ring
 *	-ENOTCONN	the session is not attached to a VM
 * Since: 1.0
 */
int wtrack_session_get_waiters(struct wtrack_session *session,
			       uint32_t *ret_waiters, uint32_t *ret_signalled);

/**
 * wtrack_session_fence() - wait for notifications that are under way
 * @session: the session
 * @ret_seq: where to store a sequence number
 *
 * Every write that was notified before the call is an event with at most that
 * sequence number, or is in the resync set. Any thread; also the consumer,
 * without reading the ring meanwhile.
 *
 * A doorbell needs it. When a vCPU has rung one and waits for the VMM, all its
 * earlier writes were notified. But another vCPU may be about to complete an
 * event in front of theirs or, in a coalescing session, the event that stands
 * for them as well. So a caller that traps a doorbell of one of several vCPUs
 * calls
 *
 *	wtrack_session_fence(session, &seq);
 *
 * and then wtrack_session_next(), finishing a resync on the way, until it has
 * handed out the event with that number or returns NULL: by then it has handed
 * out all that the vCPU wrote before it rang. If one of the events was of type
 * WTRACK_EVENT_RESYNC, it calls the fence once more after the resync, and
 * continues to the new number: if the ring was full again while the set was
 * fetched, what is left of the set comes with one more event of that type,
 * which may have a higher number than the first fence's.
 * wtrack_mirror_sync() does all of that. The fence can be left out only where
 * the VM has one vCPU and no memory is removed from it meanwhile.
 *
 * Return: 0, or
 *	-ENOBUFS	the session has no ring
 * Since: 1.0
 */
int wtrack_session_fence(struct wtrack_session *session, uint64_t *ret_seq);

#ifdef __cplusplus
}
#endif

#endif
