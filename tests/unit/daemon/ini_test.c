// SPDX-License-Identifier: GPL-2.0-or-later
/* Sections, keys, values; and their types. */
#include <stdio.h>

#include "ini.h"
#include "test.h"

static char seen[65536];

static int on_entry(const struct ini_reader *reader,
		    const struct ini_entry *entry)
{
	size_t used = strlen(seen);

	assert_string_equal(entry->file, "file");
	snprintf(seen + used, sizeof(seen) - used, "%u [%s] %s=%s\n",
		 entry->line, entry->section, entry->key, entry->value);
	return reader->userdata && !strcmp(entry->key, "stop") ? -ENOMEM : 0;
}

static void on_report(void *userdata, const char *file, unsigned int line,
		      const char *message)
{
	size_t used = strlen(seen);

	(void)userdata;
	assert_string_equal(file, "file");
	snprintf(seen + used, sizeof(seen) - used, "%u !%.3s\n", line, message);
}

static const struct ini_reader reader = { on_entry, on_report, NULL };

static void gives(const char *text, const char *expected)
{
	seen[0] = '\0';
	assert_int_equal(ini_parse(&reader, "file", text, strlen(text)), 0);
	assert_string_equal(seen, expected);
}

static void entries_are_found(void **state)
{
	(void)state;
	gives("", "");
	gives("[A]", "");
	gives("[A]\nk=v", "2 [A] k=v\n");
	gives("[A]\n  k \t=  v w  \r\n[B]\nk==\n",
	      "2 [A] k=v w\n4 [B] k==\n");
	gives("[A]\nk=\nk=# no comment\n", "2 [A] k=\n3 [A] k=# no comment\n");
}

static void lines_go_on(void **state)
{
	(void)state;
	gives("[A]\nk=a\\\nb\\\n  c\nl=d\n", "2 [A] k=a b   c\n5 [A] l=d\n");
	gives("[A]\nk=a\\\n# comment\nb\n", "2 [A] k=a b\n");
	gives("[A]\nk=a\\", "2 [A] k=a\n");
	gives("[A]\nk=a\\\n", "2 [A] k=a\n");
	/* A comment does not go on. */
	gives("[A]\n# comment\\\nk=a\n", "3 [A] k=a\n");
}

static void bad_lines_are_left_out(void **state)
{
	(void)state;
	gives("k=v\n[A]\nk=v\n", "1 !out\n3 [A] k=v\n");
	gives("[A]\nk\n=v\n", "2 !nei\n3 !nei\n");
	gives("[A]\n[]\nk=v\n[B]\nk=v\n", "2 !not\n5 [B] k=v\n");
	gives("[A\nk=v\n", "1 !not\n");
	gives("[A] x\nk=v\n", "1 !not\n");
}

static void long_line_is_left_out(void **state)
{
	char text[2 * INI_MAX_LINE];
	int length = snprintf(text, sizeof(text), "[A]\nk=%0*d\nl=1\n",
			      INI_MAX_LINE - 2, 0);

	(void)state;
	seen[0] = '\0';
	assert_int_equal(ini_parse(&reader, "file", text, (size_t)length), 0);
	assert_int_equal(strlen(seen), INI_MAX_LINE + 7 + 10);
	length = snprintf(text, sizeof(text), "[A]\nk=%0*d\nl=1\n",
			  INI_MAX_LINE - 1, 0);
	seen[0] = '\0';
	assert_int_equal(ini_parse(&reader, "file", text, (size_t)length), 0);
	assert_string_equal(seen, "2 !too\n3 [A] l=1\n");
}

static void null_byte_is_left_out_with_its_line(void **state)
{
	static const char text[] = "[A]\nk=a\0b\nl=1\n";

	(void)state;
	seen[0] = '\0';
	assert_int_equal(ini_parse(&reader, "file", text, sizeof(text) - 1), 0);
	assert_string_equal(seen, "2 !a n\n3 [A] l=1\n");
}

static void callback_can_stop_it(void **state)
{
	const struct ini_reader stops = { on_entry, on_report, seen };
	static const char text[] = "[A]\nstop=1\nl=1\n";

	(void)state;
	seen[0] = '\0';
	assert_int_equal(ini_parse(&stops, "file", text, sizeof(text) - 1),
			 -ENOMEM);
	assert_string_equal(seen, "2 [A] stop=1\n");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(entries_are_found),
		CASE(lines_go_on),
		CASE(bad_lines_are_left_out),
		CASE(long_line_is_left_out),
		CASE(null_byte_is_left_out_with_its_line),
		CASE(callback_can_stop_it),
	};

	return RUN(cases);
}
