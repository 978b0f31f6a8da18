// SPDX-License-Identifier: GPL-2.0-or-later
#include "event.h"
#include "event_text.h"
#include "json.h"

static void add_who(struct json_object *obj, const struct event *event)
{
	if (event->vcpu >= 0)
		json_u64(obj, "vcpu", (uint64_t)event->vcpu);
	if (event->has_rip)
		json_hex(obj, "rip", event->rip);
}

static void add_write(struct json_object *obj, const struct event *event)
{
	json_u64(obj, "gfn", event_gfn(event));
	json_hex(obj, "gpa", event->gpa);
	json_u64(obj, "length", event->len);
	json_u64(obj, "total", event->total);
	json_flag(obj, "more", event->more);
	if (event->old_bytes)
		json_bytes(obj, "old", event->old_bytes, event->len);
	json_bytes(obj, "data", event->data, event->len);
	add_who(obj, event);
}

static void add_changed(struct json_object *obj, const struct event *event)
{
	json_u64(obj, "gfn", event_gfn(event));
	json_hex(obj, "gpa", event->gpa);
	json_u64(obj, "length", event->len);
	json_bytes(obj, "old", event->old_bytes, event->len);
	json_bytes(obj, "data", event->new_bytes, event->len);
}

static void add_state(struct json_object *obj, const struct event *event)
{
	json_u64(obj, "gfn", event_gfn(event));
	json_u64(obj, "nr_pages", event->nr_pages);
	json_string(obj, "state", event_code_name(event));
}

static void add_guard(struct json_object *obj, const struct event *event)
{
	json_u64(obj, "gfn", event_gfn(event));
	json_hex(obj, "gpa", event->gpa);
	json_string(obj, "action", event_code_name(event));
	json_string(obj, "cause", event_cause_name(event->cause));
	add_who(obj, event);
}

static void add_pages(struct json_object *obj, const struct event *event)
{
	json_u64(obj, "gfn", event_gfn(event));
	json_u64(obj, "nr_pages", event->nr_pages);
	if (event->type == EVENT_RESYNC) {
		json_u64(obj, "until_ns", event_end_ns(event));
		json_string(obj, "what", event_code_name(event));
	} else {
		json_u64(obj, "nr_tracked", event->nr_tracked);
	}
}

struct json_object *event_to_json(const struct event *event)
{
	struct json_object *obj = json_line(event_type_name(event->type));

	if (event->seq)
		json_u64(obj, "seq", event->seq);
	json_u64(obj, "time_ns", event->time_ns);
	switch (event->type) {
	case EVENT_WRITE:
		add_write(obj, event);
		break;
	case EVENT_GUARD:
		add_guard(obj, event);
		break;
	case EVENT_RESYNC:
	case EVENT_REGION_REMOVED:
	case EVENT_REGION_RETURNED:
		add_pages(obj, event);
		break;
	case EVENT_CHANGED:
		add_changed(obj, event);
		break;
	case EVENT_STATE:
		add_state(obj, event);
		break;
	case EVENT_STOPPED:
		json_string(obj, "place", event_code_name(event));
		break;
	case EVENT_STARTED:
		json_u64(obj, "tracked", event->nr_pages);
		json_u64(obj, "asked", event->nr_tracked);
		break;
	}
	return obj;
}
