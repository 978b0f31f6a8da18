// SPDX-License-Identifier: GPL-2.0-or-later
/* Before and after each case; random numbers. */
#include <linux/rcupdate.h>

#include "test.h"

static size_t bytes_before;

int test_setup(void **state)
{
	(void)state;
	fake_reset();
	shim_fail_alloc(0);
	shim_race_odds = 0;
	bytes_before = shim_bytes();
	return kwt_caches_create();
}

int test_teardown(void **state)
{
	(void)state;
	shim_race_odds = 0;
	kwt_caches_destroy();
	assert_int_equal(test_bytes(), 0);
	assert_int_equal(fake_armed_pages(), 0);
	return 0;
}

size_t test_bytes(void)
{
	return shim_bytes() - bytes_before;
}

static u64 from_environment(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : 1;
}

u32 test_rounds(u32 n)
{
	return n * from_environment("ROUNDS");
}

struct test_random test_random(u64 salt)
{
	struct test_random r = { from_environment("SEED") << 32 ^ salt };

	test_next(&r);
	return r;
}

/* A counter, mixed until each bit depends on each. */
u64 test_next(struct test_random *r)
{
	u64 x = r->state += 0x9e3779b97f4a7c15;

	x = (x ^ x >> 31) * 0xd6e8feb86659fd93;
	x = (x ^ x >> 29) * 0xd6e8feb86659fd93;
	return x ^ x >> 32;
}
