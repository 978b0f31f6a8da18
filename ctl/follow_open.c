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

int follow_read_options(struct ctl *ctl, struct follow_options *ret)
{
	struct args *args = &ctl->args;
	const char *budget = args_string(args, "budget", NULL);
	uint64_t wanted = args_number(args, "records", FOLLOW_RECORDS);
	int r;

	*ret = (struct follow_options) { .records = 64 };
	if (!args->nr_ranges)
		return ctl_fail(ctl, EXIT_USAGE, "which pages? give --gfn or "
				"--gpa");
	args->nr_ranges = ranges_merge(args->ranges, args->nr_ranges);
	if (budget) {
		r = follow_parse_budget(budget, &ret->budget, &ret->period_ms);
		if (r)
			return ctl_fail(ctl, EXIT_USAGE,
					"--budget=%s: %s; an example is "
					"1000/100ms", budget, r == -ERANGE ?
					"out of bounds (1/1ms to 65535/4s)" :
					"not a number and a time");
	}
	while (ret->records < wanted)
		ret->records *= 2;
	return 0;
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
		r = open_ring(ctl, follow->session, options.records, flags,
			      &all);
	if (!r)
		r = stream_begin(&follow->stream, ctl);
	if (!r && !all)
		follow_miss(follow);
	if (r)
		follow_close(follow);
	return r;
}
