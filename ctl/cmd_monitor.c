// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writes as they happen, a line or an object for each. With --diff, what they
 * changed.
 */
#include <stdio.h>
#include <time.h>

#include <wtrack/wtrack.h>

#include "command.h"
#include "diff.h"
#include "event.h"
#include "event_text.h"
#include "filter.h"
#include "follow.h"
#include "json.h"
#include "ranges.h"

struct monitor {
	struct ctl *ctl;
	struct filter filter;
	bool hexdump;
};

static uint64_t realtime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* So that a program can tell the time of day of each event. */
static void add_start(const struct ctl *ctl, struct wtrack_session *session,
		      struct json_object *obj)
{
	const struct args *args = &ctl->args;
	struct json_object *ranges, *range;
	struct wtrack_status status;
	size_t i;

	json_u64(obj, "realtime_ns", realtime_ns());
	if (!wtrack_session_get_status(session, &status, sizeof(status))) {
		json_u64(obj, "session", status.session_id);
		json_u64(obj, "vm_pid", (uint64_t)status.vm_pid);
	}
	ranges = json_array(obj, "ranges");
	for (i = 0; i < args->nr_ranges; i++) {
		range = json_object_new_object();
		json_u64(range, "gfn", args->ranges[i].gfn);
		json_u64(range, "nr_pages", args->ranges[i].nr_pages);
		json_object_array_add(ranges, range);
	}
}

static void print_json(const struct ctl *ctl, struct wtrack_session *session,
		       const struct event *event)
{
	struct json_object *obj = event_to_json(event);

	if (event->type == EVENT_STARTED)
		add_start(ctl, session, obj);
	json_print(ctl, obj);
}

static void print_text(const struct monitor *monitor, const struct event *event,
		       uint64_t started_ns)
{
	event_print(stdout, event, started_ns);
	if (monitor->hexdump && event->type == EVENT_WRITE)
		event_print_hexdump(stdout, event);
}

static bool is_write(const struct event *event)
{
	return event->type == EVENT_WRITE || event->type == EVENT_CHANGED;
}

/* In either kind of stream. */
static void show(struct monitor *monitor, struct stream *stream,
		 struct wtrack_session *session, const struct event *event)
{
	const struct ctl *ctl = monitor->ctl;

	if (!filter_match(&monitor->filter, event))
		return;
	if (ctl->json != JSON_OFF)
		print_json(ctl, session, event);
	else if (!ctl->quiet || is_write(event) || event_is_loss(event))
		print_text(monitor, event, stream->started_ns);
	if (is_write(event))
		stream_count(stream);
}

static void on_event(struct follow *follow, const struct event *event)
{
	show(follow->userdata, &follow->stream, follow->session, event);
}

static void on_change(struct diff *diff, const struct wtrack_change *change)
{
	struct event event;

	event_from_change(&event, change, stream_now_ns());
	if (event_is_loss(&event))
		diff->stream.losses++;
	show(diff->userdata, &diff->stream, diff->session, &event);
}

static int read_options(struct monitor *monitor)
{
	const struct args *args = &monitor->ctl->args;
	const char *length = args_string(args, "length", NULL);
	const char *value = args_string(args, "value", NULL);

	filter_init(&monitor->filter);
	filter_set_spans(&monitor->filter, args);
	monitor->hexdump = args_has(args, "hexdump");
	if (args_has(args, "diff") && args_has(args, "idle"))
		return ctl_fail(monitor->ctl, EXIT_USAGE, "--idle is not for "
				"--diff; leave one of them out");
	if (length && filter_set_length(&monitor->filter, length))
		return ctl_fail(monitor->ctl, EXIT_USAGE, "--length=%s: not a "
				"length; examples are 8 and 1-4", length);
	if (value && filter_set_value(&monitor->filter, value))
		return ctl_fail(monitor->ctl, EXIT_USAGE, "--value=%s: not a "
				"value; examples are 0x12, 0x1200/0xff00 and "
				"de:ad:??:ef", value);
	return 0;
}

static void print_end(const struct monitor *monitor, const struct stream *stream)
{
	const struct event event = {
		.type = EVENT_ENDED,
		.time_ns = stream_now_ns(),
		.nr_tracked = stream->counted,
		.code = stream->reason,
	};

	if (monitor->ctl->json == JSON_OFF && !monitor->ctl->quiet)
		print_text(monitor, &event, stream->started_ns);
}

static void print_heading(const struct ctl *ctl)
{
	if (ctl->json == JSON_OFF && ctl->legend)
		event_print_heading(stdout);
}

static int monitor_events(struct monitor *monitor, unsigned int ring_flags)
{
	struct ctl *ctl = monitor->ctl;
	struct follow follow = {
		.on_event = on_event,
		.userdata = monitor,
		.idle_ns = args_number(&ctl->args, "idle", 1000000000),
	};
	int r = follow_open(&follow, ctl, ring_flags);

	if (r)
		return r;
	print_heading(ctl);
	follow.stream.output_only = true;
	follow_run(&follow);
	print_end(monitor, &follow.stream);
	r = stream_end(&follow.stream, NULL);
	follow_close(&follow);
	return r;
}

static void start_diff(struct diff *diff)
{
	const struct args *args = &diff->ctl->args;
	struct wtrack_mirror_status status;
	struct event event = {
		.type = EVENT_STARTED,
		.time_ns = diff->stream.started_ns,
		.nr_tracked = ranges_pages(args->ranges, args->nr_ranges),
		.vcpu = -1,
	};

	if (!wtrack_mirror_get_status(diff->mirror, &status, sizeof(status)))
		event.nr_pages = status.pages - status.absent - status.removed;
	show(diff->userdata, &diff->stream, diff->session, &event);
}

static int monitor_changes(struct monitor *monitor, unsigned int ring_flags)
{
	struct diff diff = { .on_change = on_change, .userdata = monitor };
	int r = diff_open(&diff, monitor->ctl, ring_flags);

	if (r)
		return r;
	print_heading(monitor->ctl);
	diff.stream.output_only = true;
	start_diff(&diff);
	diff_run(&diff);
	print_end(monitor, &diff.stream);
	r = stream_end(&diff.stream, NULL);
	diff_close(&diff);
	return r;
}

static int run(struct ctl *ctl)
{
	struct monitor monitor = { .ctl = ctl };
	unsigned int ring_flags = args_has(&ctl->args, "once") ?
		WTRACK_RING_ONCE : 0;
	int r = read_options(&monitor);

	if (!r)
		r = args_has(&ctl->args, "diff") ?
			monitor_changes(&monitor, ring_flags) :
			monitor_events(&monitor, ring_flags);
	filter_done(&monitor.filter);
	return r;
}

static const struct option_spec options[] = {
	OPTION_VM,
	OPTION_GFN,
	OPTION_GPA,
	{ .name = "length", .type = ARG_STRING, .metavar = "LENGTH",
	  .summary = "show writes of this length: 8, 1-4" },
	{ .name = "value", .type = ARG_STRING, .metavar = "VALUE",
	  .summary = "show writes of 0x12, 0x1200/0xff00 or de:ad:??:ef" },
	{ .name = "hexdump", .letter = 'x',
	  .summary = "show data as characters, too" },
	{ .name = "diff",
	  .summary = "show the bytes of before, and changes that were not seen" },
	{ .name = "once",
	  .summary = "show only the first write to each page" },
	{ .name = "idle", .type = ARG_SECONDS, .metavar = "SEC",
	  .max = ARG_MAX_NS,
	  .summary = "say when there was no write for so long (1)" },
	OPTION_BUDGET,
	OPTION_FULL,
	OPTION_RECORDS,
	{ 0 }
};

const struct command command_monitor = {
	.name = "monitor",
	.arguments = "[VM]",
	.summary = "Show writes of a guest as they happen",
	.options = options,
	.type = ARG_VM,
	.max_args = 1,
	.flags = COMMAND_STREAM | COMMAND_NEEDS_VM,
	.run = run,
};
