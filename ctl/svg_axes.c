// SPDX-License-Identifier: GPL-2.0-or-later
/* What is around the grid of a heat map: writes over time, axes, legend. */
#include <inttypes.h>

#include "heat.h"
#include "report.h"
#include "svg.h"
#include "units.h"

#define PLOT_WIDTH	(HEAT_COLUMNS * SVG_COLUMN)
#define BAR_HEIGHT	56.0
#define MAX_TICKS	8
#define SWATCH		46.0

static uint64_t max_column(const struct heat *heat)
{
	uint64_t max = 0;
	size_t i;

	for (i = 0; i < HEAT_COLUMNS; i++)
		if (heat->columns[i] > max)
			max = heat->columns[i];
	return max;
}

static void put_bar(FILE *to, const struct heat *heat, size_t i, uint64_t max,
		    double bottom)
{
	char from[UNITS_SIZE], until[UNITS_SIZE], count[UNITS_SIZE];
	double height = BAR_HEIGHT * (double)heat->columns[i] / (double)max;

	if (height < 1)
		height = 1;
	fprintf(to, "<rect class=\"bar\" x=\"%g\" y=\"%.2f\" width=\"%g\" "
		"height=\"%.2f\"><title>%s to %s: %s writes</title></rect>\n",
		SVG_LEFT + (double)i * SVG_COLUMN, bottom - height,
		SVG_COLUMN, height,
		units_time(i * heat->width_ns, from),
		units_time((i + 1) * heat->width_ns, until),
		units_exact(heat->columns[i], count));
}

double svg_bars(FILE *to, const struct heat *heat, double y)
{
	double bottom = y + 20 + BAR_HEIGHT;
	uint64_t max = max_column(heat);
	char rate[UNITS_SIZE];
	size_t i;

	units_rate((double)max * 1e9 / (double)heat->width_ns, rate);
	fprintf(to, "<text class=\"s e\" x=\"%g\" y=\"%g\">writes per second"
		"</text>\n<text class=\"m e\" x=\"%g\" y=\"%g\">%s</text>\n"
		"<text class=\"m e\" x=\"%g\" y=\"%g\">0</text>\n"
		"<text class=\"s\" x=\"%g\" y=\"%g\">writes by page</text>\n",
		SVG_LEFT - 8, y + 10, SVG_LEFT - 8, y + 26, max ? rate : "",
		SVG_LEFT - 8, bottom, SVG_LEFT + PLOT_WIDTH + 12, bottom);
	fprintf(to, "<path class=\"gr\" d=\"M%g %gh%g\"/>\n", SVG_LEFT,
		y + 20, PLOT_WIDTH);
	fputs("<g shape-rendering=\"crispEdges\">\n", to);
	for (i = 0; i < HEAT_COLUMNS; i++)
		if (heat->columns[i])
			put_bar(to, heat, i, max, bottom);
	fputs("</g>\n", to);
	fprintf(to, "<path class=\"ax\" d=\"M%g %gh%g\"/>\n", SVG_LEFT,
		bottom + .5, PLOT_WIDTH);
	return bottom + 2;
}

double svg_overflows(FILE *to, const struct heat *heat, double y, double bottom)
{
	char from[UNITS_SIZE];
	double x;
	size_t i;

	for (i = 0; i < HEAT_COLUMNS; i++) {
		if (!heat->overflows[i])
			continue;
		x = SVG_LEFT + ((double)i + .5) * SVG_COLUMN;
		fprintf(to, "<path class=\"ol\" d=\"M%g %gV%g\"/>\n"
			"<path class=\"ov\" d=\"M%g %gh8l-4 8z\">"
			"<title>%s: the ring was full</title></path>\n",
			x, y + 10, bottom, x - 4, y + 2,
			units_time(i * heat->width_ns, from));
	}
	return bottom;
}

double svg_time_axis(FILE *to, const struct heat *heat, double y)
{
	uint64_t span = heat->width_ns * HEAT_COLUMNS, at;
	struct units_axis axis = units_axis(span, MAX_TICKS);
	unsigned int i;
	double x;

	fprintf(to, "<path class=\"ax\" d=\"M%g %gh%g\"/>\n", SVG_LEFT, y + 4.5,
		PLOT_WIDTH);
	for (i = 0; i <= MAX_TICKS && i * axis.step_ns <= span; i++) {
		at = i * axis.step_ns;
		x = SVG_LEFT + PLOT_WIDTH * (double)at / (double)span;
		fprintf(to, "<path class=\"ax\" d=\"M%.2f %gv5\"/>"
			"<text class=\"k\" x=\"%.2f\" y=\"%g\">%.*f</text>\n",
			x, y + 4.5, x, y + 23, axis.decimals,
			(double)at / (double)axis.unit_ns);
	}
	fprintf(to, "<text class=\"s k\" x=\"%g\" y=\"%g\">time since the start "
		"in %s</text>\n", SVG_LEFT + PLOT_WIDTH / 2, y + 41, axis.unit);
	return y + 48;
}

static void put_step(FILE *to, double x, double y, uint32_t count)
{
	char text[UNITS_SIZE];

	fprintf(to, "<text class=\"s k\" x=\"%g\" y=\"%g\">%s</text>\n", x, y,
		units_count(count, text));
}

/* Each colour with the least count that it stands for. */
static double put_ramp(FILE *to, const struct heat *heat, double x, double y)
{
	uint32_t max = heat_max(heat), steps[SVG_LEVELS];
	int nr = svg_levels(max, steps), i;

	for (i = 0; i < nr; i++, x += SWATCH) {
		fprintf(to, "<rect class=\"c%d\" x=\"%g\" y=\"%g\" "
			"width=\"%g\" height=\"12\"/>\n",
			svg_level(steps, nr, steps[i]), x, y, SWATCH);
		if (nr == SVG_LEVELS && max > SVG_LEVELS)
			put_step(to, x, y + 26, steps[i]);
		else
			put_step(to, x + SWATCH / 2, y + 26, steps[i]);
	}
	if (max > SVG_LEVELS)
		put_step(to, x, y + 26, max);
	return x + (nr ? 30 : 0);
}

double svg_legend(FILE *to, const struct heat *heat, double y)
{
	char width[UNITS_SIZE];
	double x;

	fprintf(to, "<text class=\"s e\" x=\"%g\" y=\"%g\">writes in %s"
		"</text>\n", SVG_LEFT - 8, y + 22,
		units_time(heat->width_ns, width));
	x = put_ramp(to, heat, SVG_LEFT, y + 12);
	fprintf(to, "<rect class=\"row\" x=\"%g\" y=\"%g\" width=\"24\" "
		"height=\"12\"/><rect class=\"u\" x=\"%g\" y=\"%g\" "
		"width=\"24\" height=\"12\"/>"
		"<text class=\"s\" x=\"%g\" y=\"%g\">not all seen</text>\n",
		x, y + 12, x, y + 12, x + 32, y + 22);
	x += 120;
	fprintf(to, "<path class=\"ov\" d=\"M%g %gh8l-4 8z\"/>"
		"<text class=\"s\" x=\"%g\" y=\"%g\">the ring was full</text>\n",
		x, y + 14, x + 16, y + 22);
	return y + 60;
}
