// SPDX-License-Identifier: GPL-2.0-or-later
/* What the command line said. */
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "command.h"

const struct option_spec common_options[] = {
	{ .name = "json", .type = ARG_CHOICE, .metavar = "short|pretty|off",
	  .choices = "short pretty off", .summary = "print JSON" },
	{ .name = "no-legend", .summary = "print no headings and no sums" },
	{ .name = "quiet", .letter = 'q', .summary = "print no remarks" },
	{ .name = "no-ask-password",
	  .summary = "do not ask to authenticate" },
	{ .name = "help", .letter = 'h', .summary = "show help and exit" },
	{ .name = "version", .summary = "show the version and exit" },
	{ 0 }
};

const struct option_spec stream_options[] = {
	{ .name = "count", .letter = 'n', .type = ARG_NUMBER, .metavar = "N",
	  .min = 1, .max = UINT64_MAX, .summary = "end after N lines" },
	{ .name = "timeout", .letter = 't', .type = ARG_SECONDS,
	  .metavar = "SEC", .min = NUMBER_US, .max = ARG_MAX_NS,
	  .summary = "end after that time" },
	{ .name = "fail-on-loss",
	  .summary = "exit code 7 when writes were not seen one by one" },
	{ 0 }
};

static const struct option_spec none[] = { { 0 } };

const struct option_spec *command_option(const struct command *command,
					 size_t i)
{
	const struct option_spec *sets[] = {
		command && command->options ? command->options : none,
		command && command->flags & COMMAND_STREAM ? stream_options :
							     none,
		common_options,
	};
	size_t set, j;

	for (set = 0; set < sizeof(sets) / sizeof(sets[0]); set++)
		for (j = 0; sets[set][j].name; j++)
			if (!i--)
				return &sets[set][j];
	return NULL;
}

static const struct arg_value *find(const struct args *args, const char *name)
{
	size_t i = args->nr_values;

	while (i--)
		if (!strcmp(args->values[i].spec->name, name))
			return &args->values[i];
	return NULL;
}

bool args_has(const struct args *args, const char *name)
{
	return find(args, name);
}

const char *args_string(const struct args *args, const char *name,
			const char *fallback)
{
	const struct arg_value *value = find(args, name);

	return value ? value->text : fallback;
}

uint64_t args_number(const struct args *args, const char *name,
		     uint64_t fallback)
{
	const struct arg_value *value = find(args, name);

	return value ? value->number : fallback;
}

const char *args_vm(const struct args *args)
{
	return args_string(args, "vm", args->nr ? args->list[0] : NULL);
}

void args_free(struct args *args)
{
	free(args->values);
	free(args->ranges);
	*args = (struct args) { 0 };
}
