// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The shadow is always made from guest memory, never from the data of an
 * event: an event says which word to look at. See README.md for why.
 */
#include "mediator.h"

static uint64_t load_entry(const struct mediator *m, int page,
			   unsigned int index)
{
	return mediator_load(m, gpu_page_gpa(page) + index * 8);
}

/*
 * A word has changed. A later store to it may be what is read here; then its
 * own event finds nothing new.
 */
void shadow_read_word(struct mediator *m, int page, unsigned int index)
{
	uint64_t entry = load_entry(m, page, index);

	if (page == PAGE_DIRECTORY)
		track_link(m, index, gpu_linked_table(entry));
	else
		m->tables[page].entry[index] = gpu_translate(entry);
}

void shadow_read_page(struct mediator *m, int page)
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		shadow_read_word(m, page, i);
	if (!m->coalesce)
		replica_read_page(m, page);
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
void shadow_compare(struct mediator *m, unsigned int slot, unsigned int nr)
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
