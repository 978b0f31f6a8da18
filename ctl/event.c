// SPDX-License-Identifier: GPL-2.0-or-later
/* Events, copied out of the ring; their names. */
#include <string.h>

#include <wtrack/wtrack.h>

#include "event.h"
#include "stream.h"

#define SAME(a, b) _Static_assert((int)(a) == (b), #a " is not " #b)
SAME(EVENT_WRITE, WTRACK_EVENT_WRITE);
SAME(EVENT_RESYNC, WTRACK_EVENT_RESYNC);
SAME(EVENT_REGION_REMOVED, WTRACK_EVENT_REGION_REMOVED);
SAME(EVENT_VM_GONE, WTRACK_EVENT_VM_GONE);
SAME(EVENT_GUARD, WTRACK_EVENT_GUARD);

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

static void copy_write(struct event *ret, const struct wtrack_event *from)
{
	size_t len = wtrack_event_get_len(from);

	ret->total = (uint32_t)wtrack_event_get_total(from);
	ret->len = len < sizeof(ret->data) ? (uint32_t)len : EVENT_DATA_MAX;
	memcpy(ret->data, wtrack_event_get_data(from), ret->len);
}

void event_from_wtrack(struct event *ret, const struct wtrack_event *from)
{
	int vcpu = wtrack_event_get_vcpu(from);

	*ret = (struct event) {
		.type = wtrack_event_get_type(from),
		.seq = wtrack_event_get_seq(from),
		.time_ns = wtrack_event_get_time_ns(from),
		.gpa = wtrack_event_get_gpa(from),
		.nr_pages = wtrack_event_get_nr_pages(from),
		.nr_tracked = wtrack_event_get_nr_tracked(from),
		.vcpu = vcpu < 0 ? -1 : vcpu,
		.code = wtrack_event_get_action(from),
		.cause = wtrack_event_get_cause(from),
		.more = wtrack_event_has_more(from),
		.page = wtrack_event_is_page(from),
	};
	ret->has_rip = !wtrack_event_get_rip(from, &ret->rip);
	if (ret->type == EVENT_WRITE)
		copy_write(ret, from);
}

/* The store itself, in as far as this change is of it. */
static void set_write(struct event *ret, const struct wtrack_change *change)
{
	uint32_t len = change->len < EVENT_DATA_MAX ? (uint32_t)change->len :
						      EVENT_DATA_MAX;

	event_from_wtrack(ret, change->event);
	ret->gpa = change->gpa;
	ret->len = len;
	memcpy(ret->data, change->new_bytes, len);
	ret->old_bytes = change->old_bytes;
}

void event_from_change(struct event *ret, const struct wtrack_change *change,
		       uint64_t now_ns)
{
	if (change->what == WTRACK_CHANGED_WRITE) {
		set_write(ret, change);
		return;
	}
	*ret = (struct event) {
		.type = EVENT_CHANGED,
		.time_ns = now_ns,
		.gpa = change->gpa,
		.vcpu = -1,
	};
	if (change->what == WTRACK_CHANGED_STATE) {
		ret->type = EVENT_STATE;
		ret->nr_pages = change->len >> EVENT_PAGE_SHIFT;
		ret->code = change->state;
	} else {
		ret->len = (uint32_t)change->len;
		ret->old_bytes = change->old_bytes;
		ret->new_bytes = change->new_bytes;
	}
}

void event_set_resync_range(struct event *ret,
			    const struct wtrack_resync_range *range,
			    uint64_t until_ns)
{
	ret->until_ns = until_ns;
	ret->gpa = range->gfn << EVENT_PAGE_SHIFT;
	ret->nr_pages = range->nr_pages;
	ret->code = range->what;
}

/*
 * Memory that is taken away is no loss: nobody can write to it. That it is
 * back is noticed only a little after it can be written to.
 */
bool event_is_loss(const struct event *event)
{
	switch (event->type) {
	case EVENT_RESYNC:
	case EVENT_REGION_RETURNED:
	case EVENT_CHANGED:
		return true;
	case EVENT_STATE:
		return event->code == WTRACK_MIRROR_DISARMED ||
		       event->code == WTRACK_MIRROR_REMOVED;
	case EVENT_GUARD:
		return event->code != WTRACK_GUARD_REARMED;
	default:
		return false;
	}
}

const char *event_type_name(int type)
{
	switch (type) {
	case EVENT_WRITE:		return "write";
	case EVENT_RESYNC:		return "resync";
	case EVENT_REGION_REMOVED:	return "region_removed";
	case EVENT_VM_GONE:		return "vm_gone";
	case EVENT_GUARD:		return "guard";
	case EVENT_REGION_RETURNED:	return "region_returned";
	case EVENT_STARTED:		return "started";
	case EVENT_IDLE:		return "idle";
	case EVENT_ENDED:		return "ended";
	case EVENT_CHANGED:		return "changed";
	case EVENT_STATE:		return "state";
	case EVENT_STOPPED:		return "stopped";
	case EVENT_CONTINUED:		return "continued";
	default:			return "unknown";
	}
}

static const char *name_of(const char *const *names, size_t nr, uint32_t which)
{
	return which < nr && names[which] ? names[which] : "unknown";
}

const char *event_code_name(const struct event *event)
{
	static const char *const guard[] = {
		[WTRACK_GUARD_DISARMED] = "disarmed",
		[WTRACK_GUARD_REARMED] = "rearmed",
		[WTRACK_GUARD_STOPPED] = "stopped",
		[WTRACK_GUARD_CHANGED] = "changed",
	};
	static const char *const resync[] = {
		[WTRACK_RESYNC_REREAD] = "reread",
		[WTRACK_RESYNC_REMOVED] = "removed",
		[WTRACK_RESYNC_DISARMED] = "disarmed",
		[WTRACK_RESYNC_ABSENT] = "absent",
	};
	static const char *const end[] = {
		[STREAM_COUNT] = "count",
		[STREAM_TIMEOUT] = "timeout",
		[STREAM_SIGNAL] = "signal",
		[STREAM_VM_GONE] = "vm_gone",
		[STREAM_ERROR] = "error",
	};
	static const char *const states[] = {
		[WTRACK_MIRROR_LIVE] = "live",
		[WTRACK_MIRROR_DISARMED] = "disarmed",
		[WTRACK_MIRROR_ABSENT] = "absent",
		[WTRACK_MIRROR_REMOVED] = "removed",
	};
	static const char *const stops[] = {
		[STOP_EXACT] = "exact",
		[STOP_LATE] = "late",
		[STOP_UNSEEN] = "unseen",
	};

	switch (event->type) {
	case EVENT_GUARD:
		return name_of(guard, ARRAY_SIZE(guard), event->code);
	case EVENT_RESYNC:
		return name_of(resync, ARRAY_SIZE(resync), event->code);
	case EVENT_ENDED:
		return name_of(end, ARRAY_SIZE(end), event->code);
	case EVENT_STATE:
		return name_of(states, ARRAY_SIZE(states), event->code);
	case EVENT_STOPPED:
		return name_of(stops, ARRAY_SIZE(stops), event->code);
	default:
		return "unknown";
	}
}

const char *event_cause_name(uint32_t cause)
{
	static const char *const causes[] = {
		[WTRACK_CAUSE_NONE] = "none",
		[WTRACK_CAUSE_UNEMULATED] = "unemulated",
		[WTRACK_CAUSE_PAGE_WALK] = "page_walk",
		[WTRACK_CAUSE_EVENT] = "event",
		[WTRACK_CAUSE_BUDGET] = "budget",
		[WTRACK_CAUSE_NESTED] = "nested",
		[WTRACK_CAUSE_UNREPORTED] = "unreported",
		[WTRACK_CAUSE_NEW_VCPU] = "new_vcpu",
		[WTRACK_CAUSE_OPERAND] = "operand",
		[WTRACK_CAUSE_SPLIT_LOCK] = "split-lock",
		[WTRACK_CAUSE_NATIVE] = "native",
		[WTRACK_CAUSE_HOLE] = "hole",
		[WTRACK_CAUSE_MEMORY] = "memory",
	};

	return name_of(causes, ARRAY_SIZE(causes), cause);
}
