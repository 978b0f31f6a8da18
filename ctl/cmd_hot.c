// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which pages are written to most, of all memory, when nothing is known yet: sampling
 * finds them, then the hottest ones are counted.
 */
#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "hot.h"
#include "output.h"
#include "ranges.h"

#define COUNT		10
#define MAX_COUNT	100
#define TIME_NS		(10 * NUMBER_SEC)
#define MIN_TIME_NS	NUMBER_SEC
/* Of the time, in tenths. */
#define SAMPLING	7

static int check(struct ctl *ctl)
{
	if (args_has(&ctl->args, "full") && args_has(&ctl->args, "cost"))
		return ctl_fail(ctl, EXIT_USAGE, "--full is the highest --cost; "
				"leave one of them out");
	ctl->args.nr_ranges = ranges_merge(ctl->args.ranges,
					   ctl->args.nr_ranges);
	return EXIT_OK;
}

/* The time of --timeout is this command's, not that of its output. */
static int begin(struct hot *hot, struct ctl *ctl)
{
	uint64_t time = args_number(&ctl->args, "timeout", TIME_NS);
	int r = stream_begin(&hot->stream, ctl);

	if (r)
		return r;
	hot->stream.deadline_ns = 0;
	hot->started_ns = hot->stream.started_ns;
	hot->until_ns = hot->started_ns + time / 10 * SAMPLING;
	hot->end_ns = hot->started_ns + time;
	return 0;
}

/* What was sampled is known also when a limit of the user forbids to count. */
static int look(struct hot *hot)
{
	int r = hot_sample(hot);

	if (r)
		return r;
	r = hot_count(hot);
	hot->ended_ns = stream_now_ns();
	if (!r || hot->ctl->json == JSON_OFF)
		hot_print(hot);
	return r;
}

static int run(struct ctl *ctl)
{
	struct hot hot = { .ctl = ctl };
	int r = check(ctl);

	if (r)
		return r;
	hot.cost = args_has(&ctl->args, "full") ? HOT_MAX_COST :
		args_number(&ctl->args, "cost", HOT_COST);
	hot.count = args_number(&ctl->args, "count", COUNT);
	hot_model_init(&hot.model, hot.cost / HOT_SHARES);
	r = begin(&hot, ctl);
	if (!r) {
		r = look(&hot);
		fflush(stdout);
		output_end();
		close(hot.stream.signal_fd);
	}
	hot_model_done(&hot.model);
	return r;
}

static const struct option_spec options[] = {
	OPTION_VM,
	OPTION_GFN,
	OPTION_GPA,
	{ .name = "count", .letter = 'n', .type = ARG_NUMBER, .metavar = "N",
	  .min = 1, .max = MAX_COUNT,
	  .summary = "how many pages to count and to list (10)" },
	{ .name = "timeout", .letter = 't', .type = ARG_SECONDS,
	  .metavar = "SEC", .min = MIN_TIME_NS, .max = ARG_MAX_NS,
	  .summary = "for how long to look, in all (10)" },
	{ .name = "cost", .type = ARG_NUMBER, .metavar = "STORES",
	  .min = HOT_MIN_COST, .max = HOT_MAX_COST,
	  .summary = "stores to emulate in a second, at most (5000)" },
	{ .name = "full", .summary = "as many as it takes" },
	{ 0 }
};

const struct command command_hot = {
	.name = "hot",
	.arguments = "VM",
	.summary = "Find the pages that a VM writes to most",
	.options = options,
	.type = ARG_VM,
	.max_args = 1,
	.flags = COMMAND_NEEDS_VM,
	.run = run,
};
