// SPDX-License-Identifier: GPL-2.0-or-later
#include "parse.h"
#include "test.h"

static void numbers_are_decimal_or_hexadecimal(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(parse_u64("0", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(parse_u64("010", &n), 0);
	assert_int_equal(n, 10);
	assert_int_equal(parse_u64("0xfF", &n), 0);
	assert_int_equal(n, 255);
	assert_int_equal(parse_u64("18446744073709551615", &n), 0);
	assert_true(n == UINT64_MAX);
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const bad[] = {
		"", " 1", "1 ", "+1", "-1", "0x", "x1", "1.5", "0x-1", "0x 1",
		"1K", "one", "0xg", "1\n",
	};
	uint64_t n = 77;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_u64(bad[i], &n), -EINVAL);
	assert_int_equal(parse_u64("18446744073709551616", &n), -ERANGE);
	assert_int_equal(parse_u64("0x10000000000000000", &n), -ERANGE);
	assert_int_equal(n, 77);
}

static void sizes_have_suffixes_and_do_not_wrap(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(parse_size("16K", &n), 0);
	assert_int_equal(n, 16384);
	assert_int_equal(parse_size("0x10m", &n), 0);
	assert_int_equal(n, 16 << 20);
	assert_int_equal(parse_size("3T", &n), 0);
	assert_true(n == UINT64_C(3) << 40);
	assert_int_equal(parse_size("16777216T", &n), -ERANGE);
	assert_int_equal(parse_size("16KB", &n), -EINVAL);
	assert_int_equal(parse_size("16X", &n), -EINVAL);
	assert_int_equal(parse_size("K", &n), -EINVAL);
}

static void seconds_have_decimals_and_units(void **state)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{ "0", 0 }, { "5", 5000000000 }, { "0.5", 500000000 },
		{ "1.25s", 1250000000 }, { "100ms", 100000000 },
		{ "250us", 250000 }, { "2min", 120000000000 },
		{ "1h", 3600000000000 },
	};
	static const char *const bad[] = {
		"", ".5", "5.", "1e3", "inf", "nan", "-1", "1 s", "1d", "0x10",
		"5sec", "1,5",
	};
	uint64_t ns;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(parse_seconds(good[i].text, &ns), 0);
		assert_true(ns == good[i].ns);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_seconds(bad[i], &ns), -EINVAL);
	assert_int_equal(parse_seconds("99999999999", &ns), -ERANGE);
	assert_int_equal(parse_seconds("1000000h", &ns), -ERANGE);
}

static void expect_gfns(const char *text, uint64_t gfn, uint64_t nr)
{
	struct wtrack_range range = { 1, 2 };

	assert_int_equal(parse_gfns(text, &range), 0);
	assert_true(range.gfn == gfn);
	assert_true(range.nr_pages == nr);
}

static void pages_have_three_spellings(void **state)
{
	(void)state;
	expect_gfns("0x8000", 0x8000, 1);
	expect_gfns("0x8000+4", 0x8000, 4);
	expect_gfns("0x8000-0x8003", 0x8000, 4);
	expect_gfns("7-7", 7, 1);
	expect_gfns("0+0x10000000000", 0, GFN_LIMIT);
	expect_gfns("0xffffffffff", GFN_LIMIT - 1, 1);
}

static void pages_that_are_none_are_refused(void **state)
{
	static const struct {
		const char *text;
		int r;
	} bad[] = {
		{ "", -EINVAL }, { "0x8000+", -EINVAL }, { "0x8000-", -EINVAL },
		{ "+4", -EINVAL }, { "4-3", -EINVAL }, { "4+0", -EINVAL },
		{ "4+1+1", -EINVAL }, { "4:5", -EINVAL }, { "4,5", -EINVAL },
		{ "1K+1", -EINVAL }, { "0x10000000000", -ERANGE },
		{ "0xffffffffff+2", -ERANGE }, { "0-0x10000000000", -ERANGE },
		{ "1+0xffffffffffffffff", -ERANGE },
		{ "0xffffffffffffffff+1", -ERANGE },
		{ "0-0xffffffffffffffff", -ERANGE },
	};
	struct wtrack_range range = { 1, 2 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_gfns(bad[i].text, &range), bad[i].r);
	assert_int_equal(range.gfn, 1);
	assert_int_equal(range.nr_pages, 2);
}

static void expect_gpas(const char *text, uint64_t gfn, uint64_t nr)
{
	struct wtrack_range range;

	assert_int_equal(parse_gpas(text, &range), 0);
	assert_true(range.gfn == gfn);
	assert_true(range.nr_pages == nr);
}

static void addresses_take_all_pages_with_a_byte_of_them(void **state)
{
	(void)state;
	expect_gpas("0x8000000", 0x8000, 1);
	expect_gpas("0x8000000+16K", 0x8000, 4);
	expect_gpas("0x8000fff+1", 0x8000, 1);
	expect_gpas("0x8000fff+2", 0x8000, 2);
	expect_gpas("0x8000001+4096", 0x8000, 2);
	expect_gpas("0xfffffffffffff", GFN_LIMIT - 1, 1);
}

static void addresses_do_not_wrap(void **state)
{
	struct wtrack_range range;

	(void)state;
	assert_int_equal(parse_gpas("0x10000000000000", &range), -ERANGE);
	assert_int_equal(parse_gpas("0xffffffffffff000+8K", &range), -ERANGE);
	assert_int_equal(parse_gpas("0xfffffffffffff+2", &range), -ERANGE);
	assert_int_equal(parse_gpas("0xffffffffffffffff+2", &range), -ERANGE);
	assert_int_equal(parse_gpas("0x1000+0", &range), -EINVAL);
	assert_int_equal(parse_gpas("0x1000-0x2000", &range), -EINVAL);
	assert_int_equal(parse_gpas("0x1000+", &range), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(numbers_are_decimal_or_hexadecimal),
		CASE(what_is_no_number_is_refused),
		CASE(sizes_have_suffixes_and_do_not_wrap),
		CASE(seconds_have_decimals_and_units),
		CASE(pages_have_three_spellings),
		CASE(pages_that_are_none_are_refused),
		CASE(addresses_take_all_pages_with_a_byte_of_them),
		CASE(addresses_do_not_wrap),
	};

	return RUN(cases);
}
