// SPDX-License-Identifier: GPL-2.0-or-later
/* The numbers that the options of each command take. */
#include <fcntl.h>
#include <inttypes.h>

#include "command.h"
#include "filter.h"
#include "follow.h"
#include "run.h"

/* What is printed about a wrong option goes nowhere. */
static int quiet_parse(struct ctl *ctl, int argc, char **argv)
{
	int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY), r;

	dup2(null, STDERR_FILENO);
	*ctl = (struct ctl) { 0 };
	r = args_parse(ctl, argc, argv);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(null);
	return r;
}

static bool takes(const struct command *command,
		  const struct option_spec *spec, const char *value,
		  uint64_t *ret)
{
	char option[128];
	char *argv[] = { "wtrackctl", (char *)command->name, option, "x", NULL };
	int argc = command->max_args ? 4 : 3;
	struct ctl ctl;
	int r;

	snprintf(option, sizeof(option), "--%s=%s", spec->name, value);
	r = quiet_parse(&ctl, argc, argv);
	if (!r)
		*ret = args_number(&ctl.args, spec->name, 77);
	else
		assert_int_equal(r, EXIT_USAGE);
	args_free(&ctl.args);
	return !r;
}

static void check(const struct command *command,
		  const struct option_spec *spec, uint64_t number, bool good)
{
	const bool time = spec->type == ARG_SECONDS;
	uint64_t value = 0;
	char text[64];

	/* Nanoseconds as seconds: nine decimals. */
	if (time)
		snprintf(text, sizeof(text), "%" PRIu64 ".%09" PRIu64,
			 number / NUMBER_SEC, number % NUMBER_SEC);
	else
		snprintf(text, sizeof(text), "%" PRIu64, number);
	if (takes(command, spec, text, &value) != good)
		fail_msg("%s --%s=%s is %s", command->name, spec->name, text,
			 good ? "refused" : "taken");
	if (good && value != number)
		fail_msg("%s --%s=%s is %" PRIu64, command->name, spec->name,
			 text, value);
}

static void check_option(const struct command *command,
			 const struct option_spec *spec)
{
	static const char *const garbage[] = {
		"", " ", "-1", "+1", " 64", "64 ", "x", "0x0x10", "0x", "1,5",
		"1e3", "inf", "64KB", "64X", "5 5", "18446744073709551616",
		"18446744073709551615T", "18446744073709551615h",
	};
	uint64_t value;
	size_t i;

	if (!spec->max)
		fail_msg("%s --%s has no bounds", command->name, spec->name);
	if (spec->min) {
		check(command, spec, spec->min - 1, false);
		check(command, spec, 0, false);
	}
	check(command, spec, spec->min, true);
	check(command, spec, spec->min + 1, true);
	check(command, spec, spec->max - 1, true);
	check(command, spec, spec->max, true);
	if (spec->max < UINT64_MAX) {
		check(command, spec, spec->max + 1, false);
		check(command, spec, UINT64_MAX, false);
	}
	for (i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		if (takes(command, spec, garbage[i], &value))
			fail_msg("%s --%s='%s' is taken", command->name,
				 spec->name, garbage[i]);
}

static void every_number_has_its_bounds(void **state)
{
	const struct option_spec *spec;
	size_t i, j, nr = 0;

	(void)state;
	for (i = 0; commands[i]; i++)
		for (j = 0; (spec = command_option(commands[i], j)); j++)
			if (spec->type == ARG_NUMBER ||
			    spec->type == ARG_SECONDS) {
				check_option(commands[i], spec);
				nr++;
			}
	/* --count and --timeout of five streams, and nine of their own. */
	assert_true(nr >= 15);
}

static void the_bounds_are_these(void **state)
{
	static const struct {
		const char *command, *option;
		uint64_t min, max;
	} rows[] = {
		{ "monitor", "count", 1, UINT64_MAX },
		{ "monitor", "timeout", 1000, UINT64_C(31536000000000000) },
		{ "monitor", "idle", 0, UINT64_C(31536000000000000) },
		{ "monitor", "records", 64, 1 << 20 },
		{ "record", "records", 64, 1 << 20 },
		{ "top", "records", 64, 1 << 20 },
		{ "top", "interval", 10000000, UINT64_C(31536000000000000) },
		{ "stat", "interval", 10000000, UINT64_C(31536000000000000) },
		{ "report", "top", 1, 1 << 20 },
	};
	const struct option_spec *spec;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (j = 0; (spec = command_option(
				command_find(rows[i].command), j)); j++)
			if (!strcmp(spec->name, rows[i].option))
				break;
		assert_non_null(spec);
		assert_true(spec->min == rows[i].min);
		assert_true(spec->max == rows[i].max);
	}
}

static void budgets_have_bounds(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint32_t budget, period_ms;
	} rows[] = {
		{ "1", 0, 1, 100 }, { "1000/100ms", 0, 1000, 100 },
		{ "0x10/1s", 0, 16, 1000 }, { "1/1ms", 0, 1, 1 },
		{ "1/0.5ms", 0, 1, 1 }, { "1/1.5ms", 0, 1, 2 },
		{ "65534", 0, 65534, 100 }, { "65535", 0, 65535, 100 },
		{ "65536", -ERANGE }, { "4294967297", -ERANGE },
		{ "18446744073709551616", -ERANGE }, { "0", -ERANGE },
		{ "1/3999ms", 0, 1, 3999 }, { "1/4000ms", 0, 1, 4000 },
		{ "1/4s", 0, 1, 4000 }, { "1/4001ms", -ERANGE },
		{ "1/0", -ERANGE }, { "1/4294967297ms", -ERANGE },
		{ "1/18446744073709551616", -ERANGE },
		{ "65536/", -EINVAL }, { "", -EINVAL }, { "/", -EINVAL },
		{ "1/", -EINVAL }, { "/1s", -EINVAL }, { "-1/1s", -EINVAL },
		{ "1/-1", -EINVAL }, { "1 /1s", -EINVAL }, { "1/ 1s", -EINVAL },
		{ "0x0x1/1s", -EINVAL }, { "1/1s/1s", -EINVAL },
		{ "1K/1s", -EINVAL }, { "1/0x10", -EINVAL },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint32_t budget = 0, period_ms = 0;
		int r = follow_parse_budget(rows[i].text, &budget, &period_ms);

		if (r != rows[i].r || budget != rows[i].budget ||
		    period_ms != rows[i].period_ms)
			fail_msg("%s: %d, %u/%ums", rows[i].text, r, budget,
				 period_ms);
	}
}

static void lengths_have_bounds(void **state)
{
	static const char *const good[] = {
		"1", "8", "1-4", "4-4", "0x10", "4294967295", "1-4294967295",
	}, *const bad[] = {
		"", "0", "0-4", "4-1", "-", "1-", "-4", "1-4-5", "+1", " 1",
		"1 ", "1 -4", "0x0x1", "1K", "4294967296", "1-4294967296",
		"4294967296-4294967297", "18446744073709551617",
		"1-18446744073709551617",
	};
	struct filter filter;
	size_t i;

	(void)state;
	filter_init(&filter);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (filter_set_length(&filter, good[i]))
			fail_msg("'%s' is refused", good[i]);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!filter_set_length(&filter, bad[i]))
			fail_msg("'%s' is taken", bad[i]);
}

static void values_have_bounds(void **state)
{
	static const char *const good[] = {
		"0", "18446744073709551615", "0xffffffffffffffff/0xff", "1/0",
		"00:ff", "??:01",
	}, *const bad[] = {
		"", "/", "1/", "/1", "-1", "+1", " 1", "1 ", "1/ 1", "1/1/1",
		"0x0x1", "1K", "18446744073709551616", "1/18446744073709551616",
		"0x10000000000000000", ":", "0:", "00:", "00:f", "00:fff",
		"0x:00", " 0:00", "-1:00",
	};
	struct filter filter;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		filter_init(&filter);
		if (filter_set_value(&filter, good[i]))
			fail_msg("'%s' is refused", good[i]);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		filter_init(&filter);
		if (!filter_set_value(&filter, bad[i]))
			fail_msg("'%s' is taken", bad[i]);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(every_number_has_its_bounds),
		cmocka_unit_test(the_bounds_are_these),
		cmocka_unit_test(budgets_have_bounds),
		cmocka_unit_test(lengths_have_bounds),
		cmocka_unit_test(values_have_bounds),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
