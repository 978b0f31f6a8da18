// SPDX-License-Identifier: GPL-2.0-or-later
/* The grid of a heat map, its rows' names and sums. */
#include <inttypes.h>

#include "heat.h"
#include "report.h"
#include "svg.h"
#include "units.h"

#define RIGHT		(SVG_LEFT + HEAT_COLUMNS * SVG_COLUMN)
#define SUMS		(RIGHT + 12)
#define SUMS_WIDTH	100.0
#define BREAK		5.0	/* between pages that do not follow each other */
#define HEIGHT		480.0
#define LABEL_HEIGHT	12.0

static double row_height(const struct heat *heat)
{
	double height = heat->nr_rows ? HEIGHT / (double)heat->nr_rows : 60;

	return height > 22 ? 22 : (double)(int)height;
}

static double gap_before(const struct heat *heat, size_t row)
{
	return heat->rows[row].gap_before ? BREAK : 0;
}

double svg_grid_height(const struct heat *heat)
{
	double height = row_height(heat) *
			(double)(heat->nr_rows ? heat->nr_rows : 1);
	size_t row;

	for (row = 0; row < heat->nr_rows; row++)
		height += gap_before(heat, row);
	return height;
}

static void put_pages(FILE *to, const struct heat_row *row)
{
	fprintf(to, "0x%" PRIx64, row->first_gfn);
	if (row->last_gfn != row->first_gfn)
		fprintf(to, "\xe2\x80\x93" "0x%" PRIx64, row->last_gfn);
}

static void put_cell_title(FILE *to, const struct heat *heat,
			   const struct heat_row *row, size_t column,
			   const struct heat_cell *cell)
{
	char from[UNITS_SIZE], until[UNITS_SIZE], count[UNITS_SIZE];

	put_pages(to, row);
	fprintf(to, ", %s to %s: %s writes%s",
		units_time(column * heat->width_ns, from),
		units_time((column + 1) * heat->width_ns, until),
		units_exact(cell->writes, count),
		cell->unseen ? ", not all seen" : "");
}

static void put_cell(FILE *to, const char *class, double x, double width,
		     double height)
{
	fprintf(to, "<rect class=\"%s\" x=\"%g\" width=\"%g\" height=\"%g\">"
		"<title>", class, x, width, height);
}

static void put_cells(FILE *to, const struct heat *heat, size_t row,
		      const uint32_t *steps, int nr_steps, double height)
{
	const struct heat_cell *cell;
	char class[8];
	size_t column;

	for (column = 0; column < HEAT_COLUMNS; column++) {
		cell = heat_cell(heat, row, column);
		if (!cell->writes)
			continue;
		snprintf(class, sizeof(class), "c%d",
			 svg_level(steps, nr_steps, cell->writes));
		put_cell(to, class, (double)column * SVG_COLUMN, SVG_COLUMN,
			 height);
		put_cell_title(to, heat, &heat->rows[row], column, cell);
		fputs("</title></rect>\n", to);
	}
}

/* Cells beside each other as one. */
static void put_unseen(FILE *to, const struct heat *heat, size_t row,
		       double height)
{
	char from[UNITS_SIZE], until[UNITS_SIZE];
	size_t first, end;

	for (first = 0; first < HEAT_COLUMNS; first = end + 1) {
		for (end = first; end < HEAT_COLUMNS &&
		     heat_cell(heat, row, end)->unseen; end++)
			;
		if (end == first)
			continue;
		put_cell(to, "u", (double)first * SVG_COLUMN,
			 (double)(end - first) * SVG_COLUMN, height);
		put_pages(to, &heat->rows[row]);
		fprintf(to, ", %s to %s: not all writes were seen",
			units_time(first * heat->width_ns, from),
			units_time(end * heat->width_ns, until));
		fputs("</title></rect>\n", to);
	}
}

static void put_label(FILE *to, const struct heat_row *row, double y)
{
	char count[UNITS_SIZE];

	fprintf(to, "<text class=\"m e\" x=\"%g\" y=\"%g\">", SVG_LEFT - 8, y);
	put_pages(to, row);
	fprintf(to, "<title>%s pages that were written to</title></text>\n",
		units_exact(row->nr_pages, count));
}

static void put_sum(FILE *to, const struct heat *heat, size_t row, double y,
		    double height, bool label)
{
	uint64_t max = 1, writes = heat->rows[row].writes;
	double width;
	char count[UNITS_SIZE];
	size_t i;

	for (i = 0; i < heat->nr_rows; i++)
		if (heat->rows[i].writes > max)
			max = heat->rows[i].writes;
	width = (SUMS_WIDTH * (double)writes) / (double)max;
	fprintf(to, "<rect class=\"bar\" x=\"%g\" y=\"%g\" width=\"%.2f\" "
		"height=\"%g\"><title>", SUMS, y + height * .15, width,
		height * .7);
	put_pages(to, &heat->rows[row]);
	fprintf(to, ": %s writes</title></rect>\n", units_exact(writes, count));
	if (label)
		fprintf(to, "<text class=\"m\" x=\"%.1f\" y=\"%g\">%s</text>\n",
			SUMS + width + 6, y + height / 2 + 4,
			units_count(writes, count));
}

/* Rows that are lower than their names have every nth name. */
double svg_grid(FILE *to, const struct heat *heat, double y)
{
	double height = row_height(heat), last = -LABEL_HEIGHT;
	uint32_t steps[SVG_LEVELS];
	int nr_steps = svg_levels(heat_max(heat), steps);
	size_t row;

	if (!heat->nr_rows)
		fprintf(to, "<text class=\"k\" x=\"%g\" y=\"%g\">No writes were "
			"recorded.</text>\n", (SVG_LEFT + RIGHT) / 2, y + 34);
	for (row = 0; row < heat->nr_rows; row++, y += height) {
		bool label = y + gap_before(heat, row) - last >= LABEL_HEIGHT;

		y += gap_before(heat, row);
		fprintf(to, "<g class=\"g\" transform=\"translate(%g %g)\" "
			"shape-rendering=\"crispEdges\">\n"
			"<rect class=\"row\" width=\"%g\" height=\"%g\"/>\n",
			SVG_LEFT, y, HEAT_COLUMNS * SVG_COLUMN,
			height > 8 ? height - 1 : height);
		put_cells(to, heat, row, steps, nr_steps,
			  height > 8 ? height - 1 : height);
		put_unseen(to, heat, row, height > 8 ? height - 1 : height);
		fputs("</g>\n", to);
		put_sum(to, heat, row, y, height, label);
		if (label) {
			put_label(to, &heat->rows[row], y + height / 2 + 4);
			last = y;
		}
	}
	return heat->nr_rows ? y : y + row_height(heat);
}
