// SPDX-License-Identifier: GPL-2.0-or-later
/* A report for people. */
#include <inttypes.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wtrack/event.h>

#include "ctl.h"
#include "event.h"
#include "ranges.h"
#include "recording.h"
#include "report.h"
#include "table.h"
#include "units.h"

#define BAR_WIDTH	44

static void put(const char *name, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void put(const char *name, const char *format, ...)
{
	va_list args;
	char *text, *safe;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	safe = text_escape(text);
	printf("%-10s %s\n", name, safe);
	free(safe);
	free(text);
}

static void print_time(const struct report *report, const struct rec_meta *meta)
{
	struct event end = { .type = EVENT_ENDED, .code = report->end_code };
	time_t seconds = (time_t)(meta->real_ns / 1000000000);
	char span[UNITS_SIZE], text[64] = "?";
	struct tm tm;

	if (localtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &tm);
	put("Time", "%s, %s, %s%s", text,
	    units_time(report->end_ns - report->start_ns, span),
	    report->ended ? "ended by: " : "cut off: it has no end",
	    report->ended ? event_code_name(&end) : "");
}

static void print_sums(const struct report *report, const struct rec_meta *meta)
{
	double seconds = (double)(report->end_ns - report->start_ns) / 1e9;
	char a[UNITS_SIZE], b[UNITS_SIZE], c[UNITS_SIZE];

	put("Pages", "%s written to, %s tracked",
	    units_exact(report_pages_written(report), a),
	    units_exact(ranges_pages(meta->ranges, meta->nr_ranges), b));
	put("Writes", "%s of %s bytes, %s each second",
	    units_exact(report->writes, a), units_exact(report->bytes, b),
	    units_rate(seconds > 0 ? (double)report->writes / seconds : 0, c));
}

static void print_losses(const struct report *report)
{
	char a[UNITS_SIZE], b[UNITS_SIZE], c[UNITS_SIZE], d[UNITS_SIZE];

	if (!report_has_losses(report)) {
		put("Losses", "none%s", report->regions_removed ?
		    "; memory was removed" : "");
		return;
	}
	put("Losses", "ring full %s times, pages unseen %s, changed unseen %s, "
	    "memory back %s", units_exact(report->overflows, a),
	    units_exact(report->guard[WTRACK_GUARD_DISARMED] +
			report->guard[WTRACK_GUARD_STOPPED], b),
	    units_exact(report->guard[WTRACK_GUARD_CHANGED], c),
	    units_exact(report->regions_returned, d));
}

static void print_damage(const struct report *report,
			 const struct rec_damage *damage)
{
	char a[UNITS_SIZE], b[UNITS_SIZE], c[UNITS_SIZE];

	if (damage->bytes || damage->blocks || damage->events ||
	    report->missing)
		put("Damage", "%s bytes of the file cannot be read, %s blocks "
		    "and %s events are missing",
		    units_exact(damage->bytes, a),
		    units_exact(damage->blocks, b),
		    units_exact(report->missing, c));
}

static uint64_t since(const struct report *report, uint64_t ns)
{
	return ns > report->start_ns ? ns - report->start_ns : 0;
}

static const struct column tally_columns[] = {
	{ .title = "", .right = true },
	{ .title = "WRITES", .right = true },
	{ .title = "SHARE", .right = true },
	{ .title = "BYTES", .right = true },
	{ .title = "FIRST", .right = true },
	{ .title = "LAST", .right = true },
	{ .title = "UNSEEN", .right = true },
	{ 0 }
};

static void add_row(struct table *table, const struct report *report,
		    const struct tally *tally, const struct tally_entry *entry)
{
	char text[UNITS_SIZE];

	if (tally == &report->vcpus)
		table_cell(table, "%" PRIu64, entry->key);
	else
		table_cell(table, "0x%" PRIx64, entry->key);
	table_cell(table, "%s", units_exact(entry->count, text));
	table_cell(table, "%.1f%%", report->writes ? (double)entry->count *
		   100 / (double)report->writes : 0);
	table_cell(table, "%s", units_exact(entry->bytes, text));
	table_cell(table, "%s", units_time(since(report, entry->first_ns),
					   text));
	table_cell(table, "%s", units_time(since(report, entry->last_ns),
					   text));
	if (tally == &report->pages)
		table_cell(table, "%s", entry->losses ?
			   units_time(entry->unseen_ns, text) : "");
}

static void print_tally(const struct ctl *ctl, const struct report *report,
			const struct tally *tally, const char *title,
			size_t top)
{
	struct column columns[sizeof(tally_columns) / sizeof(struct column)];
	struct tally_entry **list;
	struct table *table;
	size_t nr, i;

	list = tally_sorted(tally, TALLY_BY_COUNT, top, &nr);
	memcpy(columns, tally_columns, sizeof(columns));
	columns[0].title = title;
	if (tally != &report->pages)
		columns[6] = (struct column) { 0 };
	table = table_new(columns);
	for (i = 0; i < nr; i++)
		add_row(table, report, tally, list[i]);
	if (nr) {
		putchar('\n');
		table_print(table, ctl);
	}
	table_free(table);
	free(list);
}

static void print_bar(uint64_t count, uint64_t max)
{
	bool utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	static const char *const eighths[] = {
		"", "\xe2\x96\x8f", "\xe2\x96\x8e", "\xe2\x96\x8d",
		"\xe2\x96\x8c", "\xe2\x96\x8b", "\xe2\x96\x8a", "\xe2\x96\x89",
	};
	unsigned int width = max ? (unsigned int)((double)count * BAR_WIDTH *
						  8 / (double)max) : 0;
	unsigned int i;

	if (count && !width)
		width = 1;
	for (i = 0; i < width / 8; i++)
		fputs(utf8 ? "\xe2\x96\x88" : "#", stdout);
	if (width % 8)
		fputs(utf8 ? eighths[width % 8] : "#", stdout);
}

/* At most so many lines that it is a picture. */
static void print_timeline(const struct report *report)
{
	const struct timeline *timeline = &report->timeline;
	size_t per_line = (timeline->nr + 23) / 24, i, j;
	uint64_t max = 0, sums[TIMELINE_BINS] = { 0 };
	char time[UNITS_SIZE], count[UNITS_SIZE];

	for (i = 0; i < timeline->nr; i++) {
		j = i / per_line;
		sums[j] += timeline->bins[i];
		if (sums[j] > max)
			max = sums[j];
	}
	if (timeline->nr)
		printf("\n%10s  %8s\n", "TIME", "WRITES");
	for (i = 0; i * per_line < timeline->nr; i++) {
		printf("%10s  %8s  ",
		       units_time(i * per_line * timeline->width_ns, time),
		       units_count(sums[i], count));
		print_bar(sums[i], max);
		putchar('\n');
	}
}

void report_print(const struct ctl *ctl, const struct report *report,
		  const struct rec_meta *meta, const struct rec_damage *damage,
		  size_t top)
{
	put("Guest", "%s (pid %" PRId64 ") on %s, kernel %s", meta->vm_name,
	    meta->vm_pid, meta->host, meta->kernel);
	print_time(report, meta);
	print_sums(report, meta);
	print_losses(report);
	print_damage(report, damage);
	print_tally(ctl, report, &report->pages, "PAGE", top);
	print_tally(ctl, report, &report->rips, "INSTRUCTION", top);
	print_tally(ctl, report, &report->vcpus, "VCPU", top);
	print_timeline(report);
	report_print_gaps(ctl, report);
}
