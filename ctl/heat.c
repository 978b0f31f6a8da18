// SPDX-License-Identifier: GPL-2.0-or-later
/* Filling the grid of a heat map. */
#include <stdlib.h>

#include <wtrack/event.h>
#include <wtrack/resync.h>

#include "event.h"
#include "heat.h"
#include "mem.h"
#include "report.h"

static void add_page(struct heat_row *row, const struct tally_entry *page)
{
	if (!row->nr_pages++)
		row->first_gfn = page->key;
	row->last_gfn = page->key;
	row->writes += page->count;
}

/* The same number of pages for each row. */
static void make_rows(struct heat *heat)
{
	struct tally_entry **pages;
	size_t nr, per_row, i;

	pages = tally_sorted(&heat->report->pages, TALLY_BY_KEY, SIZE_MAX, &nr);
	per_row = (nr + HEAT_ROWS - 1) / HEAT_ROWS;
	heat->nr_rows = nr ? (nr + per_row - 1) / per_row : 0;
	heat->rows = mem_zalloc((heat->nr_rows + 1) * sizeof(*heat->rows));
	heat->cells = mem_zalloc((heat->nr_rows + 1) * HEAT_COLUMNS *
				 sizeof(*heat->cells));
	for (i = 0; i < nr; i++)
		add_page(&heat->rows[i / per_row], pages[i]);
	for (i = 1; i < heat->nr_rows; i++)
		heat->rows[i].gap_before = heat->rows[i].first_gfn !=
					   heat->rows[i - 1].last_gfn + 1;
	free(pages);
}

void heat_init(struct heat *heat, struct report *report)
{
	uint64_t span = report->end_ns - report->start_ns;

	*heat = (struct heat) {
		.report = report,
		.start_ns = report->start_ns,
		.width_ns = span / HEAT_COLUMNS + 1,
	};
	make_rows(heat);
}

static size_t column_of(const struct heat *heat, uint64_t time_ns)
{
	uint64_t at = 0;

	if (time_ns > heat->start_ns)
		at = (time_ns - heat->start_ns) / heat->width_ns;
	return at < HEAT_COLUMNS ? at : HEAT_COLUMNS - 1;
}

/* The last row that begins at the page or before; NULL if it is none's. */
static struct heat_row *row_of(const struct heat *heat, uint64_t gfn)
{
	size_t low = 0, high = heat->nr_rows;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (heat->rows[middle].first_gfn <= gfn)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || heat->rows[low - 1].last_gfn < gfn)
		return NULL;
	return &heat->rows[low - 1];
}

static struct heat_cell *cells_of(const struct heat *heat,
				  const struct heat_row *row)
{
	return heat->cells + (size_t)(row - heat->rows) * HEAT_COLUMNS;
}

static void set_unseen(struct heat *heat, const struct heat_row *row,
		       uint64_t from_ns, uint64_t to_ns)
{
	size_t column = column_of(heat, from_ns), last = column_of(heat, to_ns);

	for (; column <= last; column++)
		cells_of(heat, row)[column].unseen = true;
}

static void add_write(struct heat *heat, const struct event *event)
{
	struct heat_row *row = row_of(heat, event_gfn(event));
	size_t column = column_of(heat, event->time_ns);
	struct heat_cell *cell;

	heat->columns[column]++;
	if (!row)
		return;
	cell = &cells_of(heat, row)[column];
	if (cell->writes < UINT32_MAX)
		cell->writes++;
}

static void add_guard(struct heat *heat, const struct event *event)
{
	struct heat_row *row = row_of(heat, event_gfn(event));
	struct tally_entry *page = NULL;

	if (row)
		page = tally_get(&heat->report->pages, event_gfn(event));
	if (!page)
		return;
	if (event->code == WTRACK_GUARD_REARMED && page->gap) {
		set_unseen(heat, row, page->since_ns, event->time_ns);
		page->gap = 0;
		return;
	}
	set_unseen(heat, row, event->time_ns, event->time_ns);
	if (page->gap || event->code == WTRACK_GUARD_REARMED ||
	    event->code == WTRACK_GUARD_CHANGED)
		return;
	page->gap = GAP_UNLISTED;
	page->since_ns = event->time_ns;
}

static void add_resync(struct heat *heat, const struct event *event)
{
	uint64_t first = event_gfn(event);
	struct heat_row *row = heat->rows;

	heat->overflows[column_of(heat, event->time_ns)] = true;
	for (; row < heat->rows + heat->nr_rows; row++)
		if (row->last_gfn >= first && (row->first_gfn <= first ||
		    row->first_gfn - first < event->nr_pages))
			set_unseen(heat, row, event->time_ns,
				   event_end_ns(event));
}

void heat_add(struct heat *heat, const struct event *event)
{
	switch (event->type) {
	case EVENT_WRITE:
		add_write(heat, event);
		break;
	case EVENT_GUARD:
		add_guard(heat, event);
		break;
	case EVENT_RESYNC:
		add_resync(heat, event);
		break;
	}
}

/*
 * Memory that was away, and pages that an overflow left disarmed, are in the
 * report's list of gaps.
 */
static void finish_regions(struct heat *heat)
{
	const struct gap *gap = heat->report->gaps;
	size_t i, row;

	for (i = 0; i < heat->report->nr_gaps; i++, gap++) {
		if (gap->type != EVENT_REGION_REMOVED &&
		    (gap->type != EVENT_RESYNC ||
		     gap->code != WTRACK_RESYNC_DISARMED))
			continue;
		for (row = 0; row < heat->nr_rows; row++)
			if (heat->rows[row].first_gfn >= gap->gfn &&
			    heat->rows[row].last_gfn - gap->gfn < gap->nr_pages)
				set_unseen(heat, &heat->rows[row],
					   gap->start_ns, gap->end_ns);
	}
}

void heat_finish(struct heat *heat)
{
	struct tally_entry *page = heat->report->pages.slots;
	struct tally_entry *end = page + heat->report->pages.nr_slots;
	struct heat_row *row;

	for (; page < end; page++) {
		if (!page->used || !page->gap)
			continue;
		row = row_of(heat, page->key);
		if (row)
			set_unseen(heat, row, page->since_ns,
				   heat->report->end_ns);
		page->gap = 0;
	}
	finish_regions(heat);
}

void heat_done(struct heat *heat)
{
	free(heat->rows);
	free(heat->cells);
	*heat = (struct heat) { 0 };
}

const struct heat_cell *heat_cell(const struct heat *heat, size_t row,
				  size_t column)
{
	return &heat->cells[row * HEAT_COLUMNS + column];
}

uint32_t heat_max(const struct heat *heat)
{
	uint32_t max = 0;
	size_t i;

	for (i = 0; i < heat->nr_rows * HEAT_COLUMNS; i++)
		if (heat->cells[i].writes > max)
			max = heat->cells[i].writes;
	return max;
}
