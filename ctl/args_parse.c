// SPDX-License-Identifier: GPL-2.0-or-later
/* Reads the command line with getopt_long(), by the tables of the commands. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "command.h"
#include "common/range.h"
#include "mem.h"

/* Values of getopt_long() for long options, beyond those of letters. */
#define FIRST_LONG	256
#define MAX_OPTIONS	64

static int usage(struct ctl *ctl, const char *what, const char *name)
{
	const char *command = ctl->command ? ctl->command->name : "";

	return ctl_fail(ctl, EXIT_USAGE, "%s%s; see `wtrackctl help%s%s`", what,
			name, *command ? " " : "", command);
}

static bool is_choice(const char *choices, const char *word)
{
	size_t length = strlen(word);
	const char *at = choices;

	while (length && (at = strstr(at, word))) {
		if ((at == choices || at[-1] == ' ') &&
		    (!at[length] || at[length] == ' '))
			return true;
		at += length;
	}
	return false;
}

static int add_range(struct args *args, const struct option_spec *spec,
		     const char *text)
{
	struct wtrack_range range;
	int r = spec->type == ARG_GFNS ? range_parse_gfns(text, &range) :
					 range_parse_gpas(text, &range);

	if (r)
		return r;
	args->ranges = mem_grow(args->ranges, args->nr_ranges, sizeof(range));
	args->ranges[args->nr_ranges++] = range;
	return 0;
}

static int read_value(struct args *args, struct arg_value *value)
{
	const struct option_spec *spec = value->spec;

	switch (spec->type) {
	case ARG_NUMBER:
		return number_parse_size(value->text, spec->min, spec->max,
					 &value->number);
	case ARG_SECONDS:
		return number_parse_time(value->text, 1, spec->min, spec->max,
					 &value->number);
	case ARG_GFNS:
	case ARG_GPAS:
		return add_range(args, spec, value->text);
	case ARG_CHOICE:
		return is_choice(spec->choices, value->text) ? 0 : -EINVAL;
	case ARG_VM:
	case ARG_FILE:
		return *value->text ? 0 : -EINVAL;
	default:
		return 0;
	}
}

static const char *wanted(const struct option_spec *spec)
{
	switch (spec->type) {
	case ARG_NUMBER:
		return "a number is wanted, as 16, 0x10 or 1K";
	case ARG_SECONDS:
		return "a time is wanted, as 5, 0.5, 100ms or 2min";
	case ARG_GFNS:
		return "pages are wanted, as 0x8000+4, 0x8000-0x8003 or 0x8000";
	case ARG_GPAS:
		return "an address range is wanted, as 0x8000000+16K";
	case ARG_CHOICE:
		return spec->choices;
	default:
		return "a value is wanted";
	}
}

/* "out of bounds (64 to 4096)", with times in the units of the options. */
static void put_bounds(const struct option_spec *spec, char *buf, size_t size)
{
	static const char words[] = "out of bounds";

	if (spec->type == ARG_SECONDS)
		snprintf(buf, size, "%s (%.6gs to %" PRIu64 "h)", words,
			 (double)spec->min / NUMBER_SEC,
			 spec->max / (3600 * NUMBER_SEC));
	else if (spec->type == ARG_NUMBER)
		snprintf(buf, size, "%s (%" PRIu64 " to %" PRIu64 ")", words,
			 spec->min, spec->max);
	else
		snprintf(buf, size, "%s", words);
}

static bool is_place(const struct option_spec *spec)
{
	return spec->type == ARG_GFNS || spec->type == ARG_GPAS;
}

/* Is the text a hexadecimal number that lacks its 0x, as "1f400" or "1f400+4"? */
static bool lacks_0x(const struct option_spec *spec, const char *text)
{
	size_t digits;

	if (!is_place(spec))
		return false;
	digits = strspn(text, "0123456789abcdefABCDEF");
	return strspn(text, "0123456789") < digits &&
	       (!text[digits] || strchr("+-", text[digits]));
}

static int add_value(struct ctl *ctl, const struct option_spec *spec,
		     const char *text)
{
	struct arg_value value = { .spec = spec, .text = text };
	struct args *args = &ctl->args;
	int r = read_value(args, &value);
	char bounds[80];

	put_bounds(spec, bounds, sizeof(bounds));
	if (r == -EINVAL && lacks_0x(spec, text))
		return ctl_fail(ctl, EXIT_USAGE, "--%s=%s: did you mean 0x%s?",
				spec->name, text, text);
	if (r)
		return ctl_fail(ctl, EXIT_USAGE, "--%s=%s: %s%s; see "
				"`wtrackctl help%s%s`", spec->name, text,
				spec->type == ARG_CHOICE ? "not one of " : "",
				r == -ERANGE ? bounds : wanted(spec),
				ctl->command ? " " : "",
				ctl->command ? ctl->command->name : "");
	args->values = mem_grow(args->values, args->nr_values, sizeof(value));
	args->values[args->nr_values++] = value;
	return 0;
}

/* The tables in the shape that getopt_long() takes. */
struct getopt_tables {
	struct option options[MAX_OPTIONS + 1];
	char letters[3 * MAX_OPTIONS + 3];
};

/* @first: what tells getopt where to stop, and to tell of a missing value. */
static void make_tables(const struct command *command, const char *first,
			struct getopt_tables *ret)
{
	const struct option_spec *spec;
	char *letter = stpcpy(ret->letters, first);
	size_t i;

	for (i = 0; i < MAX_OPTIONS && (spec = command_option(command, i)); i++) {
		ret->options[i] = (struct option) {
			.name = spec->name,
			.has_arg = spec->type == ARG_NONE ? no_argument :
							    required_argument,
			.val = FIRST_LONG + (int)i,
		};
		if (!spec->letter)
			continue;
		*letter++ = spec->letter;
		if (spec->type != ARG_NONE)
			*letter++ = ':';
	}
	*letter = '\0';
	ret->options[i] = (struct option) { 0 };
}

static const struct option_spec *spec_of(const struct command *command, int c)
{
	const struct option_spec *spec;
	size_t i;

	if (c >= FIRST_LONG)
		return command_option(command, (size_t)(c - FIRST_LONG));
	for (i = 0; (spec = command_option(command, i)); i++)
		if (spec->letter == c)
			return spec;
	return NULL;
}

static int bad_option(struct ctl *ctl, int c, const char *word)
{
	char letter[] = "-?";

	if (c == ':')
		return usage(ctl, "no value for ", word);
	if (optopt && optopt < FIRST_LONG) {
		letter[1] = (char)optopt;
		return usage(ctl, "unknown option ", letter);
	}
	return usage(ctl, optopt ? "this option takes no value: " :
		     "unknown option ", word);
}

/* Returns 0 and where the options end in optind, or the exit code. */
static int read_options(struct ctl *ctl, const char *first, int argc,
			char **argv)
{
	struct getopt_tables tables;
	int c, r = 0;

	make_tables(ctl->command, first, &tables);
	opterr = 0;
	optind = 0;
	while (!r) {
		c = getopt_long(argc, argv, tables.letters, tables.options, NULL);
		if (c == -1)
			break;
		if (c == '?' || c == ':')
			r = bad_option(ctl, c, argv[optind - 1]);
		else
			r = add_value(ctl, spec_of(ctl->command, c), optarg);
	}
	return r;
}

/* Also a command line that is wrong gets its answer in JSON. */
static void foresee_json(struct ctl *ctl, int argc, char **argv)
{
	const char *how;
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++) {
		if (strncmp(argv[i], "--json", 6))
			continue;
		how = argv[i][6] == '=' ? argv[i] + 7 :
			!argv[i][6] && argv[i + 1] ? argv[i + 1] : "";
		ctl->json = !strcmp(how, "short") ? JSON_SHORT :
			!strcmp(how, "pretty") ? JSON_PRETTY : JSON_OFF;
	}
}

static int check_arguments(struct ctl *ctl)
{
	const struct command *command = ctl->command;
	const struct args *args = &ctl->args;
	const char *named = args_vm(args);
	bool vm = args_has(args, "vm");
	size_t i;

	if (args->nr > command->max_args)
		return usage(ctl, "too many arguments: ",
			     args->list[command->max_args]);
	if (vm && args->nr && command->type == ARG_VM)
		return usage(ctl, "two VMs, by --vm and as argument: ",
			     args->list[0]);
	/* Empty as "$(pidof qemu)" is where none runs. */
	if ((command->flags & COMMAND_NEEDS_VM && !named) ||
	    (command->type == ARG_VM && named && !*named))
		return ctl_fail(ctl, EXIT_USAGE, "no VM is named; `wtrackctl "
				"list` shows those that run");
	if (args->nr < command->min_args)
		return usage(ctl, "missing: ", command->arguments);
	for (i = 0; i < args->nr; i++) {
		if (!*args->list[i])
			return usage(ctl, "an argument is empty: ",
				     command->arguments);
		if (command->type == ARG_CHOICE &&
		    !is_choice(command->choices, args->list[i]))
			return ctl_fail(ctl, EXIT_USAGE,
					"'%s' is not one of: %s",
					args->list[i], command->arguments);
	}
	return 0;
}

static void apply_common(struct ctl *ctl)
{
	const char *json = args_string(&ctl->args, "json", "off");

	ctl->json = !strcmp(json, "short") ? JSON_SHORT :
		!strcmp(json, "pretty") ? JSON_PRETTY : JSON_OFF;
	ctl->legend = !args_has(&ctl->args, "no-legend");
	ctl->quiet = args_has(&ctl->args, "quiet");
	ctl->ask_password = !args_has(&ctl->args, "no-ask-password");
}

/*
 * Pages and addresses are printed as hexadecimal numbers, so a round decimal one is
 * likely to be a slip: 8000 is taken as it is written, and asked about.
 */
static void ask_about_decimals(const struct ctl *ctl)
{
	const struct args *args = &ctl->args;
	const struct arg_value *value;
	size_t i, digits;

	for (i = 0; i < args->nr_values; i++) {
		value = &args->values[i];
		if (!is_place(value->spec))
			continue;
		digits = strspn(value->text, "0123456789");
		if (digits >= 4 && !memcmp(value->text + digits - 2, "00", 2))
			ctl_note(ctl, "wtrackctl: --%s=%s is decimal, 0x%llx; "
				 "did you mean 0x%s?", value->spec->name,
				 value->text, strtoull(value->text, NULL, 10),
				 value->text);
	}
}

/* Options in front of the command are the common ones. */
int args_parse(struct ctl *ctl, int argc, char **argv)
{
	int r, at;

	foresee_json(ctl, argc, argv);
	r = read_options(ctl, "+:", argc, argv);
	if (r)
		return r;
	at = optind;
	if (at < argc) {
		ctl->command = command_find(argv[at]);
		if (!ctl->command)
			return ctl_fail(ctl, EXIT_USAGE, "'%s' is no command; "
					"`wtrackctl help` shows them", argv[at]);
		r = read_options(ctl, ":", argc - at, argv + at);
		if (r)
			return r;
		ctl->args.list = argv + at + optind;
		ctl->args.nr = (size_t)(argc - at - optind);
	}
	apply_common(ctl);
	if (args_has(&ctl->args, "help") || args_has(&ctl->args, "version"))
		return 0;
	if (!ctl->command)
		return ctl_fail(ctl, EXIT_USAGE, "no command is named; "
				"`wtrackctl help` shows them");
	r = check_arguments(ctl);
	if (!r)
		ask_about_decimals(ctl);
	return r;
}
