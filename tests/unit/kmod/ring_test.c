// SPDX-License-Identifier: GPL-2.0-or-later
/* Stores become records, which the reader releases. */
#include "test.h"

#define GFN		77ULL
#define GPA		(GFN << KWT_PAGE_SHIFT)
#define LONGEST		1024

static struct kwt_space space;
static struct session session;
static u8 data[LONGEST];

static void init(u32 records)
{
	struct test_random r = test_random(400);
	u32 i;

	for (i = 0; i < LONGEST; i++)
		data[i] = test_next(&r);
	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, records, false);
	session_add_all(&session, GFN, 1);
}

static void done(void)
{
	session_exit(&session);
	kwt_space_exit(&space);
}

/* Room for eight bytes, so far from where u64s are. */
static u8 *space_for(u32 at)
{
	static u64 words[2];

	return (u8 *)words + at;
}

/* What is true of each record of a store. */
static void check_record(const struct kvm_wtrack_record *record, u64 pos,
			 u32 vcpu)
{
	assert_non_null(record);
	assert_int_equal(record->seq, pos + 1);
	assert_int_equal(record->type, KVM_WTRACK_RECORD_WRITE);
	assert_int_equal(record->flags & ~KVM_WTRACK_RECORD_F_MORE,
			 KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP);
	assert_int_equal(record->vcpu, vcpu);
	assert_int_equal(record->rip, HOOK_RIP);
}

static void check_data(const struct kvm_wtrack_record *record, const u8 *from,
		       u32 len)
{
	assert_int_equal(record->len, len);
	assert_memory_equal(record->data, from, len);
}

/* Consumes a store of @len bytes of data; returns the position behind it. */
static u64 check_store(u64 pos, u64 gpa, u32 len, u32 vcpu)
{
	const struct kvm_wtrack_record *record = session_record(&session, pos);
	u64 time_ns = record ? record->time_ns : 0;
	u32 at, part;

	for (at = 0; at < len; at += part, pos++) {
		record = session_record(&session, pos);
		check_record(record, pos, vcpu);
		part = len - at < KVM_WTRACK_DATA_BYTES ?
		       len - at : KVM_WTRACK_DATA_BYTES;
		check_data(record, data + at, part);
		assert_int_equal(record->gpa, gpa + at);
		assert_int_equal(record->total, len);
		assert_int_equal(record->time_ns, time_ns);
		assert_int_equal(!!(record->flags & KVM_WTRACK_RECORD_F_MORE),
				 at + part < len);
	}
	assert_null(session_record(&session, pos));
	assert_int_equal(kwt_ring_head(&session.ring), pos);
	session_release(&session, pos);
	return pos;
}

static void a_store_is_a_record_with_its_time_and_vcpu(void **state)
{
	u64 pos;

	(void)state;
	init(64);
	shim_now = 1234567890123456789;
	hook(&space, GPA + 40, data, 8, 3);
	assert_int_equal(session.ring.records[0].time_ns, shim_now);
	pos = check_store(0, GPA + 40, 8, 3);
	hook(&space, GPA + 4095, data, 1, 65535);
	check_store(pos, GPA + 4095, 1, 65535);
	done();
}

static void the_bytes_stored_may_lie_anywhere(void **state)
{
	u64 pos = 0;
	u32 at;

	(void)state;
	init(64);
	for (at = 0; at < 8; at++) {
		memmove(data, data + 1, LONGEST - 1);
		hook(&space, GPA + at, memcpy(space_for(at), data, 8), 8, 1);
		pos = check_store(pos, GPA + at, 8, 1);
	}
	done();
}

static void every_length_from_1_to_1024_comes_whole(void **state)
{
	u64 pos = 0;
	u32 len;

	(void)state;
	init(64);
	for (len = 1; len <= LONGEST; len++) {
		hook(&space, GPA + 4096 - len, data, len, len);
		pos = check_store(pos, GPA + 4096 - len, len, len);
	}
	assert_int_equal(atomic64_read(&session.ring.overflows), 0);
	done();
}

/* What is left of other records never shows in a later one. */
static void the_smallest_rings_are_gone_around_many_times(void **state)
{
	struct test_random r = test_random(401);
	u64 gpa, pos = 0;
	u32 step, len;

	(void)state;
	init(8);
	for (step = 0; step < test_rounds(20000); step++) {
		len = 1 + test_below(&r, 6 * KVM_WTRACK_DATA_BYTES);
		gpa = GPA + test_below(&r, 4096 - len);
		hook(&space, gpa, data, len, 1);
		pos = check_store(pos, gpa, len, 1);
	}
	assert_true(pos > 20000);
	assert_int_equal(atomic64_read(&session.ring.overflows), 0);
	done();
}

static void unread_records_are_counted(void **state)
{
	struct kwt_ring *ring = &session.ring;
	u64 pos = 5, n;

	(void)state;
	init(8);
	assert_int_equal(kwt_ring_unread(ring, &pos), 0);
	assert_int_equal(pos, 0);
	assert_false(kwt_ring_published(ring, 0));
	for (n = 1; n <= 6; n++) {
		hook(&space, GPA, data, 8, 1);
		assert_int_equal(kwt_ring_unread(ring, &pos), n);
		assert_int_equal(pos, 0);
		assert_true(kwt_ring_published(ring, n - 1));
		assert_false(kwt_ring_published(ring, n));
	}
	session_release(&session, 4);
	assert_int_equal(kwt_ring_unread(ring, &pos), 2);
	assert_int_equal(pos, 4);
	for (n = 0; n < 4; n++)
		hook(&space, GPA, data, 8, 1);
	assert_int_equal(kwt_ring_unread(ring, &pos), 6);
	assert_false(kwt_ring_published(ring, 0));
	assert_true(kwt_ring_published(ring, 8));
	done();
}

static void only_sessions_that_track_the_page_hear_of_a_store(void **state)
{
	static struct session same_page, other_page, other_chunk;

	(void)state;
	init(8);
	session_init(&same_page, &space, 8, false);
	session_init(&other_page, &space, 8, false);
	session_init(&other_chunk, &space, 8, false);
	session_add_all(&same_page, GFN, 1);
	session_add_all(&other_page, GFN + 1, 1);
	session_add_all(&other_chunk, GFN + KWT_CHUNK_PAGES, 1);

	hook(&space, GPA, data, 8, 1);
	hook(&space, GPA - 1, data, 1, 1);
	hook(&space, GPA + 4096, data, 8, 1);
	assert_int_equal(kwt_ring_head(&session.ring), 1);
	assert_int_equal(kwt_ring_head(&same_page.ring), 1);
	assert_int_equal(kwt_ring_head(&other_page.ring), 1);
	assert_int_equal(kwt_ring_head(&other_chunk.ring), 0);
	assert_memory_equal(session.ring.records, same_page.ring.records, 64);
	assert_int_equal(other_page.ring.records[0].gpa, GPA + 4096);

	session_remove(&session, GFN);
	hook(&space, GPA, data, 8, 1);
	assert_int_equal(kwt_ring_head(&session.ring), 1);
	assert_int_equal(kwt_ring_head(&same_page.ring), 2);
	session_exit(&same_page);
	hook(&space, GPA, data, 8, 1);
	session_exit(&other_page);
	session_exit(&other_chunk);
	done();
}

static void only_readers_who_sleep_are_woken(void **state)
{
	const struct kvm_wtrack_record guard = {
		.type = KVM_WTRACK_RECORD_GUARD,
	};
	struct kwt_ring *ring = &session.ring;

	(void)state;
	init(8);
	hook(&space, GPA, data, 8, 1);
	kwt_ring_region(ring, GFN, 1, 1, 0);
	assert_int_equal(atomic64_read(&fake.wakes), 0);
	assert_int_equal(atomic64_read(&fake.urgent_wakes), 0);

	ring->sleepers = 1;
	hook(&space, GPA, data, 8, 1);
	hook(&space, GPA, data, 30, 1);
	assert_int_equal(atomic64_read(&fake.wakes), 2);
	/* A record of the guard waits for the watermark like a store's. */
	kwt_ring_guard(kwt_span_find(&session.set, kwt_chunk_index(GFN)),
		       kwt_chunk_bit(GFN), &guard);
	assert_int_equal(atomic64_read(&fake.wakes), 3);
	assert_int_equal(ring->urgent, 2);
	session_release(&session, 1);
	kwt_ring_region(ring, GFN, 1, 1, 0);
	assert_int_equal(ring->urgent, 7);
	kwt_ring_close(ring, 0);
	kwt_ring_gone(ring, 0);
	assert_int_equal(ring->urgent, 9);
	assert_int_equal(atomic64_read(&fake.wakes), 3);
	assert_int_equal(atomic64_read(&fake.urgent_wakes), 3);
	done();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_store_is_a_record_with_its_time_and_vcpu),
		CASE(the_bytes_stored_may_lie_anywhere),
		CASE(every_length_from_1_to_1024_comes_whole),
		CASE(the_smallest_rings_are_gone_around_many_times),
		CASE(unread_records_are_counted),
		CASE(only_sessions_that_track_the_page_hear_of_a_store),
		CASE(only_readers_who_sleep_are_woken),
	};

	return RUN(cases);
}
