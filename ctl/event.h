/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What streams are made of: the module's events, and what wtrackctl itself has
 * to tell about a stream. The numbers are those of docs/RECORDING.md.
 */
#ifndef CTL_EVENT_H
#define CTL_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wtrack_change;
struct wtrack_event;
struct wtrack_resync_range;

#define EVENT_PAGE_SHIFT	12
#define EVENT_DATA_MAX		64

enum event_type {
	EVENT_WRITE		= 1,	/* to 5 as WTRACK_EVENT_* */
	EVENT_RESYNC		= 2,
	EVENT_REGION_REMOVED	= 3,
	EVENT_VM_GONE		= 4,
	EVENT_GUARD		= 5,
	EVENT_REGION_RETURNED	= 16,
	EVENT_STARTED		= 17,
	EVENT_IDLE		= 18,
	EVENT_ENDED		= 19,
	/* Of a mirror, and in no recording. */
	EVENT_CHANGED		= 20,
	EVENT_STATE		= 21,
	/* Of wtrackctl break, and in no recording. */
	EVENT_STOPPED		= 22,
	EVENT_CONTINUED		= 23,
};

/* Where a VM was stopped. */
enum event_stop {
	/* Behind the store, before the vCPU's next instruction. */
	STOP_EXACT,
	/* The vCPU had gone on by then. */
	STOP_LATE,
	/* A change that was not seen as a store. */
	STOP_UNSEEN,
};

/**
 * struct event - one event, independent of the ring that it came from
 * @type: enum event_type, or one that is not known here
 * @seq: number in its session; 0 of what wtrackctl tells
 * @time_ns: CLOCK_MONOTONIC. RESYNC: when the ring was full
 * @until_ns: RESYNC: when these pages were fetched from the resync set, after
 *	which stores to them are events again; 0 if that is not known
 * @gpa: WRITE, GUARD, CHANGED: address. RESYNC, REGION_*, STATE: of the first page
 * @nr_pages: RESYNC (0: nothing was written), REGION_*, STATE: how many; STARTED:
 *	how many are tracked
 * @nr_tracked: REGION_*: of these, how many were tracked, or are again.
 *	STARTED: how many were asked for. ENDED: how many writes there were
 * @rip: WRITE, GUARD: instruction, if @has_rip
 * @vcpu: WRITE, GUARD: or -1
 * @total: WRITE: length of the store
 * @len: WRITE: bytes of @data. CHANGED: bytes of @old_bytes and @new_bytes
 * @code: GUARD: WTRACK_GUARD_*; RESYNC: WTRACK_RESYNC_*; ENDED: enum
 *	stream_reason; STATE: WTRACK_MIRROR_*; STOPPED: enum event_stop
 * @cause: GUARD: WTRACK_CAUSE_*
 * @has_rip: @rip is known
 * @more: WRITE: the next event has more of the same store
 * @page: WRITE, GUARD: stands for any change of the page
 * @data: WRITE: what was stored
 * @old_bytes: WRITE, CHANGED: what was there before; NULL if that is not known.
 *	Belongs to the mirror, as long as the change that the event was made of
 * @new_bytes: CHANGED: what is there now, likewise
 */
struct event {
	int type;
	uint64_t seq;
	uint64_t time_ns;
	uint64_t until_ns;
	uint64_t gpa;
	uint64_t nr_pages;
	uint64_t nr_tracked;
	uint64_t rip;
	int32_t vcpu;
	uint32_t total;
	uint32_t len;
	uint32_t code;
	uint32_t cause;
	bool has_rip;
	bool more;
	bool page;
	unsigned char data[EVENT_DATA_MAX];
	const unsigned char *old_bytes;
	const unsigned char *new_bytes;
};

void event_from_wtrack(struct event *ret, const struct wtrack_event *from);
void event_from_change(struct event *ret, const struct wtrack_change *change,
		       uint64_t now_ns);
/*
 * @ret is that of the resync, whose number and time each range gets. @until_ns:
 * now, when the range was fetched
 */
void event_set_resync_range(struct event *ret,
			    const struct wtrack_resync_range *range,
			    uint64_t until_ns);

static inline uint64_t event_gfn(const struct event *event)
{
	return event->gpa >> EVENT_PAGE_SHIFT;
}

/* When what the event tells of was over, as far as the event knows. */
static inline uint64_t event_end_ns(const struct event *event)
{
	return event->until_ns > event->time_ns ? event->until_ns :
						  event->time_ns;
}

/* From here on, or here, stores went by that are not in the stream. */
bool event_is_loss(const struct event *event);

/* Names as in JSON: never NULL, "unknown" for what is newer. */
const char *event_type_name(int type);
const char *event_code_name(const struct event *event);
const char *event_cause_name(uint32_t cause);

#endif
