// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of `wtrackctl top`. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "top_view.h"
#include "units.h"

#define BAR_MAX		40

struct column {
	const char *title;
	int width;		/* negative: aligned to the left */
	bool shrink;		/* takes what room there is */
};

static const struct column vm_columns[] = {
	{ "VM", 10, false }, { "NAME", -12, true }, { "USER", -10, false },
	{ "SESSIONS", 8, false }, { "PAGES", 5, false },
	{ "MEMORY", 7, false }, { "LOSSES", 6, false },
	{ "VCPU%", 5, false }, { "WRITES/S", 8, false }, { NULL, 0, false },
};

static const struct column session_columns[] = {
	{ "SESSION", 8, false }, { "VM", 10, false }, { "KIND", -6, false },
	{ "USER", -10, true }, { "PID", 8, false }, { "PAGES", 6, false },
	{ "RING", 5, false }, { "LOSSES", 6, false },
	{ "VCPU%", 5, false }, { "WRITES/S", 8, false }, { NULL, 0, false },
};

static const struct column page_columns[] = {
	{ "PAGE", 14, false }, { "", -12, true }, { "LOSSES", 8, false },
	{ "WRITES", 9, false }, { "WRITES/S", 10, false }, { NULL, 0, false },
};

static const struct column *const columns_of[TOP_KINDS] = {
	[TOP_VMS] = vm_columns,
	[TOP_SESSIONS] = session_columns,
	[TOP_PAGES_PANE] = page_columns,
};

/* What the column that shrinks or grows gets. */
static int room(const struct column *columns, size_t width)
{
	int used = 0;

	for (; columns->title; columns++)
		used += 1 + (columns->shrink ? 0 : abs(columns->width));
	return (int)width > used + 4 ? (int)width - used : 4;
}

/* One cell, cut or filled up to its width on the screen. */
static void put(struct top_line *line, int width, const char *text)
{
	size_t length = strlen(line->text), cut = strlen(text), pad;
	size_t want = (size_t)abs(width);

	while (cut) {
		char part[TOP_LINE];

		snprintf(part, sizeof(part), "%.*s", (int)cut, text);
		if (text_width(part) <= want)
			break;
		do
			cut--;
		while (cut && ((unsigned char)text[cut] & 0xc0) == 0x80);
	}
	pad = want;
	if (cut) {
		char part[TOP_LINE];

		snprintf(part, sizeof(part), "%.*s", (int)cut, text);
		pad = want - text_width(part);
	}
	snprintf(line->text + length, sizeof(line->text) - length,
		 "%*s%.*s%*s ", width < 0 ? 0 : (int)pad, "", (int)cut, text,
		 width < 0 ? (int)pad : 0, "");
}

static void put_cells(struct top_line *line, enum top_kind kind, size_t width,
		      char *const *cells)
{
	const struct column *columns = columns_of[kind];
	int wide = room(columns, width), i;

	line->text[0] = '\0';
	for (i = 0; columns[i].title; i++)
		put(line, columns[i].shrink ? -wide : columns[i].width,
		    cells[i]);
}

void top_row_heading(struct top_line *line, enum top_kind kind, size_t columns)
{
	const struct column *column = columns_of[kind];
	char *cells[16];
	int i;

	for (i = 0; column[i].title; i++)
		cells[i] = (char *)column[i].title;
	put_cells(line, kind, columns, cells);
	line->look = LOOK_HEADING;
}

static char *number(uint64_t n)
{
	char text[UNITS_SIZE];

	return text_printf("%s", units_count(n, text));
}

static char *rate(double per_second)
{
	char text[UNITS_SIZE];

	return text_printf("%s", units_rate(per_second, text));
}

static char *share(enum top_kind kind, const struct top_row *row)
{
	return text_printf("%.1f", 100 * top_row_share(kind, row));
}

static char *user(uint32_t uid)
{
	char text[64];

	return text_escape(text_user(uid, text, sizeof(text)));
}

static void vm_cells(char **cells, const struct top_row *row)
{
	char text[UNITS_SIZE];

	*cells++ = text_escape(row->label);
	*cells++ = text_escape(row->name);
	*cells++ = user(row->uid);
	*cells++ = number(row->sessions);
	*cells++ = number(row->pages);
	*cells++ = text_printf("%s", text_bytes(row->memory, text,
						sizeof(text)));
	*cells++ = number(row->losses);
	*cells++ = share(TOP_VMS, row);
	*cells++ = rate(row->rate);
}

static void session_cells(char **cells, const struct top_row *row)
{
	*cells++ = text_printf("%" PRIu64, row->id);
	*cells++ = text_escape(row->label);
	*cells++ = text_escape(row->name);
	*cells++ = user(row->uid);
	*cells++ = text_printf("%" PRId32, row->pid);
	*cells++ = number(row->pages);
	*cells++ = row->records ? text_printf("%u%%", (unsigned int)
		((uint64_t)row->unread * 100 / row->records)) :
		text_printf("-");
	*cells++ = number(row->losses);
	*cells++ = share(TOP_SESSIONS, row);
	*cells++ = rate(row->rate);
}

/* How long the bar is, beside the busiest page. */
static char *bar(const struct top_model *top, const struct top_row *row,
		 int width)
{
	const struct top_list *pages = &top->lists[TOP_PAGES_PANE];
	double max = 0;
	size_t i, length;
	char *text;

	for (i = 0; i < pages->nr; i++)
		if (pages->rows[i].rate > max)
			max = pages->rows[i].rate;
	width = width > BAR_MAX ? BAR_MAX : width;
	length = max > 0 ? (size_t)(row->rate * width / max + .5) : 0;
	text = text_printf("%*s", (int)length, "");
	memset(text, '|', length);
	return text;
}

static void page_cells(char **cells, const struct top_model *top,
		       const struct top_row *row, size_t columns)
{
	*cells++ = text_printf("0x%" PRIx64, row->id);
	*cells++ = row->unseen ? text_printf("not seen now") :
		   bar(top, row, room(page_columns, columns));
	*cells++ = number(row->losses);
	*cells++ = number(row->total);
	*cells++ = rate(row->rate);
}

void top_row_draw(struct top_line *line, const struct top_model *top,
		  enum top_kind kind, const struct top_row *row, size_t columns)
{
	char *cells[16] = { NULL };
	int i;

	if (kind == TOP_VMS)
		vm_cells(cells, row);
	else if (kind == TOP_SESSIONS)
		session_cells(cells, row);
	else
		page_cells(cells, top, row, columns);
	put_cells(line, kind, columns, cells);
	for (i = 0; cells[i]; i++)
		free(cells[i]);
	line->look = row->unseen ? LOOK_WARNING : LOOK_PLAIN;
}
