// SPDX-License-Identifier: GPL-2.0-or-later
/* A report for programs. */
#include <stdlib.h>

#include <wtrack/event.h>

#include "event.h"
#include "json.h"
#include "ranges.h"
#include "recording.h"
#include "report.h"

static struct json_object *add_object(struct json_object *obj, const char *key)
{
	struct json_object *child = json_object_new_object();

	json_object_object_add(obj, key, child);
	return child;
}

static void add_meta(struct json_object *obj, const struct rec_meta *meta)
{
	struct json_object *child = add_object(obj, "recording");
	struct json_object *ranges, *range;
	size_t i;

	json_string(child, "program", meta->program);
	json_string(child, "kernel", meta->kernel);
	json_string(child, "host", meta->host);
	json_string(child, "vm_name", meta->vm_name);
	json_u64(child, "vm_pid", (uint64_t)meta->vm_pid);
	json_u64(child, "monotonic_ns", meta->mono_ns);
	json_u64(child, "realtime_ns", meta->real_ns);
	json_u64(child, "budget", meta->budget);
	json_u64(child, "budget_period_ms", meta->period_ms);
	ranges = json_array(child, "ranges");
	for (i = 0; i < meta->nr_ranges; i++) {
		range = json_object_new_object();
		json_u64(range, "gfn", meta->ranges[i].gfn);
		json_u64(range, "nr_pages", meta->ranges[i].nr_pages);
		json_object_array_add(ranges, range);
	}
}

static uint64_t since(const struct report *report, uint64_t ns)
{
	return ns > report->start_ns ? ns - report->start_ns : 0;
}

/* The busiest keys of a tally; times count from the start. */
static void add_tally(struct json_object *obj, const char *name,
		      const struct report *report, const struct tally *tally,
		      size_t top)
{
	struct json_object *array = json_array(obj, name), *item;
	struct tally_entry **list;
	size_t nr, i;

	list = tally_sorted(tally, TALLY_BY_COUNT, top, &nr);
	for (i = 0; i < nr; i++) {
		item = json_object_new_object();
		if (tally == &report->pages)
			json_u64(item, "gfn", list[i]->key);
		else if (tally == &report->vcpus)
			json_u64(item, "vcpu", list[i]->key);
		else
			json_hex(item, "rip", list[i]->key);
		json_u64(item, "writes", list[i]->count);
		json_u64(item, "bytes", list[i]->bytes);
		json_u64(item, "first_ns", since(report, list[i]->first_ns));
		json_u64(item, "last_ns", since(report, list[i]->last_ns));
		if (tally == &report->pages) {
			json_u64(item, "gaps", list[i]->losses);
			json_u64(item, "unseen_ns", list[i]->unseen_ns);
		}
		json_object_array_add(array, item);
	}
	free(list);
}

static void add_lengths(struct json_object *obj, const struct report *report)
{
	struct json_object *child = add_object(obj, "lengths");
	int i;

	for (i = 0; i < NR_LENS; i++)
		json_u64(child, report_len_names[i], report->lens[i]);
}

static void add_timeline(struct json_object *obj, const struct report *report)
{
	struct json_object *child = add_object(obj, "timeline"), *writes;
	size_t i;

	json_u64(child, "bin_ns", report->timeline.width_ns);
	writes = json_array(child, "writes");
	for (i = 0; i < report->timeline.nr; i++)
		json_object_array_add(writes,
			json_object_new_uint64(report->timeline.bins[i]));
}

static void add_gaps(struct json_object *obj, const struct report *report)
{
	struct json_object *array = json_array(obj, "gaps"), *item;
	size_t i;

	for (i = 0; i < report->nr_gaps; i++) {
		const struct gap *gap = &report->gaps[i];
		struct event event = { .type = gap->type, .code = gap->code };

		item = json_object_new_object();
		json_string(item, "type", event_type_name(gap->type));
		json_u64(item, "gfn", gap->gfn);
		json_u64(item, "nr_pages", gap->nr_pages);
		json_u64(item, "start_ns", since(report, gap->start_ns));
		json_u64(item, "end_ns", since(report, gap->end_ns));
		json_flag(item, "open", gap->open);
		if (gap->type != EVENT_REGION_REMOVED)
			json_string(item, "what", event_code_name(&event));
		if (gap->type == EVENT_GUARD)
			json_string(item, "cause",
				    event_cause_name(gap->cause));
		json_object_array_add(array, item);
	}
}

static void add_losses(struct json_object *obj, const struct report *report)
{
	struct json_object *child = add_object(obj, "losses");

	json_flag(child, "any", report_has_losses(report));
	json_u64(child, "overflows", report->overflows);
	json_u64(child, "disarmed", report->guard[WTRACK_GUARD_DISARMED]);
	json_u64(child, "rearmed", report->guard[WTRACK_GUARD_REARMED]);
	json_u64(child, "stopped", report->guard[WTRACK_GUARD_STOPPED]);
	json_u64(child, "changed", report->guard[WTRACK_GUARD_CHANGED]);
	json_u64(child, "regions_removed", report->regions_removed);
	json_u64(child, "regions_returned", report->regions_returned);
	json_u64(child, "missing_events", report->missing);
	json_u64(child, "gaps", report->nr_all_gaps);
}

static void add_damage(struct json_object *obj, const struct rec_damage *damage)
{
	struct json_object *child = add_object(obj, "damage");

	json_u64(child, "bytes", damage->bytes);
	json_u64(child, "blocks", damage->blocks);
	json_u64(child, "events", damage->events);
}

void report_to_json(struct json_object *obj, const struct report *report,
		    const struct rec_meta *meta,
		    const struct rec_damage *damage, size_t top)
{
	struct event end = { .type = EVENT_ENDED, .code = report->end_code };

	add_meta(obj, meta);
	json_u64(obj, "duration_ns", report->end_ns - report->start_ns);
	json_flag(obj, "complete", report->ended);
	if (report->ended)
		json_string(obj, "ended", event_code_name(&end));
	json_flag(obj, "vm_gone", report->vm_gone);
	json_u64(obj, "pages_tracked",
		 ranges_pages(meta->ranges, meta->nr_ranges));
	json_u64(obj, "pages_written", report_pages_written(report));
	json_u64(obj, "events", report->events);
	json_u64(obj, "writes", report->writes);
	json_u64(obj, "bytes", report->bytes);
	add_tally(obj, "pages", report, &report->pages, top);
	add_tally(obj, "instructions", report, &report->rips, top);
	add_tally(obj, "vcpus", report, &report->vcpus, REPORT_VCPUS);
	add_lengths(obj, report);
	add_timeline(obj, report);
	add_losses(obj, report);
	add_gaps(obj, report);
	add_damage(obj, damage);
}
