// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <wtrack/wtrack.h>

#include "follow.h"
#include "mem.h"
#include "open.h"
#include "parse.h"
#include "ranges.h"

int follow_parse_budget(const char *text, uint32_t *ret_budget,
			uint32_t *ret_period_ms)
{
	char *writes = mem_strdup(text), *time = strchr(writes, '/');
	uint64_t budget, ns = 100000000;
	int r;

	if (time)
		*time++ = '\0';
	r = parse_u64(writes, &budget);
	if (!r && time)
		r = parse_seconds(time, &ns);
	free(writes);
	if (r || !budget || budget > UINT32_MAX || ns < 1000000 ||
	    ns / 1000000 > UINT32_MAX)
		return -EINVAL;
	*ret_budget = (uint32_t)budget;
	*ret_period_ms = (uint32_t)(ns / 1000000);
	return 0;
}

static int read_options(struct follow *follow, uint32_t *ret_records)
{
	struct args *args = &follow->ctl->args;
	const char *budget = args_string(args, "budget", NULL);
	uint64_t wanted = args_number(args, "records", FOLLOW_RECORDS);

	if (!args->nr_ranges)
		return ctl_fail(follow->ctl, EXIT_USAGE, "which pages? give "
				"--gfn or --gpa");
	args->nr_ranges = ranges_merge(args->ranges, args->nr_ranges);
	if (budget && follow_parse_budget(budget, &follow->budget,
					  &follow->period_ms))
		return ctl_fail(follow->ctl, EXIT_USAGE, "--budget=%s: not a "
				"number and a time; an example is 1000/100ms",
				budget);
	for (*ret_records = 64; *ret_records < wanted; *ret_records *= 2)
		;
	return 0;
}

int follow_open(struct follow *follow, struct ctl *ctl, unsigned int flags)
{
	uint32_t records = 0;
	int r;

	follow->ctl = ctl;
	r = read_options(follow, &records);
	if (r)
		return r;
	r = open_session(ctl, records, &follow->session);
	if (r)
		return r;
	r = wtrack_session_set_budget(follow->session, follow->budget,
				      follow->period_ms);
	if (r)
		r = open_fail(ctl, r, "--budget");
	else
		r = open_ring(ctl, follow->session, records, flags);
	if (!r)
		r = stream_begin(&follow->stream, ctl);
	if (r)
		follow_close(follow);
	return r;
}
