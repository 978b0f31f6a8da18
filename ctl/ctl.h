/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command is given, and how it ends. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdbool.h>

#include "args.h"

struct command;
struct sd_bus;

/* Exit codes; wtrackctl(1) documents them. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_PERMISSION = 4,
	EXIT_UNSUPPORTED = 5,
	EXIT_TIMEOUT = 6,
	EXIT_LOSSES = 7,
};

enum json_mode { JSON_OFF, JSON_SHORT, JSON_PRETTY };

/**
 * struct ctl - one run of the tool
 * @command: what is run, NULL before that is known
 * @args: what it was given
 * @json: how to print
 * @legend: print headings and sums
 * @quiet: print no remarks
 * @ask_password: whoever runs it may be asked to authenticate
 * @bus: the system bus, NULL before bus_open()
 * @failed: ctl_fail() was called
 */
struct ctl {
	const struct command *command;
	struct args args;
	enum json_mode json;
	bool legend;
	bool quiet;
	bool ask_password;
	struct sd_bus *bus;
	bool failed;
};

/**
 * ctl_fail() - tell why the command fails
 * @ctl: the run
 * @code: how the tool shall end
 * @format: one line that says what is wrong, then after "; " what to do next.
 *	What comes from outside is made harmless here
 *
 * The line goes to stderr and, with --json, as an object to stdout.
 *
 * Return: @code, for the caller to return.
 */
int ctl_fail(struct ctl *ctl, enum exit_code code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * ctl_note() - a remark to stderr, for people only: not with --quiet or --json
 * @ctl: the run
 * @format: one line
 */
void ctl_note(const struct ctl *ctl, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Which code, and which word of JSON, an errno stands for. */
enum exit_code exit_code_of(int err);
const char *exit_code_name(enum exit_code code);

#endif
