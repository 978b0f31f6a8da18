// SPDX-License-Identifier: GPL-2.0-or-later
#include <stddef.h>
#include <string.h>

#include "command.h"

/* In the order of help. */
const struct command *const commands[] = {
	&command_list,
	&command_show,
	&command_sessions,
	&command_tracked,
	&command_map,
	&command_dump,
	&command_hot,
	&command_stat,
	&command_top,
	&command_monitor,
	&command_break,
	&command_record,
	&command_report,
	&command_stop,
	&command_metrics,
	&command_doctor,
	&command_version,
	&command_completion,
	&command_help,
	NULL
};

const struct command *command_find(const char *name)
{
	const struct command *const *command;

	for (command = commands; *command; command++)
		if (!strcmp((*command)->name, name))
			return *command;
	return NULL;
}
