// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "completion.h"

static const char head[] =
"#compdef wtrackctl\n"
"# zsh completion of wtrackctl; made by `wtrackctl completion zsh`\n"
"\n"
"_wtrackctl_vms()\n"
"{\n"
"\tlocal -a vms\n"
"\tlocal vm name rest\n"
"\t_call_program vms wtrackctl list --no-legend --quiet 2>/dev/null |\n"
"\t\twhile read -r vm name rest; do\n"
"\t\t\tvms+=(\"${vm//:/\\\\:}:$name\")\n"
"\t\tdone\n"
"\t_describe -t vms 'VM' vms\n"
"}\n"
"\n"
"_wtrackctl_commands()\n"
"{\n"
"\tlocal -a commands\n"
"\tcommands=(\n";

static const char middle[] =
"\t)\n"
"\t_describe -t commands 'command' commands\n"
"}\n"
"\n"
"_wtrackctl()\n"
"{\n"
"\tlocal curcontext=$curcontext state line\n"
"\ttypeset -A opt_args\n"
"\t_arguments -C";

static const char rest[] =
" \\\n"
"\t\t'1:command:_wtrackctl_commands' \\\n"
"\t\t'*::argument:->arguments'\n"
"\t[[ $state == arguments ]] || return\n"
"\tcase $line[1] in\n";

static const char tail[] =
"\tesac\n"
"}\n"
"\n"
"if [[ $funcstack[1] == _wtrackctl ]]; then\n"
"\t_wtrackctl \"$@\"\n"
"else\n"
"\tcompdef _wtrackctl wtrackctl\n"
"fi\n";

/* Inside of single quotes, and of the brackets of _arguments. */
static void print_summary(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void print_action(enum arg_type type, const char *choices)
{
	switch (type) {
	case ARG_VM:
		printf(":_wtrackctl_vms");
		break;
	case ARG_FILE:
		printf(":_files");
		break;
	case ARG_COMMAND:
		printf(":_wtrackctl_commands");
		break;
	case ARG_CHOICE:
		printf(":(%s)", choices);
		break;
	default:
		printf(": ");
	}
}

static void print_option(const struct option_spec *spec)
{
	bool many = spec->type == ARG_GFNS || spec->type == ARG_GPAS;

	printf(" \\\n\t\t");
	if (spec->letter)
		printf("'(-%c --%s)'{-%c%s,--%s%s}'[", spec->letter, spec->name,
		       spec->letter, spec->type == ARG_NONE ? "" : "+",
		       spec->name, spec->type == ARG_NONE ? "" : "=");
	else
		printf("'%s--%s%s[", many ? "*" : "", spec->name,
		       spec->type == ARG_NONE ? "" : "=");
	print_summary(spec->summary);
	putchar(']');
	if (spec->type != ARG_NONE) {
		putchar(':');
		print_summary(spec->metavar);
		print_action(spec->type, spec->choices);
	}
	putchar('\'');
}

static void print_options(const struct command *command)
{
	const struct option_spec *spec;
	size_t i;

	for (i = 0; (spec = command_option(command, i)); i++)
		print_option(spec);
}

static void print_command(const struct command *command)
{
	printf("\t%s)\n\t\t_arguments", command->name);
	print_options(command);
	if (command->type != ARG_NONE) {
		printf(" \\\n\t\t'1:");
		print_summary(command->arguments);
		print_action(command->type, command->choices);
		putchar('\'');
	}
	printf("\n\t\t;;\n");
}

void completion_zsh(void)
{
	const struct command *const *command;

	fputs(head, stdout);
	for (command = commands; *command; command++) {
		printf("\t\t'%s:", (*command)->name);
		print_summary((*command)->summary);
		puts("'");
	}
	fputs(middle, stdout);
	print_options(NULL);
	fputs(rest, stdout);
	for (command = commands; *command; command++)
		print_command(*command);
	fputs(tail, stdout);
}
