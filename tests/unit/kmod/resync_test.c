// SPDX-License-Identifier: GPL-2.0-or-later
/* How a page gets into the resync set, and how it leaves it. */
#include "test.h"

static struct kwt_space space;
static struct session session;

static void init(void)
{
	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, 8, false);
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
}

static u32 fetch(struct kvm_wtrack_resync_range *ranges, u32 room)
{
	return session_fetch(&session, ranges, room);
}

static void pages_without_a_region_come_out_as_removed(void **state)
{
	struct kvm_wtrack_resync_range ranges[3];

	(void)state;
	init();
	session_add_all(&session, 10, 4);
	mark(11);
	session_region_went(&session, 11);
	session_region_went(&session, 12);
	mark(13);
	assert_int_equal(kwt_set_state(&session.set, 12),
			 KVM_WTRACK_GFN_RESYNC);
	assert_int_equal(session.set.pages, 2);
	assert_false(fake_armed(12));

	assert_int_equal(fetch(ranges, 3), 2);
	assert_int_equal(ranges[0].gfn, 11);
	assert_int_equal(ranges[0].nr_pages, 2);
	assert_int_equal(ranges[0].what, KVM_WTRACK_RESYNC_REMOVED);
	assert_int_equal(ranges[1].gfn, 13);
	assert_int_equal(ranges[1].what, KVM_WTRACK_RESYNC_REREAD);
	assert_int_equal(fetch(ranges, 3), 0);
	done();
}

static void check_range(const struct kvm_wtrack_resync_range *range, u64 gfn,
			u32 what)
{
	assert_int_equal(range->gfn, gfn);
	assert_int_equal(range->nr_pages, 1);
	assert_int_equal(range->what, what);
}

static void pages_that_are_disarmed_come_out_as_such(void **state)
{
	struct kvm_wtrack_resync_range ranges[5];
	u64 gfn;

	(void)state;
	init();
	session_add_all(&session, 10, 5);
	for (gfn = 10; gfn < 15; gfn++)
		mark(gfn);
	fake_trip(&space, 11);
	/* What is not tracked any more is that first of all. */
	fake_trip(&space, 12);
	session_region_went(&session, 12);
	/* It was disarmed when it was put there, and is not any more. */
	fake_trip(&space, 14);
	assert_int_equal(session_add(&session, 14), 0);
	assert_int_equal(fetch(ranges, 5), 4);
	check_range(&ranges[0], 10, KVM_WTRACK_RESYNC_REREAD);
	check_range(&ranges[1], 11, KVM_WTRACK_RESYNC_DISARMED);
	check_range(&ranges[2], 12, KVM_WTRACK_RESYNC_REMOVED);
	assert_int_equal(ranges[3].gfn, 13);
	assert_int_equal(ranges[3].nr_pages, 2);
	assert_int_equal(ranges[3].what, KVM_WTRACK_RESYNC_REREAD);
	done();
}

static void nothing_is_fetched_while_the_ring_is_closed(void **state)
{
	struct kvm_wtrack_resync_range range;
	struct kwt_span *span;

	(void)state;
	init();
	session_add_all(&session, 10, 3);
	mark(10);
	span = kwt_span_find(&session.set, 0);
	assert_int_equal(kwt_resync_fetch(&session.set, span, &range, 0, 1), 0);
	session_reopen(&session);
	/* Behind a record that the reader has yet to see. */
	mark(12);
	assert_int_equal(kwt_resync_fetch(&session.set, span, &range, 0, 1), 0);
	assert_true(kwt_set_state(&session.set, 10) & KVM_WTRACK_GFN_RESYNC);
	assert_true(kwt_set_state(&session.set, 12) & KVM_WTRACK_GFN_RESYNC);
	assert_int_equal(fetch(&range, 1), 1);
	assert_int_equal(range.gfn, 10);
	assert_int_equal(fetch(&range, 1), 1);
	assert_int_equal(range.gfn, 12);
	done();
}

static void a_page_that_is_tracked_again_is_for_rereading(void **state)
{
	struct kvm_wtrack_resync_range range;

	(void)state;
	init();
	session_add_all(&session, 10, 1);
	session_region_went(&session, 10);
	session_add_all(&session, 10, 1);
	assert_int_equal(fetch(&range, 1), 1);
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
	assert_int_equal(fetch(&range, 1), 0);
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
	session_region_went(&session, 12);
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
	session_region_went(&session, 12);
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
		CASE(pages_without_a_region_come_out_as_removed),
		CASE(pages_that_are_disarmed_come_out_as_such),
		CASE(nothing_is_fetched_while_the_ring_is_closed),
		CASE(a_page_that_is_tracked_again_is_for_rereading),
		CASE(a_page_that_the_session_removed_is_forgotten),
		CASE(the_end_of_a_session_takes_what_is_marked),
		CASE(the_first_mark_closes_the_ring_and_no_other),
	};

	return RUN(cases);
}
