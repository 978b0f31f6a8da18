// SPDX-License-Identifier: GPL-2.0-or-later
/* The resync set: marked, fetched as ranges, cleared. */
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

/* One sweep with so much room, as ranges; returns how many there were. */
static u32 sweep(struct kvm_wtrack_resync_range *ranges, u32 room)
{
	struct kwt_span *span;
	u32 used = 0, before;
	u64 index = 0;

	while (used < room &&
	       (span = kwt_span_first(&session.set, index))) {
		index = span->chunk->index + 1;
		before = used;
		used = kwt_resync_fetch(&session.set, span, ranges, used, room);
		assert_in_range(used, before, room);
	}
	return used;
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
		used = sweep(ranges, room);
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
			session_add(&session, gfn);
			if (test_below(r, 4))
				mark(gfn);
			else if (test_below(r, 2))
				went(gfn);
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

static void pages_without_a_region_come_out_as_removed(void **state)
{
	struct kvm_wtrack_resync_range ranges[3];

	(void)state;
	init();
	session_add_all(&session, 10, 4);
	mark(11);
	went(11);
	went(12);
	mark(13);
	assert_int_equal(kwt_set_state(&session.set, 12),
			 KVM_WTRACK_GFN_RESYNC);
	assert_int_equal(session.set.pages, 2);
	assert_false(fake_armed(12));

	assert_int_equal(sweep(ranges, 3), 2);
	assert_int_equal(ranges[0].gfn, 11);
	assert_int_equal(ranges[0].nr_pages, 2);
	assert_int_equal(ranges[0].what, KVM_WTRACK_RESYNC_REMOVED);
	assert_int_equal(ranges[1].gfn, 13);
	assert_int_equal(ranges[1].what, KVM_WTRACK_RESYNC_REREAD);
	assert_int_equal(sweep(ranges, 3), 0);
	done();
}

static void a_page_that_is_tracked_again_is_for_rereading(void **state)
{
	struct kvm_wtrack_resync_range range;

	(void)state;
	init();
	session_add_all(&session, 10, 1);
	went(10);
	session_add_all(&session, 10, 1);
	assert_int_equal(sweep(&range, 1), 1);
	assert_int_equal(range.what, KVM_WTRACK_RESYNC_REREAD);
	assert_int_equal(session_remove(&session, 10), 1);
	done();
}

static void a_page_that_the_session_removed_is_forgotten(void **state)
{
	struct kvm_wtrack_resync_range range;

	(void)state;
	init();
	session_add_all(&session, 10, 2);
	mark(10);
	assert_int_equal(session_remove(&session, 10), 1);
	assert_int_equal(sweep(&range, 1), 0);
	/* With the last page goes the memory, marked or not. */
	mark(11);
	assert_int_equal(session_remove(&session, 11), 1);
	assert_int_equal(session.set.bytes, 0);
	done();
}

static void the_end_of_a_session_takes_what_is_marked(void **state)
{
	(void)state;
	init();
	session_add_all(&session, 10, 3);
	mark(10);
	went(12);
	assert_true(kwt_set_clear_first(&session.set, true));
	assert_false(kwt_set_clear_first(&session.set, true));
	assert_int_equal(session.set.bytes, 0);
	done();
}

static void the_first_mark_closes_the_ring_and_no_other(void **state)
{
	struct kwt_ring *ring = &session.ring;

	(void)state;
	init();
	session_add_all(&session, 10, 3);
	mark(10);
	mark(11);
	went(12);
	mark(10);
	assert_int_equal(ring->head, KWT_RING_CLOSED | 1);
	assert_int_equal(session_record(&session, 0)->type,
			 KVM_WTRACK_RECORD_RESYNC);
	assert_int_equal(atomic64_read(&ring->overflows), 1);
	assert_int_equal(atomic64_read(&fake.notices), 1);
	assert_int_equal(atomic64_read(&ring->resync_writes), 3);

	session_release(&session, 1);
	assert_true(kwt_ring_reopen(ring));
	mark(11);
	assert_int_equal(ring->head, KWT_RING_CLOSED | 2);
	assert_int_equal(atomic64_read(&fake.notices), 2);
	done();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(fetching_gives_each_gfn_once_with_any_room),
		CASE(fetching_with_room_for_one_range_comes_to_the_end),
		CASE(pages_without_a_region_come_out_as_removed),
		CASE(a_page_that_is_tracked_again_is_for_rereading),
		CASE(a_page_that_the_session_removed_is_forgotten),
		CASE(the_end_of_a_session_takes_what_is_marked),
		CASE(the_first_mark_closes_the_ring_and_no_other),
	};

	return RUN(cases);
}
