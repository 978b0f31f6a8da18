// SPDX-License-Identifier: GPL-2.0-or-later
/* When a recording has gaps. */
#include <inttypes.h>
#include <stdio.h>

#include "ctl.h"
#include "event.h"
#include "report.h"
#include "table.h"
#include "units.h"

#define MAX_GAPS	10

static uint64_t since(const struct report *report, uint64_t ns)
{
	return ns > report->start_ns ? ns - report->start_ns : 0;
}

static void print_gap(struct table *table, const struct report *report,
		      const struct gap *gap)
{
	struct event event = { .type = gap->type, .code = gap->code };
	char text[UNITS_SIZE];

	table_cell(table, "%s", units_time(since(report, gap->start_ns), text));
	table_cell(table, "%s", gap->end_ns > gap->start_ns ?
		   units_time(gap->end_ns - gap->start_ns, text) : "");
	table_cell(table, "0x%" PRIx64 "+%" PRIu64, gap->gfn, gap->nr_pages);
	if (gap->type == EVENT_REGION_REMOVED)
		table_cell(table, "%s", event_type_name(gap->type));
	else
		table_cell(table, "%s %s", event_type_name(gap->type),
			   event_code_name(&event));
	table_cell(table, "%s", gap->type == EVENT_GUARD ?
		   event_cause_name(gap->cause) : "");
}

void report_print_gaps(const struct ctl *ctl, const struct report *report)
{
	static const struct column columns[] = {
		{ .title = "GAP AT", .right = true },
		{ .title = "FOR", .right = true },
		{ .title = "PAGES" },
		{ .title = "WHAT" },
		{ .title = "CAUSE" },
		{ 0 }
	};
	struct table *table;
	size_t i;

	if (!report->nr_gaps)
		return;
	table = table_new(columns);
	for (i = 0; i < report->nr_gaps && i < MAX_GAPS; i++)
		print_gap(table, report, &report->gaps[i]);
	putchar('\n');
	table_print(table, ctl);
	table_free(table);
	if (report->nr_all_gaps > i && ctl->legend)
		printf("and %" PRIu64 " more\n", report->nr_all_gaps - i);
}
