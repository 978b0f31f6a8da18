// SPDX-License-Identifier: GPL-2.0-or-later
/* What users' sessions may use, all together. */
#include "limit.h"
#include "test.h"

static const struct limit_amount max = { 3, 1000, 4096 };

static struct limits limits;

static int setup(void **state)
{
	(void)state;
	limits_init(&limits);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	limits_done(&limits);
	return 0;
}

static int reserve(uid_t uid, uint64_t pages, uint64_t bytes)
{
	const struct limit_amount want = { 1, pages, bytes };
	const char *key = NULL;
	uint64_t left;

	return limits_reserve(&limits, uid, &want, &max, &key, &left);
}

static void reserve_is_refused(uint64_t pages, uint64_t bytes,
			       const char *expected_key, uint64_t expected_left)
{
	const struct limit_amount want = { 1, pages, bytes };
	const struct limit_amount before = limits_used(&limits, 1000);
	struct limit_amount after;
	const char *key = NULL;
	uint64_t left = 0;

	assert_int_equal(limits_reserve(&limits, 1000, &want, &max, &key,
					&left), -EDQUOT);
	assert_string_equal(key, expected_key);
	assert_int_equal(left, expected_left);
	after = limits_used(&limits, 1000);
	assert_memory_equal(&before, &after, sizeof(before));
}

static void all_of_it_can_be_used(void **state)
{
	(void)state;
	assert_int_equal(reserve(1000, 400, 1024), 0);
	assert_int_equal(reserve(1000, 600, 1024), 0);
	assert_int_equal(reserve(1000, 0, 2048), 0);
	assert_int_equal(limits_used(&limits, 1000).pages, 1000);
	assert_int_equal(limits_used(&limits, 1000).ring_bytes, 4096);
}

static void each_limit_refuses_by_its_name(void **state)
{
	(void)state;
	reserve_is_refused(1001, 0, "UserPages", 1000);
	reserve_is_refused(0, 4097, "UserRingBytes", 4096);
	assert_int_equal(reserve(1000, 999, 4095), 0);
	reserve_is_refused(2, 0, "UserPages", 1);
	reserve_is_refused(1, 2, "UserRingBytes", 1);
	assert_int_equal(reserve(1000, 0, 0), 0);
	assert_int_equal(reserve(1000, 0, 0), 0);
	reserve_is_refused(0, 0, "UserSessions", 0);
}

static void huge_numbers_do_not_wrap(void **state)
{
	(void)state;
	assert_int_equal(reserve(1000, 500, 0), 0);
	reserve_is_refused(UINT64_MAX, 0, "UserPages", 500);
	reserve_is_refused(UINT64_MAX - 499, 0, "UserPages", 500);
}

static void users_do_not_share(void **state)
{
	(void)state;
	assert_int_equal(reserve(1000, 1000, 4096), 0);
	assert_int_equal(reserve(1001, 1000, 4096), 0);
	assert_int_equal(limits_used(&limits, 1001).pages, 1000);
	assert_int_equal(limits_used(&limits, 1002).pages, 0);
}

static void what_is_given_back_can_be_used_again(void **state)
{
	const struct limit_amount amount = { 1, 1000, 4096 };

	(void)state;
	assert_int_equal(reserve(1000, 1000, 4096), 0);
	limits_release(&limits, 1000, &amount);
	assert_int_equal(limits_used(&limits, 1000).sessions, 0);
	assert_true(LIST_EMPTY(&limits.users));
	assert_int_equal(reserve(1000, 1000, 4096), 0);
}

/* After a restart there may be more than the new configuration allows. */
static void charged_sessions_count_and_may_exceed(void **state)
{
	const struct limit_amount amount = { 5, 5000, 1 };

	(void)state;
	assert_int_equal(limits_charge(&limits, 1000, &amount), 0);
	reserve_is_refused(1, 1, "UserSessions", 0);
	limits_release(&limits, 1000,
		       &(struct limit_amount) { 3, 4999, 1 });
	assert_int_equal(reserve(1000, 999, 4096), 0);
}

static void too_much_given_back_does_not_wrap(void **state)
{
	const struct limit_amount much = { 1, UINT64_MAX, UINT64_MAX };

	(void)state;
	assert_int_equal(reserve(1000, 10, 10), 0);
	assert_int_equal(reserve(1000, 10, 10), 0);
	limits_release(&limits, 1000, &much);
	assert_int_equal(limits_used(&limits, 1000).pages, 0);
	limits_release(&limits, 4711, &much);
}

#undef CASE
#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(all_of_it_can_be_used),
		CASE(each_limit_refuses_by_its_name),
		CASE(huge_numbers_do_not_wrap),
		CASE(users_do_not_share),
		CASE(what_is_given_back_can_be_used_again),
		CASE(charged_sessions_count_and_may_exceed),
		CASE(too_much_given_back_does_not_wrap),
	};

	return RUN(cases);
}
