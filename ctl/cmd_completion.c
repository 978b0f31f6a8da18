// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "command.h"
#include "completion.h"
#include "json.h"

/* A script is text for a shell; who wants JSON gets the names. */
static int print_json(const struct ctl *ctl, const char *shell)
{
	struct json_object *obj = json_document(ctl);
	const struct command *const *command;
	struct json_object *names;

	json_string(obj, "shell", shell);
	names = json_array(obj, "commands");
	for (command = commands; *command; command++)
		json_object_array_add(names,
				      json_object_new_string((*command)->name));
	json_print(ctl, obj);
	return EXIT_OK;
}

static int run(struct ctl *ctl)
{
	const char *shell = ctl->args.list[0];

	if (ctl->json != JSON_OFF)
		return print_json(ctl, shell);
	if (!strcmp(shell, "bash"))
		completion_bash();
	else
		completion_zsh();
	return EXIT_OK;
}

const struct command command_completion = {
	.name = "completion",
	.arguments = "bash|zsh",
	.summary = "Print a script that completes command lines",
	.type = ARG_CHOICE,
	.choices = "bash zsh",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
