// SPDX-License-Identifier: GPL-2.0-or-later
/* Asking what is tracked. */
#include "test.h"

static void track(uint64_t gfn, uint64_t nr)
{
	while (nr--)
		fake.tracked[gfn + nr] = true;
}

static void query_goes_on_until_the_end(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range ranges[3];
	uint64_t gfn = 0;

	(void)state;
	track(0, 2);
	track(10, 1);
	track(20, 5);
	track(FAKE_PAGES - 1, 1);
	assert_int_equal(wtrack_session_query(session, &gfn, ranges, 3), 3);
	assert_int_equal(ranges[0].gfn, 0);
	assert_int_equal(ranges[0].nr_pages, 2);
	assert_int_equal(ranges[1].gfn, 10);
	assert_int_equal(ranges[2].gfn, 20);
	assert_int_equal(ranges[2].nr_pages, 5);
	assert_int_equal(wtrack_session_query(session, &gfn, ranges, 3), 1);
	assert_int_equal(ranges[0].gfn, FAKE_PAGES - 1);
	assert_int_equal(gfn, WTRACK_GFN_END);
	assert_int_equal(wtrack_session_query(session, &gfn, ranges, 3), 0);
	assert_int_equal(fake.nr_calls[FAKE_QUERY], 2);
	wtrack_session_close(session);
}

static void query_starts_anywhere_and_finds_nothing(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range;
	uint64_t gfn = 11;

	(void)state;
	track(10, 1);
	assert_int_equal(wtrack_session_query(session, &gfn, &range, 1), 0);
	assert_int_equal(gfn, WTRACK_GFN_END);
	wtrack_session_close(session);
}

static void room_above_the_limit_is_not_used(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range ranges[40];
	uint64_t gfn = 0;
	int i;

	(void)state;
	for (i = 0; i < 40; i++)
		track(i * 2, 1);
	assert_int_equal(wtrack_session_query(session, &gfn, ranges, 40), 16);
	assert_int_equal(wtrack_session_query(session, &gfn, ranges, 40), 16);
	assert_int_equal(wtrack_session_query(session, &gfn, ranges, 40), 8);
	assert_int_equal(wtrack_session_query(session, &gfn, ranges, 40), 0);
	wtrack_session_close(session);
}

static void query_needs_room(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range;
	uint64_t gfn = 0;

	(void)state;
	assert_int_equal(wtrack_session_query(session, &gfn, &range, 0),
			 -EINVAL);
	assert_int_equal(gfn, 0);
	wtrack_session_close(session);
}

static int empty_answers;

/* A module may stop before it found something. */
static void find_nothing_yet(unsigned long request, void *args)
{
	struct kvm_wtrack_query *query = args;

	if (request != KVM_WTRACK_QUERY || !empty_answers)
		return;
	empty_answers--;
	query->out_nr_ranges = 0;
	query->out_next_gfn = query->gfn + 1;
}

static void zero_means_the_end_and_nothing_else(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range;
	uint64_t gfn = 0;

	(void)state;
	track(100, 1);
	empty_answers = 5;
	fake.distort = find_nothing_yet;
	assert_int_equal(wtrack_session_query(session, &gfn, &range, 1), 1);
	assert_int_equal(range.gfn, 100);
	assert_int_equal(fake.nr_calls[FAKE_QUERY], 6);
	wtrack_session_close(session);
}

static bool too_many;

static void distort_query(unsigned long request, void *args)
{
	struct kvm_wtrack_query *query = args;

	if (request != KVM_WTRACK_QUERY)
		return;
	if (too_many)
		query->out_nr_ranges = query->nr_ranges + 1;
	else
		query->out_next_gfn = query->gfn;
}

static void query_answers_that_make_no_sense_are_eproto(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range;
	uint64_t gfn = 0;

	(void)state;
	fake.distort = distort_query;
	for (too_many = false; ; too_many = true) {
		assert_int_equal(wtrack_session_query(session, &gfn, &range, 1),
				 -EPROTO);
		assert_int_equal(gfn, 0);
		if (too_many)
			break;
	}
	wtrack_session_close(session);
}

static void one_page_can_be_asked_about(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	uint32_t users = 9, flags = 9;

	(void)state;
	track(10, 1);
	assert_int_equal(wtrack_session_query_gfn(session, 10, &users, &flags),
			 0);
	assert_int_equal(users, 1);
	assert_int_equal(flags, WTRACK_GFN_TRACKED);
	assert_int_equal(wtrack_session_query_gfn(session, 11, &users, &flags),
			 0);
	assert_int_equal(users, 0);
	assert_int_equal(flags, 0);
	assert_int_equal(wtrack_session_query_gfn(session, 10, NULL, NULL), 0);
	fake.disarmed[10] = true;
	assert_int_equal(wtrack_session_query_gfn(session, 10, NULL, &flags),
			 0);
	assert_int_equal(flags, WTRACK_GFN_TRACKED | WTRACK_GFN_DISARMED);
	users = 9;
	assert_int_equal(wtrack_session_query_gfn(session, FAKE_PAGES, &users,
						  NULL), -EPERM);
	assert_int_equal(users, 9);
	wtrack_session_close(session);
}

static void interrupted_queries_are_repeated(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range range;
	uint64_t gfn = 0, seq;

	(void)state;
	fake_fail_times(FAKE_QUERY, 1, 2, EINTR);
	assert_int_equal(wtrack_session_query(session, &gfn, &range, 1), 0);
	fake_fail_times(FAKE_QUERY_GFN, 1, 2, EINTR);
	assert_int_equal(wtrack_session_query_gfn(session, 1, NULL, NULL), 0);
	fake_fail_times(FAKE_FENCE, 1, 2, EINTR);
	assert_int_equal(wtrack_session_fence(session, &seq), 0);
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(query_goes_on_until_the_end),
		CASE(query_starts_anywhere_and_finds_nothing),
		CASE(room_above_the_limit_is_not_used),
		CASE(query_needs_room),
		CASE(zero_means_the_end_and_nothing_else),
		CASE(query_answers_that_make_no_sense_are_eproto),
		CASE(one_page_can_be_asked_about),
		CASE(interrupted_queries_are_repeated),
	};

	return RUN(cases);
}
