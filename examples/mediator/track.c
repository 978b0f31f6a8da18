// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is tracked: the directory always, a table as long as the directory
 * links it. The guest uses what it has unlinked without our knowing.
 */
#include "mediator.h"

enum { QUERY_RANGES = 16 };

bool track_has(const struct mediator *m, int page)
{
	return page == PAGE_DIRECTORY || m->tables[page].links;
}

static struct wtrack_range page_range(int page)
{
	return (struct wtrack_range) {
		.gfn = gpu_page_gpa(page) / PAGE_BYTES,
		.nr_pages = 1,
	};
}

/*
 * Add first, then read: a store that is too late for the one is an event of
 * the other.
 */
static void add_page(struct mediator *m, int page)
{
	struct wtrack_range range = page_range(page);

	mediator_check(wtrack_session_add(m->session, &range, 1, NULL, 0),
		       "add");
	m->disarmed[page] = false;
	shadow_read_page(m, page);
}

/*
 * Events of the page from before may still be in the ring, and with them data
 * that is out of date when the page is added and read again: the fence tells
 * which those are.
 */
static void remove_page(struct mediator *m, int page)
{
	struct wtrack_range range = page_range(page);

	mediator_check(wtrack_session_remove_fenced(m->session, &range, 1, NULL,
						    0, &m->fence[page]),
		       "remove");
}

void track_directory(struct mediator *m)
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		m->linked[i] = NO_PAGE;
	add_page(m, PAGE_DIRECTORY);
}

/* What the directory entry links now. */
void track_link(struct mediator *m, unsigned int slot, int table)
{
	int old = m->linked[slot];

	if (table == old)
		return;
	m->linked[slot] = table;
	if (table != NO_PAGE && !m->tables[table].links++) {
		m->counts.tables_added++;
		add_page(m, table);
	}
	if (old != NO_PAGE && !--m->tables[old].links) {
		m->counts.tables_removed++;
		remove_page(m, old);
	}
}

static void mark_tracked(struct mediator *m, bool tracked[NR_PAGES],
			 const struct wtrack_range *range)
{
	uint64_t i;
	int page;

	for (i = 0; i < range->nr_pages; i++) {
		page = gpu_page_at(range->gfn + i);
		if (page == NO_PAGE)
			mediator_mismatch(m, "gfn %#llx is tracked",
					  (unsigned long long)(range->gfn + i));
		else
			tracked[page] = true;
	}
}

/* Does the session track what it should, and nothing else? */
void track_compare(struct mediator *m)
{
	struct wtrack_range ranges[QUERY_RANGES];
	bool tracked[NR_PAGES] = { false };
	uint64_t gfn = 0;
	int i, n;

	while ((n = wtrack_session_query(m->session, &gfn, ranges,
					 QUERY_RANGES)) > 0)
		for (i = 0; i < n; i++)
			mark_tracked(m, tracked, &ranges[i]);
	mediator_check(n, "query");
	for (i = 0; i < NR_PAGES; i++)
		if (tracked[i] != track_has(m, i))
			mediator_mismatch(m, "page %d is%s tracked", i,
					  tracked[i] ? "" : " not");
}
