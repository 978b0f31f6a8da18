/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Aligned columns. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "text.h"

struct ctl;
struct table;

/**
 * struct column - of a table; an array of them ends with one without title
 * @title: heading, without spaces
 * @right: numbers: aligned to the right
 * @shrink: may be cut where a line is longer than the terminal
 */
struct column {
	const char *title;
	bool right;
	bool shrink;
};

/*
 * Fill it cell by cell, row by row; cells are escaped, an empty one is
 * printed as "-" so that a program finds the columns. Without a terminal
 * nothing is cut.
 */
struct table *table_new(const struct column *columns);
void table_cell(struct table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Of the next cell. */
void table_colour(struct table *table, enum colour colour);
size_t table_rows(const struct table *table);
/* With a heading if --no-legend was not given. */
void table_print(const struct table *table, const struct ctl *ctl);
/* "2 VMs.", or "No VMs."; not with --no-legend or --quiet. */
void table_sum(const struct table *table, const struct ctl *ctl,
	       const char *noun);
void table_free(struct table *table);

#endif
