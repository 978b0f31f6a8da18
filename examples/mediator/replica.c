// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A copy of the tracked pages that is made from the data of the events alone,
 * to see whether those tell the same story as guest memory. They do as long as
 * no two vCPUs store to the same bytes at the same time.
 */
#include <string.h>

#include "mediator.h"

void replica_write(struct mediator *m, int page,
		   const struct wtrack_event *event)
{
	unsigned int offset = wtrack_event_get_gpa(event) % PAGE_BYTES;

	/* From before the page was removed: older than what was read since. */
	if (m->seq <= m->fence[page])
		return;
	memcpy((char *)m->replica[page] + offset, wtrack_event_get_data(event),
	       wtrack_event_get_len(event));
}

void replica_read_page(struct mediator *m, int page)
{
	unsigned int i;

	for (i = 0; i < ENTRIES; i++)
		m->replica[page][i] =
			mediator_load(m, gpu_page_gpa(page) + i * 8);
}

/* Returns how many words differ from guest memory; corrects them. */
static unsigned int compare_words(struct mediator *m, int page,
				  unsigned int first, unsigned int nr)
{
	unsigned int i, n = 0;
	uint64_t word;

	for (i = first; i < first + nr; i++) {
		word = mediator_load(m, gpu_page_gpa(page) + i * 8);
		n += m->replica[page][i] != word;
		m->replica[page][i] = word;
	}
	m->counts.words_compared += nr;
	return n;
}

static unsigned int compare_region(struct mediator *m, unsigned int region)
{
	int table = region * REGION_TABLES, end = table + REGION_TABLES;
	unsigned int n;

	n = compare_words(m, PAGE_DIRECTORY, REGION_SLOT(region), REGION_SLOTS);
	for (; table < end; table++)
		if (track_has(m, table))
			n += compare_words(m, table, 0, ENTRIES);
	return n;
}

void replica_compare(struct mediator *m, unsigned int region)
{
	unsigned int n = compare_region(m, region);

	if (n)
		mediator_mismatch(m, "region %u: data of events wrong in %u words",
				  region, n);
}

/*
 * Two stores to one word at the same time: the later event may be that of the
 * earlier store. Not a mistake, but the reason why the shadow is made from
 * memory.
 */
void replica_settle_raced(struct mediator *m)
{
	m->counts.raced_words += compare_region(m, REGION_RACED);
}
