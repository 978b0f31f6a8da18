// SPDX-License-Identifier: GPL-2.0-or-later
/* The sums of a stream of events. Nothing in the events can be relied on. */
#include <stdlib.h>

#include <wtrack/event.h>
#include <wtrack/resync.h>

#include "event.h"
#include "mem.h"
#include "report.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

const char *const report_len_names[NR_LENS] = {
	[LEN_1] = "1", [LEN_2] = "2", [LEN_4] = "4", [LEN_8] = "8",
	[LEN_16] = "16", [LEN_OTHER] = "other",
};

void report_init(struct report *report, uint64_t start_ns)
{
	*report = (struct report) {
		.start_ns = start_ns,
		.end_ns = start_ns,
		.resync_pages = REPORT_RESYNC_PAGES,
		.gaps = mem_zalloc(REPORT_GAPS * sizeof(struct gap)),
	};
	tally_init(&report->pages, REPORT_PAGES);
	tally_init(&report->rips, REPORT_RIPS);
	tally_init(&report->vcpus, REPORT_VCPUS);
	timeline_init(&report->timeline, start_ns);
}

void report_done(struct report *report)
{
	tally_done(&report->pages);
	tally_done(&report->rips);
	tally_done(&report->vcpus);
	free(report->gaps);
	*report = (struct report) { 0 };
}

static int len_class(uint32_t total)
{
	switch (total) {
	case 1:		return LEN_1;
	case 2:		return LEN_2;
	case 4:		return LEN_4;
	case 8:		return LEN_8;
	case 16:	return LEN_16;
	default:	return LEN_OTHER;
	}
}

static void add_write(struct report *report, const struct event *event)
{
	report->writes++;
	report->bytes += event->len;
	if (!event->more)
		report->lens[len_class(event->total)]++;
	tally_add(&report->pages, event_gfn(event), event->len, event->time_ns);
	if (event->has_rip)
		tally_add(&report->rips, event->rip, event->len,
			  event->time_ns);
	if (event->vcpu >= 0)
		tally_add(&report->vcpus, (uint64_t)event->vcpu, event->len,
			  event->time_ns);
	timeline_add(&report->timeline, event->time_ns, 1);
}

/* Returns 1 + the index of the gap, or that it is not listed. */
static uint32_t add_gap(struct report *report, const struct event *event,
			bool open)
{
	report->nr_all_gaps++;
	if (report->nr_gaps == REPORT_GAPS)
		return GAP_UNLISTED;
	report->gaps[report->nr_gaps++] = (struct gap) {
		.type = event->type,
		.gfn = event_gfn(event),
		.nr_pages = event->type == EVENT_GUARD ? 1 : event->nr_pages,
		.start_ns = event->time_ns,
		.end_ns = event_end_ns(event),
		.open = open,
		.code = event->code,
		.cause = event->cause,
	};
	return (uint32_t)report->nr_gaps;
}

static void close_gap(struct report *report, struct tally_entry *page,
		      uint64_t time_ns)
{
	if (!page->gap)
		return;
	if (page->gap != GAP_UNLISTED) {
		report->gaps[page->gap - 1].end_ns = time_ns;
		report->gaps[page->gap - 1].open = false;
	}
	if (time_ns > page->since_ns)
		page->unseen_ns += time_ns - page->since_ns;
	page->gap = 0;
}

static void add_guard(struct report *report, const struct event *event)
{
	struct tally_entry *page = tally_get(&report->pages, event_gfn(event));
	bool unseen = event->code == WTRACK_GUARD_DISARMED ||
		      event->code == WTRACK_GUARD_STOPPED;
	uint32_t gap;

	report->guard[event->code < ARRAY_SIZE(report->guard) ?
		      event->code : 0]++;
	if (page && event->code == WTRACK_GUARD_REARMED)
		close_gap(report, page, event->time_ns);
	if (event->code == WTRACK_GUARD_REARMED || (page && page->gap))
		return;
	gap = add_gap(report, event, unseen);
	if (!page)
		return;
	page->losses++;
	if (unseen) {
		page->gap = gap;
		page->since_ns = event->time_ns;
	}
}

/*
 * Stores went by until the page was fetched; then it is armed again, or it
 * says that it is not. What the guard did meanwhile has no other event.
 */
static void add_resync_page(struct report *report, struct tally_entry *page,
			    const struct event *event, uint32_t gap)
{
	uint64_t end_ns = event_end_ns(event);

	if (page->gap && event->code == WTRACK_RESYNC_DISARMED)
		return;
	page->losses++;
	if (page->gap) {
		close_gap(report, page, end_ns);
	} else if (event->code == WTRACK_RESYNC_DISARMED) {
		page->gap = gap;
		page->since_ns = event->time_ns;
	} else {
		page->unseen_ns += end_ns - event->time_ns;
	}
}

/* Each range of an overflow is an event with the number of the overflow. */
static void add_resync(struct report *report, const struct event *event)
{
	struct tally_entry *page;
	bool disarmed;
	uint32_t gap;
	uint64_t i;

	if (!report->overflows || event->seq != report->resync_seq)
		report->overflows++;
	report->resync_seq = event->seq;
	if (!event->nr_pages)
		return;
	disarmed = event->code == WTRACK_RESYNC_DISARMED;
	gap = add_gap(report, event, disarmed);
	for (i = 0; i < event->nr_pages && report->resync_pages; i++) {
		report->resync_pages--;
		page = tally_get(&report->pages, event_gfn(event) + i);
		if (page)
			add_resync_page(report, page, event, gap);
	}
}

static void add_returned(struct report *report, const struct event *event)
{
	size_t i;

	report->regions_returned++;
	for (i = report->nr_gaps; i--;) {
		struct gap *gap = &report->gaps[i];

		if (gap->type != EVENT_REGION_REMOVED || !gap->open ||
		    event_gfn(event) < gap->gfn ||
		    event_gfn(event) - gap->gfn >= gap->nr_pages)
			continue;
		gap->end_ns = event->time_ns;
		gap->open = false;
	}
}

static void add_seq(struct report *report, uint64_t seq)
{
	if (seq <= report->last_seq)
		return;
	report->missing += seq - report->last_seq - 1;
	report->last_seq = seq;
}

void report_add(struct report *report, const struct event *event)
{
	report->events++;
	add_seq(report, event->seq);
	if (event_end_ns(event) > report->end_ns)
		report->end_ns = event_end_ns(event);
	switch (event->type) {
	case EVENT_WRITE:
		add_write(report, event);
		break;
	case EVENT_RESYNC:
		add_resync(report, event);
		break;
	case EVENT_GUARD:
		add_guard(report, event);
		break;
	case EVENT_REGION_REMOVED:
		report->regions_removed++;
		add_gap(report, event, true);
		break;
	case EVENT_REGION_RETURNED:
		add_returned(report, event);
		break;
	case EVENT_VM_GONE:
		report->vm_gone = true;
		break;
	case EVENT_ENDED:
		report->ended = true;
		report->end_code = event->code;
		break;
	}
}

void report_finish(struct report *report)
{
	struct tally_entry *entry;
	size_t i;

	for (i = 0; i < report->nr_gaps; i++)
		if (report->gaps[i].open)
			report->gaps[i].end_ns = report->end_ns;
	for (i = 0; i < report->pages.nr_slots; i++) {
		entry = &report->pages.slots[i];
		if (entry->gap && report->end_ns > entry->since_ns)
			entry->unseen_ns += report->end_ns - entry->since_ns;
		entry->gap = 0;
	}
}

bool report_has_losses(const struct report *report)
{
	return report->nr_all_gaps > report->regions_removed ||
	       report->regions_returned || report->overflows ||
	       report->missing;
}

uint64_t report_pages_written(const struct report *report)
{
	uint64_t nr = 0;
	size_t i;

	for (i = 0; i < report->pages.nr_slots; i++)
		nr += report->pages.slots[i].count > 0;
	return nr;
}
