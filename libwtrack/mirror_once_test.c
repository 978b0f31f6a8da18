// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A mirror of a session that is told of first stores only, against all that may
 * come in between: stores while pages are armed and read, pages that cannot be
 * armed or read, memory that goes and comes, calls that fail, a full ring. After
 * each sync the copy must be what memory has, and what is live must be observed.
 */
#include <stdlib.h>

#include "test.h"

#define PAGE	UINT64_C(4096)

enum { PAGES = 80, ROUNDS = 30, STEPS = 300 };

static struct {
	uint64_t seed;
	struct wtrack_session *session;
	struct wtrack_mirror *mirror;
	uint64_t touches, overflows;
} m;

static uint64_t chance(uint64_t n)
{
	m.seed = m.seed * UINT64_C(6364136223846793005) +
		 UINT64_C(1442695040888963407);
	return (m.seed >> 33) % n;
}

/* The first store to the page, of which nobody is told but by this. */
static void tell(uint64_t gfn, uint64_t gpa, uint64_t word)
{
	struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_WRITE,
		.flags = KVM_WTRACK_RECORD_F_ONCE | KVM_WTRACK_RECORD_F_VCPU,
		.gpa = gpa,
		.len = sizeof(word),
		.total = sizeof(word),
	};

	m.touches++;
	fake.disarmed[gfn] = true;
	if (fake_ring_closed() || fake_unread() > fake.ring.records - 3) {
		fake.resync[gfn] = true;
		fake_close_ring();
		m.overflows++;
		return;
	}
	memcpy(record.data, &word, sizeof(word));
	if (!chance(4)) {
		record.type = KVM_WTRACK_RECORD_GUARD;
		record.flags |= KVM_WTRACK_RECORD_F_PAGE;
		record.guard.action = KVM_WTRACK_GUARD_CHANGED;
	}
	fake_publish(&record);
}

static void store(void)
{
	uint64_t gfn = chance(PAGES), word = chance(1000);
	uint64_t gpa = gfn * PAGE + 8 * chance(4);

	if (fake.absent[gfn])
		return;
	fake_memory_write(gpa, &word, sizeof(word));
	if (fake.tracked[gfn] && !fake.disarmed[gfn] && !fake.away[gfn])
		tell(gfn, gpa, word);
}

static void change_memory(uint64_t gfn)
{
	if (fake.absent[gfn])
		fake_region_added(gfn, 1, 0);
	else
		fake_region_removed(gfn, 1);
}

static void something_happens(void)
{
	uint64_t gfn = chance(PAGES);

	switch (chance(12)) {
	case 0:
		change_memory(gfn);
		break;
	case 1:
		fake.refuse[gfn] = fake.refuse[gfn] ? 0 : EAGAIN;
		break;
	case 2:
		fake.unreadable[gfn] = fake.unreadable[gfn] ? 0 : ENXIO;
		break;
	default:
		store();
	}
}

/* While the mirror is in the middle of a call. */
static void meanwhile(unsigned long request, void *args)
{
	(void)request;
	(void)args;
	while (chance(3))
		something_happens();
}

static bool may_fail(int r)
{
	return r >= 0 || r == -ENOMEM || r == -EBUSY;
}

static void fail_something(void)
{
	static const enum fake_call calls[] = {
		FAKE_READ, FAKE_FENCE, FAKE_ADD, FAKE_REARM, FAKE_REMOVE,
		FAKE_QUERY, FAKE_RESYNC, FAKE_STATUS, FAKE_ALLOC,
	};

	fake_fail(calls[chance(sizeof(calls) / sizeof(calls[0]))],
		  1 + (int)chance(3), ENOMEM);
}

static void change_pages(void)
{
	struct wtrack_range range = { chance(PAGES), 1 };
	int r;

	range.nr_pages += chance(PAGES - range.gfn);
	if (!chance(3)) {
		r = wtrack_mirror_remove(m.mirror, &range, 1);
		assert_true(may_fail(r) || r == -ENOENT);
		return;
	}
	r = wtrack_mirror_add(m.mirror, &range, 1, NULL,
			      chance(2) ? WTRACK_CHANGE_NOWAIT :
					  WTRACK_CHANGE_SKIP_HOLES);
	assert_true(may_fail(r) || r == -ENOENT || r == -EAGAIN ||
		    r == -ENXIO);
}

static void step(void)
{
	const struct wtrack_change *change;

	fake.distort = chance(2) ? meanwhile : NULL;
	if (!chance(4))
		fail_something();
	switch (chance(8)) {
	case 0:
		change_pages();
		break;
	case 1:
		assert_true(may_fail(wtrack_mirror_wait(m.mirror, 0)));
		break;
	case 2:
		assert_true(may_fail(wtrack_mirror_sync(m.mirror, &change)));
		break;
	case 3:
		assert_true(may_fail(wtrack_mirror_update(m.mirror, NULL)));
		break;
	case 4:
		assert_true(may_fail(wtrack_mirror_update(m.mirror, &change)));
		break;
	default:
		something_happens();
	}
	fake.distort = NULL;
}

static void no_more_failures(void)
{
	int call;

	for (call = 0; call < FAKE_NR_CALLS; call++)
		fake_fail(call, 0, 0);
}

static void sync_and_compare(void)
{
	unsigned char memory[PAGE];
	uint64_t gfn;
	int state;

	no_more_failures();
	/* What a sync finds while it is under way is for the next one. */
	assert_int_equal(wtrack_mirror_sync(m.mirror, NULL), 0);
	assert_int_equal(wtrack_mirror_sync(m.mirror, NULL), 0);
	for (gfn = 0; gfn < PAGES; gfn++) {
		state = wtrack_mirror_get_state(m.mirror, gfn);
		if (state != WTRACK_MIRROR_LIVE &&
		    state != WTRACK_MIRROR_DISARMED)
			continue;
		fake_memory_read(gfn * PAGE, memory, PAGE);
		assert_memory_equal(wtrack_mirror_page(m.mirror, gfn), memory,
				    PAGE);
		if (state == WTRACK_MIRROR_DISARMED)
			continue;
		assert_true(fake.tracked[gfn]);
		assert_false(fake.disarmed[gfn]);
		assert_false(fake.away[gfn]);
	}
}

static void run_round(uint32_t seed, uint32_t records, bool sticky)
{
	const struct wtrack_mirror_options options = {
		.records = records, .ring_flags = WTRACK_RING_ONCE,
	};
	const struct wtrack_range all = { 0, PAGES };
	int i;

	m.seed = seed;
	if (sticky)
		fake.info.out_features |= KVM_WTRACK_FEAT_STICKY;
	m.session = fake_session(0, 0);
	assert_int_equal(wtrack_mirror_new(m.session, &options,
					   sizeof(options), &m.mirror), 0);
	assert_int_equal(wtrack_mirror_add(m.mirror, &all, 1, NULL, 0), 0);
	for (i = 0; i < STEPS; i++) {
		step();
		if (!chance(20))
			sync_and_compare();
	}
	sync_and_compare();
	wtrack_mirror_close(m.mirror);
	wtrack_session_close(m.session);
}

static void run_rounds(void **state, uint32_t records, bool sticky)
{
	uint32_t i;

	m.touches = m.overflows = 0;
	for (i = 0; i < ROUNDS; i++) {
		run_round(i, records, sticky);
		fake_teardown(state);
		fake_setup(state);
	}
	assert_true(m.touches > ROUNDS);
	assert_int_equal(!!m.overflows, records < PAGES);
}

static void what_was_touched_is_what_memory_has(void **state)
{
	run_rounds(state, 1024, false);
}

static void so_it_is_when_the_ring_overflows(void **state)
{
	run_rounds(state, 8, false);
}

static void so_it_is_when_pages_outlive_their_memory(void **state)
{
	run_rounds(state, 1024, true);
}

static void so_it_is_when_they_do_and_the_ring_overflows(void **state)
{
	run_rounds(state, 8, true);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(what_was_touched_is_what_memory_has),
		CASE(so_it_is_when_the_ring_overflows),
		CASE(so_it_is_when_pages_outlive_their_memory),
		CASE(so_it_is_when_they_do_and_the_ring_overflows),
	};

	return RUN(cases);
}
