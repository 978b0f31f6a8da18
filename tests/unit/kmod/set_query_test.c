// SPDX-License-Identifier: GPL-2.0-or-later
/* What a session tracks, as ranges. */
#include "set_model.h"

#define MOST_RANGES	7

/* The first range of the model at or behind gfn, or false. */
static bool next_range(struct model *m, u32 s, u64 gfn,
		       struct kvm_wtrack_range *range)
{
	u32 i;

	range->nr_pages = 0;
	for (i = 0; i < NR_GFNS; i++) {
		if (model_gfn(i) < gfn || !m->tracked[s][i]) {
			if (range->nr_pages)
				break;
			continue;
		}
		if (!range->nr_pages)
			range->gfn = model_gfn(i);
		else if (range->gfn + range->nr_pages != model_gfn(i))
			break;
		range->nr_pages++;
	}
	return range->nr_pages;
}

/* All from gfn on, in calls that have room for a few. */
static void query_all(struct model *m, u32 s, u64 gfn, struct test_random *r)
{
	struct kvm_wtrack_range got[MOST_RANGES], want = { .gfn = gfn };
	u32 room, n, i;
	u64 before;

	while (gfn != U64_MAX) {
		before = gfn;
		room = 1 + test_below(r, MOST_RANGES);
		n = kwt_set_query(&m->sessions[s].set, &gfn, got, room);
		assert_true(n <= room && gfn > before);
		for (i = 0; i < n; i++) {
			if (!want.nr_pages)
				assert_true(next_range(m, s, want.gfn, &want));
			assert_int_equal(got[i].gfn, want.gfn);
			assert_in_range(got[i].nr_pages, 1, want.nr_pages);
			want.gfn += got[i].nr_pages;
			want.nr_pages -= got[i].nr_pages;
			/* Never cut but at the end of a chunk. */
			assert_true(!want.nr_pages ||
				    !(want.gfn & KWT_CHUNK_MASK));
		}
	}
	assert_int_equal(want.nr_pages, 0);
	assert_false(next_range(m, s, want.gfn, &want));
}

static void queries_give_the_ranges_of_the_model(void **state)
{
	static struct model m;
	struct test_random r = test_random(201);
	u32 turn, step, s;
	u64 start;

	(void)state;
	model_init(&m);
	for (turn = 0; turn < test_rounds(24); turn++) {
		for (step = 0; step < 40; step++)
			model_change(&m, &r, turn);
		for (s = 0; s < NR_SETS; s++) {
			query_all(&m, s, 0, &r);
			start = model_gfn(test_below(&r, NR_GFNS));
			query_all(&m, s, start, &r);
			query_all(&m, s, start + test_below(&r, 5000), &r);
		}
	}
	model_exit(&m);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(queries_give_the_ranges_of_the_model),
	};

	return RUN(cases);
}
