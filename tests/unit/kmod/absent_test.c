// SPDX-License-Identifier: GPL-2.0-or-later
/* Sticky sessions: gfns that are tracked while there is no memory. */
#include "test.h"

/* The fake guest has no memory from here on; see fake.h. */
#define GFN		(FAKE_LOW_END + 5)
#define HERE		77ULL
#define ABSENT		(KVM_WTRACK_GFN_TRACKED | KVM_WTRACK_GFN_ABSENT)

static struct kwt_space space;
static struct session session, other;
static const u64 word = 4711;

static void init_coalescing(bool once, bool coalesce)
{
	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, 8, coalesce);
	session_init(&other, &space, 8, false);
	session.ring.sticky = true;
	session.ring.once = once;
}

static void init(bool once)
{
	init_coalescing(once, false);
}

static void done(void)
{
	session_exit(&session);
	session_exit(&other);
	assert_int_equal(fake_armed_pages(), 0);
	assert_int_equal(space.nr_absent, 0);
	assert_true(list_empty(&space.absent));
	assert_int_equal(atomic64_read(&kwt_absent_spaces), 0);
	assert_int_equal(space.bytes, test_bytes());
	kwt_space_exit(&space);
}

static int add_absent(struct session *s, u64 gfn)
{
	struct kwt_span *span = kwt_span_get(&s->set, kwt_chunk_index(gfn));
	int r;

	assert_non_null(span);
	r = kwt_set_add_absent(&s->set, span, gfn);
	kwt_span_put(&s->set, span);
	return r;
}

/* As the removal of its memslot does; that of the fake always is. */
static void memory_goes(u64 gfn)
{
	struct kwt_span *span = kwt_span_find(&session.set,
					      kwt_chunk_index(gfn));

	assert_false(fake_armed(gfn));
	kwt_absent_add_gfn(&session.set, span, kwt_chunk_bit(gfn));
	assert_int_equal(kwt_set_state(&session.set, gfn), ABSENT);
}

/* What the worker does when it is there. */
static void memory_comes(u64 gfn)
{
	struct kwt_chunk *chunk = kwt_chunk_find(&space, kwt_chunk_index(gfn));

	assert_int_equal(kwt_arm(&space, chunk, gfn, NULL), 0);
}

static void a_page_waits_for_memory(void **state)
{
	const struct kvm_wtrack_record *record;

	(void)state;
	init(false);
	assert_int_equal(add_absent(&session, GFN), 1);
	assert_int_equal(kwt_set_state(&session.set, GFN), ABSENT);
	assert_int_equal(session.set.pages, 1);
	assert_int_equal(session.set.absent, 1);
	/* It is still not there, and adding it again is no error. */
	assert_int_equal(add_absent(&session, GFN), 0);
	assert_int_equal(session_add(&other, GFN), -ENOENT);
	assert_int_equal(other.set.pages, 0);
	assert_int_equal(other.set.absent, 0);
	assert_int_equal(session.set.absent, 1);
	assert_int_equal(add_absent(&session, HERE), 1);
	assert_int_equal(session.set.absent, 2);
	assert_int_equal(atomic64_read(&kwt_absent_spaces), 1);
	memory_comes(HERE);
	assert_int_equal(session.set.absent, 1);
	assert_int_equal(kwt_set_state(&session.set, HERE),
			 KVM_WTRACK_GFN_TRACKED);
	record = session_record(&session, 0);
	assert_non_null(record);
	assert_int_equal(record->guard.action, KVM_WTRACK_GUARD_REARMED);
	assert_int_equal(record->guard.cause, KVM_WTRACK_CAUSE_MEMORY);
	assert_true(record->flags & KVM_WTRACK_RECORD_F_PAGE);
	hook(&space, HERE << KWT_PAGE_SHIFT, &word, 8, 0);
	assert_int_equal(kwt_ring_head(&session.ring), 2);
	assert_int_equal(session_remove(&session, GFN), 1);
	assert_int_equal(session.set.absent, 0);
	done();
}

static void who_comes_with_the_memory_arms_it_for_all(void **state)
{
	(void)state;
	init(false);
	assert_int_equal(add_absent(&session, HERE), 1);
	assert_int_equal(session_add(&other, HERE), 1);
	assert_int_equal(session.set.absent, 0);
	assert_int_equal(other.set.absent, 0);
	assert_int_equal(session_record(&session, 0)->guard.cause,
			 KVM_WTRACK_CAUSE_MEMORY);
	assert_int_equal(kwt_ring_head(&other.ring), 0);
	hook(&space, HERE << KWT_PAGE_SHIFT, &word, 8, 0);
	assert_int_equal(kwt_ring_head(&session.ring), 2);
	assert_int_equal(kwt_ring_head(&other.ring), 1);
	done();
}

static void two_sessions_wait_for_the_same_page(void **state)
{
	(void)state;
	init(false);
	other.ring.sticky = true;
	assert_int_equal(add_absent(&session, GFN), 1);
	assert_int_equal(add_absent(&other, GFN), 1);
	assert_int_equal(other.set.absent, 1);
	assert_int_equal(session_remove(&session, GFN), 1);
	assert_int_equal(session.set.absent, 0);
	assert_int_equal(space.nr_absent, 1);
	assert_int_equal(kwt_set_state(&other.set, GFN), ABSENT);
	while (kwt_set_clear_first(&other.set, false))
		;
	assert_int_equal(space.nr_absent, 0);
	done();
}

static void memory_ends_a_touch(void **state)
{
	(void)state;
	init(true);
	assert_int_equal(session_add(&session, HERE), 1);
	hook(&space, HERE << KWT_PAGE_SHIFT, &word, 8, 0);
	assert_false(fake_armed(HERE));
	memory_goes(HERE);
	memory_comes(HERE);
	assert_int_equal(session_record(&session, 1)->guard.cause,
			 KVM_WTRACK_CAUSE_MEMORY);
	hook(&space, HERE << KWT_PAGE_SHIFT, &word, 8, 0);
	assert_int_equal(kwt_ring_head(&session.ring), 3);
	done();
}

/* The reader learns from the record whether there was memory. */
static void a_reader_that_arms_is_told_of_memory(void **state)
{
	struct kwt_span *span;

	(void)state;
	init(true);
	assert_int_equal(add_absent(&session, GFN), 1);
	span = kwt_span_first(&session.set, 0);
	assert_int_equal(kwt_set_rearm(&session.set, span, GFN), 0);
	assert_int_equal(kwt_set_state(&session.set, GFN), ABSENT);
	assert_int_equal(kwt_ring_head(&session.ring), 0);
	assert_int_equal(add_absent(&session, HERE), 1);
	span = kwt_span_first(&session.set, 0);
	assert_int_equal(kwt_set_rearm(&session.set, span, HERE), 1);
	assert_int_equal(session_record(&session, 0)->guard.cause,
			 KVM_WTRACK_CAUSE_MEMORY);
	assert_int_equal(kwt_set_rearm(&session.set, span, HERE), 0);
	assert_int_equal(kwt_ring_head(&session.ring), 1);
	done();
}

/* A store to what has come is not one of those that a record of before stands for. */
static void a_record_of_before_stands_for_no_store_to_new_memory(void **state)
{
	(void)state;
	init_coalescing(true, true);
	assert_int_equal(session_add(&session, HERE), 1);
	hook(&space, HERE << KWT_PAGE_SHIFT, &word, 8, 0);
	memory_goes(HERE);
	memory_comes(HERE);
	assert_int_equal(kwt_ring_head(&session.ring), 2);
	hook(&space, HERE << KWT_PAGE_SHIFT, &word, 8, 0);
	assert_int_equal(kwt_ring_head(&session.ring), 3);
	assert_int_equal(session_record(&session, 2)->type,
			 KVM_WTRACK_RECORD_WRITE);
	done();
}

/* Nobody else keeps a gfn whose memslot goes without being told. */
static void others_are_told_first(void **state)
{
	(void)state;
	init(false);
	other.ring.once = true;
	assert_int_equal(session_add(&other, HERE), 1);
	hook(&space, HERE << KWT_PAGE_SHIFT, &word, 8, 0);
	assert_false(fake_armed(HERE));
	assert_int_equal(add_absent(&session, HERE), -EAGAIN);
	assert_int_equal(session.set.pages, 0);
	assert_int_equal(session.set.absent, 0);
	assert_int_equal(session_remove(&other, HERE), 1);
	assert_int_equal(add_absent(&session, HERE), 1);
	assert_int_equal(session.set.absent, 1);
	done();
}

static void a_full_ring_says_what_is_absent(void **state)
{
	struct kvm_wtrack_resync_range range;
	struct kwt_span *span;

	(void)state;
	init(false);
	assert_int_equal(add_absent(&session, GFN), 1);
	span = kwt_span_find(&session.set, kwt_chunk_index(GFN));
	kwt_resync_mark(span, kwt_chunk_bit(GFN), 0);
	assert_int_equal(session_fetch(&session, &range, 1), 1);
	assert_int_equal(range.gfn, GFN);
	assert_int_equal(range.what, KVM_WTRACK_RESYNC_ABSENT);
	done();
}

static void pages_without_memory_count_against_the_limit(void **state)
{
	(void)state;
	init(false);
	session.set.max_pages = 2;
	assert_int_equal(add_absent(&session, GFN), 1);
	assert_int_equal(add_absent(&session, GFN + 1), 1);
	assert_int_equal(add_absent(&session, GFN + 2), -ENOSPC);
	assert_int_equal(session_add(&session, HERE), -ENOSPC);
	done();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_page_waits_for_memory),
		CASE(who_comes_with_the_memory_arms_it_for_all),
		CASE(two_sessions_wait_for_the_same_page),
		CASE(memory_ends_a_touch),
		CASE(a_reader_that_arms_is_told_of_memory),
		CASE(a_record_of_before_stands_for_no_store_to_new_memory),
		CASE(others_are_told_first),
		CASE(a_full_ring_says_what_is_absent),
		CASE(pages_without_memory_count_against_the_limit),
	};

	return RUN(cases);
}
