/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands. */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include "ctl.h"

/* Prints line after line until it ends: NDJSON, --count, --timeout ... */
#define COMMAND_STREAM		(1U << 0)
/* Has to be given a VM, by --vm or as its argument. */
#define COMMAND_NEEDS_VM	(1U << 1)
/* Starts neither the daemon nor, with it, the module. */
#define COMMAND_LOOKS		(1U << 2)

/**
 * struct command - a command of the tool
 * @name: its word
 * @arguments: what comes behind it, as help shows it; "" for nothing
 * @summary: one line
 * @options: its own options, NULL for none
 * @type: what its arguments are, ARG_NONE if it has none
 * @choices: of ARG_CHOICE
 * @min_args: how many arguments it needs; the VM may come from --vm instead
 * @max_args: how many it takes
 * @flags: COMMAND_*
 * @run: does it, and returns the exit code
 *
 * Each is defined in the file that has its @run and named in command.c. Help,
 * completion and the checks of the manual page come from here.
 */
struct command {
	const char *name;
	const char *arguments;
	const char *summary;
	const struct option_spec *options;
	enum arg_type type;
	const char *choices;
	size_t min_args;
	size_t max_args;
	unsigned int flags;
	int (*run)(struct ctl *ctl);
};

extern const struct command command_break;
extern const struct command command_completion;
extern const struct command command_doctor;
extern const struct command command_dump;
extern const struct command command_help;
extern const struct command command_hot;
extern const struct command command_list;
extern const struct command command_map;
extern const struct command command_metrics;
extern const struct command command_sessions;
extern const struct command command_show;
extern const struct command command_stat;
extern const struct command command_top;
extern const struct command command_monitor;
extern const struct command command_record;
extern const struct command command_report;
extern const struct command command_stop;
extern const struct command command_tracked;
extern const struct command command_version;

/* Ends with NULL. */
extern const struct command *const commands[];

const struct command *command_find(const char *name);

/* Options that several commands have, for their tables. */
#define OPTION_VM { .name = "vm", .type = ARG_VM, .metavar = "VM", \
	.summary = "a process id, PID:FD, machine name or QEMU -name" }
#define OPTION_GFN { .name = "gfn", .type = ARG_GFNS, .metavar = "GFNS", \
	.summary = "pages: 0x8000+4, 0x8000-0x8003 or 0x8000; may be repeated" }
#define OPTION_GPA { .name = "gpa", .type = ARG_GPAS, .metavar = "ADDR+SIZE", \
	.summary = "the pages of an address range; may be repeated" }

#endif
