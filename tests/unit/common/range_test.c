// SPDX-License-Identifier: GPL-2.0-or-later
/* Pages, addresses and VMs. */
#include "common/range.h"
#include "common/vm_text.h"
#include "test.h"

struct row {
	const char *text;
	int r;
	uint64_t gfn, nr_pages;
};

static void check_rows(int (*parse)(const char *, struct wtrack_range *),
		       const struct row *rows, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		struct wtrack_range range = { 77, 78 };
		int r = parse(rows[i].text, &range);

		if (r != rows[i].r || range.gfn != (r ? 77 : rows[i].gfn) ||
		    range.nr_pages != (r ? 78 : rows[i].nr_pages))
			fail_msg("'%s': %d, %#jx+%#jx", rows[i].text, r,
				 (uintmax_t)range.gfn,
				 (uintmax_t)range.nr_pages);
	}
}

static void pages_have_three_spellings(void **state)
{
	static const struct row rows[] = {
		{ "0x8000", 0, 0x8000, 1 }, { "0x8000+4", 0, 0x8000, 4 },
		{ "0X8000-0x8003", 0, 0x8000, 4 }, { "7-7", 0, 7, 1 },
		{ "32768+0x10", 0, 32768, 16 }, { "0", 0, 0, 1 },
		{ "0+0x10000000000", 0, 0, GFN_MAX + 1 },
		{ "0-0xffffffffff", 0, 0, GFN_MAX + 1 },
		{ "0xffffffffff", 0, GFN_MAX, 1 },
		{ "0xffffffffff+1", 0, GFN_MAX, 1 },
		{ "0xfffffffffe-0xffffffffff", 0, GFN_MAX - 1, 2 },
	};

	(void)state;
	check_rows(range_parse_gfns, rows, NR(rows));
}

static void pages_that_are_none_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "", -EINVAL }, { "+", -EINVAL }, { "-", -EINVAL },
		{ "x", -EINVAL }, { "0x", -EINVAL }, { "0x+4", -EINVAL },
		{ "0x0x10", -EINVAL }, { "0x8000+", -EINVAL },
		{ "0x8000-", -EINVAL }, { "+4", -EINVAL }, { "-1", -EINVAL },
		{ "0x8000+0", -EINVAL }, { "4-3", -EINVAL },
		{ "0x8000 ", -EINVAL }, { " 0x8000", -EINVAL },
		{ "0x8000 +4", -EINVAL }, { "0x8000+ 4", -EINVAL },
		{ "0x8000+-1", -EINVAL }, { "0x8000++1", -EINVAL },
		{ "4+1+1", -EINVAL }, { "4-5-6", -EINVAL }, { "4:5", -EINVAL },
		{ "4,5", -EINVAL }, { "1K+1", -EINVAL }, { "1+1K", -EINVAL },
		{ "1e3", -EINVAL }, { "1.5", -EINVAL },
		{ "0x1ffffffffffffffff+x", -EINVAL },
		{ "0x10000000000", -ERANGE }, { "0xffffffffff+2", -ERANGE },
		{ "0-0x10000000000", -ERANGE }, { "0+0x10000000001", -ERANGE },
		{ "1+0xffffffffffffffff", -ERANGE },
		{ "0xffffffffffffffff+1", -ERANGE },
		{ "0xffffffffffffffff+0xffffffffffffffff", -ERANGE },
		{ "0-0xffffffffffffffff", -ERANGE },
		{ "0x1ffffffffffffffff", -ERANGE },
		{ "2+0x1ffffffffffffffff", -ERANGE },
		{ "2-0x1ffffffffffffffff", -ERANGE },
	};

	(void)state;
	check_rows(range_parse_gfns, rows, NR(rows));
}

static void addresses_give_all_pages_that_have_a_byte_of_them(void **state)
{
	static const struct row rows[] = {
		{ "0x8000000", 0, 0x8000, 1 }, { "0x8000fff", 0, 0x8000, 1 },
		{ "0", 0, 0, 1 }, { "0x8000000+16K", 0, 0x8000, 4 },
		{ "0x8000000+16k", 0, 0x8000, 4 },
		{ "0x8000000+16 k", 0, 0x8000, 4 },
		{ "0x8000fff+1", 0, 0x8000, 1 }, { "0x8000fff+2", 0, 0x8000, 2 },
		{ "0x8000001+4096", 0, 0x8000, 2 }, { "4096+1M", 0, 1, 256 },
		{ "0+1G", 0, 0, 262144 }, { "0+4096T", 0, 0, GFN_MAX + 1 },
		{ "0xfffffffffffff", 0, GFN_MAX, 1 },
		{ "0xfffffffffffff+1", 0, GFN_MAX, 1 },
	};

	(void)state;
	check_rows(range_parse_gpas, rows, NR(rows));
}

static void addresses_that_are_none_are_refused(void **state)
{
	static const struct row rows[] = {
		{ "", -EINVAL }, { "0x", -EINVAL }, { "0x1000+", -EINVAL },
		{ "0x1000+0", -EINVAL }, { "0x1000-0x2000", -EINVAL },
		{ "0x1000 +1", -EINVAL }, { "0x1000+ 1", -EINVAL },
		{ "0x1000+1KB", -EINVAL }, { "0x1000+1P", -EINVAL },
		{ "4K", -EINVAL }, { "4K+1", -EINVAL }, { "0x0x10+1", -EINVAL },
		{ "0x1000+-1", -EINVAL }, { "+1", -EINVAL },
		{ "0x10000000000000", -ERANGE },
		{ "0xfffffffffffff+2", -ERANGE },
		{ "0xffffffffff000+8K", -ERANGE }, { "0+4097T", -ERANGE },
		{ "0xffffffffffffffff+2", -ERANGE },
		{ "0x1ffffffffffffffff", -ERANGE },
		{ "1+0xffffffffffffffff", -ERANGE },
		{ "1+16777216T", -ERANGE },
	};

	(void)state;
	check_rows(range_parse_gpas, rows, NR(rows));
}

static void bytes_are_those_that_were_written(void **state)
{
	uint64_t gpa = 77, size = 78;

	(void)state;
	assert_int_equal(range_parse_bytes("0x1004", &gpa, &size), 0);
	assert_int_equal(gpa, 0x1004);
	assert_int_equal(size, 1);
	assert_int_equal(range_parse_bytes("0x1004+1K", &gpa, &size), 0);
	assert_int_equal(gpa, 0x1004);
	assert_int_equal(size, 1024);
	assert_int_equal(range_parse_bytes("0x1004+0", &gpa, &size), -EINVAL);
	assert_int_equal(range_parse_bytes("0xfffffffffffff+2", &gpa, &size),
			 -ERANGE);
	assert_int_equal(gpa, 0x1004);
	assert_int_equal(size, 1024);
}

static void process_ids_are_told_from_names(void **state)
{
	static const char *const names[] = {
		"", "0", "-1", "+1", " 1", "1 ", "1:", ":1", "1:-1", "1:2:3",
		"1: 2", "1 :2", "1x", "0x1", "1:0x2", "1K", "2147483648",
		"99999999999999999999", "1:2147483648",
		"1:99999999999999999999", "vm1", "1:vm",
	};
	pid_t pid = 7;
	int fd = 7;
	size_t i;

	(void)state;
	for (i = 0; i < NR(names); i++)
		if (vm_text_parse(names[i], &pid, &fd) != -EINVAL)
			fail_msg("'%s' is no name", names[i]);
	assert_int_equal(pid, 7);
	assert_int_equal(fd, 7);
	assert_int_equal(vm_text_parse("2147483647", &pid, &fd), 0);
	assert_int_equal(pid, INT_MAX);
	assert_int_equal(fd, -1);
	assert_int_equal(vm_text_parse("1:0", &pid, &fd), 0);
	assert_int_equal(pid, 1);
	assert_int_equal(fd, 0);
	assert_int_equal(vm_text_parse("010:2147483647", &pid, &fd), 0);
	assert_int_equal(pid, 10);
	assert_int_equal(fd, INT_MAX);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(pages_have_three_spellings),
		CASE(pages_that_are_none_are_refused),
		CASE(addresses_give_all_pages_that_have_a_byte_of_them),
		CASE(addresses_that_are_none_are_refused),
		CASE(bytes_are_those_that_were_written),
		CASE(process_ids_are_told_from_names),
	};

	return RUN(cases);
}
