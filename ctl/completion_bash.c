// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "command.h"
#include "completion.h"

/*
 * Bash has "=" as a word of its own, and a script cannot rely on the helpers
 * of the package bash-completion.
 */
static const char head[] =
"# bash completion of wtrackctl; made by `wtrackctl completion bash`\n"
"\n"
"_wtrackctl_vms()\n"
"{\n"
"\tlocal vm name rest\n"
"\t\"${COMP_WORDS[0]}\" list --no-legend --quiet 2>/dev/null |\n"
"\t\twhile read -r vm name rest; do\n"
"\t\t\tprintf '%s\\n' \"$vm\"\n"
"\t\t\t[[ $name =~ ^[A-Za-z0-9_.-]*[A-Za-z0-9_.]$ ]] &&\n"
"\t\t\t\tprintf '%s\\n' \"$name\"\n"
"\t\tdone\n"
"}\n"
"\n"
"_wtrackctl()\n"
"{\n"
"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
"\tlocal command='' before='' word i\n"
"\tCOMPREPLY=()\n"
"\tif [[ $cur == '=' ]]; then\n"
"\t\tcur=\n"
"\telif [[ $prev == '=' ]]; then\n"
"\t\tprev=${COMP_WORDS[COMP_CWORD-2]}\n"
"\tfi\n"
"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
"\t\tword=${COMP_WORDS[i]}\n"
"\t\tif [[ $word != -* && $word != '=' && $before != '=' &&\n"
"\t\t\t$before != --json ]]; then\n"
"\t\t\tcommand=$word\n"
"\t\t\tbreak\n"
"\t\tfi\n"
"\t\tbefore=$word\n"
"\tdone\n";

static const char tail[] =
"}\n"
"\n"
"complete -F _wtrackctl wtrackctl\n";

static const struct command *next(size_t *i)
{
	return commands[(*i)++];
}

static void print_commands(void)
{
	const struct command *command;
	size_t i = 0;

	while ((command = next(&i)))
		printf("%s%s", i > 1 ? " " : "", command->name);
}

/* What sets COMPREPLY to the words that fit. */
static void print_words(enum arg_type type, const char *choices)
{
	const char *source = "-W ''";

	printf("mapfile -t COMPREPLY < <(compgen ");
	if (type == ARG_VM)
		source = "-W \"$(_wtrackctl_vms)\"";
	else if (type == ARG_FILE)
		source = "-f";
	if (type == ARG_COMMAND) {
		printf("-W '");
		print_commands();
		printf("'");
	} else if (type == ARG_CHOICE) {
		printf("-W '%s'", choices);
	} else {
		printf("%s", source);
	}
	printf(" -- \"$cur\")");
}

static void print_value(const char *command, const struct option_spec *spec)
{
	printf("\t%s,--%s", command, spec->name);
	if (spec->letter)
		printf(" | %s,-%c", command, spec->letter);
	printf(")\n\t\t");
	if (spec->type == ARG_VM || spec->type == ARG_FILE ||
	    spec->type == ARG_CHOICE)
		print_words(spec->type, spec->choices);
	else
		printf(":");
	printf("\n\t\treturn\n\t\t;;\n");
}

/* The word behind an option that has a value. */
static void print_values(void)
{
	const struct option_spec *spec;
	const struct command *command;
	size_t i = 0, j;

	puts("\tcase $command,$prev in");
	for (spec = common_options; spec->name; spec++)
		if (spec->type != ARG_NONE)
			print_value("*", spec);
	while ((command = next(&i)))
		for (j = 0; (spec = command_option(command, j)) &&
		     spec != common_options; j++)
			if (spec->type != ARG_NONE)
				print_value(command->name, spec);
	puts("\tesac");
}

static void print_options(const struct command *command)
{
	const struct option_spec *spec;
	size_t i;

	printf("mapfile -t COMPREPLY < <(compgen -W '");
	for (i = 0; (spec = command_option(command, i)); i++)
		printf("%s--%s%s", i ? " " : "", spec->name,
		       spec->type == ARG_NONE ? "" : "=");
	printf("' -- \"$cur\")\n");
}

/* An option whose value follows gets no space. */
static void print_command(const char *pattern, const struct command *command)
{
	enum arg_type type = command ? command->type : ARG_COMMAND;

	printf("\t%s)\n\t\tif [[ $cur == -* ]]; then\n\t\t\t", pattern);
	print_options(command);
	printf("\t\telse\n\t\t\t");
	if (type == ARG_NONE)
		printf(":");
	else
		print_words(type, command ? command->choices : NULL);
	printf("\n\t\tfi\n\t\t;;\n");
}

void completion_bash(void)
{
	const struct command *command;
	size_t i = 0;

	fputs(head, stdout);
	print_values();
	puts("\tcase $command in");
	print_command("''", NULL);
	while ((command = next(&i)))
		print_command(command->name, command);
	puts("\tesac\n"
	     "\t[[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] &&\n"
	     "\t\tcompopt -o nospace 2>/dev/null\n"
	     "\treturn 0");
	fputs(tail, stdout);
}
