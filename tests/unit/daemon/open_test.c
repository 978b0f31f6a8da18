// SPDX-License-Identifier: GPL-2.0-or-later
/* How much a session takes of its user's limits; how VMs are named. */
#include "open_options.h"
#include "test.h"

static const struct wtrack_info info = {
	.max_pages = 1 << 20, .min_records = 16, .max_records = 1 << 20,
};

static struct config limits_of(uint64_t sessions, uint64_t pages,
			       uint64_t bytes)
{
	return (struct config) {
		.user_sessions = sessions, .user_pages = pages,
		.user_ring_bytes = bytes,
		.session_pages = 1000, .session_ring_bytes = 64 * 1024,
	};
}

static struct limit_amount takes(const struct open_options *options,
				 const struct config *config,
				 uint32_t *ret_records)
{
	struct limit_amount amount;
	const char *key;
	uint64_t max;

	assert_int_equal(open_options_amount(options, config, &info, &amount,
					     ret_records, &key, &max), 0);
	assert_int_equal(amount.sessions, 1);
	assert_int_equal(amount.ring_bytes, *ret_records * UINT64_C(64));
	return amount;
}

static void what_is_asked_for_is_taken(void **state)
{
	const struct open_options options = {
		.max_pages = 1000, .max_records = 1024,
	};
	const struct config config = limits_of(4, 100, 100);
	uint32_t records;

	(void)state;
	assert_int_equal(takes(&options, &config, &records).pages, 1000);
	assert_int_equal(records, 1024);
}

static void silence_takes_a_share(void **state)
{
	const struct open_options options = {};
	const struct config config = limits_of(4, 100, 4 * 64 * 100);
	uint32_t records;

	(void)state;
	assert_int_equal(takes(&options, &config, &records).pages, 25);
	/* A ring has a power of two. */
	assert_int_equal(records, 64);
}

static void share_is_within_the_limits_of_a_session(void **state)
{
	const struct open_options options = {};
	const struct config config = limits_of(1, 1 << 30, 1 << 30);
	uint32_t records;

	(void)state;
	assert_int_equal(takes(&options, &config, &records).pages, 1000);
	assert_int_equal(records, 1024);
}

static void share_is_never_nothing(void **state)
{
	const struct open_options options = {};
	const struct config config = limits_of(0, 0, 0);
	uint32_t records;

	(void)state;
	assert_int_equal(takes(&options, &config, &records).pages, 1);
	assert_int_equal(records, 16);
}

static void more_than_a_session_may_have_is_refused(void **state)
{
	struct open_options options = { .max_pages = 1001 };
	const struct config config = limits_of(4, 1 << 20, 1 << 20);
	struct limit_amount amount;
	const char *key;
	uint32_t records;
	uint64_t max;

	(void)state;
	assert_int_equal(open_options_amount(&options, &config, &info, &amount,
					     &records, &key, &max), -ERANGE);
	assert_string_equal(key, "SessionPages");
	assert_int_equal(max, 1000);
	options = (struct open_options) { .max_records = 1025 };
	assert_int_equal(open_options_amount(&options, &config, &info, &amount,
					     &records, &key, &max), -ERANGE);
	assert_string_equal(key, "SessionRingBytes");
	assert_int_equal(max, 64 * 1024);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(what_is_asked_for_is_taken),
		CASE(silence_takes_a_share),
		CASE(share_is_within_the_limits_of_a_session),
		CASE(share_is_never_nothing),
		CASE(more_than_a_session_may_have_is_refused),
	};

	return RUN(cases);
}
