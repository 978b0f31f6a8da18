// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Readers who lie about their position: they hurt nobody but themselves. That
 * nothing outside of the ring is touched is for AddressSanitizer to find; that
 * nothing is waited for, for the time that the program has.
 */
#include "team.h"
#include "test.h"

#define GFN		77ULL
#define GPA		(GFN << KWT_PAGE_SHIFT)
#define RECORDS		16
#define NR_VCPUS	3

/*
 * ThreadSanitizer: a reader who lies has two vCPUs write to one place of his
 * ring at the same time. These stores do not count as races.
 */
#ifdef __SANITIZE_THREAD__
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);
#else
static inline void AnnotateIgnoreWritesBegin(const char *file, int line)
{
	(void)file;
	(void)line;
}
static inline void AnnotateIgnoreWritesEnd(const char *file, int line)
{
	(void)file;
	(void)line;
}
#endif

static struct kwt_space space;
static struct session session;
static struct kwt_ring *ring = &session.ring;
static const u8 data[1024];

static void init(bool coalesce)
{
	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, RECORDS, coalesce);
	session_add_all(&session, GFN, 3);
}

static void done(void)
{
	session_exit(&session);
	kwt_space_exit(&space);
}

/* Anything, and more often what is nearly right. */
static u64 lie(struct test_random *r)
{
	u64 head = READ_ONCE(ring->head), near = test_below(r, 2 * RECORDS + 3);

	switch (test_below(r, 10)) {
	case 0:
		return 0;
	case 1:
		return U64_MAX - near;
	case 2:
		return KWT_RING_CLOSED - near;
	case 3:
		return KWT_RING_CLOSED + near;
	case 4:
		return head + near;
	case 5:
		return head - near;
	case 6:
		return head ^ KWT_RING_CLOSED;
	case 7:
		return (head & ~KWT_RING_CLOSED) - near;
	case 8:
		return test_next(r) >> test_below(r, 64);
	default:
		return test_next(r);
	}
}

static void set_pos(u64 pos)
{
	WRITE_ONCE(session.consumer.pos, pos);
}

/* Whatever the module does to a ring, once. */
static void do_something(struct test_random *r)
{
	u64 pos;

	switch (test_below(r, 8)) {
	case 0:
		kwt_ring_close(ring, 0);
		break;
	case 1:
		kwt_ring_reopen(ring);
		break;
	case 2:
		kwt_ring_region(ring, GFN, 1, 1, 0);
		break;
	case 3:
		pos = test_next(r);
		assert_in_range(kwt_ring_unread(ring, &pos) + EIO, 0,
				RECORDS + EIO);
		kwt_ring_published(ring, pos);
		break;
	default:
		hook(&space, GPA + (test_below(r, 3) << KWT_PAGE_SHIFT), data,
		     1 + test_below(r, 14 * KVM_WTRACK_DATA_BYTES), 1);
	}
}

static void a_position_outside_of_the_ring_is_an_error(void **state)
{
	u64 head, pos, oldest;

	(void)state;
	init(false);
	for (head = 0; head <= 3 * RECORDS; head++) {
		oldest = head < RECORDS ? 0 : head - RECORDS;
		for (pos = oldest; pos <= head; pos++) {
			set_pos(pos);
			assert_int_equal(kwt_ring_unread(ring, &pos),
					 head - pos);
		}
		for (pos = head + 1; pos; pos <<= 1) {
			set_pos(pos);
			assert_int_equal(kwt_ring_unread(ring, &pos), -EIO);
			set_pos(oldest - pos);
			assert_int_equal(kwt_ring_unread(ring, &pos), -EIO);
		}
		set_pos(head);
		hook(&space, GPA, data, 8, 1);
	}
	done();
}

/* It is full: the page is kept until the reader comes to reason. */
static void a_position_ahead_of_the_ring_makes_it_full(void **state)
{
	const u64 ahead[] = {
		4, 5, 1000, 1ULL << 40, 1ULL << 62, U64_MAX - 99
	};
	u32 i;

	(void)state;
	for (i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
		init(false);
		hook(&space, GPA, data, 3 * KVM_WTRACK_DATA_BYTES, 1);
		set_pos(ahead[i]);
		hook(&space, GPA, data, 8, 1);
		assert_int_equal(kwt_ring_head(ring), 4);
		assert_int_equal(ring->records[3].type,
				 KVM_WTRACK_RECORD_RESYNC);
		assert_false(kwt_ring_region(ring, GFN, 1, 1, 0));
		set_pos(4);
		assert_true(kwt_ring_reopen(ring));
		assert_true(kwt_set_state(&session.set, GFN) &
			    KVM_WTRACK_GFN_RESYNC);
		done();
	}
}

/* An honest reader again, he gets what is stored from then on. */
static void come_to_reason(void)
{
	const struct kvm_wtrack_record *record;
	u64 pos = kwt_ring_head(ring);

	session_release(&session, pos);
	assert_true(kwt_ring_reopen(ring));
	hook(&space, GPA + 5, data, 8, 1);
	record = session_record(&session, pos);
	assert_non_null(record);
	assert_int_equal(record->gpa, GPA + 5);
	session_release(&session, pos + 1);
}

static void lies_break_nothing_and_are_forgotten(void **state)
{
	struct test_random r = test_random(500);
	u32 round, step;

	(void)state;
	init(false);
	for (round = 0; round < test_rounds(2000); round++) {
		for (step = 0; step < 40; step++) {
			set_pos(lie(&r));
			do_something(&r);
		}
		come_to_reason();
	}
	done();
}

static void lies_break_no_coalescing_ring(void **state)
{
	struct test_random r = test_random(501);
	u32 step;

	(void)state;
	init(true);
	for (step = 0; step < test_rounds(80000); step++) {
		set_pos(lie(&r));
		do_something(&r);
	}
	done();
}

static void vcpu(void *arg, u32 me)
{
	struct test_random r = test_random(me);
	u32 step;

	AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
	for (step = 0; step < *(u32 *)arg; step++)
		hook(&space, GPA + (test_below(&r, 3) << KWT_PAGE_SHIFT), data,
		     1 + test_below(&r, 14 * KVM_WTRACK_DATA_BYTES), 1);
	AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}

static void lies_while_vcpus_write_break_nothing(void **state)
{
	struct test_random r = test_random(502);
	u32 steps = test_rounds(20000);
	struct team team;
	bool coalesce;

	(void)state;
	for (coalesce = false;; coalesce = true) {
		init(coalesce);
		shim_race_odds = 32;
		team_start(&team, NR_VCPUS, vcpu, &steps);
		team_go(&team);
		while (team_busy(&team)) {
			set_pos(lie(&r));
			if (test_one_in(&r, 4))
				kwt_ring_reopen(ring);
		}
		team_end(&team);
		if (!coalesce)
			come_to_reason();
		done();
		if (coalesce)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_position_outside_of_the_ring_is_an_error),
		CASE(a_position_ahead_of_the_ring_makes_it_full),
		CASE(lies_break_nothing_and_are_forgotten),
		CASE(lies_break_no_coalescing_ring),
		CASE(lies_while_vcpus_write_break_nothing),
	};

	return RUN(cases);
}
