// SPDX-License-Identifier: GPL-2.0-or-later
#include "ranges.h"
#include "test.h"

void check(const struct wtrack_result *result, uint64_t done,
	   uint64_t changed, int error, uint64_t error_gfn)
{
	assert_int_equal(result->done, done);
	assert_int_equal(result->changed, changed);
	assert_int_equal(result->error, error);
	assert_int_equal(result->error_gfn, error_gfn);
	assert_int_equal(result->reserved, 0);
}

void fill(struct wtrack_range *ranges)
{
	size_t i;

	for (i = 0; i < NR; i++)
		ranges[i] = (struct wtrack_range) { i * 4, 3 };
}

int nr_tracked(void)
{
	int i, n = 0;

	for (i = 0; i < FAKE_PAGES; i++)
		n += fake.tracked[i];
	return n;
}
