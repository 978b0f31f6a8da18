// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries for events. */
#include <inttypes.h>
#include <stdio.h>
#include <syslog.h>

#include "message-ids.h"
#include "watch_log.h"
#include "watch_log_internal.h"

void watch_log_begin(struct journal_entry *entry,
		     const struct watch_origin *origin, int priority,
		     const char *id, const char *text)
{
	const char *name = origin->vm_name;

	journal_begin(entry, priority, id, "watch %s: VM %d%s%s%s: %s",
		      origin->watch, origin->vm_pid, *name ? " (" : "", name,
		      *name ? ")" : "", text);
	journal_add(entry, "WTRACK_WATCH", "%s", origin->watch);
	journal_add(entry, "WTRACK_VM_PID", "%d", origin->vm_pid);
	journal_add(entry, "WTRACK_VM_NAME", "%s", name);
	journal_add(entry, "WTRACK_SESSION", "%" PRIu64, origin->session_id);
}

static void add_event(struct journal_entry *entry,
		      const struct wtrack_event *event)
{
	journal_add(entry, "WTRACK_SEQ", "%" PRIu64,
		    wtrack_event_get_seq(event));
	journal_add(entry, "WTRACK_TIME_NS", "%" PRIu64,
		    wtrack_event_get_time_ns(event));
}

static void add_place(struct journal_entry *entry,
		      const struct wtrack_event *event)
{
	int vcpu = wtrack_event_get_vcpu(event);
	uint64_t rip;

	journal_add(entry, "WTRACK_GFN", "0x%" PRIx64,
		    wtrack_event_get_gfn(event));
	journal_add(entry, "WTRACK_GPA", "0x%" PRIx64,
		    wtrack_event_get_gpa(event));
	if (vcpu >= 0)
		journal_add(entry, "WTRACK_VCPU", "%d", vcpu);
	if (!wtrack_event_get_rip(event, &rip))
		journal_add(entry, "WTRACK_RIP", "0x%" PRIx64, rip);
}

void watch_log_write(struct journal_entry *entry,
		     const struct watch_origin *origin,
		     const struct wtrack_event *event)
{
	size_t length = wtrack_event_get_len(event);
	char text[96];

	snprintf(text, sizeof(text), "%zu byte%s written to 0x%" PRIx64,
		 length, length == 1 ? "" : "s", wtrack_event_get_gpa(event));
	watch_log_begin(entry, origin, LOG_INFO, MESSAGE_WATCH_WRITE, text);
	add_event(entry, event);
	add_place(entry, event);
	journal_add(entry, "WTRACK_LENGTH", "%zu", length);
	journal_add(entry, "WTRACK_TOTAL", "%zu",
		    wtrack_event_get_total(event));
	journal_add_hex(entry, "WTRACK_DATA", wtrack_event_get_data(event),
			length);
}

static const char *action_name(uint32_t action)
{
	switch (action) {
	case WTRACK_GUARD_DISARMED:
		return "disarmed";
	case WTRACK_GUARD_REARMED:
		return "rearmed";
	case WTRACK_GUARD_STOPPED:
		return "stopped";
	default:
		/* Others are to be treated like this one. */
		return "changed";
	}
}

static const char *action_text(uint32_t action)
{
	switch (action) {
	case WTRACK_GUARD_DISARMED:
		return "is not observed now";
	case WTRACK_GUARD_REARMED:
		return "is observed again and may have changed";
	case WTRACK_GUARD_STOPPED:
		return "is not observed any more";
	default:
		return "was written to in a way that shows no data";
	}
}

static const char *cause_name(uint32_t cause)
{
	static const char *const names[] = {
		[WTRACK_CAUSE_NONE] = "none",
		[WTRACK_CAUSE_UNEMULATED] = "unemulated",
		[WTRACK_CAUSE_PAGE_WALK] = "page-walk",
		[WTRACK_CAUSE_EVENT] = "event",
		[WTRACK_CAUSE_BUDGET] = "budget",
		[WTRACK_CAUSE_NESTED] = "nested",
		[WTRACK_CAUSE_UNREPORTED] = "unreported",
		[WTRACK_CAUSE_NEW_VCPU] = "new-vcpu",
		[WTRACK_CAUSE_OPERAND] = "operand",
		[WTRACK_CAUSE_SPLIT_LOCK] = "split-lock",
		[WTRACK_CAUSE_NATIVE] = "native",
		[WTRACK_CAUSE_HOLE] = "hole",
		[WTRACK_CAUSE_MEMORY] = "memory",
	};

	if (cause < sizeof(names) / sizeof(names[0]))
		return names[cause];
	return "unknown";
}

void watch_log_guard(struct journal_entry *entry,
		     const struct watch_origin *origin,
		     const struct wtrack_event *event)
{
	uint32_t action = wtrack_event_get_action(event);
	uint32_t cause = wtrack_event_get_cause(event);
	char text[128];

	snprintf(text, sizeof(text), "page 0x%" PRIx64 " %s%s%s%s",
		 wtrack_event_get_gfn(event), action_text(action),
		 cause ? " (" : "", cause ? cause_name(cause) : "",
		 cause ? ")" : "");
	watch_log_begin(entry, origin, LOG_NOTICE, MESSAGE_WATCH_GUARD, text);
	add_event(entry, event);
	add_place(entry, event);
	journal_add(entry, "WTRACK_ACTION", "%s", action_name(action));
	journal_add(entry, "WTRACK_CAUSE", "%s", cause_name(cause));
}

void watch_log_overflow(struct journal_entry *entry,
			const struct watch_origin *origin,
			const struct wtrack_event *event)
{
	watch_log_begin(entry, origin, LOG_WARNING, MESSAGE_WATCH_OVERFLOW,
			"more writes than the ring holds; which pages they "
			"were to follows");
	add_event(entry, event);
}

void watch_log_removed(struct journal_entry *entry,
		       const struct watch_origin *origin,
		       const struct wtrack_event *event)
{
	uint64_t tracked = wtrack_event_get_nr_tracked(event);
	uint64_t pages = wtrack_event_get_nr_pages(event);
	char text[160];

	snprintf(text, sizeof(text),
		 "memory at page 0x%" PRIx64 "+%" PRIu64 " was removed, "
		 "and with it %" PRIu64 " tracked page%s",
		 wtrack_event_get_gfn(event), pages, tracked,
		 tracked == 1 ? "" : "s");
	watch_log_begin(entry, origin, LOG_WARNING, MESSAGE_WATCH_REMOVED,
			text);
	add_event(entry, event);
	journal_add(entry, "WTRACK_GFN", "0x%" PRIx64,
		    wtrack_event_get_gfn(event));
	journal_add(entry, "WTRACK_NR_PAGES", "%" PRIu64, pages);
	journal_add(entry, "WTRACK_NR_TRACKED", "%" PRIu64, tracked);
}
