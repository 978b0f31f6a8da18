/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen of `wtrackctl top`: where what stands, and what keys do. Without
 * a terminal: it makes lines of text.
 */
#ifndef CTL_TOP_VIEW_H
#define CTL_TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "top_model.h"

enum top_key {
	TOP_KEY_NONE,
	TOP_KEY_QUIT,
	TOP_KEY_UP,
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_NEXT_PANE,
	TOP_KEY_PREVIOUS_PANE,
	TOP_KEY_SORT,
	TOP_KEY_REVERSE,
	TOP_KEY_PAUSE,
	TOP_KEY_HELP,
	TOP_KEY_FASTER,
	TOP_KEY_SLOWER,
	TOP_KEY_OTHER,		/* does nothing but end the help */
};

enum top_look { LOOK_PLAIN, LOOK_TITLE, LOOK_PANE, LOOK_HEADING, LOOK_SELECTED,
		LOOK_DIM, LOOK_WARNING };

#define TOP_LINE	1024	/* bytes of a line */
#define TOP_MIN_ROWS	8
#define TOP_MIN_COLUMNS	40

struct top_line {
	char text[TOP_LINE];
	enum top_look look;
};

struct top_pane {
	enum top_sort sort;
	bool reverse;
	size_t selected;
	size_t first;		/* row at the top of the pane */
	size_t height;		/* rows that can be seen */
};

/**
 * struct top_view - how the model is looked at
 * @panes: one for each list of the model
 * @focus: the one that keys work on
 * @paused: the rows stay
 * @help: the keys are shown instead
 * @quit: that was it
 * @interval_ns: between two looks
 * @has_pages: pages are followed: a third pane
 * @pages_of: what they are, for its heading
 * @message: in the last line, NULL for the keys
 */
struct top_view {
	struct top_pane panes[TOP_KINDS];
	enum top_kind focus;
	bool paused;
	bool help;
	bool quit;
	uint64_t interval_ns;
	bool has_pages;
	const char *pages_of;
	const char *message;
};

void top_view_init(struct top_view *view);
void top_view_key(struct top_view *view, const struct top_model *top,
		  enum top_key key);

/* Shares out the rows of the screen, and keeps what is selected in sight. */
void top_view_layout(struct top_view *view, const struct top_model *top,
		     size_t rows);

/* Fills in @rows lines of at most @columns columns. Sorts the model. */
void top_view_draw(struct top_view *view, struct top_model *top, size_t rows,
		   size_t columns, struct top_line *lines);

/* A row of a list, and its heading. */
void top_row_heading(struct top_line *line, enum top_kind kind, size_t columns);
void top_row_draw(struct top_line *line, const struct top_model *top,
		  enum top_kind kind, const struct top_row *row, size_t columns);

#endif
