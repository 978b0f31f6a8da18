// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "table.h"
#include "test.h"

static const struct column columns[] = {
	{ .title = "VM" },
	{ .title = "PAGES", .right = true },
	{ .title = "NAME", .shrink = true },
	{ 0 }
};

static struct table *two_rows(void)
{
	struct table *table = table_new(columns);

	table_cell(table, "%d", 4711);
	table_cell(table, "%d", 4);
	table_cell(table, "%s", "web");
	table_cell(table, "%d", 9);
	table_cell(table, "%d", 1234567);
	table_cell(table, "%s", "");
	return table;
}

static const char *printed(struct table *table, const struct ctl *ctl)
{
	const char *text;

	capture();
	table_print(table, ctl);
	table_sum(table, ctl, "VM");
	text = captured();
	table_free(table);
	return text;
}

static void columns_are_aligned_and_never_empty(void **state)
{
	const struct ctl ctl = { .legend = true };

	(void)state;
	assert_string_equal(printed(two_rows(), &ctl),
			    "VM      PAGES  NAME\n"
			    "4711        4  web\n"
			    "9     1234567  -\n"
			    "\n2 VMs.\n");
}

static void without_legend_there_are_only_rows(void **state)
{
	const struct ctl ctl = { .legend = false };

	(void)state;
	assert_string_equal(printed(two_rows(), &ctl),
			    "4711        4  web\n"
			    "9     1234567  -\n");
	assert_string_equal(printed(table_new(columns), &ctl), "");
}

static void nothing_is_said_in_words(void **state)
{
	const struct ctl ctl = { .legend = true };
	const struct ctl quiet = { .legend = true, .quiet = true };

	(void)state;
	assert_string_equal(printed(table_new(columns), &ctl), "No VMs.\n");
	assert_string_equal(printed(table_new(columns), &quiet), "");
}

static void wide_characters_are_counted_in_columns(void **state)
{
	const struct ctl ctl = { .legend = false };
	static const struct column two[] = { { .title = "A" }, { .title = "B" },
					     { 0 } };
	struct table *table = table_new(two);

	(void)state;
	setlocale(LC_CTYPE, "C.UTF-8");
	table_cell(table, "\u65e5\u672c");
	table_cell(table, "x");
	table_cell(table, "abc");
	table_cell(table, "y\033");
	assert_string_equal(printed(table, &ctl),
			    "\u65e5\u672c  x\nabc   y\\x1b\n");
}

static void without_a_terminal_nothing_is_cut_or_coloured(void **state)
{
	const struct ctl ctl = { .legend = false };
	struct table *table = table_new(columns);
	char name[301], want[400];

	(void)state;
	setenv("COLUMNS", "20", 1);
	setenv("TERM", "xterm", 1);
	memset(name, 'n', 300);
	name[300] = '\0';
	table_cell(table, "1");
	table_cell(table, "2");
	table_colour(table, COLOUR_RED);
	table_cell(table, "%s", name);
	snprintf(want, sizeof(want), "1  2  %s\n", name);
	assert_string_equal(printed(table, &ctl), want);
}

/* What is printed to a terminal of so many columns, which must not be full. */
static const char *printed_on_terminal(struct table *table, size_t columns_,
				       const struct ctl *ctl)
{
	static char text[512];
	struct winsize size = { .ws_row = 24, .ws_col = (short)columns_ };
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	int slave, saved = dup(STDOUT_FILENO);
	ssize_t n;

	assert_true(master >= 0 && !grantpt(master) && !unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	ioctl(slave, TIOCSWINSZ, &size);
	fflush(stdout);
	dup2(slave, STDOUT_FILENO);
	table_print(table, ctl);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	n = read(master, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(saved);
	close(slave);
	close(master);
	table_free(table);
	return text;
}

static struct table *long_row(void)
{
	struct table *table = table_new(columns);

	table_cell(table, "4711");
	table_cell(table, "12");
	table_colour(table, COLOUR_RED);
	table_cell(table, "a-name-that-is-longer-than-the-line");
	return table;
}

static void a_terminal_gets_what_has_room(void **state)
{
	const struct ctl ctl = { .legend = false };

	(void)state;
	unsetenv("COLUMNS");
	setenv("TERM", "xterm", 1);
	setenv("NO_COLOR", "1", 1);
	assert_string_equal(printed_on_terminal(long_row(), 24, &ctl),
			    "4711  12  a-name-that-i~\r\n");
	/* Numbers are not cut, nor is anything to less than is of use. */
	assert_string_equal(printed_on_terminal(long_row(), 5, &ctl),
			    "4711  12  a-name-~\r\n");
	unsetenv("NO_COLOR");
	assert_string_equal(printed_on_terminal(long_row(), 80, &ctl),
			    "4711  12  \033[31m"
			    "a-name-that-is-longer-than-the-line\033[0m\r\n");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(columns_are_aligned_and_never_empty),
		CASE(without_legend_there_are_only_rows),
		CASE(nothing_is_said_in_words),
		CASE(wide_characters_are_counted_in_columns),
		CASE(without_a_terminal_nothing_is_cut_or_coloured),
		CASE(a_terminal_gets_what_has_room),
	};

	return RUN(cases);
}
