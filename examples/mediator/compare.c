// SPDX-License-Identifier: GPL-2.0-or-later
/* Is the shadow what a walk of guest memory gives, and is nothing else tracked? */
#include "mediator.h"

enum { QUERY_RANGES = 16 };

/* One word of guest memory, which vCPUs may be writing to. */
static uint64_t load_entry(const struct mediator *m, int page,
			   unsigned int index)
{
	const void *at = m->memory + gpu_page_gpa(page) + index * 8;

	return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
}

static void compare_table(struct mediator *m, unsigned int slot, int table)
{
	const struct shadow_table *shadow = &m->tables[table];
	uint64_t guest;
	unsigned int i;

	for (i = 0; i < ENTRIES; i++) {
		guest = load_entry(m, table, i);
		if (shadow->entry[i] != gpu_translate(guest))
			mediator_mismatch(m, "entry %u.%u: shadow %#llx, guest %#llx",
					  slot, i,
					  (unsigned long long)shadow->entry[i],
					  (unsigned long long)guest);
	}
	m->counts.entries_compared += ENTRIES;
}

/* The full walk: every GPU address under these directory entries. */
static void compare_slots(struct mediator *m, unsigned int slot,
			  unsigned int nr)
{
	unsigned int end = slot + nr;
	int table;

	for (; slot < end; slot++) {
		table = gpu_linked_table(load_entry(m, PAGE_DIRECTORY, slot));
		if (m->linked[slot] != table)
			mediator_mismatch(m, "slot %u: shadow of table %d, guest has %d",
					  slot, m->linked[slot], table);
		else if (table != NO_PAGE)
			compare_table(m, slot, table);
	}
	m->counts.entries_compared += nr;
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
static void compare_tracked(struct mediator *m)
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
		if (tracked[i] != (i == PAGE_DIRECTORY || m->tables[i].links))
			mediator_mismatch(m, "page %d is%s tracked", i,
					  tracked[i] ? "" : " not");
}

void compare_region(struct mediator *m, unsigned int region)
{
	compare_slots(m, REGION_SLOT(region), REGION_SLOTS);
}

void compare_all(struct mediator *m)
{
	compare_slots(m, 0, ENTRIES);
	compare_tracked(m);
}
