// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"
#include "test.h"

static void expect_text(struct json_object *obj, const char *want)
{
	char *text = json_text(obj, false);

	assert_string_equal(text, want);
	free(text);
	json_object_put(obj);
}

static void expect_member(const char *value, const char *want)
{
	struct json_object *obj = json_object_new_object();
	char line[256];

	json_string(obj, "s", value);
	snprintf(line, sizeof(line), "{\"s\":\"%s\"}", want);
	expect_text(obj, line);
}

static void strings_are_valid_and_harmless(void **state)
{
	(void)state;
	expect_member("web/1", "web/1");
	expect_member("\"\\\n\033", "\\\"\\\\\\n\\u001b");
	expect_member("b\u00fccher \U0001f600", "b\u00fccher \U0001f600");
	expect_member("\xc2\x9b\x7f\u202e", "\\u009b\\u007f\\u202e");
	expect_member("\U000e0041", "\\udb40\\udc41");
	expect_member("a\xff\xc0\x80z", "a\\ufffd\\ufffd\\ufffdz");
	expect_member("\xe2\x82", "\\ufffd\\ufffd");
}

static void numbers_are_whole_or_have_three_decimals(void **state)
{
	struct json_object *obj = json_object_new_object();

	(void)state;
	json_u64(obj, "n", UINT64_MAX);
	json_hex(obj, "h", UINT64_MAX);
	json_hex(obj, "z", 0);
	json_double(obj, "d", 0.1);
	json_flag(obj, "b", true);
	json_bytes(obj, "x", "\x00\xfe", 2);
	expect_text(obj, "{\"n\":18446744073709551615,"
		    "\"h\":\"0xffffffffffffffff\",\"z\":\"0x0\","
		    "\"d\":0.100,\"b\":true,\"x\":\"00fe\"}");
}

static void documents_have_a_schema(void **state)
{
	const struct ctl ctl = { .command = command_find("plain") };
	const struct ctl none = { 0 };

	(void)state;
	expect_text(json_document(&ctl), "{\"schema\":1,\"command\":\"plain\"}");
	expect_text(json_document(&none), "{\"schema\":1,\"command\":null}");
	expect_text(json_line("write"), "{\"schema\":1,\"type\":\"write\"}");
}

static void failures_are_one_line_and_one_object(void **state)
{
	struct ctl ctl = { .command = command_find("plain"),
			   .json = JSON_SHORT };

	(void)state;
	capture();
	assert_int_equal(ctl_fail(&ctl, EXIT_NOT_FOUND, "VM %s: a\nb", "\033"),
			 EXIT_NOT_FOUND);
	assert_string_equal(captured(), "wtrackctl: VM \\x1b: a\\x0ab\n"
		"{\"schema\":1,\"command\":\"plain\",\"error\":{\"code\":"
		"\"not-found\",\"message\":\"VM \\u001b: a\\nb\"}}\n");
	assert_true(ctl.failed);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(strings_are_valid_and_harmless),
		CASE(numbers_are_whole_or_have_three_decimals),
		CASE(documents_have_a_schema),
		CASE(failures_are_one_line_and_one_object),
	};

	return RUN(cases);
}
