// SPDX-License-Identifier: GPL-2.0-or-later
/* The end of a ring's room, closing and opening it, control records. */
#include "test.h"

#define GFN		77ULL
#define GPA		(GFN << KWT_PAGE_SHIFT)
#define BIT		kwt_chunk_bit(GFN)
#define RECORDS		16
#define ROOM		(RECORDS - KWT_RING_SPARE)

static struct kwt_space space;
static struct session session;
static struct kwt_ring *ring = &session.ring;
static const u8 data[2 * RECORDS * KVM_WTRACK_DATA_BYTES] = { 1, 2, 3 };

static void init(void)
{
	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, RECORDS, false);
	session_add_all(&session, GFN, 1);
}

static void done(void)
{
	session_exit(&session);
	kwt_space_exit(&space);
}

static struct kwt_span *span(void)
{
	return kwt_span_find(&session.set, kwt_chunk_index(GFN));
}

static void store(u32 records)
{
	hook(&space, GPA, data, records * KVM_WTRACK_DATA_BYTES, 1);
}

static u32 type_at(u64 pos)
{
	const struct kvm_wtrack_record *record = session_record(&session, pos);

	return record ? record->type : 0;
}

/* A control record has nothing but a type and a time. */
static void check_control(u64 pos, u32 type, u64 time_ns)
{
	const struct kvm_wtrack_record expected = {
		.seq = pos + 1,
		.type = type,
		.time_ns = time_ns,
	};

	assert_non_null(session_record(&session, pos));
	assert_memory_equal(session_record(&session, pos), &expected, 64);
}

/* Begins somewhere in the ring, so that what follows wraps around. */
static u64 begin_at(u64 pos)
{
	u64 n;

	for (n = 0; n < pos; n++) {
		store(1);
		session_release(&session, n + 1);
	}
	return pos;
}

/* Fill up to @left places, store one more, and look for what it changed. */
static void overflow(u32 filled, u32 records)
{
	struct kvm_wtrack_record before[RECORDS];
	u64 start, end, n;

	for (start = 0; start < 2 * RECORDS; start++) {
		init();
		end = begin_at(start) + filled;
		for (n = 0; n < filled; n++)
			store(1);
		memcpy(before, ring->records, sizeof(before));
		store(records);
		assert_int_equal(kwt_ring_head(ring), end + 1);
		assert_int_equal(type_at(end), KVM_WTRACK_RECORD_RESYNC);
		before[end % RECORDS] = ring->records[end % RECORDS];
		assert_memory_equal(before, ring->records, sizeof(before));
		assert_true(kwt_set_state(&session.set, GFN) &
			    KVM_WTRACK_GFN_RESYNC);
		assert_int_equal(atomic64_read(&ring->resync_writes), 1);
		assert_int_equal(atomic64_read(&ring->overflows), 1);
		done();
	}
}

static void a_full_ring_takes_no_record_but_resync(void **state)
{
	(void)state;
	overflow(ROOM, 1);
	assert_int_equal(atomic64_read(&fake.notices), 2 * RECORDS);
}

static void a_store_is_published_as_a_whole_or_not_at_all(void **state)
{
	u32 filled;

	(void)state;
	for (filled = 1; filled < ROOM; filled++) {
		init();
		begin_at(filled);
		store(ROOM);
		assert_int_equal(atomic64_read(&ring->overflows), 0);
		assert_int_equal(kwt_ring_head(ring), filled + ROOM);
		done();
		overflow(filled, ROOM - filled + 1);
	}
}

static void a_store_longer_than_the_ring_is_never_published(void **state)
{
	u32 records;

	(void)state;
	for (records = ROOM + 1; records <= 2 * RECORDS; records++) {
		init();
		store(records);
		check_control(0, KVM_WTRACK_RECORD_RESYNC, 0);
		assert_int_equal(kwt_ring_head(ring), 1);
		assert_int_equal(atomic64_read(&ring->resync_writes), 1);
		done();
	}
}

static void a_full_ring_refuses_a_region_record_and_stays_as_it_is(void **state)
{
	struct kvm_wtrack_record before[RECORDS];
	struct kwt_ring copy;
	u32 n;

	(void)state;
	init();
	for (n = 0; n < ROOM; n++)
		store(1);
	memcpy(before, ring->records, sizeof(before));
	copy = *ring;
	assert_false(kwt_ring_region(ring, GFN, 1, 1, 0));
	assert_memory_equal(before, ring->records, sizeof(before));
	assert_memory_equal(&copy, ring, sizeof(copy));

	session_release(&session, 1);
	assert_true(kwt_ring_region(ring, 1ULL << 39, 1ULL << 30, 12345, 99));
	assert_int_equal(ring->head, ROOM + 1);
	assert_int_equal(type_at(ROOM), KVM_WTRACK_RECORD_REGION_REMOVED);
	assert_int_equal(session_record(&session, ROOM)->gpa, 1ULL << 51);
	assert_int_equal(session_record(&session, ROOM)->region.nr_pages,
			 1ULL << 30);
	assert_int_equal(session_record(&session, ROOM)->region.nr_tracked,
			 12345);
	assert_int_equal(session_record(&session, ROOM)->time_ns, 99);
	assert_int_equal(session_record(&session, ROOM)->len, 0);
	done();
}

static void a_record_of_the_guard_is_published_as_it_is(void **state)
{
	struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.flags = KVM_WTRACK_RECORD_F_PAGE | KVM_WTRACK_RECORD_F_VCPU,
		.vcpu = 513,
		.gpa = GPA + 8,
		.time_ns = 99,
		.rip = 77,
		.guard = { KVM_WTRACK_GUARD_CHANGED,
			   KVM_WTRACK_CAUSE_UNREPORTED },
	};
	u64 start;

	(void)state;
	for (start = 0; start < 2 * RECORDS; start++) {
		init();
		begin_at(start);
		assert_true(kwt_ring_guard(span(), BIT, &record));
		record.seq = start + 1;
		assert_non_null(session_record(&session, start));
		assert_memory_equal(session_record(&session, start), &record,
				    sizeof(record));
		record.seq = 0;
		done();
	}
}

static void a_full_or_closed_ring_refuses_a_record_of_the_guard(void **state)
{
	const struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD,
	};
	struct kwt_ring copy;
	u32 n;

	(void)state;
	init();
	for (n = 0; n < ROOM; n++)
		store(1);
	copy = *ring;
	assert_false(kwt_ring_guard(span(), BIT, &record));
	assert_memory_equal(&copy, ring, sizeof(copy));
	session_release(&session, 1);
	assert_true(kwt_ring_guard(span(), BIT, &record));
	assert_int_equal(kwt_ring_head(ring), ROOM + 1);
	/* There is room, but not behind RESYNC. */
	session_release(&session, ROOM);
	assert_true(kwt_ring_close(ring, 7));
	assert_false(kwt_ring_guard(span(), BIT, &record));
	assert_int_equal(kwt_ring_head(ring), ROOM + 2);
	done();
}

static void resync_and_gone_always_fit(void **state)
{
	struct kvm_wtrack_record before[RECORDS];
	u64 start, end, n;
	int gone_first;

	(void)state;
	for (start = 0; start < 2 * RECORDS; start++) {
		for (gone_first = 0; gone_first < 2; gone_first++) {
			init();
			end = begin_at(start) + ROOM;
			for (n = 0; n < ROOM; n++)
				store(1);
			memcpy(before, ring->records, sizeof(before));
			if (gone_first)
				kwt_ring_gone(ring, 8);
			assert_true(kwt_ring_close(ring, 7));
			if (!gone_first)
				kwt_ring_gone(ring, 8);
			check_control(end + gone_first,
				      KVM_WTRACK_RECORD_RESYNC, 7);
			check_control(end + !gone_first,
				      KVM_WTRACK_RECORD_VM_GONE, 8);
			assert_int_equal(kwt_ring_unread(ring, &n), RECORDS);
			assert_int_equal(n, start);
			for (n = start; n < end; n++)
				assert_memory_equal(&before[n % RECORDS],
						    &ring->records[n % RECORDS],
						    64);
			done();
		}
	}
}

static void a_closed_ring_opens_when_all_of_it_was_released(void **state)
{
	u64 n;

	(void)state;
	init();
	assert_true(kwt_ring_reopen(ring));
	store(1);
	store(1);
	assert_true(kwt_ring_reopen(ring));
	assert_true(kwt_ring_close(ring, 5));
	assert_false(kwt_ring_close(ring, 6));
	check_control(2, KVM_WTRACK_RECORD_RESYNC, 5);
	for (n = 0; n < 3; n++) {
		session_release(&session, n);
		assert_false(kwt_ring_reopen(ring));
		assert_false(kwt_ring_close(ring, 6));
		/* There is room, but nothing gets behind RESYNC. */
		store(1);
		assert_false(kwt_ring_region(ring, GFN, 1, 1, 0));
		assert_int_equal(kwt_ring_head(ring), 3);
		assert_int_equal(atomic64_read(&ring->resync_writes), n + 1);
	}
	session_release(&session, 3);
	assert_true(kwt_ring_reopen(ring));
	assert_true(kwt_ring_reopen(ring));
	store(1);
	assert_int_equal(type_at(3), KVM_WTRACK_RECORD_WRITE);
	assert_true(kwt_ring_close(ring, 7));
	check_control(4, KVM_WTRACK_RECORD_RESYNC, 7);
	assert_int_equal(atomic64_read(&ring->overflows), 2);
	done();
}

static void the_end_of_the_vm_does_not_keep_a_ring_closed(void **state)
{
	int released;

	(void)state;
	for (released = 2; released <= 3; released++) {
		init();
		store(1);
		kwt_ring_close(ring, 5);
		kwt_ring_gone(ring, 6);
		session_release(&session, 1);
		assert_false(kwt_ring_reopen(ring));
		session_release(&session, released);
		assert_true(kwt_ring_reopen(ring));
		assert_int_equal(ring->head, 3);
		assert_true(ring->gone);
		done();
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_full_ring_takes_no_record_but_resync),
		CASE(a_store_is_published_as_a_whole_or_not_at_all),
		CASE(a_store_longer_than_the_ring_is_never_published),
		CASE(a_full_ring_refuses_a_region_record_and_stays_as_it_is),
		CASE(a_record_of_the_guard_is_published_as_it_is),
		CASE(a_full_or_closed_ring_refuses_a_record_of_the_guard),
		CASE(resync_and_gone_always_fit),
		CASE(a_closed_ring_opens_when_all_of_it_was_released),
		CASE(the_end_of_the_vm_does_not_keep_a_ring_closed),
	};

	return RUN(cases);
}
