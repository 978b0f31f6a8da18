// SPDX-License-Identifier: GPL-2.0-or-later
#include <locale.h>

#include "test.h"
#include "text.h"

static void expect_escape(const char *text, const char *want)
{
	char *got = text_escape(text);

	assert_string_equal(got, want);
	free(got);
}

static void use_utf8(void)
{
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
}

static void text_without_tricks_stays(void **state)
{
	(void)state;
	use_utf8();
	expect_escape("", "");
	expect_escape("web-1.example", "web-1.example");
	/* Or a name could look as if it were another one, escaped. */
	expect_escape("\\x2d", "\\\\x2d");
	expect_escape("\\", "\\\\");
	expect_escape("\\\\", "\\\\\\\\");
	expect_escape("a\\\n", "a\\\\\\x0a");
	expect_escape("b\u00fccher \u65e5\u672c \U0001f600",
		      "b\u00fccher \u65e5\u672c \U0001f600");
}

static void what_steers_a_terminal_is_escaped(void **state)
{
	(void)state;
	use_utf8();
	expect_escape("a\033[2Jb", "a\\x1b[2Jb");
	expect_escape("a\nb\rc\td\x7f", "a\\x0ab\\x0dc\\x09d\\x7f");
	/* The one-byte CSI, as UTF-8 and bare. */
	expect_escape("\xc2\x9b" "31m", "\\u009b31m");
	expect_escape("\x9b" "31m", "\\x9b31m");
	/* Text that runs backwards hides what it is. */
	expect_escape("x\u202egpj", "x\\u202egpj");
	expect_escape("\u2066\ufeff\u200b", "\\u2066\\ufeff\\u200b");
	expect_escape("\U000e0041", "\\U000e0041");
}

static void what_is_not_utf8_is_escaped(void **state)
{
	(void)state;
	use_utf8();
	expect_escape("a\xff" "b", "a\\xffb");
	expect_escape("\xc0\x80", "\\xc0\\x80");
	expect_escape("\xe2\x82", "\\xe2\\x82");
	expect_escape("\xed\xa0\x80", "\\xed\\xa0\\x80");
	expect_escape("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80");
	expect_escape("\xf8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80");
}

static void a_locale_of_one_byte_gets_ascii(void **state)
{
	(void)state;
	setlocale(LC_CTYPE, "C");
	expect_escape("b\u00fc", "b\\u00fc");
	expect_escape("\U0001f600", "\\U0001f600");
	use_utf8();
}

static void width_is_columns(void **state)
{
	(void)state;
	use_utf8();
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("\u00fc"), 1);
	assert_int_equal(text_width("\u65e5\u672c"), 4);
	assert_int_equal(text_width("e\u0301"), 1);
}

static void bytes_have_a_unit(void **state)
{
	char buf[32];

	(void)state;
	assert_string_equal(text_bytes(0, buf, sizeof(buf)), "0B");
	assert_string_equal(text_bytes(1023, buf, sizeof(buf)), "1023B");
	assert_string_equal(text_bytes(1024, buf, sizeof(buf)), "1.0K");
	assert_string_equal(text_bytes(1536, buf, sizeof(buf)), "1.5K");
	assert_string_equal(text_bytes(1048575, buf, sizeof(buf)), "1.0M");
	assert_string_equal(text_bytes(UINT64_MAX, buf, sizeof(buf)), "16.0E");
}

static void a_user_without_name_is_a_number(void **state)
{
	char buf[64];

	(void)state;
	assert_string_equal(text_user(0, buf, sizeof(buf)), "root");
	assert_string_equal(text_user(4000000001U, buf, sizeof(buf)),
			    "4000000001");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(text_without_tricks_stays),
		CASE(what_steers_a_terminal_is_escaped),
		CASE(what_is_not_utf8_is_escaped),
		CASE(a_locale_of_one_byte_gets_ascii),
		CASE(width_is_columns),
		CASE(bytes_have_a_unit),
		CASE(a_user_without_name_is_a_number),
	};

	return RUN(cases);
}
