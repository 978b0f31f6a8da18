// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <wtrack/wtrack.h>

#include "common/number.h"
#include "follow.h"
#include "open.h"
#include "ranges.h"

int follow_parse_budget(const char *text, uint32_t *ret_budget,
			uint32_t *ret_period_ms)
{
	uint64_t budget, period_ms = 100;
	int r;

	r = number_scan(&text, &budget);
	if (r == -EINVAL || (*text && *text != '/'))
		return -EINVAL;
	if (*text)
		r = number_parse_time(text + 1, NUMBER_MS, 1,
				      FOLLOW_MAX_PERIOD_MS, &period_ms);
	if (r)
		return r;
	if (!budget || budget > FOLLOW_MAX_BUDGET)
		return -ERANGE;
	*ret_budget = (uint32_t)budget;
	*ret_period_ms = (uint32_t)period_ms;
	return 0;
}

static int read_budget(struct ctl *ctl, struct follow_options *ret)
{
	const char *budget = args_string(&ctl->args, "budget", NULL);
	int r = follow_parse_budget(budget, &ret->budget, &ret->period_ms);

	if (args_has(&ctl->args, "full"))
		return ctl_fail(ctl, EXIT_USAGE, "--full has no budget; leave "
				"one of them out");
	return r ? ctl_fail(ctl, EXIT_USAGE,
			    "--budget=%s: %s; an example is 1000/100ms", budget,
			    r == -ERANGE ? "out of bounds (1/1ms to 65535/4s)" :
					   "not a number and a time") : 0;
}

/* With --once alone a page has one store. */
static bool needs_no_budget(const struct args *args)
{
	return args_has(args, "full") ||
	       (args_has(args, "once") && !args_has(args, "diff"));
}

static int choose_budget(struct ctl *ctl, struct follow_options *ret)
{
	uint64_t pages = ranges_pages(ctl->args.ranges, ctl->args.nr_ranges);

	if (args_has(&ctl->args, "budget"))
		return read_budget(ctl, ret);
	if (needs_no_budget(&ctl->args))
		return 0;
	cost_default_budget(pages, &ret->budget, &ret->period_ms);
	return 0;
}

int follow_read_options(struct ctl *ctl, struct follow_options *ret)
{
	struct args *args = &ctl->args;
	uint64_t wanted = args_number(args, "records", FOLLOW_RECORDS);

	*ret = (struct follow_options) { .records = 64 };
	if (!args->nr_ranges)
		return ctl_fail(ctl, EXIT_USAGE, "which pages? give --gfn or "
				"--gpa; `wtrackctl hot` finds those that are "
				"written to");
	args->nr_ranges = ranges_merge(args->ranges, args->nr_ranges);
	while (ret->records < wanted)
		ret->records *= 2;
	return choose_budget(ctl, ret);
}

/* The user's sessions have a smaller budget than ours, and we did not mean it. */
bool follow_leaves_budget(struct ctl *ctl, struct wtrack_session *session,
			  int err)
{
	return err == -EPERM && !args_has(&ctl->args, "budget") &&
	       !wtrack_session_set_budget(session, 0, 0);
}

static int make_ring(struct follow *follow, uint32_t records,
		     unsigned int flags)
{
	int r;

	r = wtrack_session_make_ring(follow->session, records, flags, 0, 0);
	if (follow_leaves_budget(follow->ctl, follow->session, r)) {
		follow->budget = 0;
		follow->period_ms = 0;
		r = wtrack_session_make_ring(follow->session, records, flags, 0,
					     0);
	}
	return r ? open_fail(follow->ctl, r, "making the ring") : 0;
}

void follow_check_cost(struct ctl *ctl, struct stream *stream,
		       struct cost_meter *cost)
{
	double rate = cost_meter_check(cost, stream_now_ns());
	bool asked = args_has(&ctl->args, "full") ||
		     args_has(&ctl->args, "budget");

	if (!rate)
		return;
	if (asked)
		ctl_note(ctl, "wtrackctl: %.0f emulated stores a second cost the "
			 "guest %.0f %% of a vCPU's time; --budget bounds that",
			 rate, 100 * cost_share(rate));
	else
		stream_stop(stream, STREAM_ERROR,
			    ctl_fail(ctl, EXIT_FAILED, "%.0f emulated stores a "
				     "second cost the guest %.0f %% of a vCPU's "
				     "time; give --full or --budget, or fewer "
				     "pages", rate, 100 * cost_share(rate)));
}

int follow_open(struct follow *follow, struct ctl *ctl, unsigned int flags)
{
	struct follow_options options;
	bool all = true;
	int r;

	follow->ctl = ctl;
	r = follow_read_options(ctl, &options);
	if (r)
		return r;
	follow->budget = options.budget;
	follow->period_ms = options.period_ms;
	r = open_session(ctl, options.records, &follow->session);
	if (r)
		return r;
	r = wtrack_session_set_budget(follow->session, options.budget,
				      options.period_ms);
	if (r)
		r = open_fail(ctl, r, "--budget");
	else
		r = make_ring(follow, options.records, flags);
	if (!r)
		r = open_pages(ctl, follow->session, &all);
	if (!r)
		r = stream_begin(&follow->stream, ctl);
	if (!r && !all)
		follow_miss(follow);
	if (r)
		follow_close(follow);
	return r;
}
