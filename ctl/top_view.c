// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "top_view.h"

#define MS		UINT64_C(1000000)
#define MIN_INTERVAL	(100 * MS)
#define MAX_INTERVAL	(60000 * MS)
/* Of a pane, beside its rows: its name, and the heading of the columns. */
#define PANE_LINES	2
/* Of the screen: the title and the last line. */
#define FRAME_LINES	2

void top_view_init(struct top_view *view)
{
	*view = (struct top_view) { .interval_ns = 1000 * MS };
}

static int nr_panes(const struct top_view *view)
{
	return view->has_pages ? TOP_KINDS : TOP_KINDS - 1;
}

static void move(struct top_pane *pane, size_t nr, long by)
{
	if (by < 0 && (size_t)-by > pane->selected)
		pane->selected = 0;
	else
		pane->selected += (size_t)by;
	if (pane->selected >= nr)
		pane->selected = nr ? nr - 1 : 0;
}

/* True when it is a key of that kind. */
static bool move_key(struct top_pane *pane, size_t nr, enum top_key key)
{
	long page = pane->height > 1 ? (long)pane->height - 1 : 1;

	switch (key) {
	case TOP_KEY_UP:
		move(pane, nr, -1);
		return true;
	case TOP_KEY_DOWN:
		move(pane, nr, 1);
		return true;
	case TOP_KEY_PAGE_UP:
		move(pane, nr, -page);
		return true;
	case TOP_KEY_PAGE_DOWN:
		move(pane, nr, page);
		return true;
	case TOP_KEY_HOME:
		pane->selected = 0;
		return true;
	case TOP_KEY_END:
		pane->selected = nr ? nr - 1 : 0;
		return true;
	default:
		return false;
	}
}

static void change_interval(struct top_view *view, bool faster)
{
	uint64_t ns = faster ? view->interval_ns / 2 : view->interval_ns * 2;

	if (ns >= MIN_INTERVAL && ns <= MAX_INTERVAL)
		view->interval_ns = ns;
}

static void view_key(struct top_view *view, enum top_key key)
{
	int nr = nr_panes(view), focus = view->focus;
	struct top_pane *pane = &view->panes[focus];

	switch (key) {
	case TOP_KEY_QUIT:
		view->quit = true;
		break;
	case TOP_KEY_NEXT_PANE:
		view->focus = (enum top_kind)((focus + 1) % nr);
		break;
	case TOP_KEY_PREVIOUS_PANE:
		view->focus = (enum top_kind)((focus + nr - 1) % nr);
		break;
	case TOP_KEY_SORT:
		pane->sort = (enum top_sort)((pane->sort + 1) % TOP_SORTS);
		break;
	case TOP_KEY_REVERSE:
		pane->reverse = !pane->reverse;
		break;
	case TOP_KEY_PAUSE:
		view->paused = !view->paused;
		break;
	case TOP_KEY_FASTER:
	case TOP_KEY_SLOWER:
		change_interval(view, key == TOP_KEY_FASTER);
		break;
	default:
		break;
	}
}

/* Any key ends the help; q does no more than that then. */
void top_view_key(struct top_view *view, const struct top_model *top,
		  enum top_key key)
{
	if (key == TOP_KEY_NONE)
		return;
	if (view->help || key == TOP_KEY_HELP)
		view->help = !view->help;
	else if (!move_key(&view->panes[view->focus],
			   top->lists[view->focus].nr, key))
		view_key(view, key);
}

static void keep_in_sight(struct top_pane *pane, size_t nr)
{
	if (pane->selected >= nr)
		pane->selected = nr ? nr - 1 : 0;
	if (pane->selected < pane->first)
		pane->first = pane->selected;
	if (pane->height && pane->selected >= pane->first + pane->height)
		pane->first = pane->selected - pane->height + 1;
	if (pane->first + pane->height > nr)
		pane->first = nr > pane->height ? nr - pane->height : 0;
}

/*
 * Rows go round the panes one by one to those that have more to show; what
 * then is left goes to the last, so that the others stay where they are.
 */
void top_view_layout(struct top_view *view, const struct top_model *top,
		     size_t rows)
{
	int nr = nr_panes(view), pane;
	size_t used = FRAME_LINES + (size_t)nr * PANE_LINES;
	size_t left = rows > used ? rows - used : 0;
	bool gave = true;

	for (pane = 0; pane < TOP_KINDS; pane++)
		view->panes[pane].height = 0;
	while (left && gave) {
		gave = false;
		for (pane = nr - 1; pane >= 0 && left; pane--) {
			if (view->panes[pane].height >= top->lists[pane].nr)
				continue;
			view->panes[pane].height++;
			left--;
			gave = true;
		}
	}
	view->panes[nr - 1].height += left;
	for (pane = 0; pane < nr; pane++)
		keep_in_sight(&view->panes[pane], top->lists[pane].nr);
}
