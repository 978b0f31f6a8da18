// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes into a file, for `wtrackctl report`. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "event.h"
#include "event_text.h"
#include "follow.h"
#include "json.h"
#include "rec_start.h"
#include "recording.h"
#include "output.h"
#include "text.h"
#include "units.h"

/* What is written reaches the file within a second. */
#define TICK_NS		UINT64_C(500000000)
/* How often a quiet time is noted, to know how long it was. */
#define QUIET_NS	UINT64_C(10000000000)

struct record {
	const char *path;
	struct rec_writer *writer;
	uint64_t noted_ns;		/* time of the last event */
	uint64_t shown_ns;
	bool progress;			/* is a line on the terminal */
};

static void fail(struct follow *follow, int err)
{
	const struct record *record = follow->userdata;

	stream_stop(&follow->stream, STREAM_ERROR,
		    ctl_fail(follow->ctl, EXIT_FAILED, "%s: %s; what was "
			     "recorded before can be read", record->path,
			     strerror(-err)));
}

static void put(struct follow *follow, const struct event *event)
{
	struct record *record = follow->userdata;
	int r = rec_writer_add(record->writer, event);

	record->noted_ns = event->time_ns;
	if (r < 0)
		fail(follow, r);
}

static void on_event(struct follow *follow, const struct event *event)
{
	put(follow, event);
	if (event->type == EVENT_WRITE)
		stream_count(&follow->stream);
	else if (event->type == EVENT_STARTED &&
		 follow->ctl->json != JSON_OFF)
		json_print(follow->ctl, event_to_json(event));
}

static void add_totals(const struct follow *follow, struct json_object *obj)
{
	const struct record *record = follow->userdata;

	json_string(obj, "file", record->path);
	json_u64(obj, "file_bytes", rec_writer_get_bytes(record->writer));
}

static void show_json(const struct follow *follow)
{
	struct json_object *obj = json_line("progress");

	json_u64(obj, "time_ns", stream_now_ns());
	json_u64(obj, "count", follow->stream.counted);
	json_u64(obj, "losses", follow->stream.losses);
	add_totals(follow, obj);
	json_print(follow->ctl, obj);
}

static void show_text(const struct follow *follow)
{
	const struct record *record = follow->userdata;
	uint64_t ns = stream_now_ns() - follow->stream.started_ns;
	char time[UNITS_SIZE], writes[UNITS_SIZE], losses[UNITS_SIZE];
	char bytes[16], *path = text_escape(record->path);

	fprintf(stderr, "%s%s: %s writes in %s, %s losses, %s%s",
		record->progress ? "\r" : "", path,
		units_exact(follow->stream.counted, writes),
		units_time(ns, time),
		units_exact(follow->stream.losses, losses),
		text_bytes(rec_writer_get_bytes(record->writer), bytes,
			   sizeof(bytes)),
		record->progress ? "\033[K" : "");
	free(path);
}

static void show_progress(struct follow *follow, uint64_t now)
{
	struct record *record = follow->userdata;

	if (now - record->shown_ns < 2 * TICK_NS)
		return;
	record->shown_ns = now;
	if (follow->ctl->json != JSON_OFF) {
		show_json(follow);
	} else if (!follow->ctl->quiet && isatty(STDERR_FILENO)) {
		record->progress = true;
		show_text(follow);
	}
}

static void on_tick(struct follow *follow)
{
	struct record *record = follow->userdata;
	struct event quiet = { .type = EVENT_IDLE, .vcpu = -1 };
	uint64_t now = stream_now_ns();
	int r;

	if (follow->stream.reason == STREAM_ERROR)
		return;
	if (now - record->noted_ns >= QUIET_NS) {
		quiet.time_ns = now;
		put(follow, &quiet);
	}
	r = rec_writer_flush(record->writer);
	if (r < 0)
		fail(follow, r);
	else
		show_progress(follow, now);
}

static void finish(struct follow *follow)
{
	struct event event = {
		.type = EVENT_ENDED,
		.time_ns = stream_now_ns(),
		.nr_tracked = follow->stream.counted,
		.code = follow->stream.reason,
		.vcpu = -1,
	};

	if (follow->stream.reason == STREAM_ERROR)
		return;
	put(follow, &event);
	on_tick(follow);
	if (follow->ctl->json != JSON_OFF || follow->ctl->quiet)
		return;
	show_text(follow);
	putc('\n', stderr);
}

static bool is_fifo(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISFIFO(st.st_mode);
}

/* A FIFO without a reader is waited for as a stream waits. */
static int open_output(struct stream *stream, const char *path, int flags)
{
	int fd;

	while ((fd = open(path, flags | O_NONBLOCK, 0600)) < 0 &&
	       errno == ENXIO && is_fifo(path))
		if (stream_wait(stream, -1, TICK_NS / 10) == STREAM_END)
			return -1;
	if (fd >= 0)
		fcntl(fd, F_SETFL, flags & O_ACCMODE);
	return fd;
}

/*
 * What guests write may be secret: nobody else gets to read it, neither in a
 * file that was there before.
 */
static int make_private(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (st.st_uid != geteuid() && fchown(fd, geteuid(), getegid()))
		return -errno;
	return fchmod(fd, 0600) || ftruncate(fd, 0) ? -errno : 0;
}

static int create(struct follow *follow, const char *path)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY;
	struct ctl *ctl = follow->ctl;
	int fd, r;

	if (!strcmp(path, "-")) {
		if (ctl->json != JSON_OFF || isatty(STDOUT_FILENO))
			return -ctl_fail(ctl, EXIT_USAGE, "--output=-: not to a "
					 "terminal, and not with --json");
		return STDOUT_FILENO;
	}
	flags |= args_has(&ctl->args, "force") ? 0 : O_EXCL;
	fd = open_output(&follow->stream, path, flags);
	if (follow->stream.reason != STREAM_GOES_ON)
		return -1;
	if (fd < 0 && errno == EEXIST)
		return -ctl_fail(ctl, EXIT_FAILED, "%s: is there already; "
				 "choose another name, or --force", path);
	if (fd < 0)
		return -ctl_fail(ctl, exit_code_of(errno), "%s: %s; "
				 "choose another place for --output", path,
				 strerror(errno));
	if (ctl->json != JSON_OFF && output_is_same(fd, STDOUT_FILENO))
		r = ctl_fail(ctl, EXIT_USAGE, "%s: is standard output, which "
			     "--json has; choose another place for --output",
			     path);
	else if ((r = make_private(fd)) < 0)
		r = ctl_fail(ctl, exit_code_of(r), "%s: cannot be kept from "
			     "other users: %s; choose another place for "
			     "--output", path, strerror(-r));
	if (!r)
		return fd;
	close(fd);
	return -r;
}

static int record_to(struct follow *follow, int fd)
{
	struct record *record = follow->userdata;
	struct json_object *totals;
	int r;

	r = rec_start(follow, fd, &record->writer);
	if (r < 0)
		return ctl_fail(follow->ctl, EXIT_FAILED, "%s: %s; choose "
				"another place for --output", record->path,
				strerror(-r));
	follow_run(follow);
	finish(follow);
	totals = json_object_new_object();
	add_totals(follow, totals);
	r = stream_end(&follow->stream, totals);
	rec_writer_free(record->writer);
	return r;
}

static int run(struct ctl *ctl)
{
	struct record record = {
		.path = args_string(&ctl->args, "output", NULL),
	};
	struct follow follow = {
		.on_event = on_event,
		.on_tick = on_tick,
		.tick_ns = TICK_NS,
		.userdata = &record,
	};
	int r, fd;

	if (!record.path)
		return ctl_fail(ctl, EXIT_USAGE, "into which file? give "
				"--output");
	r = follow_open(&follow, ctl, 0);
	if (r)
		return r;
	fd = create(&follow, record.path);
	if (fd >= 0)
		r = record_to(&follow, fd);
	else if (follow.stream.reason != STREAM_GOES_ON)
		r = stream_end(&follow.stream, NULL);
	else
		r = -fd;
	if (fd > STDERR_FILENO)
		close(fd);
	follow_close(&follow);
	return r;
}

static const struct option_spec options[] = {
	OPTION_VM,
	OPTION_GFN,
	OPTION_GPA,
	{ .name = "output", .letter = 'o', .type = ARG_FILE, .metavar = "FILE",
	  .summary = "the file that is made; - for standard output" },
	{ .name = "force", .letter = 'f',
	  .summary = "overwrite a file that is there" },
	OPTION_BUDGET,
	OPTION_FULL,
	OPTION_RECORDS,
	{ 0 }
};

const struct command command_record = {
	.name = "record",
	.arguments = "[VM]",
	.summary = "Record the writes of a guest in a file",
	.options = options,
	.type = ARG_VM,
	.max_args = 1,
	.flags = COMMAND_STREAM | COMMAND_NEEDS_VM,
	.run = run,
};
