// SPDX-License-Identifier: GPL-2.0-or-later
/* Several vCPUs store, one reader follows: order, completeness, no gaps. */
#include "team.h"
#include "test.h"

#define GFN		77ULL
#define NR_VCPUS	4
#define MOST_PARTS	3
#define LONGEST		(MOST_PARTS * KVM_WTRACK_DATA_BYTES)
#define NONE		U64_MAX

static struct kwt_space space;
static struct session session;
static struct kwt_ring *ring = &session.ring;

/* How the vCPUs go about it: so much at least, so often, waiting if not 0. */
static u32 stores, openings;
static u64 most_unread;

/* How often the reader had the ring opened. */
static u32 opened;

/* The stores of one vCPU, as the reader knows them. */
static struct {
	u64 last;		/* or NONE: may be any higher one */
	u64 at_least;
	u64 seen;
	u64 made;
} known[NR_VCPUS];

static u32 length(u64 nr, u32 vcpu)
{
	return 8 + (nr * 13 + vcpu) % (LONGEST - 7);
}

static u64 address(u64 nr, u32 vcpu)
{
	return ((GFN + vcpu) << KWT_PAGE_SHIFT) + nr % 1024;
}

/* All of a store can be told from its number and vCPU. */
static u32 build(u8 *data, u64 nr, u32 vcpu)
{
	u32 i, len = length(nr, vcpu);

	memcpy(data, &nr, 8);
	for (i = 8; i < len; i++)
		data[i] = nr * 31 + vcpu * 7 + i;
	return len;
}

/* No more than that are unread when all that are busy have stored. */
static void wait_for_room(void)
{
	int unread;
	u64 pos;

	/* An error: a ring of records came and went while it counted. */
	while ((unread = kwt_ring_unread(ring, &pos)) < 0 ||
	       unread > (int)most_unread)
		sched_yield();
}

static void vcpu(void *arg, u32 me)
{
	u8 data[LONGEST];
	u32 len;
	u64 nr;

	(void)arg;
	for (nr = 0; nr < stores || READ_ONCE(opened) < openings; nr++) {
		len = build(data, nr, me);
		if (most_unread)
			wait_for_room();
		hook(&space, address(nr, me), data, len, me);
	}
	known[me].made = nr;
}

static void check_order(u64 nr, u32 vcpu)
{
	if (known[vcpu].last == NONE)
		shim_require(nr >= known[vcpu].at_least);
	else
		shim_require(nr == known[vcpu].last + 1);
	known[vcpu].last = nr;
	known[vcpu].at_least = nr + 1;
	known[vcpu].seen++;
}

/* What was stored while the ring was closed is not in it. */
static void expect_gaps(void)
{
	u32 i;

	for (i = 0; i < NR_VCPUS; i++)
		known[i].last = NONE;
}

/* One part; returns the number of the store, given by the first of them. */
static u64 check_part(u64 pos, u32 vcpu, u64 nr, u32 at)
{
	const struct kvm_wtrack_record *record;
	u8 data[LONGEST];
	u32 len, part;

	while (!(record = session_record(&session, pos)))
		sched_yield();
	if (!at)
		memcpy(&nr, record->data, 8);
	len = build(data, nr, vcpu);
	part = len - at < KVM_WTRACK_DATA_BYTES ? len - at :
						  KVM_WTRACK_DATA_BYTES;
	shim_require(record->type == KVM_WTRACK_RECORD_WRITE);
	shim_require(record->vcpu == vcpu);
	shim_require(record->len == part && record->total == len);
	shim_require(record->gpa == address(nr, vcpu) + at);
	shim_require(!memcmp(record->data, data + at, part));
	shim_require(!!(record->flags & KVM_WTRACK_RECORD_F_MORE) ==
		     (at + part < len));
	return nr;
}

/* The parts of a store have nothing between them; returns where it ends. */
static u64 check_store(u64 pos, u32 vcpu)
{
	u64 nr = check_part(pos++, vcpu, 0, 0);
	u32 at;

	for (at = KVM_WTRACK_DATA_BYTES; at < length(nr, vcpu);
	     at += KVM_WTRACK_DATA_BYTES)
		check_part(pos++, vcpu, nr, at);
	check_order(nr, vcpu);
	return pos;
}

/* Nothing gets behind the RESYNC record until the ring is opened. */
static u64 open_again(u64 pos)
{
	u32 i;

	for (i = 0; i < 3; i++) {
		shim_require(kwt_ring_head(ring) == pos + 1);
		sched_yield();
	}
	session_release(&session, pos + 1);
	expect_gaps();
	shim_require(kwt_ring_reopen(ring));
	WRITE_ONCE(opened, opened + 1);
	return pos + 1;
}

/* Reads a store or a RESYNC record; returns where it ends. */
static u64 follow(u64 pos, struct test_random *r)
{
	const struct kvm_wtrack_record *record = session_record(&session, pos);

	if (!record)
		return pos;
	if (record->type == KVM_WTRACK_RECORD_RESYNC)
		return open_again(pos);
	shim_require(record->vcpu < NR_VCPUS);
	pos = check_store(pos, record->vcpu);
	/* Not always at once, so that there is something to lap. */
	if (test_below(r, 3))
		session_release(&session, pos);
	return pos;
}

static void run(u32 records, u64 unread, u32 odds)
{
	struct test_random r = test_random(600);
	struct team team;
	u64 pos = 0, before;

	memset(known, 0, sizeof(known));
	expect_gaps();
	opened = 0;
	most_unread = unread;
	assert_int_equal(kwt_space_init(&space), 0);
	session_init(&session, &space, records, false);
	session_add_all(&session, GFN, NR_VCPUS);
	shim_race_odds = odds;
	team_start(&team, NR_VCPUS, vcpu, NULL);
	team_go(&team);
	for (;;) {
		bool busy = team_busy(&team);

		before = pos;
		pos = follow(pos, &r);
		if (pos != before)
			continue;
		if (!busy)
			break;
		session_release(&session, pos);
	}
	team_end(&team);
	assert_int_equal(kwt_ring_head(ring), pos);
}

static void done(void)
{
	session_exit(&session);
	kwt_space_exit(&space);
}

static void the_reader_who_keeps_up_misses_nothing(void **state)
{
	u32 i;

	(void)state;
	stores = test_rounds(10000);
	openings = 0;
	run(64, 64 - KWT_RING_SPARE - NR_VCPUS * MOST_PARTS, 64);
	for (i = 0; i < NR_VCPUS; i++) {
		assert_int_equal(known[i].seen, stores);
		assert_int_equal(known[i].last, stores - 1);
	}
	assert_int_equal(atomic64_read(&ring->overflows), 0);
	done();
}

/* Whatever was not published went to the resync set, and only that. */
static void the_reader_who_does_not_misses_only_what_he_is_told_of(void **state)
{
	u64 seen = 0, made = 0;
	u32 i;

	(void)state;
	stores = test_rounds(10000);
	openings = test_rounds(20);
	run(16, 0, 64);
	for (i = 0; i < NR_VCPUS; i++) {
		seen += known[i].seen;
		made += known[i].made;
	}
	assert_int_equal(seen + atomic64_read(&ring->resync_writes), made);
	assert_int_equal(atomic64_read(&ring->overflows), opened);
	assert_int_equal(atomic64_read(&ring->overflows),
			 atomic64_read(&fake.notices));
	done();
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(the_reader_who_keeps_up_misses_nothing),
		CASE(the_reader_who_does_not_misses_only_what_he_is_told_of),
	};

	return RUN(cases);
}
