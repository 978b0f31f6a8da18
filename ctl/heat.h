/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes by page and time: a grid of any number of pages and any time. A row
 * is one page that was written to or, when there are too many, some that
 * follow each other.
 */
#ifndef CTL_HEAT_H
#define CTL_HEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event;
struct report;
struct tally_entry;

#define HEAT_COLUMNS	160
#define HEAT_ROWS	80

/**
 * struct heat_cell - a part of time of a row
 * @writes: how many
 * @unseen: for at least a part of it writes were not seen
 */
struct heat_cell {
	uint32_t writes;
	bool unseen;
};

/**
 * struct heat_row - pages
 * @first_gfn, @last_gfn: of them
 * @nr_pages: how many were written to
 * @gap_before: the pages do not follow those of the row before
 * @writes: sum
 */
struct heat_row {
	uint64_t first_gfn;
	uint64_t last_gfn;
	uint64_t nr_pages;
	bool gap_before;
	uint64_t writes;
};

/**
 * struct heat - the grid
 * @report: of the same stream, finished
 * @start_ns: of the first column
 * @width_ns: of a column
 * @rows, @nr_rows: by their pages
 * @cells: of each row HEAT_COLUMNS
 * @columns: writes of all pages
 * @overflows: the column has one
 */
struct heat {
	struct report *report;
	uint64_t start_ns;
	uint64_t width_ns;
	struct heat_row *rows;
	size_t nr_rows;
	struct heat_cell *cells;
	uint64_t columns[HEAT_COLUMNS];
	bool overflows[HEAT_COLUMNS];
};

/* Uses the marks in the report's pages; then the same events again. */
void heat_init(struct heat *heat, struct report *report);
void heat_add(struct heat *heat, const struct event *event);
void heat_finish(struct heat *heat);
void heat_done(struct heat *heat);

const struct heat_cell *heat_cell(const struct heat *heat, size_t row,
				  size_t column);
uint32_t heat_max(const struct heat *heat);

#endif
