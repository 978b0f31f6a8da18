// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes as they happen, a line or an object for each. */
#include <stdio.h>
#include <time.h>

#include <wtrack/status.h>

#include "command.h"
#include "event.h"
#include "event_text.h"
#include "filter.h"
#include "follow.h"
#include "json.h"

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
static void add_start(const struct follow *follow, struct json_object *obj)
{
	const struct args *args = &follow->ctl->args;
	struct json_object *ranges, *range;
	struct wtrack_status status;
	size_t i;

	json_u64(obj, "realtime_ns", realtime_ns());
	if (!wtrack_session_get_status(follow->session, &status,
				       sizeof(status))) {
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

static void print_json(struct follow *follow, const struct event *event)
{
	struct json_object *obj = event_to_json(event);

	if (event->type == EVENT_STARTED)
		add_start(follow, obj);
	json_print(follow->ctl, obj);
}

static void print_text(struct follow *follow, const struct event *event)
{
	const struct monitor *monitor = follow->userdata;

	event_print(stdout, event, follow->stream.started_ns);
	if (monitor->hexdump && event->type == EVENT_WRITE)
		event_print_hexdump(stdout, event);
}

static void on_event(struct follow *follow, const struct event *event)
{
	struct monitor *monitor = follow->userdata;

	if (!filter_match(&monitor->filter, event))
		return;
	if (follow->ctl->json != JSON_OFF)
		print_json(follow, event);
	else if (!follow->ctl->quiet || event->type == EVENT_WRITE ||
		 event_is_loss(event))
		print_text(follow, event);
	if (event->type == EVENT_WRITE)
		stream_count(&follow->stream);
}

static int read_options(struct monitor *monitor)
{
	const struct args *args = &monitor->ctl->args;
	const char *length = args_string(args, "length", NULL);
	const char *value = args_string(args, "value", NULL);

	filter_init(&monitor->filter);
	filter_set_spans(&monitor->filter, args);
	monitor->hexdump = args_has(args, "hexdump");
	if (length && filter_set_length(&monitor->filter, length))
		return ctl_fail(monitor->ctl, EXIT_USAGE, "--length=%s: not a "
				"length; examples are 8 and 1-4", length);
	if (value && filter_set_value(&monitor->filter, value))
		return ctl_fail(monitor->ctl, EXIT_USAGE, "--value=%s: not a "
				"value; examples are 0x12, 0x1200/0xff00 and "
				"de:ad:??:ef", value);
	return 0;
}

static void print_end(struct follow *follow)
{
	struct event event = {
		.type = EVENT_ENDED,
		.time_ns = stream_now_ns(),
		.nr_tracked = follow->stream.counted,
		.code = follow->stream.reason,
	};

	if (follow->ctl->json == JSON_OFF && !follow->ctl->quiet)
		print_text(follow, &event);
}

static int run(struct ctl *ctl)
{
	struct monitor monitor = { .ctl = ctl };
	struct follow follow = {
		.on_event = on_event,
		.userdata = &monitor,
		.idle_ns = args_number(&ctl->args, "idle", 1000000000),
	};
	int r = read_options(&monitor);

	if (!r)
		r = follow_open(&follow, ctl, 0);
	if (!r) {
		if (ctl->json == JSON_OFF && ctl->legend)
			event_print_heading(stdout);
		follow.stream.output_only = true;
		follow_run(&follow);
		print_end(&follow);
		r = stream_end(&follow.stream, NULL);
		follow_close(&follow);
	}
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
	{ .name = "idle", .type = ARG_SECONDS, .metavar = "SEC",
	  .max = ARG_MAX_NS,
	  .summary = "say when there was no write for so long (1)" },
	OPTION_BUDGET,
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
