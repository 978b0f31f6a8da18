// SPDX-License-Identifier: GPL-2.0-or-later
/* The resync set as ranges: each gfn once, whatever room there is for them. */
#include "test.h"

#define NR_CHUNKS	5
#define NR_GFNS		(NR_CHUNKS * KWT_CHUNK_PAGES)
#define NOTHING		(-1)
#define MOST_RANGES	9

static struct kwt_space space;
static struct session session;

/* What a fetch has to say of each gfn. */
static int model[NR_GFNS];

static void init(void)
{
	u64 i;

	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, 8, false);
	for (i = 0; i < NR_GFNS; i++)
		model[i] = NOTHING;
}

static void done(void)
{
	session_exit(&session);
	assert_int_equal(space.bytes, test_bytes());
	kwt_space_exit(&space);
}

/* One that is disarmed is armed again, which the set tells of. */
static void add(u64 gfn)
{
	assert_in_range(session_add(&session, gfn), 0, 1);
	if (kwt_set_state(&session.set, gfn) & KVM_WTRACK_GFN_RESYNC)
		model[gfn] = KVM_WTRACK_RESYNC_REREAD;
}

static void mark(u64 gfn)
{
	struct kwt_span *span = kwt_span_find(&session.set,
					      kwt_chunk_index(gfn));

	kwt_resync_write(span, kwt_chunk_bit(gfn), 0);
	model[gfn] = KVM_WTRACK_RESYNC_REREAD;
}

static void went(u64 gfn)
{
	session_region_went(&session, gfn);
	model[gfn] = KVM_WTRACK_RESYNC_REMOVED;
}

/* Somewhere between the mark and the fetch. */
static void disarm(u64 gfn)
{
	fake_trip(&space, gfn);
	/* A full ring has it said by the set, too. */
	if (kwt_set_state(&session.set, gfn) & KVM_WTRACK_GFN_RESYNC)
		model[gfn] = KVM_WTRACK_RESYNC_DISARMED;
}

/* Ascending, of one kind each, cut nowhere but at the end of a chunk. */
static u64 check_range(const struct kvm_wtrack_resync_range *range, u64 from)
{
	u64 gfn = range->gfn, end = gfn + range->nr_pages;

	assert_true(gfn >= from && end > gfn && end <= NR_GFNS);
	assert_int_equal(range->__reserved, 0);
	for (; from < gfn; from++)
		assert_int_equal(model[from], NOTHING);
	for (; from < end; from++) {
		assert_int_equal(model[from], range->what);
		model[from] = NOTHING;
	}
	if (end & KWT_CHUNK_MASK)
		assert_int_not_equal(model[end], range->what);
	return end;
}

/* All of it, with at most @most ranges at a time. */
static void check_all(u32 most, struct test_random *r)
{
	struct kvm_wtrack_resync_range ranges[MOST_RANGES];
	u32 room, used, i;
	u64 from;

	do {
		memset(ranges, 0xff, sizeof(ranges));
		room = most == 1 ? 1 : 1 + test_below(r, most);
		used = session_fetch(&session, ranges, room);
		for (from = 0, i = 0; i < used; i++)
			from = check_range(&ranges[i], from);
	} while (used == room);
	for (from = 0; from < NR_GFNS; from++) {
		assert_int_equal(model[from], NOTHING);
		assert_false(kwt_set_state(&session.set, from) &
			     KVM_WTRACK_GFN_RESYNC);
	}
}

/* Runs of pages that are tracked, and of those the ones that are marked. */
static void fill(struct test_random *r)
{
	u64 gfn, end;

	for (gfn = test_below(r, 200); gfn < NR_GFNS;
	     gfn = end + 1 + test_below(r, 1 + test_below(r, 900))) {
		end = gfn + 1 + test_below(r, 60);
		for (; gfn < end && gfn < NR_GFNS; gfn++) {
			add(gfn);
			if (test_below(r, 4))
				mark(gfn);
			else if (test_below(r, 2))
				went(gfn);
			if (fake_armed(gfn) && test_one_in(r, 3))
				disarm(gfn);
		}
	}
}

static void fetching_gives_each_gfn_once_with_any_room(void **state)
{
	struct test_random r = test_random(800);
	u32 round;

	(void)state;
	for (round = 0; round < test_rounds(100); round++) {
		init();
		fill(&r);
		check_all(MOST_RANGES, &r);
		fill(&r);
		check_all(MOST_RANGES, &r);
		done();
	}
}

static void fetching_with_room_for_one_range_comes_to_the_end(void **state)
{
	struct test_random r = test_random(801);
	u32 round;

	(void)state;
	for (round = 0; round < test_rounds(20); round++) {
		init();
		fill(&r);
		check_all(1, &r);
		done();
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(fetching_gives_each_gfn_once_with_any_room),
		CASE(fetching_with_room_for_one_range_comes_to_the_end),
	};

	return RUN(cases);
}
