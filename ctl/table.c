// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "mem.h"
#include "table.h"

/* Narrower than that a column is not cut. */
#define LEAST_WIDTH	8
#define GAP		2

struct cell {
	char *text;
	enum colour colour;
};

struct table {
	const struct column *columns;
	size_t nr_columns;
	struct cell *cells;
	size_t nr_cells;
	enum colour colour;
};

struct table *table_new(const struct column *columns)
{
	struct table *table = mem_zalloc(sizeof(*table));

	table->columns = columns;
	while (columns[table->nr_columns].title)
		table->nr_columns++;
	return table;
}

void table_cell(struct table *table, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = mem_strdup("");
	va_end(args);
	table->cells = mem_grow(table->cells, table->nr_cells,
				sizeof(*table->cells));
	table->cells[table->nr_cells++] = (struct cell) {
		.text = text_escape(*text ? text : "-"),
		.colour = table->colour,
	};
	table->colour = COLOUR_NONE;
	free(text);
}

void table_colour(struct table *table, enum colour colour)
{
	table->colour = colour;
}

size_t table_rows(const struct table *table)
{
	return table->nr_cells / table->nr_columns;
}

static size_t column_width(const struct table *table, size_t column,
			   bool legend)
{
	size_t width = legend ? strlen(table->columns[column].title) : 0;
	size_t i, cell;

	for (i = column; i < table->nr_cells; i += table->nr_columns) {
		cell = text_width(table->cells[i].text);
		width = cell > width ? cell : width;
	}
	return width;
}

/* Takes what is too much from the widest column that may shrink, and so on. */
static void shrink(const struct table *table, size_t *widths, size_t total,
		   size_t limit)
{
	size_t i, widest;

	while (limit && total > limit) {
		widest = table->nr_columns;
		for (i = 0; i < table->nr_columns; i++)
			if (table->columns[i].shrink && widths[i] > LEAST_WIDTH &&
			    (widest == table->nr_columns ||
			     widths[i] > widths[widest]))
				widest = i;
		if (widest == table->nr_columns)
			return;
		widths[widest]--;
		total--;
	}
}

static void pad(size_t n)
{
	printf("%*s", (int)n, "");
}

/* As much as has room, the last column a dot that something is missing. */
static void print_cut(const char *text, size_t width)
{
	size_t used = 0;
	uint32_t c;
	int n;

	while ((n = text_decode(text, &c)) > 0) {
		char one[8] = "";

		memcpy(one, text, (size_t)n);
		if (used + text_width(one) > width - 1)
			break;
		used += text_width(one);
		fputs(one, stdout);
		text += n;
	}
	pad(width - 1 - used);
	putchar('~');
}

static void print_cell(const struct table *table, size_t column,
		       const char *text, enum colour colour, size_t width)
{
	size_t own = text_width(text);
	size_t room = own < width ? width - own : 0;
	bool last = column + 1 == table->nr_columns;

	if (table->columns[column].right)
		pad(room);
	if (colour != COLOUR_NONE)
		fputs(term_colour(colour), stdout);
	if (own > width)
		print_cut(text, width);
	else
		fputs(text, stdout);
	if (colour != COLOUR_NONE)
		fputs(term_colour(COLOUR_NONE), stdout);
	if (!last)
		pad((table->columns[column].right ? 0 : room) + GAP);
}

static void print_heading(const struct table *table, const size_t *widths)
{
	size_t i;

	for (i = 0; i < table->nr_columns; i++)
		print_cell(table, i, table->columns[i].title, COLOUR_BOLD,
			   widths[i]);
	putchar('\n');
}

void table_print(const struct table *table, const struct ctl *ctl)
{
	size_t *widths = mem_zalloc(table->nr_columns * sizeof(*widths));
	size_t i, total = GAP * (table->nr_columns - 1);

	for (i = 0; i < table->nr_columns; i++) {
		widths[i] = column_width(table, i, ctl->legend);
		total += widths[i];
	}
	shrink(table, widths, total, term_width());
	if (ctl->legend && table->nr_cells)
		print_heading(table, widths);
	for (i = 0; i < table->nr_cells; i++) {
		size_t column = i % table->nr_columns;

		print_cell(table, column, table->cells[i].text,
			   table->cells[i].colour, widths[column]);
		if (column + 1 == table->nr_columns)
			putchar('\n');
	}
	free(widths);
}

void table_sum(const struct table *table, const struct ctl *ctl,
	       const char *noun)
{
	size_t rows = table_rows(table);

	if (!ctl->legend || ctl->quiet)
		return;
	if (rows)
		printf("\n%zu %s%s.\n", rows, noun, rows == 1 ? "" : "s");
	else
		printf("No %ss.\n", noun);
}

void table_free(struct table *table)
{
	size_t i;

	for (i = 0; i < table->nr_cells; i++)
		free(table->cells[i].text);
	free(table->cells);
	free(table);
}
