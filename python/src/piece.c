// SPDX-License-Identifier: LGPL-2.1-or-later
/* What of a change one call of the library takes. */
#include "change.h"

#define PIECE_PAGES	65536
/* Beyond that, the library refuses a range as a whole. */
#define GFN_LIMIT	(UINT64_C(1) << 40)

static bool is_valid(const struct wtrack_range *range)
{
	return range->gfn < GFN_LIMIT &&
	       range->nr_pages <= GFN_LIMIT - range->gfn;
}

/* What is left of the range at which the change is, as far as there is room. */
static bool piece_add(struct piece *piece, const struct change *change,
		      size_t i, uint64_t *room)
{
	uint64_t offset = i == change->at ? change->offset : 0;
	struct wtrack_range range = change->ranges[i];
	bool whole = true;

	if (is_valid(&range)) {
		range.gfn += offset;
		range.nr_pages -= offset;
		if (range.nr_pages > *room) {
			range.nr_pages = *room;
			whole = false;
		}
		*room -= range.nr_pages;
	}
	piece->ranges[piece->nr++] = range;
	return whole;
}

void piece_make(struct piece *piece, const struct change *change)
{
	uint64_t room = PIECE_PAGES;
	size_t i;

	piece->nr = 0;
	for (i = change->at; i < change->nr && piece->nr < PIECE_RANGES; i++)
		if (!room || !piece_add(piece, change, i, &room))
			break;
}

void piece_account(struct change *change, const struct piece *piece)
{
	size_t i;

	for (i = 0; i < piece->nr; i++) {
		const struct wtrack_result *from = &piece->results[i];
		struct wtrack_result *to = &change->results[change->at + i];

		to->done += from->done;
		to->changed += from->changed;
		to->skipped += from->skipped;
		if (from->error && !to->error) {
			to->error = from->error;
			to->error_gfn = from->error_gfn;
		}
	}
}

/* The last range may not have been whole. */
void piece_advance(struct change *change, const struct piece *piece)
{
	const struct wtrack_range *last = &piece->ranges[piece->nr - 1];
	size_t i = change->at + piece->nr - 1;
	uint64_t end = last->gfn + last->nr_pages;

	if (end == change->ranges[i].gfn + change->ranges[i].nr_pages) {
		change->at = i + 1;
		change->offset = 0;
	} else {
		change->at = i;
		change->offset = end - change->ranges[i].gfn;
	}
}
