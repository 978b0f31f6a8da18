// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The mirror's changes become changes of the shadow. Mirrored are the directory,
 * always, and a table as long as the directory links it. The guest uses what it
 * has unlinked without our knowing.
 */
#include "mediator.h"

static bool is_mirrored(const struct mediator *m, int page)
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

static uint64_t copied_entry(const struct mediator *m, int page,
			     unsigned int index)
{
	const uint64_t *entries =
		wtrack_mirror_page(m->mirror, gpu_page_gpa(page) / PAGE_BYTES);

	return entries[index];
}

static void link_table(struct mediator *m, unsigned int slot, int table);

/* Linking another table moves no page that is in the mirror. */
static void take_entries(struct mediator *m, int page, unsigned int first,
			 unsigned int end)
{
	unsigned int i;
	uint64_t entry;

	for (i = first; i < end; i++) {
		entry = copied_entry(m, page, i);
		if (page == PAGE_DIRECTORY)
			link_table(m, i, gpu_linked_table(entry));
		else
			m->tables[page].entry[i] = gpu_translate(entry);
	}
}

/* What the page has is in the mirror at once; what follows are changes. */
static void add_page(struct mediator *m, int page)
{
	struct wtrack_range range = page_range(page);

	mediator_check(wtrack_mirror_add(m->mirror, &range, 1, NULL, 0), "add");
	take_entries(m, page, 0, ENTRIES);
}

static void remove_page(struct mediator *m, int page)
{
	struct wtrack_range range = page_range(page);

	mediator_check(wtrack_mirror_remove(m->mirror, &range, 1), "remove");
}

/* What the directory entry links now. */
static void link_table(struct mediator *m, unsigned int slot, int table)
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

void shadow_begin(struct mediator *m)
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		m->linked[i] = NO_PAGE;
	add_page(m, PAGE_DIRECTORY);
}

/* It is over with the next call on the mirror, which a linked table is. */
void shadow_change(struct mediator *m, const struct wtrack_change *change)
{
	int page = gpu_page_at(change->gpa / PAGE_BYTES);
	unsigned int offset = change->gpa % PAGE_BYTES;

	if (change->what == WTRACK_CHANGED_STATE) {
		m->counts.states++;
	} else if (page == NO_PAGE || !is_mirrored(m, page)) {
		mediator_mismatch(m, "a change at %#llx, which is not mirrored",
				  (unsigned long long)change->gpa);
	} else {
		m->counts.changes++;
		take_entries(m, page, offset / 8,
			     (offset + change->len + 7) / 8);
	}
}
