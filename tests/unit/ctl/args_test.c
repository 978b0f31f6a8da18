// SPDX-License-Identifier: GPL-2.0-or-later
#include "test.h"

/* A line that is right. */
static void accept(struct ctl *ctl, const char *line)
{
	assert_int_equal(parse_line(ctl, line), 0);
}

/* A line that is wrong, and what is said about it. */
static void refuse(const char *line, const char *want)
{
	struct ctl ctl;
	const char *said;
	int r;

	capture();
	r = parse_line(&ctl, line);
	said = captured();
	args_free(&ctl.args);
	assert_int_equal(r, EXIT_USAGE);
	if (!strstr(said, want))
		fail_msg("'%s': %s", line, said);
}

static void common_options_go_before_and_behind_the_command(void **state)
{
	struct ctl ctl;

	(void)state;
	accept(&ctl, "--json=pretty plain --no-legend -q");
	assert_string_equal(ctl.command->name, "plain");
	assert_int_equal(ctl.json, JSON_PRETTY);
	assert_false(ctl.legend);
	assert_true(ctl.quiet);
	args_free(&ctl.args);
	accept(&ctl, "plain --json short");
	assert_int_equal(ctl.json, JSON_SHORT);
	assert_true(ctl.legend);
	args_free(&ctl.args);
}

static void the_last_of_two_counts(void **state)
{
	struct ctl ctl;

	(void)state;
	accept(&ctl, "--json=pretty plain --json=off");
	assert_int_equal(ctl.json, JSON_OFF);
	args_free(&ctl.args);
	accept(&ctl, "watch -r 64 --records=0x80 5");
	assert_int_equal(args_number(&ctl.args, "records", 0), 128);
	args_free(&ctl.args);
}

static void a_vm_comes_by_option_or_argument(void **state)
{
	struct ctl ctl;

	(void)state;
	accept(&ctl, "watch 4711");
	assert_string_equal(args_vm(&ctl.args), "4711");
	args_free(&ctl.args);
	accept(&ctl, "watch --vm=web --order place");
	assert_string_equal(args_vm(&ctl.args), "web");
	assert_string_equal(args_string(&ctl.args, "order", "time"), "place");
	args_free(&ctl.args);
	refuse("watch", "no VM is named");
	refuse("watch --vm=web 4711", "two VMs");
	refuse("watch 1 2", "too many arguments: 2");
	refuse("watch --vm=", "--vm=");
}

static void pages_add_up_in_their_order(void **state)
{
	struct ctl ctl;

	(void)state;
	accept(&ctl, "watch 1 --gfn 0x10+2 --gpa=0x5000+8K --gfn=7");
	assert_int_equal(ctl.args.nr_ranges, 3);
	assert_int_equal(ctl.args.ranges[0].gfn, 0x10);
	assert_int_equal(ctl.args.ranges[1].gfn, 5);
	assert_int_equal(ctl.args.ranges[1].nr_pages, 2);
	assert_int_equal(ctl.args.ranges[2].gfn, 7);
	args_free(&ctl.args);
	refuse("watch 1 --gfn=0x10-", "--gfn=0x10-: pages are wanted");
	refuse("watch 1 --gfn=0xfffffffffffff", "out of bounds");
}

static void streams_have_their_options(void **state)
{
	struct ctl ctl;

	(void)state;
	accept(&ctl, "watch 1 -n 3 -t 1.5 --fail-on-loss");
	assert_int_equal(args_number(&ctl.args, "count", 0), 3);
	assert_int_equal(args_number(&ctl.args, "timeout", 0), 1500000000);
	assert_true(args_has(&ctl.args, "fail-on-loss"));
	args_free(&ctl.args);
	refuse("plain --count=1", "unknown option --count=1");
	refuse("watch 1 --count=0", "out of bounds");
	refuse("watch 1 --timeout=0", "out of bounds");
	refuse("watch 1 --timeout=soon", "a time is wanted");
}

static void wrong_lines_say_what_is_wrong(void **state)
{
	(void)state;
	refuse("", "no command is named");
	refuse("plan", "'plan' is no command");
	refuse("plain x", "too many arguments: x");
	refuse("plain -x", "unknown option -x; see `wtrackctl help plain`");
	refuse("--foo plain", "unknown option --foo; see `wtrackctl help`");
	refuse("plain --quiet=1", "takes no value: --quiet=1");
	refuse("watch 1 --records", "no value for --records");
	refuse("watch 1 -r", "no value for -r");
	refuse("watch 1 -r 63", "out of bounds");
	refuse("watch 1 -r 4097", "out of bounds");
	refuse("watch 1 -r x", "a number is wanted");
	refuse("watch 1 --order=size", "not one of time place");
	refuse("watch 1 --order=tim", "not one of");
	refuse("--json=yes plain", "not one of short pretty off");
	refuse("shell", "missing: bash|zsh");
	refuse("shell fish", "'fish' is not one of: bash|zsh");
}

static void a_wrong_line_is_told_of_in_json_as_well(void **state)
{
	(void)state;
	refuse("--json=short plan",
	       "{\"schema\":1,\"command\":null,\"error\":{\"code\":\"usage\"");
	refuse("plain --foo --json short",
	       "{\"schema\":1,\"command\":\"plain\",\"error\":");
	refuse("watch --json=short",
	       "{\"schema\":1,\"type\":\"error\",\"command\":\"watch\"");
	/* It is not an option behind this. */
	refuse("plain -- --json=short", "too many arguments: --json=short;");
}

static void help_needs_nothing_else(void **state)
{
	struct ctl ctl;

	(void)state;
	accept(&ctl, "watch --help");
	assert_true(args_has(&ctl.args, "help"));
	args_free(&ctl.args);
	accept(&ctl, "--version");
	assert_null(ctl.command);
	args_free(&ctl.args);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(common_options_go_before_and_behind_the_command),
		CASE(the_last_of_two_counts),
		CASE(a_vm_comes_by_option_or_argument),
		CASE(pages_add_up_in_their_order),
		CASE(streams_have_their_options),
		CASE(wrong_lines_say_what_is_wrong),
		CASE(a_wrong_line_is_told_of_in_json_as_well),
		CASE(help_needs_nothing_else),
	};

	return RUN(cases);
}
