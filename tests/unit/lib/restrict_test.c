// SPDX-License-Identifier: GPL-2.0-or-later
/* Restricting a session: a struct that grows, and what the module gets. */
#include "test.h"

static int limit(struct wtrack_session *session,
		 const struct wtrack_restriction *restriction)
{
	return wtrack_session_restrict(session, restriction,
				       sizeof(*restriction));
}

static void restriction_reaches_the_module(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_range ranges[2] = { { 1, 2 }, { 10, 20 } };
	const struct wtrack_restriction restriction = {
		.ranges = ranges, .nr_ranges = 2, .max_pages = 1ULL << 40,
		.max_records = 64, .budget = 7, .period_ms = 8,
		.max_sync_us = 9, .rights = 1ULL << 63 | WTRACK_RIGHT_RIP,
	};

	(void)state;
	assert_int_equal(limit(session, &restriction), 0);
	assert_int_equal(fake.restriction.flags, 0);
	assert_int_equal(fake.restriction.ranges, (uintptr_t)ranges);
	assert_int_equal(fake.restriction.nr_ranges, 2);
	assert_int_equal(fake.restriction.max_records, 64);
	assert_int_equal(fake.restriction.max_pages, 1ULL << 40);
	assert_int_equal(fake.restriction.budget, 7);
	assert_int_equal(fake.restriction.period_ms, 8);
	assert_int_equal(fake.restriction.max_sync_us, 9);
	assert_int_equal(fake.restriction.rights,
			 1ULL << 63 | WTRACK_RIGHT_RIP);
	wtrack_session_close(session);
}

static void restriction_without_ranges_has_a_null_pointer(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_range range = { 1, 2 };
	const struct wtrack_restriction restriction = {
		.ranges = &range, .max_records = 64,
	};

	(void)state;
	assert_int_equal(limit(session, &restriction), 0);
	assert_int_equal(fake.restriction.ranges, 0);
	assert_int_equal(fake.restriction.nr_ranges, 0);
	wtrack_session_close(session);
}

static void restriction_takes_as_many_ranges_as_one_call(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_range ranges[17];
	struct wtrack_restriction restriction = { .ranges = ranges };
	size_t i;

	(void)state;
	for (i = 0; i < 17; i++)
		ranges[i] = (struct wtrack_range) { i * 2, 1 };
	restriction.nr_ranges = 17;
	assert_int_equal(limit(session, &restriction), -ERANGE);
	/* More than the module's field can tell must not wrap to a few. */
	restriction.nr_ranges = (size_t)1 << 32;
	assert_int_equal(limit(session, &restriction), -ERANGE);
	assert_int_equal(fake.nr_calls[FAKE_RESTRICT], 0);
	restriction.nr_ranges = 16;
	assert_int_equal(limit(session, &restriction), 0);
	wtrack_session_close(session);
}

static void older_callers_set_the_fields_they_know(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_restriction restriction;

	(void)state;
	memset(&restriction, 0xee, sizeof(restriction));
	restriction.nr_ranges = 0;
	restriction.max_pages = 9;
	assert_int_equal(wtrack_session_restrict(session, &restriction,
			 offsetof(struct wtrack_restriction, max_records)), 0);
	assert_int_equal(fake.restriction.max_pages, 9);
	assert_int_equal(fake.restriction.max_records, 0);
	assert_int_equal(fake.restriction.budget, 0);
	assert_int_equal(fake.restriction.period_ms, 0);
	assert_int_equal(fake.restriction.max_sync_us, 0);
	assert_int_equal(fake.restriction.rights, 0);
	wtrack_session_close(session);
}

static void newer_callers_must_not_ask_for_more(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct {
		struct wtrack_restriction known;
		unsigned char newer[9];
	} restriction = { .known = { .max_pages = 9 } };
	size_t i, size = offsetof(__typeof__(restriction), newer) +
			 sizeof(restriction.newer);

	(void)state;
	for (i = 0; i < sizeof(restriction.newer); i++) {
		restriction.newer[i] = 1;
		assert_int_equal(wtrack_session_restrict(session,
							 &restriction.known,
							 size), -E2BIG);
		restriction.newer[i] = 0;
	}
	assert_int_equal(fake.nr_calls[FAKE_RESTRICT], 0);
	assert_int_equal(wtrack_session_restrict(session, &restriction.known,
						 size), 0);
	assert_int_equal(fake.restriction.max_pages, 9);
	wtrack_session_close(session);
}

static void malformed_restrictions_do_not_reach_the_module(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	const struct wtrack_restriction restriction = { .rights = 1 };

	(void)state;
	assert_int_equal(wtrack_session_restrict(session, &restriction, 0),
			 -EINVAL);
	assert_int_equal(fake.nr_calls[FAKE_RESTRICT], 0);
	wtrack_session_close(session);
}

static void what_the_module_says_is_handed_on(void **state)
{
	static const int errs[] = { EBUSY, EINVAL, ENOMEM, EPERM, ERANGE };
	struct wtrack_session *session = fake_session(0, 0);
	const struct wtrack_restriction restriction = { .max_pages = 1 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		fake_fail(FAKE_RESTRICT, 1, errs[i]);
		assert_int_equal(limit(session, &restriction), -errs[i]);
	}
	fake_fail_times(FAKE_RESTRICT, 1, 2, EINTR);
	assert_int_equal(limit(session, &restriction), 0);
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(restriction_reaches_the_module),
		CASE(restriction_without_ranges_has_a_null_pointer),
		CASE(restriction_takes_as_many_ranges_as_one_call),
		CASE(older_callers_set_the_fields_they_know),
		CASE(newer_callers_must_not_ask_for_more),
		CASE(malformed_restrictions_do_not_reach_the_module),
		CASE(what_the_module_says_is_handed_on),
	};

	return RUN(cases);
}
