/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options and arguments, as a command's table describes them. */
#ifndef CTL_ARGS_H
#define CTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtrack/range.h>

#include "common/number.h"

/* A year, in nanoseconds: added to any clock it does not wrap. */
#define ARG_MAX_NS	(365 * 24 * 3600 * NUMBER_SEC)

/*
 * What an option or argument is: checked when the command line is read, shown
 * by help, offered by completion.
 */
enum arg_type {
	ARG_NONE,
	ARG_STRING,
	ARG_NUMBER,		/* 16, 0x10, 1K */
	ARG_SECONDS,		/* 5, 0.5, 100ms, 2min: kept in nanoseconds */
	ARG_GFNS,		/* 0x8000+4, 0x8000-0x8003, 0x8000 */
	ARG_GPAS,		/* 0x8000000+16K */
	ARG_VM,
	ARG_FILE,
	ARG_CHOICE,
	ARG_COMMAND,
};

/**
 * struct option_spec - an option; an array of them ends with one without name
 * @name: the long name
 * @letter: the short one, or 0
 * @type: ARG_NONE for a switch
 * @metavar: name of the value in help
 * @choices: of ARG_CHOICE, separated by spaces
 * @min: least value of ARG_NUMBER and ARG_SECONDS
 * @max: and greatest
 * @summary: one line
 */
struct option_spec {
	const char *name;
	char letter;
	enum arg_type type;
	const char *metavar;
	const char *choices;
	uint64_t min;
	uint64_t max;
	const char *summary;
};

/* An option that was given; of one given twice the last counts. */
struct arg_value {
	const struct option_spec *spec;
	const char *text;
	uint64_t number;
};

/**
 * struct args - what the command line says
 * @values: the options, in their order
 * @nr_values: how many
 * @list: the arguments behind the command
 * @nr: how many
 * @ranges: all pages of --gfn and --gpa, in their order
 * @nr_ranges: how many
 */
struct args {
	struct arg_value *values;
	size_t nr_values;
	char **list;
	size_t nr;
	struct wtrack_range *ranges;
	size_t nr_ranges;
};

struct command;
struct ctl;

/* Those that all commands have, and those that streams have as well. */
extern const struct option_spec common_options[];
extern const struct option_spec stream_options[];

/*
 * args_parse() - read the command line into @ctl, its command included
 *
 * Return: 0, or the exit code after ctl_fail().
 */
int args_parse(struct ctl *ctl, int argc, char **argv);
void args_free(struct args *args);

bool args_has(const struct args *args, const char *name);
const char *args_string(const struct args *args, const char *name,
			const char *fallback);
/* For ARG_NUMBER, and in nanoseconds for ARG_SECONDS. */
uint64_t args_number(const struct args *args, const char *name,
		     uint64_t fallback);
/* --vm or the first argument, NULL when neither is given. */
const char *args_vm(const struct args *args);

/* The options of a command, its own, a stream's and the common ones. */
const struct option_spec *command_option(const struct command *command,
					 size_t i);

#endif
