// SPDX-License-Identifier: GPL-2.0-or-later
/* What is in a recording: sums, and a picture. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "event.h"
#include "heat.h"
#include "json.h"
#include "recording.h"
#include "report.h"
#include "svg.h"
#include "output.h"

#define TOP	10
#define GIVE	"; give a file that `wtrackctl record` has written"

struct reading {
	struct ctl *ctl;
	const char *path;
	int fd;
	struct rec_reader *reader;
	struct report report;
};

static int fail_read(struct reading *reading, int err)
{
	if (err == -EBADMSG)
		return ctl_fail(reading->ctl, EXIT_FAILED, "%s: not a recording, "
				"or its beginning is damaged" GIVE, reading->path);
	if (err == -EPROTONOSUPPORT)
		return ctl_fail(reading->ctl, EXIT_FAILED, "%s: a recording of "
				"another version; use the wtrackctl that made "
				"it", reading->path);
	return ctl_fail(reading->ctl, exit_code_of(err), "%s: %s" GIVE,
			reading->path, strerror(-err));
}

static int sum_up(struct reading *reading)
{
	struct event event;
	int r;

	r = rec_reader_new(reading->fd, &reading->reader);
	if (r < 0)
		return fail_read(reading, r);
	report_init(&reading->report,
		    rec_reader_get_meta(reading->reader)->mono_ns);
	while ((r = rec_reader_next(reading->reader, &event)) > 0)
		report_add(&reading->report, &event);
	report_finish(&reading->report);
	return r < 0 ? fail_read(reading, r) : 0;
}

/* Which pages and which time are known now: read it again, into the grid. */
static int fill(struct reading *reading, struct heat *heat)
{
	struct rec_reader *again;
	struct event event;
	int r;

	if (lseek(reading->fd, 0, SEEK_SET) < 0)
		return ctl_fail(reading->ctl, EXIT_USAGE, "%s: --svg reads it "
				"twice; give a file, not a pipe",
				reading->path);
	r = rec_reader_new(reading->fd, &again);
	if (r < 0)
		return fail_read(reading, r);
	while ((r = rec_reader_next(again, &event)) > 0)
		heat_add(heat, &event);
	heat_finish(heat);
	rec_reader_free(again);
	return r < 0 ? fail_read(reading, r) : 0;
}

/* Neither the recording itself, nor among the JSON; or -exit code. */
static int open_svg(struct reading *reading, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
	const char *what = NULL;

	if (fd < 0)
		return -ctl_fail(reading->ctl, exit_code_of(errno), "%s: %s; "
				 "choose another place for --svg", path,
				 strerror(errno));
	if (output_is_same(fd, reading->fd))
		what = "the recording";
	else if (output_is_same(fd, STDOUT_FILENO))
		what = "standard output, which has the report";
	if (!what) {
		if (ftruncate(fd, 0) && errno != EINVAL)
			what = strerror(errno);
		else
			return fd;
	}
	close(fd);
	return -ctl_fail(reading->ctl, EXIT_USAGE, "%s: is %s; choose another "
			 "place for --svg", path, what);
}

static int draw(struct reading *reading, const struct heat *heat,
		const char *path)
{
	FILE *to = stdout;
	bool failed;
	int fd;

	if (strcmp(path, "-")) {
		fd = open_svg(reading, path);
		if (fd < 0)
			return -fd;
		to = fdopen(fd, "w");
	}
	if (!to)
		return ctl_fail(reading->ctl, EXIT_FAILED, "%s: %s; choose "
				"another place for --svg", path,
				strerror(errno));
	svg_write(to, heat, rec_reader_get_meta(reading->reader));
	failed = fflush(to) || ferror(to);
	if (to != stdout)
		failed |= fclose(to) != 0;
	if (failed)
		return ctl_fail(reading->ctl, EXIT_FAILED, "%s: cannot write: "
				"%s; choose another place for --svg", path,
				strerror(errno));
	return 0;
}

static int make_svg(struct reading *reading, const char *path)
{
	struct heat heat;
	int r;

	heat_init(&heat, &reading->report);
	r = fill(reading, &heat);
	if (!r)
		r = draw(reading, &heat, path);
	heat_done(&heat);
	return r;
}

static void print(struct reading *reading)
{
	const struct rec_meta *meta = rec_reader_get_meta(reading->reader);
	const struct rec_damage *damage =
		rec_reader_get_damage(reading->reader);
	size_t top = args_number(&reading->ctl->args, "top", TOP);
	struct json_object *obj;

	if (reading->ctl->json == JSON_OFF) {
		report_print(reading->ctl, &reading->report, meta, damage, top);
		return;
	}
	obj = json_document(reading->ctl);
	json_string(obj, "file", reading->path);
	report_to_json(obj, &reading->report, meta, damage, top);
	json_print(reading->ctl, obj);
}

static int report(struct reading *reading)
{
	const struct args *args = &reading->ctl->args;
	const char *svg = args_string(args, "svg", NULL);
	int r = 0;

	if (svg && !strcmp(svg, "-") && reading->ctl->json != JSON_OFF)
		return ctl_fail(reading->ctl, EXIT_USAGE, "--svg=- and --json "
				"both want standard output; give --svg a file");
	if (svg)
		r = make_svg(reading, svg);
	if (r)
		return r;
	if (!svg || strcmp(svg, "-"))
		print(reading);
	if (args_has(args, "fail-on-loss") &&
	    report_has_losses(&reading->report))
		return EXIT_LOSSES;
	return EXIT_OK;
}

static int run(struct ctl *ctl)
{
	struct reading reading = { .ctl = ctl, .path = ctl->args.list[0] };
	int r;

	reading.fd = strcmp(reading.path, "-") ?
		     open(reading.path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (reading.fd < 0)
		return fail_read(&reading, -errno);
	r = sum_up(&reading);
	if (!r)
		r = report(&reading);
	if (reading.reader)
		report_done(&reading.report);
	rec_reader_free(reading.reader);
	if (reading.fd != STDIN_FILENO)
		close(reading.fd);
	return r;
}

static const struct option_spec options[] = {
	{ .name = "top", .letter = 'n', .type = ARG_NUMBER, .metavar = "N",
	  .min = 1, .max = 1 << 20,
	  .summary = "pages and instructions that are listed (10)" },
	{ .name = "svg", .type = ARG_FILE, .metavar = "FILE",
	  .summary = "draw pages against time; - for standard output" },
	{ .name = "fail-on-loss",
	  .summary = "exit code 7 when writes were not seen one by one" },
	{ 0 }
};

const struct command command_report = {
	.name = "report",
	.arguments = "FILE",
	.summary = "Summarise or draw a recording",
	.options = options,
	.type = ARG_FILE,
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
