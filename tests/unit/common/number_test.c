// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/number.h"
#include "test.h"

#define MAX	UINT64_MAX

/* A text, and what comes of it; what fails leaves the result alone. */
struct row {
	const char *text;
	int r;
	uint64_t value;
	uint64_t min, max;	/* both 0: no bounds */
};

typedef int (*parse_fn)(const char *text, uint64_t min, uint64_t max,
			uint64_t *ret);

static void check_rows(parse_fn parse, const struct row *rows, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		const struct row *row = &rows[i];
		uint64_t max = row->min || row->max ? row->max : MAX;
		uint64_t value = 77;
		int r = parse(row->text, row->min, max, &value);

		if (r != row->r || value != (r ? 77 : row->value))
			fail_msg("'%s': %d, %#jx", row->text, r,
				 (uintmax_t)value);
	}
}

/* What is no number of any kind, whatever the bounds are. */
static const struct row garbage[] = {
	{ "", -EINVAL }, { " ", -EINVAL }, { "+1", -EINVAL },
	{ "-1", -EINVAL }, { "-0", -EINVAL }, { " 1", -EINVAL },
	{ "1 ", -EINVAL }, { "1\n", -EINVAL }, { "\t1", -EINVAL },
	{ "1\t", -EINVAL }, { "x1", -EINVAL }, { "one", -EINVAL },
	{ "1x", -EINVAL }, { "1,5", -EINVAL }, { "1'000", -EINVAL },
	{ "1e3", -EINVAL }, { "inf", -EINVAL }, { "nan", -EINVAL },
	{ "K", -EINVAL }, { "s", -EINVAL }, { ".5", -EINVAL },
	{ "5.", -EINVAL }, { "1..2", -EINVAL }, { "\xd9\xa1", -EINVAL },
	{ "18446744073709551616x", -EINVAL },
};

static void numbers_are_decimal_or_hexadecimal(void **state)
{
	static const struct row rows[] = {
		{ "0", 0, 0 }, { "7", 0, 7 }, { "010", 0, 10 },
		{ "0x10", 0, 16 }, { "0X10", 0, 16 }, { "0xfF", 0, 255 },
		{ "0x00000000000000000001", 0, 1 },
		{ "18446744073709551615", 0, MAX },
		{ "0xffffffffffffffff", 0, MAX },
		{ "18446744073709551616", -ERANGE },
		{ "0x10000000000000000", -ERANGE },
		{ "99999999999999999999999999", -ERANGE },
		{ "0x", -EINVAL }, { "0x0x10", -EINVAL }, { "0xg", -EINVAL },
		{ "0x-1", -EINVAL }, { "0x 1", -EINVAL }, { "00x1", -EINVAL },
		{ "a", -EINVAL }, { "1K", -EINVAL }, { "1.5", -EINVAL },
		{ "1s", -EINVAL },
	};

	(void)state;
	check_rows(number_parse, rows, NR(rows));
	check_rows(number_parse, garbage, NR(garbage));
}

static void decimal_numbers_are_not_hexadecimal(void **state)
{
	static const struct row rows[] = {
		{ "0", 0, 0 }, { "010", 0, 10 },
		{ "18446744073709551615", 0, MAX },
		{ "18446744073709551616", -ERANGE },
		{ "0x10", -EINVAL }, { "a", -EINVAL }, { "1K", -EINVAL },
	};

	(void)state;
	check_rows(number_parse_decimal, rows, NR(rows));
	check_rows(number_parse_decimal, garbage, NR(garbage));
}

static void bounds_are_numbers_that_are_allowed(void **state)
{
	static const struct row rows[] = {
		{ "63", -ERANGE, 0, 64, 4096 }, { "64", 0, 64, 64, 4096 },
		{ "65", 0, 65, 64, 4096 }, { "4095", 0, 4095, 64, 4096 },
		{ "4096", 0, 4096, 64, 4096 }, { "4097", -ERANGE, 0, 64, 4096 },
		{ "0", -ERANGE, 0, 1, MAX }, { "1", 0, 1, 1, 1 },
		{ "2", -ERANGE, 0, 1, 1 },
		{ "4294967295", 0, UINT32_MAX, 0, UINT32_MAX },
		{ "4294967296", -ERANGE, 0, 0, UINT32_MAX },
		{ "18446744073709551616", -ERANGE, 0, 0, 5 },
	};

	(void)state;
	check_rows(number_parse, rows, NR(rows));
	check_rows(number_parse_decimal, rows, NR(rows));
	check_rows(number_parse_size, rows, NR(rows));
}

static void sizes_have_suffixes_and_do_not_wrap(void **state)
{
	static const struct row rows[] = {
		{ "16", 0, 16 }, { "0x10", 0, 16 }, { "16K", 0, 16384 },
		{ "16k", 0, 16384 }, { "16 K", 0, 16384 },
		{ "16\tK", 0, 16384 }, { "0x10m", 0, 16 << 20 },
		{ "1M", 0, 1 << 20 }, { "1g", 0, 1 << 30 },
		{ "3T", 0, UINT64_C(3) << 40 }, { "3t", 0, UINT64_C(3) << 40 },
		{ "16777215T", 0, UINT64_C(16777215) << 40 },
		{ "16777216T", -ERANGE }, { "18446744073709551615K", -ERANGE },
		{ "18446744073709551616K", -ERANGE },
		{ "0T", 0, 0 }, { "16KB", -EINVAL }, { "16KiB", -EINVAL },
		{ "16B", -EINVAL }, { "16X", -EINVAL }, { "1.5K", -EINVAL },
		{ "16K ", -EINVAL }, { "16 K K", -EINVAL }, { "16P", -EINVAL },
		{ "4K", 0, 4096, 4096, 4096 }, { "5K", -ERANGE, 0, 1, 4096 },
		{ "0x0x10K", -EINVAL },
	};

	(void)state;
	check_rows(number_parse_size, rows, NR(rows));
	check_rows(number_parse_size, garbage, NR(garbage));
}

static int parse_ns(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	return number_parse_time(text, 1, min, max, ret);
}

static int parse_us(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	return number_parse_time(text, NUMBER_US, min, max, ret);
}

static void times_have_decimals_and_units(void **state)
{
	static const struct row rows[] = {
		{ "0", 0, 0 }, { "0.0s", 0, 0 }, { "5", 0, 5000000000 },
		{ "010", 0, 10000000000 }, { "0.5", 0, 500000000 },
		{ "1.25s", 0, 1250000000 }, { "1.25 s", 0, 1250000000 },
		{ "100ms", 0, 100000000 }, { "250us", 0, 250000 },
		{ "0.001us", 0, 1 }, { "2min", 0, 120000000000 },
		{ "1.5min", 0, 90000000000 }, { "1h", 0, 3600000000000 },
		{ "0.1", 0, 100000000 }, { "0.3", 0, 300000000 },
		{ "0.30000000000000004", 0, 300000001 },
		{ "1e3", -EINVAL }, { "0x10", -EINVAL }, { "5sec", -EINVAL },
		{ "5S", -EINVAL }, { "5m", -EINVAL }, { "1d", -EINVAL },
		{ "1 fortnight", -EINVAL }, { "1.5.5", -EINVAL },
		{ "1 .5", -EINVAL }, { "1min30s", -EINVAL },
	};

	(void)state;
	check_rows(parse_ns, rows, NR(rows));
	check_rows(parse_ns, garbage, NR(garbage));
	check_rows(parse_us, garbage, NR(garbage));
}

/* Whoever writes 0.4us does not mean "never" or "without limit". */
static void only_nothing_is_rounded_to_nothing(void **state)
{
	static const struct row ns[] = {
		{ "0.000000001", 0, 1 }, { "0.0000000001", 0, 1 },
		{ "0.0000000000000000000000000001", 0, 1 },
		{ "0.0000000010", 0, 1 }, { "0.0000000011", 0, 2 },
		{ "0.0000000000000000000000000000", 0, 0 },
	}, us[] = {
		{ "0.4us", 0, 1 }, { "1us", 0, 1 }, { "1.000001us", 0, 2 },
		{ "0.001ms", 0, 1 }, { "0", 0, 0 }, { "10s", 0, 10000000 },
	};

	(void)state;
	check_rows(parse_ns, ns, NR(ns));
	check_rows(parse_us, us, NR(us));
}

static void times_do_not_wrap(void **state)
{
	static const struct row ns[] = {
		{ "18446744073", 0, UINT64_C(18446744073000000000) },
		{ "18446744073.709551615", 0, MAX },
		{ "18446744073.709551616", -ERANGE },
		{ "18446744074", -ERANGE }, { "18446744073709551615h", -ERANGE },
		{ "18446744073709551616", -ERANGE },
		{ "18446744073709551616us", -ERANGE },
		{ "18446744073709551.615us", 0, UINT64_C(18446744073709551615) },
		{ "59.999s", -ERANGE, 0, 60 * NUMBER_SEC, 3600 * NUMBER_SEC },
		{ "1min", 0, 60 * NUMBER_SEC, 60 * NUMBER_SEC,
		  3600 * NUMBER_SEC },
		{ "60min", 0, 3600 * NUMBER_SEC, 60 * NUMBER_SEC,
		  3600 * NUMBER_SEC },
		{ "1.0001h", -ERANGE, 0, 60 * NUMBER_SEC, 3600 * NUMBER_SEC },
	}, us[] = {
		{ "18446744073709551615us", 0, MAX },
		{ "18446744073709551615.1us", -ERANGE },
	};

	(void)state;
	check_rows(parse_ns, ns, NR(ns));
	check_rows(parse_us, us, NR(us));
}

static void a_scan_ends_behind_the_number(void **state)
{
	const char *text = "0x10+4", *garbage_text = "x", *wide;
	uint64_t value = 77;

	(void)state;
	assert_int_equal(number_scan(&text, &value), 0);
	assert_int_equal(value, 16);
	assert_string_equal(text, "+4");
	text = "0x10";
	assert_int_equal(number_scan_decimal(&text, &value), 0);
	assert_int_equal(value, 0);
	assert_string_equal(text, "x10");
	assert_int_equal(number_scan(&garbage_text, &value), -EINVAL);
	assert_string_equal(garbage_text, "x");
	wide = "99999999999999999999-1";
	assert_int_equal(number_scan(&wide, &value), -ERANGE);
	assert_string_equal(wide, "-1");
	wide = "0x";
	assert_int_equal(number_scan(&wide, &value), -EINVAL);
	assert_string_equal(wide, "0x");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(numbers_are_decimal_or_hexadecimal),
		CASE(decimal_numbers_are_not_hexadecimal),
		CASE(bounds_are_numbers_that_are_allowed),
		CASE(sizes_have_suffixes_and_do_not_wrap),
		CASE(times_have_decimals_and_units),
		CASE(only_nothing_is_rounded_to_nothing),
		CASE(times_do_not_wrap),
		CASE(a_scan_ends_behind_the_number),
	};

	return RUN(cases);
}
