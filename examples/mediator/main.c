// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: mediator [--edits N] [--seed S] [--ring N] [--coalesce] [--budget N]
 *        mediator --tap [--edits N] [--seed S]
 *
 * See README.md. With --tap: five runs, with a ring of ordinary size, with the
 * smallest one, with a coalescing one, and with budgets; the report is in TAP.
 */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "run.h"

enum { ORDINARY_RING = 4096, SMALL_BUDGET = 4, SOME_BUDGET = 24 };

struct options {
	struct run run;
	bool tap;
};

static void usage(void)
{
	fputs("usage: mediator [--edits N] [--seed S] [--ring N] [--coalesce] "
	      "[--budget N]\n"
	      "       mediator --tap [--edits N] [--seed S]\n", stderr);
	exit(2);
}

static uint64_t number(const char *text, uint64_t max)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 0);
	if (errno || end == text || *end || n > max)
		usage();
	return n;
}

static void parse(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "edits", required_argument, NULL, 'e' },
		{ "seed", required_argument, NULL, 's' },
		{ "ring", required_argument, NULL, 'r' },
		{ "coalesce", no_argument, NULL, 'c' },
		{ "budget", required_argument, NULL, 'b' },
		{ "tap", no_argument, NULL, 't' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'e':
			o->run.edits = number(optarg, UINT64_MAX / 2);
			break;
		case 's':
			o->run.seed = number(optarg, UINT64_MAX);
			break;
		case 'r':
			o->run.ring.records = number(optarg, UINT32_MAX);
			break;
		case 'c':
			o->run.ring.coalesce = true;
			break;
		case 'b':
			o->run.ring.budget = number(optarg, UINT32_MAX);
			break;
		case 't':
			o->tap = true;
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
}

/* A run that did not come to what it is for has shown nothing. */
static bool tap_case(int nr, const char *name, struct run *r, uint64_t *came_to)
{
	bool ok;

	run(r);
	run_report(r);
	ok = !r->counts.mismatches && *came_to && r->counts.tables_removed;
	printf("%sok %d - %s\n", ok ? "" : "not ", nr, name);
	fflush(stdout);
	return ok;
}

static bool tap(const struct run *base)
{
	struct run plain = *base, small = *base, coalesce = *base;
	struct run budget = *base, both = *base;
	struct wtrack_info info;
	bool ok;

	mediator_check(wtrack_get_info(&info, sizeof(info)), "info");
	small.ring.records = info.min_records;
	coalesce.ring.coalesce = true;
	budget.ring.budget = SMALL_BUDGET;
	both.ring = small.ring;
	both.ring.budget = SOME_BUDGET;
	puts("1..5");
	ok = tap_case(1, "the_shadow_equals_the_guests_table_at_each_doorbell",
		      &plain, &plain.counts.changes);
	ok &= tap_case(2, "so_it_does_when_the_ring_overflows_all_the_time",
		       &small, &small.mirror.resyncs);
	ok &= tap_case(3, "so_it_does_with_a_coalescing_session",
		       &coalesce, &coalesce.status.merged);
	ok &= tap_case(4, "so_it_does_when_pages_are_over_their_budget",
		       &budget, &budget.status.rearms);
	ok &= tap_case(5, "so_it_does_when_the_resync_set_tells_of_it",
		       &both, &both.mirror.resyncs);
	return ok;
}

int main(int argc, char **argv)
{
	struct options o = {
		.run = {
			.edits = 100000, .seed = 1,
			.ring = { .records = ORDINARY_RING },
		},
	};

	parse(argc, argv, &o);
	if (o.tap)
		return !tap(&o.run);
	run(&o.run);
	run_report(&o.run);
	return o.run.counts.mismatches != 0;
}
