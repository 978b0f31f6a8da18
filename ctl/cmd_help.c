// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "help.h"
#include "json.h"
#include "mem.h"
#include "text.h"

/* What is wide enough for most options. */
#define NAME_WIDTH	27

/* "-q, --quiet", "    --json=HOW" */
static char *option_title(const struct option_spec *spec)
{
	char letter[5] = "    ";

	if (spec->letter)
		snprintf(letter, sizeof(letter), "-%c, ", spec->letter);
	return text_printf("%s--%s%s%s", letter, spec->name,
			   spec->metavar ? "=" : "",
			   spec->metavar ? spec->metavar : "");
}

static void print_option(const struct option_spec *spec)
{
	char *title = option_title(spec);

	printf("  %-*s  %s\n", NAME_WIDTH, title, spec->summary);
	free(title);
}

static void print_options(const char *title, const struct option_spec *specs)
{
	if (!specs || !specs->name)
		return;
	printf("\n%s%s%s\n", term_colour(COLOUR_BOLD), title,
	       term_colour(COLOUR_NONE));
	for (; specs->name; specs++)
		print_option(specs);
}

static void print_command(const struct command *command)
{
	printf("wtrackctl %s [OPTION]...%s%s\n\n%s.\n", command->name,
	       *command->arguments ? " " : "", command->arguments,
	       command->summary);
	print_options("Options", command->options);
	if (command->flags & COMMAND_STREAM)
		print_options("Options of streams", stream_options);
	print_options("Common options", common_options);
	puts("\nwtrackctl(1) tells more.");
}

static void print_tool(void)
{
	const struct command *const *command;
	char *title;

	printf("wtrackctl [OPTION]... COMMAND ...\n\n"
	       "Follow what guests of KVM write to their memory.\n\n"
	       "%sCommands%s\n", term_colour(COLOUR_BOLD),
	       term_colour(COLOUR_NONE));
	for (command = commands; *command; command++) {
		title = text_printf("%s%s%s", (*command)->name,
				    *(*command)->arguments ? " " : "",
				    (*command)->arguments);
		printf("  %-*s  %s\n", NAME_WIDTH, title, (*command)->summary);
		free(title);
	}
	print_options("Common options", common_options);
	puts("\n`wtrackctl help COMMAND` shows the options of a command, "
	     "wtrackctl(1) tells more.");
}

static struct json_object *option_to_json(const struct option_spec *spec)
{
	struct json_object *obj = json_object_new_object();
	char letter[2] = { spec->letter };

	json_string(obj, "name", spec->name);
	json_object_object_add(obj, "letter", *letter ?
			       json_object_new_string(letter) : NULL);
	json_object_object_add(obj, "value", spec->metavar ?
			       json_object_new_string(spec->metavar) : NULL);
	json_string(obj, "summary", spec->summary);
	return obj;
}

static struct json_object *command_to_json(const struct command *command)
{
	struct json_object *obj = json_object_new_object();
	const struct option_spec *spec;
	struct json_object *options;
	size_t i;

	json_string(obj, "name", command->name);
	json_string(obj, "arguments", command->arguments);
	json_string(obj, "summary", command->summary);
	json_flag(obj, "stream", command->flags & COMMAND_STREAM);
	options = json_array(obj, "options");
	for (i = 0; (spec = command_option(command, i)); i++)
		json_object_array_add(options, option_to_json(spec));
	return obj;
}

static void print_json(const struct ctl *ctl, const struct command *only)
{
	struct json_object *obj = json_object_new_object();
	const struct command *const *command;
	struct json_object *array;

	json_u64(obj, "schema", JSON_SCHEMA);
	json_string(obj, "command", "help");
	array = json_array(obj, "commands");
	for (command = commands; *command; command++)
		if (!only || only == *command)
			json_object_array_add(array, command_to_json(*command));
	json_print(ctl, obj);
}

int help_show(struct ctl *ctl, const struct command *command)
{
	if (ctl->json != JSON_OFF)
		print_json(ctl, command);
	else if (command)
		print_command(command);
	else
		print_tool();
	return EXIT_OK;
}

static int run(struct ctl *ctl)
{
	const char *name = ctl->args.nr ? ctl->args.list[0] : NULL;
	const struct command *command = name ? command_find(name) : NULL;

	if (name && !command)
		return ctl_fail(ctl, EXIT_USAGE, "'%s' is no command; "
				"`wtrackctl help` shows them", name);
	return help_show(ctl, command);
}

const struct command command_help = {
	.name = "help",
	.arguments = "[COMMAND]",
	.summary = "Show the commands, or the options of one",
	.type = ARG_COMMAND,
	.max_args = 1,
	.run = run,
};
