/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events, as wtrack_session_next() hands them out.
 *
 * An event is valid until the session's consumer releases it; what is needed
 * longer has to be copied. The functions below only read it, cannot fail
 * unless they say so, and may be called by any thread as long as the event is
 * valid.
 *
 * Writes in parts
 * ---------------
 * One event carries at most 24 bytes (struct wtrack_info says how many). A
 * store of more comes as consecutive events, one for each part: a store of 60
 * bytes as three with 24, 24 and 12 bytes. Each part has the address of its
 * own first byte, so that treating each as a write of its own gives the right
 * memory contents. All but the last have wtrack_event_has_more(), and all tell
 * the length of the whole store in wtrack_event_get_total().
 *
 * An event never crosses a page. A store that does comes as two stores.
 *
 * The guard
 * ---------
 * KVM emulates each store to a tracked page, and does not know all that there
 * are. Before one that it does not know, or another access that it would not
 * get out of, would hang the guest, kill or corrupt it, the module disarms the
 * page: the guest keeps running, and stores to the page are not seen. Some time
 * later the page is armed again. So it is when a page is written to more often
 * than the budgets of its sessions allow. An event of type WTRACK_EVENT_GUARD
 * tells of each step, to all sessions that track the page:
 *
 *	DISARMED	from here on, stores are not seen. To learn the page's
 *			contents, read it each time, until it is REARMED
 *	REARMED		they are seen again: release the event, then re-read
 *			the page
 *	STOPPED		instead of DISARMED in a session with WTRACK_RING_STOP:
 *			the page is not tracked by it any more
 *	CHANGED		KVM made a store without telling what: release the
 *			event, then re-read the page
 *
 * Memory that comes and goes
 * --------------------------
 * A VMM removes memory from its guest and brings it back; QEMU does so many times
 * while SeaBIOS maps what is below 1 MiB. In an ordinary session the tracking of the
 * pages ends with their memory. In a session with WTRACK_RING_STICKY the pages become
 * absent: the session tracks them, and they have no memory. An event of type
 * WTRACK_EVENT_REGION_REMOVED tells of it. When there is memory again, which may be
 * other memory, the module arms the pages, and an event GUARD with
 * WTRACK_GUARD_REARMED and WTRACK_CAUSE_MEMORY tells of each of them: release the
 * event, then re-read the page. A store between the memory and the event is in what
 * is read then. A page in memory that the guest cannot store to stays absent.
 *
 * First touch
 * -----------
 * In a session with WTRACK_RING_ONCE the first event of a page since the session
 * has added it, or armed it again, has wtrack_event_is_once(): from there on the
 * page is not observed by this session, and the guest's stores to it are not slowed
 * down. The event is of type WRITE; or of type GUARD with CHANGED, or with DISARMED
 * for a store that the guard lets pass unseen, which is made right behind the event
 * or may be. There is no REARMED then: the session calls wtrack_session_rearm() when
 * it wants the page observed again, then reads it. All parts of a long write are
 * such events. Other sessions that track the page get all of their events.
 *
 * A copy of a page
 * ----------------
 * A mirror (mirror.h) keeps one that is exact, and does all that events and the
 * resync set ask for. kvm-wtrack(7), "A copy of guest memory", tells what a program
 * has to do that keeps a copy by itself, and what it cannot know: the order of
 * stores of two vCPUs to the same bytes, what happens while a page is disarmed, and
 * what no vCPU stores.
 */
#ifndef WTRACK_EVENT_H
#define WTRACK_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opaque. */
struct wtrack_event;

/* A vCPU wrote to a tracked page. */
#define WTRACK_EVENT_WRITE		1
/* The ring was full: see resync.h. */
#define WTRACK_EVENT_RESYNC		2
/*
 * Memory was removed from the guest, and with it the tracking of its pages, unless
 * the session has WTRACK_RING_STICKY.
 */
#define WTRACK_EVENT_REGION_REMOVED	3
/* The VM is gone. Nothing follows. */
#define WTRACK_EVENT_VM_GONE		4
/* Stores to a tracked page are not seen one by one: see "The guard". */
#define WTRACK_EVENT_GUARD		5
/* An administrator has ended the session. Nothing follows. */
#define WTRACK_EVENT_ENDED		6

/* What the guard did. */
#define WTRACK_GUARD_DISARMED		UINT32_C(1)
#define WTRACK_GUARD_REARMED		UINT32_C(2)
#define WTRACK_GUARD_STOPPED		UINT32_C(3)
#define WTRACK_GUARD_CHANGED		UINT32_C(4)

/* Why: nothing to tell (REARMED). */
#define WTRACK_CAUSE_NONE		UINT32_C(0)
/* A store that KVM cannot emulate. */
#define WTRACK_CAUSE_UNEMULATED		UINT32_C(1)
/* The page is part of the guest's page tables, which the processor walked. */
#define WTRACK_CAUSE_PAGE_WALK		UINT32_C(2)
/* An interrupt or exception was to be delivered. */
#define WTRACK_CAUSE_EVENT		UINT32_C(3)
/* More stores than the budgets of all sessions allow. */
#define WTRACK_CAUSE_BUDGET		UINT32_C(4)
/* A store of a guest of this guest, which KVM gets no second try at. */
#define WTRACK_CAUSE_NESTED		UINT32_C(5)
/* KVM emulated it without a notification (CHANGED). */
#define WTRACK_CAUSE_UNREPORTED		UINT32_C(6)
/* By a vCPU that is so new that the module does not know it yet. */
#define WTRACK_CAUSE_NEW_VCPU		UINT32_C(7)
/* KVM would have read an operand of the instruction here, wrongly. */
#define WTRACK_CAUSE_OPERAND		UINT32_C(8)
/* A locked store across pages, which KVM would make without the lock. */
#define WTRACK_CAUSE_SPLIT_LOCK		UINT32_C(9)
/* Any store, because a session with WTRACK_RING_NATIVE tracks the page. */
#define WTRACK_CAUSE_NATIVE		UINT32_C(10)
/* The guest found a hole here before there was memory, and KVM now maps it. */
#define WTRACK_CAUSE_HOLE		UINT32_C(11)
/* There is memory where there was none (REARMED, with WTRACK_RING_STICKY). */
#define WTRACK_CAUSE_MEMORY		UINT32_C(12)

/**
 * wtrack_event_get_type() - what happened
 * @event: the event
 *
 * Return: WTRACK_EVENT_*; skip the event when it is none that you know.
 * Since: 1.0
 */
int wtrack_event_get_type(const struct wtrack_event *event);

/**
 * wtrack_event_get_seq() - the event's sequence number
 * @event: the event
 *
 * The first event of a session has 1, each further one is higher by 1.
 *
 * Return: the sequence number.
 * Since: 1.0
 */
uint64_t wtrack_event_get_seq(const struct wtrack_event *event);

/**
 * wtrack_event_get_time_ns() - when the event was recorded
 * @event: the event
 *
 * Return: nanoseconds of the host's CLOCK_MONOTONIC.
 * Since: 1.0
 */
uint64_t wtrack_event_get_time_ns(const struct wtrack_event *event);

/**
 * wtrack_event_get_gpa() - guest physical address
 * @event: the event
 *
 * Return: WRITE: address of the first byte of the data. REGION_REMOVED:
 * address of the region's first page. GUARD: an address in the page, that of
 * the store if it is known. 0 for other types.
 * Since: 1.0
 */
uint64_t wtrack_event_get_gpa(const struct wtrack_event *event);

/**
 * wtrack_event_get_gfn() - number of the guest page
 * @event: the event
 *
 * Return: wtrack_event_get_gpa() divided by 4096.
 * Since: 1.0
 */
uint64_t wtrack_event_get_gfn(const struct wtrack_event *event);

/**
 * wtrack_event_get_data() - what was stored
 * @event: the event, of type WRITE
 *
 * Return: wtrack_event_get_len() bytes, valid as long as the event.
 * Since: 1.0
 */
const void *wtrack_event_get_data(const struct wtrack_event *event);

/**
 * wtrack_event_get_len() - how many bytes of data the event has
 * @event: the event
 *
 * Return: WRITE: bytes at wtrack_event_get_data(). 0 for other types.
 * Since: 1.0
 */
size_t wtrack_event_get_len(const struct wtrack_event *event);

/**
 * wtrack_event_get_total() - how many bytes the whole store has
 * @event: the event
 *
 * Return: WRITE: bytes of the store, more than wtrack_event_get_len() if it
 * comes in parts. 0 for other types.
 * Since: 1.0
 */
size_t wtrack_event_get_total(const struct wtrack_event *event);

/**
 * wtrack_event_has_more() - does the next event continue the same store?
 * @event: the event
 *
 * Return: true for all parts of a store but the last.
 * Since: 1.0
 */
bool wtrack_event_has_more(const struct wtrack_event *event);

/**
 * wtrack_event_is_page() - does the event stand for the whole page?
 * @event: the event
 *
 * Return: true when the event stands for one or more writes to this page, of
 * which the data are the first at most: release the event, then re-read the
 * page. So are all write events of a session with WTRACK_RING_COALESCE; guard
 * events with REARMED and CHANGED; and in any session the write event of a store
 * that was under way while the page was armed, so that memory may already hold
 * something newer than its data.
 * Since: 1.0
 */
bool wtrack_event_is_page(const struct wtrack_event *event);

/**
 * wtrack_event_has_data() - does the event have what was stored?
 * @event: the event
 *
 * Return: true for a write whose bytes are in the event. False for one of a
 * session without WTRACK_RIGHT_DATA: it has a length of 0 and the whole length as
 * its total, is one event however long it is, and wtrack_event_is_page(). False
 * for other types.
 * Since: 1.0
 */
bool wtrack_event_has_data(const struct wtrack_event *event);

/**
 * wtrack_event_is_once() - is this the last event of the page for now?
 * @event: the event
 *
 * Return: true in a session with WTRACK_RING_ONCE for an event behind which the
 * page is not observed, until wtrack_session_rearm() or wtrack_session_add() arms
 * it again.
 * Since: 1.0
 */
bool wtrack_event_is_once(const struct wtrack_event *event);

/**
 * wtrack_event_is_async() - has the guest gone on without the reader?
 * @event: the event
 *
 * Return: in a session with WTRACK_RING_SYNC, true for a write behind which the
 * vCPU does not wait until the event is released (ring.h). In other sessions, and
 * of other events, false.
 * Since: 1.0
 */
bool wtrack_event_is_async(const struct wtrack_event *event);

/**
 * wtrack_event_is_l2() - was the store made by a guest of the guest?
 * @event: the event
 *
 * Return: true for a write, or an event of the guard, of a nested guest, whose
 * hypervisor is the guest. wtrack_event_get_rip() is then that of the nested guest,
 * and the address one of the guest. The function returns false also where this is not
 * known, as for WTRACK_GUARD_CHANGED.
 * Since: 1.0
 */
bool wtrack_event_is_l2(const struct wtrack_event *event);

/**
 * wtrack_event_is_smm() - was the store made in system management mode?
 * @event: the event
 *
 * Return: true for a write, or an event of the guard, of a vCPU that was in SMM. The
 * function returns false also where this is not known, as for WTRACK_GUARD_CHANGED.
 * Since: 1.0
 */
bool wtrack_event_is_smm(const struct wtrack_event *event);

/**
 * wtrack_event_get_vcpu() - which vCPU wrote
 * @event: the event
 *
 * Return: the vCPU's id as the VMM gave it to KVM_CREATE_VCPU, which on x86 is its
 * APIC id and need not be one of the first numbers; for a guard event that of the
 * vCPU whose store it was; or
 *	-ENODATA	not known, or it was no vCPU
 * Since: 1.0
 */
int wtrack_event_get_vcpu(const struct wtrack_event *event);

/**
 * wtrack_event_get_rip() - which instruction wrote
 * @event: the event
 * @ret: where to store the guest's instruction pointer
 *
 * It is the register as it is, without the base of the code segment.
 *
 * Return: 0, or
 *	-ENODATA	not known, or it was no vCPU
 * Since: 1.0
 */
int wtrack_event_get_rip(const struct wtrack_event *event, uint64_t *ret);

/**
 * wtrack_event_get_nr_pages() - size of the removed memory
 * @event: the event
 *
 * Return: REGION_REMOVED: pages in the region. 0 for other types.
 * Since: 1.0
 */
uint64_t wtrack_event_get_nr_pages(const struct wtrack_event *event);

/**
 * wtrack_event_get_nr_tracked() - how much tracking ended with the memory
 * @event: the event
 *
 * Return: REGION_REMOVED: pages in the region that this session tracked. 0 for
 * other types.
 * Since: 1.0
 */
uint64_t wtrack_event_get_nr_tracked(const struct wtrack_event *event);

/**
 * wtrack_event_get_action() - what the guard did
 * @event: the event
 *
 * Return: GUARD: WTRACK_GUARD_*; for one that you do not know, re-read the page
 * as after WTRACK_GUARD_CHANGED. 0 for other types.
 * Since: 1.0
 */
uint32_t wtrack_event_get_action(const struct wtrack_event *event);

/**
 * wtrack_event_get_cause() - why the guard did it
 * @event: the event
 *
 * Return: GUARD: WTRACK_CAUSE_*, or one that you do not know. WTRACK_CAUSE_NONE
 * for other types.
 * Since: 1.0
 */
uint32_t wtrack_event_get_cause(const struct wtrack_event *event);

#ifdef __cplusplus
}
#endif

#endif
