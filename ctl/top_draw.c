// SPDX-License-Identifier: GPL-2.0-or-later
/* All lines of the screen of `wtrackctl top`. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "top_view.h"
#include "units.h"

static void put(struct top_line *line, enum top_look look, const char *format,
		...) __attribute__((format(printf, 3, 4)));

static void put(struct top_line *line, enum top_look look, const char *format,
		...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(line->text, sizeof(line->text), format, args);
	va_end(args);
	line->look = look;
}

static void draw_title(const struct top_view *view, const struct top_model *top,
		       struct top_line *line)
{
	char writes[UNITS_SIZE], every[UNITS_SIZE];

	put(line, LOOK_TITLE, "wtrackctl top  %zu VMs  %zu sessions  "
	    "%s writes/s  %.1f %% vCPU  every %s%s", top->lists[TOP_VMS].nr,
	    top->lists[TOP_SESSIONS].nr, units_rate(top->rate, writes),
	    100 * top->share,
	    units_time(view->interval_ns, every),
	    view->paused ? "  PAUSED" : "");
}

static void draw_name(const struct top_view *view, const struct top_model *top,
		      enum top_kind kind, struct top_line *line)
{
	static const char *const names[] = { "VMs", "Sessions", "Pages" };
	static const char *const sorts[] = { "rate", "number", "writes" };
	const struct top_pane *pane = &view->panes[kind];
	char *of = NULL;

	if (kind == TOP_PAGES_PANE && view->pages_of)
		of = text_escape(view->pages_of);
	put(line, view->focus == kind ? LOOK_PANE : LOOK_DIM,
	    "%c %s%s%s (%zu) by %s%s", view->focus == kind ? '>' : ' ',
	    names[kind], of ? " of " : "", of ? of : "", top->lists[kind].nr,
	    sorts[pane->sort], pane->reverse ? ", reversed" : "");
	free(of);
}

static struct top_line *draw_pane(struct top_view *view, struct top_model *top,
				  enum top_kind kind, size_t columns,
				  struct top_line *line)
{
	const struct top_pane *pane = &view->panes[kind];
	const struct top_list *list = &top->lists[kind];
	size_t i, row;

	draw_name(view, top, kind, line++);
	top_row_heading(line++, kind, columns);
	for (i = 0; i < pane->height; i++, line++) {
		row = pane->first + i;
		if (row >= list->nr) {
			put(line, LOOK_PLAIN, "%s", "");
			continue;
		}
		top_row_draw(line, top, kind, &list->rows[row], columns);
		if (view->focus == kind && row == pane->selected)
			line->look = LOOK_SELECTED;
	}
	return line;
}

static void draw_help(size_t rows, struct top_line *lines)
{
	static const char *const texts[] = {
		"", "  Tab, Shift-Tab   the next list, the one before",
		"  up, down, j, k   select a row",
		"  PgUp, PgDn       a screen of rows",
		"  Home, End        the first row, the last",
		"  s                sort by rate, number or writes",
		"  r                reverse the order",
		"  space, p         pause",
		"  +, -             look more often, less often",
		"  h, ?             this help",
		"  q                quit", "",
		"  RING: how full the session's ring is. LOSSES: how often",
		"  writes were not reported one by one. VCPU%: the time of a",
		"  vCPU that emulated writes take. Any key goes back.",
	};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]) && i < rows; i++)
		put(&lines[i], LOOK_PLAIN, "%s", texts[i]);
}

static void draw_last(const struct top_view *view, struct top_line *line)
{
	if (view->message)
		put(line, LOOK_WARNING, "%s", view->message);
	else
		put(line, LOOK_DIM, "q quit  Tab list  s sort  r reverse  "
		    "p pause  +/- interval  h help");
}

static void draw_panes(struct top_view *view, struct top_model *top,
		       size_t rows, size_t columns, struct top_line *lines)
{
	struct top_line *line = lines + 1;
	int kind, nr = view->has_pages ? TOP_KINDS : TOP_KINDS - 1;

	for (kind = 0; kind < nr; kind++)
		top_sort(&top->lists[kind], view->panes[kind].sort,
			 view->panes[kind].reverse);
	top_view_layout(view, top, rows);
	for (kind = 0; kind < nr; kind++)
		line = draw_pane(view, top, (enum top_kind)kind, columns, line);
}

/* Cuts what is longer than the screen is wide; the look goes to its edge. */
static void fit(struct top_line *line, size_t columns)
{
	size_t length = strlen(line->text), width;

	while (length && (width = text_width(line->text)) > columns) {
		do
			length--;
		while (length &&
		       ((unsigned char)line->text[length] & 0xc0) == 0x80);
		line->text[length] = '\0';
	}
	for (width = text_width(line->text);
	     width < columns && length + 1 < sizeof(line->text); width++)
		line->text[length++] = ' ';
	line->text[length] = '\0';
}

void top_view_draw(struct top_view *view, struct top_model *top, size_t rows,
		   size_t columns, struct top_line *lines)
{
	size_t i;

	for (i = 0; i < rows; i++)
		put(&lines[i], LOOK_PLAIN, "%s", "");
	if (rows < TOP_MIN_ROWS + (view->has_pages ? 3 : 0) ||
	    columns < TOP_MIN_COLUMNS) {
		if (rows)
			put(&lines[0], LOOK_WARNING, "the terminal is too small");
	} else {
		draw_title(view, top, &lines[0]);
		if (view->help)
			draw_help(rows - 2, lines + 1);
		else
			draw_panes(view, top, rows, columns, lines);
		draw_last(view, &lines[rows - 1]);
	}
	for (i = 0; i < rows; i++)
		fit(&lines[i], columns);
}
