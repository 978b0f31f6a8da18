// SPDX-License-Identifier: GPL-2.0-or-later
/* A mirror: what each kind of event does to the copy, and what can go wrong. */
#include "test.h"

#define PAGE	UINT64_C(4096)
#define AT(gfn)	((gfn) * PAGE)

/* A mirror of these pages, with a ring of so many records. */
static struct wtrack_mirror *mirror_of(struct wtrack_session *session,
				       uint64_t gfn, uint64_t nr)
{
	const struct wtrack_range range = { gfn, nr };
	struct wtrack_mirror *mirror;

	assert_int_equal(wtrack_mirror_new(session, NULL, 0, &mirror), 0);
	assert_int_equal(wtrack_mirror_add(mirror, &range, 1, NULL, 0), 0);
	return mirror;
}

static void close_both(struct wtrack_mirror *mirror,
		       struct wtrack_session *session)
{
	wtrack_mirror_close(mirror);
	wtrack_session_close(session);
}

static uint64_t copy_at(struct wtrack_mirror *mirror, uint64_t gpa)
{
	const unsigned char *page = wtrack_mirror_page(mirror, gpa / PAGE);
	uint64_t word;

	assert_non_null(page);
	memcpy(&word, page + gpa % PAGE, sizeof(word));
	return word;
}

static uint64_t memory_at(uint64_t gpa)
{
	uint64_t word;

	fake_memory_read(gpa, &word, sizeof(word));
	return word;
}

static const struct wtrack_change *next_change(struct wtrack_mirror *mirror)
{
	const struct wtrack_change *change;

	assert_int_equal(wtrack_mirror_update(mirror, &change), 1);
	return change;
}

static void expect_none(struct wtrack_mirror *mirror)
{
	const struct wtrack_change *change = UNTOUCHED;

	assert_int_equal(wtrack_mirror_update(mirror, &change), 0);
	assert_ptr_equal(change, UNTOUCHED);
}

static void expect_bytes(const struct wtrack_change *change, uint32_t what,
			 uint64_t gpa, uint64_t old, uint64_t new, size_t len)
{
	assert_int_equal(change->what, what);
	assert_int_equal(change->gpa, gpa);
	assert_int_equal(change->len, len);
	assert_memory_equal(change->old_bytes, &old, len);
	assert_memory_equal(change->new_bytes, &new, len);
	assert_int_equal(!!change->event, what == WTRACK_CHANGED_WRITE);
}

static void expect_state(const struct wtrack_change *change, uint64_t gfn,
			 uint64_t nr, uint32_t state)
{
	assert_int_equal(change->what, WTRACK_CHANGED_STATE);
	assert_int_equal(change->state, state);
	assert_int_equal(change->gpa, AT(gfn));
	assert_int_equal(change->len, nr * PAGE);
	assert_null(change->old_bytes);
	assert_null(change->new_bytes);
	assert_null(change->event);
}

static struct wtrack_mirror_status status_of(struct wtrack_mirror *mirror)
{
	struct wtrack_mirror_status status;

	assert_int_equal(wtrack_mirror_get_status(mirror, &status,
						  sizeof(status)), 0);
	return status;
}

/* A record of a store of a vCPU, whatever memory has. */
static void record_at(uint64_t pos, uint64_t gpa, const void *data, uint16_t len,
		      int vcpu, uint16_t flags)
{
	struct kvm_wtrack_record r = {
		.type = KVM_WTRACK_RECORD_WRITE,
		.gpa = gpa,
		.len = len,
		.total = len,
		.flags = flags,
	};

	if (vcpu >= 0) {
		r.flags |= KVM_WTRACK_RECORD_F_VCPU;
		r.vcpu = (uint16_t)vcpu;
	}
	memcpy(r.data, data, len < sizeof(r.data) ? len : sizeof(r.data));
	fake_publish_at(pos, &r);
}

static void record(uint64_t gpa, const void *data, uint16_t len, int vcpu,
		   uint16_t flags)
{
	record_at(fake_reserve(), gpa, data, len, vcpu, flags);
}

static void record_word(uint64_t gpa, uint64_t word, int vcpu)
{
	record(gpa, &word, sizeof(word), vcpu, 0);
}

static void guard(uint64_t gfn, uint32_t action)
{
	struct kvm_wtrack_record r = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.gpa = AT(gfn),
		.guard.action = action,
	};

	if (action == KVM_WTRACK_GUARD_REARMED ||
	    action == KVM_WTRACK_GUARD_CHANGED)
		r.flags = KVM_WTRACK_RECORD_F_PAGE;
	fake.disarmed[gfn] = action == KVM_WTRACK_GUARD_DISARMED;
	if (action == KVM_WTRACK_GUARD_STOPPED)
		fake.tracked[gfn] = false;
	fake_publish(&r);
}

static void a_mirror_makes_a_ring_that_the_session_may_have(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror;

	(void)state;
	assert_int_equal(wtrack_mirror_new(session, NULL, 0, &mirror), 0);
	assert_int_equal(fake.ring.records, FAKE_RECORDS);
	assert_int_equal(wtrack_mirror_get_fd(mirror),
			 wtrack_session_get_fd(session));
	close_both(mirror, session);
}

static void or_the_one_that_is_wanted(void **state)
{
	const struct wtrack_mirror_options options = {
		.records = 64, .ring_flags = WTRACK_RING_NATIVE,
		.watermark = 4, .latency_us = 5,
	};
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror;

	(void)state;
	assert_int_equal(wtrack_mirror_new(session, &options, sizeof(options),
					   &mirror), 0);
	assert_int_equal(fake.ring.records, 64);
	assert_true(fake.ring.flags & KVM_WTRACK_RING_F_NATIVE);
	assert_int_equal(fake.ring.watermark, 4);
	assert_int_equal(fake.ring.latency_us, 5);
	close_both(mirror, session);
}

static void or_takes_the_one_that_is_there(void **state)
{
	const struct wtrack_mirror_options options = { .records = 64 };
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_mirror *mirror = UNTOUCHED;

	(void)state;
	assert_int_equal(wtrack_mirror_new(session, &options, sizeof(options),
					   &mirror), -EBUSY);
	assert_ptr_equal(mirror, UNTOUCHED);
	assert_int_equal(wtrack_mirror_new(session, NULL, 0, &mirror), 0);
	assert_int_equal(fake.ring.records, 8);
	close_both(mirror, session);
}

static void options_may_be_shorter_or_longer(void **state)
{
	struct {
		struct wtrack_mirror_options known;
		uint64_t more;
	} options = { .more = 1 };
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror;

	(void)state;
	assert_int_equal(wtrack_mirror_new(session, &options.known, 0,
					   &mirror), -EINVAL);
	assert_int_equal(wtrack_mirror_new(session, &options.known,
					   sizeof(options), &mirror), -E2BIG);
	options.known.watermark = 1000;	/* not taken: behind the size */
	options.known.records = 32;
	assert_int_equal(wtrack_mirror_new(session, &options.known, 4,
					   &mirror), 0);
	assert_int_equal(fake.ring.watermark, 0);
	close_both(mirror, session);
}

static void what_is_added_is_there(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror;
	uint64_t i;

	(void)state;
	for (i = 0; i < 100; i++)
		fake_page_write(i, i + 1);
	mirror = mirror_of(session, 0, 100);
	for (i = 0; i < 100; i++) {
		assert_int_equal(copy_at(mirror, AT(i)), i + 1);
		assert_int_equal(wtrack_mirror_get_state(mirror, i),
				 WTRACK_MIRROR_LIVE);
	}
	assert_null(wtrack_mirror_page(mirror, 100));
	assert_int_equal(wtrack_mirror_get_state(mirror, 100), -ENOENT);
	assert_int_equal(status_of(mirror).pages, 100);
	expect_none(mirror);
	close_both(mirror, session);
	for (i = 0; i < FAKE_PAGES; i++)
		assert_false(fake.tracked[i]);
}

static void a_page_that_is_refused_is_not_in_the_mirror(void **state)
{
	const struct wtrack_range ranges[] = { { 10, 5 }, { 20, 5 } };
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_result results[2];
	struct wtrack_mirror *mirror;

	(void)state;
	fake.refuse[12] = ENOENT;
	fake.unreadable[22] = ENXIO;
	fake.unreadable[21] = EHWPOISON;
	assert_int_equal(wtrack_mirror_new(session, NULL, 0, &mirror), 0);
	assert_int_equal(wtrack_mirror_add(mirror, ranges, 2, results, 0),
			 -ENOENT);
	assert_int_equal(results[0].done, 4);
	assert_int_equal(results[0].error, -ENOENT);
	assert_int_equal(results[0].error_gfn, 12);
	assert_int_equal(results[1].done, 3);
	assert_int_equal(results[1].changed, 3);
	assert_int_equal(results[1].error, -EHWPOISON);
	assert_int_equal(results[1].error_gfn, 21);
	assert_int_equal(status_of(mirror).pages, 7);
	assert_null(wtrack_mirror_page(mirror, 12));
	assert_null(wtrack_mirror_page(mirror, 22));
	assert_false(fake.tracked[21]);
	assert_false(fake.tracked[22]);
	assert_true(fake.tracked[23]);
	close_both(mirror, session);
}

static void without_memory_nothing_is_left(void **state)
{
	const struct wtrack_range range = { 1, 40 };
	struct wtrack_mirror_status status;
	struct wtrack_session *session;
	struct wtrack_mirror *mirror;
	int nth, r;

	(void)state;
	for (nth = 1; nth < 60; nth++) {
		session = fake_session(0, 0);
		fake_fail_times(FAKE_ALLOC, nth, 1000, ENOMEM);
		r = wtrack_mirror_new(session, NULL, 0, &mirror);
		if (!r) {
			r = wtrack_mirror_add(mirror, &range, 1, NULL, 0);
			status = status_of(mirror);
			/* Those that were read, or none. */
			assert_int_equal(status.pages, r ? 0 : 40);
			assert_int_equal(fake.tracked[1], !r);
			assert_int_equal(fake.tracked[40], !r);
			fake_fail(FAKE_ALLOC, 0, 0);
			wtrack_mirror_close(mirror);
		}
		assert_true(r == 0 || r == -ENOMEM);
		wtrack_session_close(session);
		fake_teardown(state);
		fake_setup(state);
	}
	assert_int_equal(r, 0);
}

/* Those that were found to be tracked before were not read. */
static void nothing_is_left_when_the_module_does_not_say_what_is_tracked(void **state)
{
	const struct wtrack_range ranges[] = { { 10, 5 }, { 20, 5 } };
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_result results[2];
	struct wtrack_mirror *mirror = mirror_of(session, 1, 2);

	(void)state;
	fake_page_write(10, 7);
	fake.refuse[12] = EOVERFLOW;
	fake_fail(FAKE_QUERY, 2, ENOMEM);
	assert_int_equal(wtrack_mirror_add(mirror, ranges, 2, results, 0),
			 -EOVERFLOW);
	assert_int_equal(results[0].done, 0);
	assert_int_equal(results[0].error, -ENOMEM);
	assert_int_equal(results[0].error_gfn, 10);
	assert_int_equal(status_of(mirror).pages, 2);
	assert_false(fake.tracked[10]);
	fake.refuse[12] = 0;
	assert_int_equal(wtrack_mirror_add(mirror, ranges, 2, NULL, 0), 0);
	assert_int_equal(copy_at(mirror, AT(10)), 7);
	wtrack_mirror_reread(mirror, ranges, 2);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(status_of(mirror).rereads, 10);
	close_both(mirror, session);
}

static void a_write_is_a_change_with_both_bytes(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror;
	const struct wtrack_change *change;

	(void)state;
	fake_page_write(5, 1);
	mirror = mirror_of(session, 5, 1);
	fake_store(5, 2);
	fake_store(5, 3);
	assert_int_equal(wtrack_mirror_wait(mirror, -1), 1);
	change = next_change(mirror);
	expect_bytes(change, WTRACK_CHANGED_WRITE, AT(5), 1, 2, 8);
	assert_int_equal(wtrack_event_get_seq(change->event), 1);
	assert_int_equal(copy_at(mirror, AT(5)), 2);
	expect_bytes(next_change(mirror), WTRACK_CHANGED_WRITE, AT(5), 2, 3, 8);
	expect_none(mirror);
	assert_int_equal(wtrack_mirror_wait(mirror, 0), 0);
	assert_int_equal(fake_unread(), 0);
	close_both(mirror, session);
}

static void a_long_write_comes_in_parts(void **state)
{
	unsigned char data[60], was[60] = { 0 };
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);
	size_t i, at;

	(void)state;
	for (i = 0; i < sizeof(data); i++)
		data[i] = (unsigned char)(i + 1);
	fake_store_bytes(AT(5) + 100, data, sizeof(data));
	for (at = 0; at < sizeof(data); at += 24) {
		const struct wtrack_change *change = next_change(mirror);

		assert_int_equal(change->gpa, AT(5) + 100 + at);
		assert_int_equal(change->len, at == 48 ? 12 : 24);
		assert_memory_equal(change->new_bytes, data + at, change->len);
		assert_memory_equal(change->old_bytes, was, change->len);
	}
	expect_none(mirror);
	close_both(mirror, session);
}

static void all_can_be_worked_through_at_once(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 2);
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		fake_store(5 + i % 2, i);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(copy_at(mirror, AT(5)), 98);
	assert_int_equal(copy_at(mirror, AT(6)), 99);
	assert_int_equal(status_of(mirror).writes, 100);
	close_both(mirror, session);
}

/* It is in the ring when the page is added, and the page has something newer. */
static void what_the_first_contents_have_is_no_change(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_mirror *mirror;

	(void)state;
	fake_page_write(5, 9);
	record_word(AT(5), 7, 0);
	mirror = mirror_of(session, 5, 1);
	expect_none(mirror);
	assert_int_equal(copy_at(mirror, AT(5)), 9);
	close_both(mirror, session);
}

static void nor_is_it_read_again_for_what_they_have(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_mirror *mirror;

	(void)state;
	guard(5, KVM_WTRACK_GUARD_CHANGED);
	mirror = mirror_of(session, 5, 1);
	expect_none(mirror);
	assert_int_equal(status_of(mirror).rereads, 0);
	/* But whoever made that store may not have been recorded yet. */
	record_word(AT(5), 1, 0);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(status_of(mirror).conflicts, 1);
	assert_int_equal(copy_at(mirror, AT(5)), 0);
	close_both(mirror, session);
}

/* A store that the page, read by now, does not have, and that has no record. */
static void store_once_more(unsigned long request, void *args)
{
	(void)args;
	if (request != KVM_WTRACK_READ)
		return;
	fake.distort = NULL;
	fake_store(5, 3);
}

static void records_that_stand_for_others_are_released_first(void **state)
{
	const struct wtrack_mirror_options options = {
		.records = 64, .ring_flags = WTRACK_RING_COALESCE,
	};
	const struct wtrack_range range = { 5, 1 };
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror;

	(void)state;
	assert_int_equal(wtrack_mirror_new(session, &options, sizeof(options),
					   &mirror), 0);
	assert_int_equal(wtrack_mirror_add(mirror, &range, 1, NULL, 0), 0);
	fake_store(5, 1);
	fake_store(5, 2);
	fake.distort = store_once_more;
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(copy_at(mirror, AT(5)), 3);
	close_both(mirror, session);
}

/* One before the page is read, and one behind that which has no record. */
static void store_around_read(unsigned long request, void *args)
{
	(void)args;
	if (request == KVM_WTRACK_ADD)
		fake_store(5, 1);
	if (request != KVM_WTRACK_READ)
		return;
	fake.distort = NULL;
	fake_store(5, 2);
}

static void what_a_record_stood_for_may_be_more_by_now(void **state)
{
	const struct wtrack_mirror_options options = {
		.records = 64, .ring_flags = WTRACK_RING_COALESCE,
	};
	const struct wtrack_range range = { 5, 1 };
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror;

	(void)state;
	assert_int_equal(wtrack_mirror_new(session, &options, sizeof(options),
					   &mirror), 0);
	fake.distort = store_around_read;
	assert_int_equal(wtrack_mirror_add(mirror, &range, 1, NULL, 0), 0);
	assert_null(fake.distort);
	assert_int_equal(copy_at(mirror, AT(5)), 1);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(copy_at(mirror, AT(5)), 2);
	close_both(mirror, session);
}

static struct {
	uint64_t gpa, word;
	int nr;
} behind_read;

/* vCPU 0 stores to what was just read. */
static void store_behind_read(unsigned long request, void *args)
{
	int i;

	(void)args;
	if (request != KVM_WTRACK_READ)
		return;
	fake.distort = NULL;
	for (i = 0; i < behind_read.nr; i++) {
		behind_read.word++;
		fake_memory_write(behind_read.gpa, &behind_read.word, 8);
		record_word(behind_read.gpa, behind_read.word, 0);
	}
}

static void what_is_stored_while_a_page_is_read_is_part_of_it(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);

	(void)state;
	behind_read.gpa = AT(5);
	behind_read.word = 100;
	behind_read.nr = 3;
	guard(5, KVM_WTRACK_GUARD_CHANGED);
	fake.distort = store_behind_read;
	expect_bytes(next_change(mirror), WTRACK_CHANGED_REREAD, AT(5), 0, 103,
		     1);
	expect_none(mirror);
	assert_int_equal(copy_at(mirror, AT(5)), 103);
	close_both(mirror, session);
}

static void a_page_that_is_read_again_shows_where_it_differs(void **state)
{
	static const unsigned char zeros[30];
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror;
	const struct wtrack_change *change;
	unsigned char data[30];

	(void)state;
	mirror = mirror_of(session, 5, 1);
	memset(data, 0xaa, sizeof(data));
	fake_memory_write(AT(5), data, 3);		/* at its start */
	fake_memory_write(AT(5) + 10, data, 1);		/* 7 bytes behind */
	fake_memory_write(AT(5) + 19, data, 30);	/* 8 bytes behind */
	fake_memory_write(AT(6) - 1, data, 1);		/* at its end */
	guard(5, KVM_WTRACK_GUARD_CHANGED);
	change = next_change(mirror);
	assert_int_equal(change->what, WTRACK_CHANGED_REREAD);
	assert_int_equal(change->gpa, AT(5));
	assert_int_equal(change->len, 11);
	assert_memory_equal(change->old_bytes, zeros, 11);
	assert_memory_equal(change->new_bytes, data, 3);
	assert_memory_equal((const char *)change->new_bytes + 3, zeros, 7);
	change = next_change(mirror);
	assert_int_equal(change->gpa, AT(5) + 19);
	assert_int_equal(change->len, 30);
	assert_memory_equal(change->old_bytes, zeros, 30);
	assert_memory_equal(change->new_bytes, data, 30);
	expect_bytes(next_change(mirror), WTRACK_CHANGED_REREAD, AT(6) - 1, 0,
		     0xaa, 1);
	expect_none(mirror);
	assert_int_equal(status_of(mirror).rereads, 1);
	close_both(mirror, session);
}

/* Memory: 0 stores, then 1; recorded the other way round. */
static void race(int between, uint64_t conflicts)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);
	uint64_t last = 11;

	fake_memory_write(AT(5), &last, 8);
	record_word(AT(5), 11, 1);
	if (between == 2) {		/* of 0, before the store */
		uint64_t zero = 0;

		record_word(AT(5) + 64, 0, 0);
		(void)zero;
		/* So 0 was last: memory has its store. */
		last = 10;
		fake_memory_write(AT(5), &last, 8);
	}
	record_word(AT(5), 10, 0);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(copy_at(mirror, AT(5)), memory_at(AT(5)));
	assert_int_equal(status_of(mirror).conflicts, conflicts);
	close_both(mirror, session);
}

static void a_race_ends_as_memory_does(void **state)
{
	(void)state;
	race(0, 1);
}

static void nothing_is_read_where_there_can_be_none(void **state)
{
	(void)state;
	race(2, 0);
}

static void nor_if_the_bytes_are_others(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		record_word(AT(5) + 8 * (i % 2), i, i % 2);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(status_of(mirror).conflicts, 0);
	assert_int_equal(status_of(mirror).rereads, 0);
	close_both(mirror, session);
}

/* One store in two parts: the first does not make the second any later. */
static void the_parts_of_a_store_are_of_one_moment(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);
	unsigned char long_store[24] = { 1 };

	(void)state;
	record_word(AT(5) + 24, 11, 1);
	record(AT(5), long_store, 24, 0, KVM_WTRACK_RECORD_F_MORE);
	record_word(AT(5) + 24, 10, 0);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(status_of(mirror).conflicts, 1);
	close_both(mirror, session);
}

static void a_vcpu_that_is_not_known_races_with_all(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);

	(void)state;
	record_word(AT(5), 1, -1);
	record_word(AT(5), 2, -1);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(status_of(mirror).conflicts, 1);
	assert_int_equal(copy_at(mirror, AT(5)), 0);
	close_both(mirror, session);
}

static void a_race_of_long_ago_is_none_behind_a_fence(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);

	(void)state;
	record_word(AT(5), 1, 1);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	record_word(AT(5), 2, 0);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(status_of(mirror).conflicts, 0);
	assert_int_equal(copy_at(mirror, AT(5)), 2);
	close_both(mirror, session);
}

static struct {
	bool late;		/* vCPU 0 has a place for its record, and no record yet */
	uint64_t place;
} fenced;

/*
 * While the fence waits vCPU 1 stores 1, and then vCPU 0 stores 2 and has its record.
 * The record of vCPU 1 comes when the page was read.
 */
static void store_twice_within_fence(unsigned long request, void *args)
{
	static const uint64_t words[] = { 1, 2 };
	struct kvm_wtrack_fence *fence = args;

	if (request == KVM_WTRACK_FENCE) {
		fake_memory_write(AT(5), &words[0], 8);
		fake_memory_write(AT(5), &words[1], 8);
		fenced.place = fake_reserve();
		if (!fenced.late)
			record_at(fenced.place, AT(5), &words[1], 8, 0, 0);
		fence->out_seq = fake_head();
	} else if (request == KVM_WTRACK_READ) {
		fake.distort = NULL;
		record_word(AT(5), words[0], 1);
	}
}

static void race_within_fence(bool late)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);
	const uint64_t word = 2;

	fenced.late = late;
	guard(5, KVM_WTRACK_GUARD_CHANGED);
	fake.distort = store_twice_within_fence;
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_null(fake.distort);
	if (late) {
		record_at(fenced.place, AT(5), &word, 8, 0, 0);
		assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	}
	assert_int_equal(copy_at(mirror, AT(5)), 2);
	assert_int_equal(status_of(mirror).conflicts, 1);
	close_both(mirror, session);
}

static void a_store_that_was_read_is_newer_than_a_later_record(void **state)
{
	(void)state;
	race_within_fence(false);
}

static void also_if_its_own_record_comes_last(void **state)
{
	(void)state;
	race_within_fence(true);
}

static void vcpus_may_have_large_numbers(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);

	(void)state;
	record_word(AT(5), 1, 65535);
	record_word(AT(5), 2, 65535);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(status_of(mirror).conflicts, 0);
	/* Without memory for its clock, a vCPU races with itself and others. */
	close_both(mirror, session);
}

static void a_page_that_is_disarmed_is_read_by_each_sync(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 2);
	const struct wtrack_change *change;

	(void)state;
	guard(5, KVM_WTRACK_GUARD_DISARMED);
	expect_state(next_change(mirror), 5, 1, WTRACK_MIRROR_DISARMED);
	expect_none(mirror);
	fake_page_write(5, 1);
	expect_none(mirror);
	assert_int_equal(copy_at(mirror, AT(5)), 0);
	assert_int_equal(wtrack_mirror_sync(mirror, &change), 1);
	expect_bytes(change, WTRACK_CHANGED_REREAD, AT(5), 0, 1, 1);
	assert_int_equal(change->state, WTRACK_MIRROR_DISARMED);
	assert_int_equal(wtrack_mirror_sync(mirror, &change), 0);
	fake_page_write(5, 2);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(copy_at(mirror, AT(5)), 2);
	fake_page_write(5, 3);
	guard(5, KVM_WTRACK_GUARD_REARMED);
	expect_state(next_change(mirror), 5, 1, WTRACK_MIRROR_LIVE);
	expect_bytes(next_change(mirror), WTRACK_CHANGED_REREAD, AT(5), 2, 3,
		     1);
	expect_none(mirror);
	close_both(mirror, session);
}

static void what_the_guard_does_in_future_is_a_change(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);

	(void)state;
	fake_page_write(5, 1);
	guard(5, 99);
	expect_bytes(next_change(mirror), WTRACK_CHANGED_REREAD, AT(5), 0, 1,
		     1);
	close_both(mirror, session);
}

static void a_page_that_was_stopped_is_removed_until_it_is_added(void **state)
{
	const struct wtrack_mirror_options options = {
		.records = 64, .ring_flags = WTRACK_RING_STOP,
	};
	const struct wtrack_range range = { 5, 1 };
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror;

	(void)state;
	assert_int_equal(wtrack_mirror_new(session, &options, sizeof(options),
					   &mirror), 0);
	assert_int_equal(wtrack_mirror_add(mirror, &range, 1, NULL, 0), 0);
	guard(5, KVM_WTRACK_GUARD_STOPPED);
	expect_state(next_change(mirror), 5, 1, WTRACK_MIRROR_REMOVED);
	fake_page_write(5, 4);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(copy_at(mirror, AT(5)), 0);
	assert_int_equal(wtrack_mirror_add(mirror, &range, 1, NULL, 0), 0);
	assert_int_equal(copy_at(mirror, AT(5)), 4);
	expect_state(next_change(mirror), 5, 1, WTRACK_MIRROR_LIVE);
	expect_none(mirror);
	close_both(mirror, session);
}

static void a_full_ring_has_pages_read_again(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 0, 40);
	uint64_t i;

	(void)state;
	for (i = 0; i < 40; i++)
		fake_store(i, i + 1);
	assert_true(fake_ring_closed());
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	for (i = 0; i < 40; i++)
		assert_int_equal(copy_at(mirror, AT(i)), i + 1);
	assert_false(fake_ring_closed());
	assert_int_equal(status_of(mirror).resyncs, 1);
	assert_int_equal(status_of(mirror).writes, 6);
	assert_int_equal(status_of(mirror).rereads, 34);
	close_both(mirror, session);
}

static void the_resync_set_tells_of_states(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 0, 40);
	uint64_t i;

	(void)state;
	for (i = 0; i < 40; i++)
		fake_store(i, i + 1);
	for (i = 20; i < 25; i++)
		fake.disarmed[i] = true;
	for (i = 30; i < 33; i++) {
		fake.tracked[i] = false;
		fake.absent[i] = true;
		fake.refuse[i] = ENOENT;
	}
	for (i = 0; i < 6; i++)
		assert_int_equal(next_change(mirror)->what,
				 WTRACK_CHANGED_WRITE);
	expect_state(next_change(mirror), 20, 5, WTRACK_MIRROR_DISARMED);
	expect_state(next_change(mirror), 30, 3, WTRACK_MIRROR_ABSENT);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	for (i = 0; i < 40; i++)
		assert_int_equal(copy_at(mirror, AT(i)),
				 i >= 30 && i < 33 ? 0 : i + 1);
	close_both(mirror, session);
}

/* The set is fetched in parts; behind the first of them the ring is full again. */
static void overflow_again(unsigned long request, void *args)
{
	uint64_t i;

	(void)args;
	if (request != KVM_WTRACK_RESYNC)
		return;
	fake.distort = NULL;
	for (i = 0; i < 8; i++)
		fake_store(0, 100 + i);
}

static void a_sync_fetches_all_of_a_set_that_is_cut(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 0, 60);
	uint64_t i;

	(void)state;
	for (i = 0; i < 60; i++)
		fake_store(i, i + 1);
	fake.distort = overflow_again;
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	for (i = 1; i < 60; i++)
		assert_int_equal(copy_at(mirror, AT(i)), i + 1);
	assert_int_equal(status_of(mirror).resyncs, 2);
	close_both(mirror, session);
}

static void overflow_each_time(void)
{
	uint64_t i;

	for (i = 0; i < 8; i++)
		fake_store(0, 200 + i);
}

/* It has an end, and the copy is exact then. */
static void so_it_does_when_each_set_is_cut(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 0, 60);
	uint64_t i;

	(void)state;
	for (i = 0; i < 60; i++)
		fake_store(i, i + 1);
	fake.in_resync = overflow_each_time;
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	for (i = 1; i < 60; i++)
		assert_int_equal(copy_at(mirror, AT(i)), i + 1);
	assert_int_equal(status_of(mirror).resyncs, 4);
	fake.in_resync = NULL;
	close_both(mirror, session);
}

static void memory_that_goes_is_absent_until_it_comes(void **state)
{
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 4, 4);
	const struct wtrack_change *change;

	(void)state;
	fake_store(5, 1);
	fake_region_removed(5, 2);
	fake.refuse[5] = fake.refuse[6] = ENOENT;
	assert_int_equal(next_change(mirror)->what, WTRACK_CHANGED_WRITE);
	expect_state(next_change(mirror), 5, 2, WTRACK_MIRROR_ABSENT);
	expect_none(mirror);
	assert_int_equal(wtrack_mirror_sync(mirror, &change), 0);
	assert_int_equal(copy_at(mirror, AT(5)), 1);
	assert_int_equal(status_of(mirror).absent, 2);
	/* Other memory; EOPNOTSUPP while it is read-only. */
	fake_region_added(5, 2, 0);
	fake_page_write(5, 7);
	fake.refuse[5] = EOPNOTSUPP;
	fake.refuse[6] = 0;
	assert_int_equal(wtrack_mirror_sync(mirror, &change), 1);
	expect_state(change, 6, 1, WTRACK_MIRROR_LIVE);
	assert_int_equal(wtrack_mirror_sync(mirror, &change), 0);
	fake.refuse[5] = 0;
	/* Who only waits is told as well. */
	assert_int_equal(wtrack_mirror_wait(mirror, -1), 1);
	expect_state(next_change(mirror), 5, 1, WTRACK_MIRROR_LIVE);
	expect_bytes(next_change(mirror), WTRACK_CHANGED_REREAD, AT(5), 1, 7,
		     1);
	expect_none(mirror);
	close_both(mirror, session);
}

/* The first store to a page; the others have no record. */
static void first_touch(uint64_t gfn, uint64_t first, uint64_t last)
{
	fake_page_write(gfn, last);
	fake.disarmed[gfn] = true;
	record(AT(gfn), &first, 8, 0, KVM_WTRACK_RECORD_F_ONCE);
}

static struct wtrack_mirror *once_mirror(struct wtrack_session *session,
					 uint64_t nr)
{
	const struct wtrack_mirror_options options = {
		.records = 8, .ring_flags = WTRACK_RING_ONCE,
	};
	const struct wtrack_range range = { 0, nr };
	struct wtrack_mirror *mirror;

	assert_int_equal(wtrack_mirror_new(session, &options, sizeof(options),
					   &mirror), 0);
	assert_int_equal(wtrack_mirror_add(mirror, &range, 1, NULL, 0), 0);
	return mirror;
}

/* The module of the next ones has all that there is. */
static struct wtrack_session *sticky_session(void)
{
	fake.info.out_features |= KVM_WTRACK_FEAT_STICKY |
				  KVM_WTRACK_FEAT_ONCE;
	return fake_session(0, 0);
}

static struct wtrack_mirror *mirror_with_absent_page(
	struct wtrack_session *session)
{
	const struct wtrack_mirror_options options = {
		.records = 8, .ring_flags = WTRACK_RING_STICKY,
	};
	const struct wtrack_range range = { 0, 60 };
	struct wtrack_mirror *mirror;

	assert_int_equal(wtrack_mirror_new(session, &options, sizeof(options),
					   &mirror), 0);
	assert_int_equal(wtrack_mirror_add(mirror, &range, 1, NULL, 0), 0);
	fake_region_removed(55, 1);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(wtrack_mirror_get_state(mirror, 55),
			 WTRACK_MIRROR_ABSENT);
	return mirror;
}

/* The ring is full when memory comes, so only the set says that it is armed. */
static void return_behind_full_ring(void)
{
	uint64_t i;

	for (i = 0; i < 50; i++)
		fake_store(i, i + 1000);
	fake_region_added(55, 1, 0);
	fake_page_write(55, 7);
}

static void sync_has_returned_page(struct wtrack_mirror *mirror)
{
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(wtrack_mirror_get_state(mirror, 55),
			 WTRACK_MIRROR_LIVE);
	assert_int_equal(copy_at(mirror, AT(55)), 7);
}

static void memory_comes_while_each_set_is_cut(void **state)
{
	struct wtrack_session *session = sticky_session();
	struct wtrack_mirror *mirror = mirror_with_absent_page(session);

	(void)state;
	return_behind_full_ring();
	fake.in_resync = overflow_each_time;
	sync_has_returned_page(mirror);
	fake.in_resync = NULL;
	close_both(mirror, session);
}

/* A sync that was given up does not count for the next one. */
static void a_sync_that_is_given_up_leaves_no_cuts(void **state)
{
	struct wtrack_session *session = sticky_session();
	struct wtrack_mirror *mirror = mirror_with_absent_page(session);
	const struct wtrack_change *change;
	uint64_t resyncs;

	(void)state;
	return_behind_full_ring();
	fake.in_resync = overflow_each_time;
	while (wtrack_mirror_sync(mirror, &change) > 0 &&
	       change->what != WTRACK_CHANGED_REREAD)
		;
	fake.in_resync = NULL;
	assert_int_equal(wtrack_mirror_update(mirror, &change), 1);
	return_behind_full_ring();
	resyncs = status_of(mirror).resyncs;
	fake.distort = overflow_again;
	sync_has_returned_page(mirror);
	assert_null(fake.distort);
	assert_int_equal(status_of(mirror).resyncs, resyncs + 2);
	close_both(mirror, session);
}

static void a_mirror_keeps_pages_whose_memory_goes(void **state)
{
	struct wtrack_session *session = sticky_session();
	struct wtrack_mirror *mirror = mirror_of(session, 4, 4);

	(void)state;
	assert_int_equal(fake.ring.flags, KVM_WTRACK_RING_F_STICKY);
	fake_store(5, 1);
	fake_region_removed(5, 2);
	assert_int_equal(next_change(mirror)->what, WTRACK_CHANGED_WRITE);
	expect_state(next_change(mirror), 5, 2, WTRACK_MIRROR_ABSENT);
	expect_none(mirror);
	assert_true(fake.tracked[5]);
	assert_int_equal(copy_at(mirror, AT(5)), 1);
	/* The module tells, so nobody has to look. */
	assert_int_equal(wtrack_mirror_wait(mirror, 0), 0);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(fake.nr_calls[FAKE_ADD], 1);
	assert_int_equal(fake.nr_calls[FAKE_QUERY_GFN], 0);
	fake_page_write(5, 7);
	fake_region_added(5, 2, 0);
	assert_int_equal(wtrack_mirror_wait(mirror, 0), 1);
	expect_state(next_change(mirror), 5, 1, WTRACK_MIRROR_LIVE);
	expect_state(next_change(mirror), 6, 1, WTRACK_MIRROR_LIVE);
	expect_bytes(next_change(mirror), WTRACK_CHANGED_REREAD, AT(5), 1, 7,
		     1);
	expect_none(mirror);
	assert_int_equal(wtrack_mirror_wait(mirror, 0), 0);
	close_both(mirror, session);
	assert_false(fake.tracked[5]);
}

static void a_sync_does_not_wait_for_the_module_to_find_memory(void **state)
{
	struct wtrack_session *session = sticky_session();
	struct wtrack_mirror *mirror = mirror_of(session, 4, 40);

	(void)state;
	fake.slow_worker = true;
	fake_region_removed(5, 10);
	fake_region_removed(20, 3);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(status_of(mirror).absent, 13);
	fake_page_write(7, 9);
	fake_region_added(5, 10, 0);
	fake_region_added(20, 3, WTRACK_REGION_READONLY);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(status_of(mirror).absent, 3);
	assert_int_equal(copy_at(mirror, AT(7)), 9);
	assert_int_equal(wtrack_mirror_get_state(mirror, 20),
			 WTRACK_MIRROR_ABSENT);
	/* Only where there may be something new. */
	fake.nr_calls[FAKE_REARM] = 0;
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(fake.nr_calls[FAKE_REARM], 0);
	fake_region_removed(20, 3);
	fake_region_added(20, 3, 0);
	fake.refuse[21] = EAGAIN;
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(status_of(mirror).absent, 1);
	fake.refuse[21] = 0;
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(status_of(mirror).absent, 0);
	close_both(mirror, session);
}

/* It went and came back before the mirror knew that it was away. */
static void nor_for_memory_that_came_before_the_mirror_looked(void **state)
{
	struct wtrack_session *session = sticky_session();
	struct wtrack_mirror *mirror = mirror_of(session, 4, 40);

	(void)state;
	fake.slow_worker = true;
	fake_region_removed(5, 1);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	fake_region_removed(7, 1);
	fake_region_added(7, 1, 0);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(wtrack_mirror_get_state(mirror, 7),
			 WTRACK_MIRROR_LIVE);
	assert_int_equal(status_of(mirror).absent, 1);
	close_both(mirror, session);
}

static void pages_without_memory_may_be_added(void **state)
{
	const struct wtrack_range range = { 4, 4 };
	struct wtrack_session *session = sticky_session();
	struct wtrack_mirror *mirror;

	(void)state;
	fake_region_removed(5, 2);
	fake_region_removed(7, 1);
	fake_region_added(7, 1, WTRACK_REGION_READONLY);
	fake_page_write(7, 3);
	mirror = mirror_of(session, 4, 4);
	assert_int_equal(status_of(mirror).absent, 3);
	assert_int_equal(copy_at(mirror, AT(7)), 0);
	expect_state(next_change(mirror), 5, 3, WTRACK_MIRROR_ABSENT);
	expect_none(mirror);
	/* Again: what has memory by now is read at once. */
	fake.slow_worker = true;
	fake_region_added(5, 1, 0);
	fake_page_write(5, 8);
	assert_int_equal(wtrack_mirror_add(mirror, &range, 1, NULL, 0), 0);
	assert_int_equal(wtrack_mirror_get_state(mirror, 5),
			 WTRACK_MIRROR_LIVE);
	assert_int_equal(copy_at(mirror, AT(5)), 8);
	assert_int_equal(wtrack_mirror_get_state(mirror, 6),
			 WTRACK_MIRROR_ABSENT);
	expect_state(next_change(mirror), 5, 1, WTRACK_MIRROR_LIVE);
	expect_none(mirror);
	assert_int_equal(wtrack_mirror_remove(mirror, &range, 1), 0);
	assert_int_equal(status_of(mirror).pages, 0);
	close_both(mirror, session);
}

static void pages_without_memory_may_be_skipped(void **state)
{
	const struct wtrack_range range = { 4, 4 };
	struct wtrack_session *session = sticky_session();
	struct wtrack_result result;
	struct wtrack_mirror *mirror;

	(void)state;
	fake_region_removed(5, 2);
	assert_int_equal(wtrack_mirror_new(session, NULL, 0, &mirror), 0);
	assert_int_equal(wtrack_mirror_add(mirror, &range, 1, &result,
					   WTRACK_CHANGE_SKIP_HOLES), 0);
	assert_int_equal(result.done, 2);
	assert_int_equal(result.skipped, 2);
	assert_int_equal(status_of(mirror).pages, 2);
	assert_int_equal(status_of(mirror).live, 2);
	assert_false(fake.tracked[5]);
	close_both(mirror, session);
}

/* Between the moment when they are added and that when they are read. */
static void remove_region(unsigned long request, void *args)
{
	(void)args;
	if (request != KVM_WTRACK_FENCE)
		return;
	fake.distort = NULL;
	fake_region_removed(6, 1);
}

static void memory_may_go_while_pages_are_added(void **state)
{
	const struct wtrack_range range = { 4, 4 };
	struct wtrack_session *session = sticky_session();
	struct wtrack_mirror *mirror;

	(void)state;
	assert_int_equal(wtrack_mirror_new(session, NULL, 0, &mirror), 0);
	fake.distort = remove_region;
	assert_int_equal(wtrack_mirror_add(mirror, &range, 1, NULL, 0), 0);
	expect_state(next_change(mirror), 6, 1, WTRACK_MIRROR_ABSENT);
	expect_none(mirror);
	assert_int_equal(wtrack_mirror_wait(mirror, 0), 0);
	fake_page_write(6, 4);
	fake_region_added(6, 1, 0);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(copy_at(mirror, AT(6)), 4);
	close_both(mirror, session);
}

static void the_resync_set_tells_of_pages_that_are_absent(void **state)
{
	const struct wtrack_mirror_options options = { .records = 8 };
	const struct wtrack_range range = { 0, 40 };
	struct wtrack_session *session = sticky_session();
	struct wtrack_mirror *mirror;
	uint64_t i;

	(void)state;
	assert_int_equal(wtrack_mirror_new(session, &options, sizeof(options),
					   &mirror), 0);
	assert_int_equal(wtrack_mirror_add(mirror, &range, 1, NULL, 0), 0);
	for (i = 0; i < 40; i++)
		fake_store(i, i + 1);
	for (i = 30; i < 33; i++)
		fake.away[i] = fake.absent[i] = true;
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	for (i = 0; i < 40; i++)
		assert_int_equal(wtrack_mirror_get_state(mirror, i),
				 i >= 30 && i < 33 ? WTRACK_MIRROR_ABSENT :
						     WTRACK_MIRROR_LIVE);
	assert_int_equal(wtrack_mirror_wait(mirror, 0), 0);
	fake_region_added(30, 3, 0);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	for (i = 0; i < 40; i++)
		assert_int_equal(copy_at(mirror, AT(i)), i + 1);
	assert_int_equal(status_of(mirror).live, 40);
	close_both(mirror, session);
}

static void a_touch_is_over_when_memory_goes(void **state)
{
	struct wtrack_session *session = sticky_session();
	struct wtrack_mirror *mirror = once_mirror(session, 3);

	(void)state;
	assert_int_equal(fake.ring.flags, KVM_WTRACK_RING_F_STICKY |
					  KVM_WTRACK_RING_F_ONCE);
	first_touch(1, 5, 7);
	fake_region_removed(1, 1);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(wtrack_mirror_get_state(mirror, 1),
			 WTRACK_MIRROR_ABSENT);
	fake_page_write(1, 9);
	fake_region_added(1, 1, 0);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(copy_at(mirror, AT(1)), 9);
	assert_int_equal(wtrack_mirror_get_state(mirror, 1),
			 WTRACK_MIRROR_LIVE);
	first_touch(1, 10, 11);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(copy_at(mirror, AT(1)), 11);
	close_both(mirror, session);
}

/* It was found to be tracked again, and is not any more when it is to be read. */
static void a_page_that_is_lost_before_it_is_read_is_absent(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 4, 4);
	uint64_t i;

	(void)state;
	fake_region_removed(5, 1);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	fake_region_added(5, 1, 0);
	assert_int_equal(wtrack_mirror_wait(mirror, -1), 1);
	for (i = 0; i < 10; i++)
		fake_store(6, i);
	fake_region_removed(5, 1);
	fake_region_added(5, 1, 0);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(wtrack_mirror_get_state(mirror, 5),
			 WTRACK_MIRROR_ABSENT);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(wtrack_mirror_get_state(mirror, 5),
			 WTRACK_MIRROR_LIVE);
	assert_true(fake.tracked[5]);
	close_both(mirror, session);
}

/* The module does not say that memory has come, and the guest stores to it first. */
static void touch_before_it_is_read(struct wtrack_mirror *mirror)
{
	fake_region_removed(1, 1);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	fake_region_added(1, 1, 0);
	assert_int_equal(wtrack_mirror_wait(mirror, -1), 1);
	first_touch(1, 5, 7);
}

static void a_touch_counts_as_soon_as_a_page_is_tracked_again(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = once_mirror(session, 3);

	(void)state;
	touch_before_it_is_read(mirror);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(copy_at(mirror, AT(1)), 7);
	assert_int_equal(wtrack_mirror_get_state(mirror, 1),
			 WTRACK_MIRROR_LIVE);
	assert_false(fake.disarmed[1]);
	close_both(mirror, session);
}

static void such_a_page_that_cannot_be_armed_is_disarmed(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = once_mirror(session, 3);

	(void)state;
	touch_before_it_is_read(mirror);
	fake.refuse[1] = EAGAIN;
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(wtrack_mirror_get_state(mirror, 1),
			 WTRACK_MIRROR_DISARMED);
	fake.refuse[1] = 0;
	fake_page_write(1, 9);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(copy_at(mirror, AT(1)), 9);
	assert_int_equal(wtrack_mirror_get_state(mirror, 1),
			 WTRACK_MIRROR_LIVE);
	assert_false(fake.disarmed[1]);
	close_both(mirror, session);
}

static void a_ring_that_was_made_elsewhere_is_known(void **state)
{
	struct wtrack_session *session;
	struct wtrack_mirror *mirror;
	int fd = fake_session_fd(64);

	(void)state;
	fake.info.out_features |= KVM_WTRACK_FEAT_STICKY |
				  KVM_WTRACK_FEAT_ONCE;
	fake.ring.flags = KVM_WTRACK_RING_F_STICKY;
	fake.status.out_ring_flags = KVM_WTRACK_RING_F_STICKY;
	assert_int_equal(wtrack_session_open_fd(fd, &session), 0);
	mirror = mirror_of(session, 4, 4);
	fake_region_removed(5, 1);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(wtrack_mirror_wait(mirror, 0), 0);
	assert_int_equal(fake.nr_calls[FAKE_QUERY_GFN], 0);
	fake_region_added(5, 1, 0);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(status_of(mirror).live, 4);
	close_both(mirror, session);
}

static void memory_that_cannot_be_read_is_absent(void **state)
{
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 4, 4);
	const struct wtrack_change *change;

	(void)state;
	fake.unreadable[5] = ENXIO;
	guard(5, KVM_WTRACK_GUARD_CHANGED);
	expect_state(next_change(mirror), 5, 1, WTRACK_MIRROR_ABSENT);
	expect_none(mirror);
	assert_int_equal(wtrack_mirror_sync(mirror, &change), 0);
	fake.unreadable[5] = 0;
	assert_int_equal(wtrack_mirror_sync(mirror, &change), 1);
	expect_state(change, 5, 1, WTRACK_MIRROR_LIVE);
	close_both(mirror, session);
}

static void late_records_of_removed_pages_are_skipped(void **state)
{
	const struct wtrack_range range = { 5, 1 };
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);

	(void)state;
	fake_store(5, 1);
	guard(5, KVM_WTRACK_GUARD_DISARMED);
	assert_int_equal(wtrack_mirror_remove(mirror, &range, 1), 0);
	assert_false(fake.tracked[5]);
	assert_int_equal(wtrack_mirror_remove(mirror, &range, 1), -ENOENT);
	fake.disarmed[5] = false;
	fake_page_write(5, 2);
	/* What was told of it before is of before. */
	assert_int_equal(wtrack_mirror_add(mirror, &range, 1, NULL, 0), 0);
	expect_none(mirror);
	assert_int_equal(copy_at(mirror, AT(5)), 2);
	assert_int_equal(wtrack_mirror_get_state(mirror, 5),
			 WTRACK_MIRROR_LIVE);
	close_both(mirror, session);
}

static void a_page_may_be_removed_before_its_changes_are_told(void **state)
{
	const struct wtrack_range range = { 5, 1 };
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 2);
	uint64_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		fake_memory_write(AT(5) + i * 100, &(uint64_t){ ~0ULL }, 8);
	fake_page_write(6, 1);
	guard(5, KVM_WTRACK_GUARD_CHANGED);
	guard(6, KVM_WTRACK_GUARD_CHANGED);
	assert_int_equal(next_change(mirror)->gpa, AT(5));
	assert_int_equal(wtrack_mirror_remove(mirror, &range, 1), 0);
	assert_int_equal(next_change(mirror)->gpa, AT(6));
	expect_none(mirror);
	close_both(mirror, session);
}

static void ranges_that_are_malformed_remove_nothing(void **state)
{
	const struct wtrack_range ranges[] = { { 5, 1 }, { 6, 0 } };
	const struct wtrack_range far = { 1, UINT64_MAX };
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 2);

	(void)state;
	assert_int_equal(wtrack_mirror_remove(mirror, ranges, 2), -EINVAL);
	assert_int_equal(wtrack_mirror_remove(mirror, &far, 1), -EINVAL);
	assert_int_equal(status_of(mirror).pages, 2);
	assert_true(fake.tracked[5]);
	close_both(mirror, session);
}

static void what_others_store_is_read_when_that_is_asked_for(void **state)
{
	const struct wtrack_range all = { 0, FAKE_PAGES };
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 2);

	(void)state;
	fake_page_write(6, 1);
	expect_none(mirror);
	wtrack_mirror_reread(mirror, &all, 1);
	assert_int_equal(wtrack_mirror_wait(mirror, -1), 1);
	expect_bytes(next_change(mirror), WTRACK_CHANGED_REREAD, AT(6), 0, 1,
		     1);
	expect_none(mirror);
	close_both(mirror, session);
}

static void a_vm_that_is_gone_leaves_the_copy(void **state)
{
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 2);

	(void)state;
	fake_store(5, 1);
	guard(6, KVM_WTRACK_GUARD_CHANGED);
	fake_vm_gone();
	assert_int_equal(next_change(mirror)->what, WTRACK_CHANGED_WRITE);
	/* What was to be read of it cannot be known any more. */
	expect_state(next_change(mirror), 6, 1, WTRACK_MIRROR_ABSENT);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), -ESRCH);
	assert_int_equal(wtrack_mirror_wait(mirror, -1), -ESRCH);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), -ESRCH);
	assert_int_equal(copy_at(mirror, AT(5)), 1);
	close_both(mirror, session);
}

static void expect_ended(struct wtrack_mirror *mirror)
{
	assert_int_equal(wtrack_mirror_update(mirror, NULL), -ESHUTDOWN);
	assert_int_equal(wtrack_mirror_wait(mirror, -1), -ESHUTDOWN);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), -ESHUTDOWN);
}

/* Stores, a page that was to be read, one that is disarmed and one without memory. */
static void a_session_that_was_ended_leaves_the_copy(void **state)
{
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 4);
	const struct wtrack_range range = { 5, 1 };

	(void)state;
	fake_region_removed(8, 1);
	expect_state(next_change(mirror), 8, 1, WTRACK_MIRROR_ABSENT);
	expect_none(mirror);
	fake_store(5, 1);
	guard(6, KVM_WTRACK_GUARD_CHANGED);
	guard(7, KVM_WTRACK_GUARD_DISARMED);
	fake_end();
	assert_int_equal(next_change(mirror)->what, WTRACK_CHANGED_WRITE);
	expect_state(next_change(mirror), 7, 1, WTRACK_MIRROR_DISARMED);
	expect_state(next_change(mirror), 5, 4, WTRACK_MIRROR_REMOVED);
	expect_ended(mirror);
	assert_int_equal(copy_at(mirror, AT(5)), 1);
	assert_int_equal(wtrack_mirror_add(mirror, &range, 1, NULL, 0),
			 -ESHUTDOWN);
	assert_int_equal(copy_at(mirror, AT(5)), 1);
	assert_int_equal(wtrack_mirror_remove(mirror, &range, 1), 0);
	assert_null(wtrack_mirror_page(mirror, 5));
	close_both(mirror, session);
}

/* A sync cannot be exact any more, and says so when all was handed out. */
static void a_sync_of_an_ended_session_hands_out_what_is_left(void **state)
{
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 2);
	const struct wtrack_change *change;

	(void)state;
	fake_store(5, 1);
	fake_end();
	assert_int_equal(wtrack_mirror_sync(mirror, &change), 1);
	assert_int_equal(change->what, WTRACK_CHANGED_WRITE);
	assert_int_equal(wtrack_mirror_sync(mirror, &change), 1);
	expect_state(change, 5, 2, WTRACK_MIRROR_REMOVED);
	assert_int_equal(wtrack_mirror_sync(mirror, &change), -ESHUTDOWN);
	expect_ended(mirror);
	close_both(mirror, session);
}

/* Before its last record can be read, its memory cannot any more. */
static void an_end_while_pages_are_read(void **state)
{
	const enum fake_call calls[] = { FAKE_FENCE, FAKE_READ };
	struct wtrack_session *session;
	struct wtrack_mirror *mirror;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		session = fake_session(64, 0);
		mirror = mirror_of(session, 5, 2);
		guard(6, KVM_WTRACK_GUARD_CHANGED);
		fake_fail(calls[i], 1, ESHUTDOWN);
		expect_state(next_change(mirror), 5, 2, WTRACK_MIRROR_REMOVED);
		expect_none(mirror);
		fake_end();
		expect_ended(mirror);
		close_both(mirror, session);
		fake_teardown(NULL);
		fake_setup(NULL);
	}
}

static void an_ended_session_with_a_full_ring(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 2);
	unsigned int i;

	(void)state;
	for (i = 1; i < 20; i++)
		fake_store(5, i);
	fake_end();
	while (wtrack_mirror_update(mirror, NULL) == 0)
		;
	expect_ended(mirror);
	assert_int_equal(wtrack_mirror_get_state(mirror, 5),
			 WTRACK_MIRROR_REMOVED);
	close_both(mirror, session);
}

/* Of a range with holes the mirror has what there is. */
static void holes_are_not_in_the_mirror(void **state)
{
	const struct wtrack_range all = { 0, FAKE_PAGES + 50 };
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror_status status;
	struct wtrack_mirror *mirror;
	struct wtrack_result result;

	(void)state;
	fake_region_removed(5, 3);
	assert_int_equal(wtrack_mirror_new(session, NULL, 0, &mirror), 0);
	assert_int_equal(wtrack_mirror_add(mirror, &all, 1, &result,
					   WTRACK_CHANGE_SKIP_HOLES), 0);
	assert_int_equal(result.done, FAKE_PAGES - 3);
	assert_int_equal(result.skipped, all.nr_pages - result.done);
	assert_int_equal(wtrack_mirror_get_status(mirror, &status,
						  sizeof(status)), 0);
	assert_int_equal(status.pages, FAKE_PAGES - 3);
	assert_int_equal(status.live, FAKE_PAGES - 3);
	assert_null(wtrack_mirror_page(mirror, 6));
	assert_non_null(wtrack_mirror_page(mirror, 8));
	close_both(mirror, session);
}

static void a_failure_loses_nothing(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 0, 60);
	const struct {
		enum fake_call call;
		int err;
	} failures[] = {
		{ FAKE_FENCE, EPROTO }, { FAKE_READ, EBUSY },
		{ FAKE_READ, ENOMEM }, { FAKE_RESYNC, ENOMEM },
	};
	uint64_t i, round = 0;
	size_t f;

	(void)state;
	for (f = 0; f < sizeof(failures) / sizeof(failures[0]); f++) {
		round += 100;
		for (i = 0; i < 60; i++)
			fake_store(i, round + i);
		fake_fail(failures[f].call, 1, failures[f].err);
		assert_int_equal(wtrack_mirror_update(mirror, NULL),
				 -failures[f].err);
		assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
		for (i = 0; i < 60; i++)
			assert_int_equal(copy_at(mirror, AT(i)), round + i);
	}
	close_both(mirror, session);
}

static void what_was_touched_once_is_armed_and_read(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = once_mirror(session, 3);

	(void)state;
	first_touch(1, 5, 7);
	expect_bytes(next_change(mirror), WTRACK_CHANGED_WRITE, AT(1), 0, 5, 8);
	expect_bytes(next_change(mirror), WTRACK_CHANGED_REREAD, AT(1), 5, 7,
		     1);
	expect_none(mirror);
	assert_false(fake.disarmed[1]);
	assert_int_equal(fake.nr_calls[FAKE_REARM], 1);
	assert_int_equal(wtrack_mirror_wait(mirror, 0), 0);
	close_both(mirror, session);
}

static void so_it_is_when_the_resync_set_tells_of_it(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = once_mirror(session, 40);
	uint64_t i;

	(void)state;
	for (i = 0; i < 40; i++)
		fake_store(i, i + 1);
	for (i = 6; i < 40; i++)
		fake.disarmed[i] = true;
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	for (i = 0; i < 40; i++) {
		assert_int_equal(copy_at(mirror, AT(i)), i + 1);
		assert_false(fake.disarmed[i]);
	}
	assert_int_equal(status_of(mirror).live, 40);
	close_both(mirror, session);
}

/* Others come in its place, and are no less armed before they are read. */
static void so_it_is_behind_a_page_that_cannot_be_read(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = once_mirror(session, 100);
	uint64_t i;

	(void)state;
	for (i = 0; i < 100; i++) {
		fake_store(i, i + 1);
		fake.disarmed[i] = true;
	}
	fake.unreadable[10] = ENXIO;
	fake.unreadable[50] = ENXIO;
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(status_of(mirror).absent, 2);
	for (i = 6; i < 100; i++)
		assert_false(fake.disarmed[i]);
	close_both(mirror, session);
}

static void what_cannot_be_armed_is_disarmed_until_it_can(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_mirror *mirror = once_mirror(session, 3);

	(void)state;
	fake.refuse[1] = EAGAIN;
	first_touch(1, 5, 5);
	expect_bytes(next_change(mirror), WTRACK_CHANGED_WRITE, AT(1), 0, 5, 8);
	expect_state(next_change(mirror), 1, 1, WTRACK_MIRROR_DISARMED);
	expect_none(mirror);
	fake_page_write(1, 6);
	assert_int_equal(wtrack_mirror_sync(mirror, NULL), 0);
	assert_int_equal(copy_at(mirror, AT(1)), 6);
	assert_int_equal(wtrack_mirror_get_state(mirror, 1),
			 WTRACK_MIRROR_DISARMED);
	fake.refuse[1] = 0;
	fake_page_write(1, 7);
	/* Who only waits is told as well. */
	assert_int_equal(wtrack_mirror_wait(mirror, -1), 1);
	expect_state(next_change(mirror), 1, 1, WTRACK_MIRROR_LIVE);
	expect_bytes(next_change(mirror), WTRACK_CHANGED_REREAD, AT(1), 6, 7,
		     1);
	assert_false(fake.disarmed[1]);
	close_both(mirror, session);
}

static void without_the_right_to_bytes_pages_are_read(void **state)
{
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);
	uint64_t zero = 0;

	(void)state;
	fake_page_write(5, 7);
	record(AT(5), &zero, 8, 0, KVM_WTRACK_RECORD_F_NO_DATA);
	expect_bytes(next_change(mirror), WTRACK_CHANGED_REREAD, AT(5), 0, 7,
		     1);
	expect_none(mirror);
	close_both(mirror, session);
}

static void nonsense_in_a_record_stays_in_its_page(void **state)
{
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);
	const unsigned char data[24] = { 1 };

	(void)state;
	record(AT(6) - 4, data, 24, 0, 0);
	record(AT(5), data, 0, 0, 0);
	record(AT(5), data, 200, 0, 0);
	record(UINT64_MAX, data, 24, 0, 0);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(copy_at(mirror, AT(5)), memory_at(AT(5)));
	close_both(mirror, session);
}


/* A conflict comes with each reading. */
static void race_behind_read(unsigned long request, void *args)
{
	(void)args;
	if (request != KVM_WTRACK_READ)
		return;
	record_word(AT(5), 0, 0);
	record_word(AT(5), 0, 1);
}

static void two_vcpus_that_never_cease_do_not_hold_a_caller(void **state)
{
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 5, 1);

	(void)state;
	fake.distort = race_behind_read;
	record_word(AT(5), 0, 0);
	record_word(AT(5), 0, 1);
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	/* There is still something to do, and poll says so as well. */
	assert_int_equal(wtrack_mirror_wait(mirror, -1), 1);
	assert_true(fake_unread() > 0);
	fake.distort = NULL;
	assert_int_equal(wtrack_mirror_update(mirror, NULL), 0);
	assert_int_equal(wtrack_mirror_wait(mirror, 0), 0);
	assert_int_equal(fake_unread(), 0);
	close_both(mirror, session);
}

static void memory_follows_what_is_mirrored(void **state)
{
	const struct wtrack_range most = { 1, 3999 };
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_mirror *mirror = mirror_of(session, 0, 4000);
	struct wtrack_mirror_status status = status_of(mirror);
	uint64_t constant;

	(void)state;
	assert_true(status.memory_bytes / 4000 < 4400);
	assert_int_equal(wtrack_mirror_remove(mirror, &most, 1), 0);
	constant = status_of(mirror).memory_bytes;
	assert_true(constant < 200000);
	assert_non_null(wtrack_mirror_page(mirror, 0));
	close_both(mirror, session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_mirror_makes_a_ring_that_the_session_may_have),
		CASE(or_the_one_that_is_wanted),
		CASE(or_takes_the_one_that_is_there),
		CASE(options_may_be_shorter_or_longer),
		CASE(what_is_added_is_there),
		CASE(a_page_that_is_refused_is_not_in_the_mirror),
		CASE(without_memory_nothing_is_left),
		CASE(nothing_is_left_when_the_module_does_not_say_what_is_tracked),
		CASE(a_write_is_a_change_with_both_bytes),
		CASE(a_long_write_comes_in_parts),
		CASE(all_can_be_worked_through_at_once),
		CASE(what_the_first_contents_have_is_no_change),
		CASE(nor_is_it_read_again_for_what_they_have),
		CASE(records_that_stand_for_others_are_released_first),
		CASE(what_a_record_stood_for_may_be_more_by_now),
		CASE(what_is_stored_while_a_page_is_read_is_part_of_it),
		CASE(a_page_that_is_read_again_shows_where_it_differs),
		CASE(a_race_ends_as_memory_does),
		CASE(nothing_is_read_where_there_can_be_none),
		CASE(nor_if_the_bytes_are_others),
		CASE(the_parts_of_a_store_are_of_one_moment),
		CASE(a_vcpu_that_is_not_known_races_with_all),
		CASE(a_race_of_long_ago_is_none_behind_a_fence),
		CASE(a_store_that_was_read_is_newer_than_a_later_record),
		CASE(also_if_its_own_record_comes_last),
		CASE(vcpus_may_have_large_numbers),
		CASE(a_page_that_is_disarmed_is_read_by_each_sync),
		CASE(what_the_guard_does_in_future_is_a_change),
		CASE(a_page_that_was_stopped_is_removed_until_it_is_added),
		CASE(a_full_ring_has_pages_read_again),
		CASE(the_resync_set_tells_of_states),
		CASE(a_sync_fetches_all_of_a_set_that_is_cut),
		CASE(so_it_does_when_each_set_is_cut),
		CASE(memory_that_goes_is_absent_until_it_comes),
		CASE(memory_comes_while_each_set_is_cut),
		CASE(a_sync_that_is_given_up_leaves_no_cuts),
		CASE(a_mirror_keeps_pages_whose_memory_goes),
		CASE(a_sync_does_not_wait_for_the_module_to_find_memory),
		CASE(nor_for_memory_that_came_before_the_mirror_looked),
		CASE(pages_without_memory_may_be_added),
		CASE(pages_without_memory_may_be_skipped),
		CASE(memory_may_go_while_pages_are_added),
		CASE(the_resync_set_tells_of_pages_that_are_absent),
		CASE(a_touch_is_over_when_memory_goes),
		CASE(a_page_that_is_lost_before_it_is_read_is_absent),
		CASE(a_touch_counts_as_soon_as_a_page_is_tracked_again),
		CASE(such_a_page_that_cannot_be_armed_is_disarmed),
		CASE(a_ring_that_was_made_elsewhere_is_known),
		CASE(memory_that_cannot_be_read_is_absent),
		CASE(late_records_of_removed_pages_are_skipped),
		CASE(a_page_may_be_removed_before_its_changes_are_told),
		CASE(ranges_that_are_malformed_remove_nothing),
		CASE(what_others_store_is_read_when_that_is_asked_for),
		CASE(a_vm_that_is_gone_leaves_the_copy),
		CASE(a_session_that_was_ended_leaves_the_copy),
		CASE(a_sync_of_an_ended_session_hands_out_what_is_left),
		CASE(an_end_while_pages_are_read),
		CASE(an_ended_session_with_a_full_ring),
		CASE(holes_are_not_in_the_mirror),
		CASE(a_failure_loses_nothing),
		CASE(what_was_touched_once_is_armed_and_read),
		CASE(so_it_is_when_the_resync_set_tells_of_it),
		CASE(so_it_is_behind_a_page_that_cannot_be_read),
		CASE(what_cannot_be_armed_is_disarmed_until_it_can),
		CASE(without_the_right_to_bytes_pages_are_read),
		CASE(nonsense_in_a_record_stays_in_its_page),
		CASE(two_vcpus_that_never_cease_do_not_hold_a_caller),
		CASE(memory_follows_what_is_mirrored),
	};

	return RUN(cases);
}
