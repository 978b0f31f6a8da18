// SPDX-License-Identifier: GPL-2.0-or-later
/* A table of commands with one of each kind, and what is printed. */
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

static int run_nothing(struct ctl *ctl)
{
	(void)ctl;
	return EXIT_OK;
}

static const struct option_spec watch_options[] = {
	OPTION_VM,
	OPTION_GFN,
	OPTION_GPA,
	{ .name = "records", .letter = 'r', .type = ARG_NUMBER, .metavar = "N",
	  .min = 64, .max = 4096, .summary = "size of the ring" },
	{ .name = "order", .type = ARG_CHOICE, .metavar = "BY",
	  .choices = "time place", .summary = "how to sort" },
	{ 0 }
};

static const struct command watch = {
	.name = "watch", .arguments = "VM", .summary = "Watch",
	.options = watch_options, .type = ARG_VM, .max_args = 1,
	.flags = COMMAND_STREAM | COMMAND_NEEDS_VM, .run = run_nothing,
};

static const struct command shell = {
	.name = "shell", .arguments = "bash|zsh", .summary = "Shell",
	.type = ARG_CHOICE, .choices = "bash zsh", .min_args = 1,
	.max_args = 1, .run = run_nothing,
};

static const struct command plain = {
	.name = "plain", .arguments = "", .summary = "Plain",
	.run = run_nothing,
};

const struct command *const commands[] = { &watch, &shell, &plain, NULL };

const struct command *command_find(const char *name)
{
	size_t i;

	for (i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int saved[2] = { -1, -1 };
static int sink;
static char *text;

void capture(void)
{
	int i;

	fflush(stdout);
	fflush(stderr);
	sink = memfd_create("captured", 0);
	for (i = 0; i < 2; i++) {
		saved[i] = dup(i + 1);
		dup2(sink, i + 1);
	}
}

const char *captured(void)
{
	off_t size;
	int i;

	fflush(stdout);
	fflush(stderr);
	for (i = 0; i < 2; i++) {
		dup2(saved[i], i + 1);
		close(saved[i]);
	}
	size = lseek(sink, 0, SEEK_END);
	free(text);
	text = calloc(1, (size_t)size + 1);
	if (pread(sink, text, (size_t)size, 0) != size)
		abort();
	close(sink);
	return text;
}

__attribute__((destructor)) static void free_text(void)
{
	free(text);
}

int parse_line(struct ctl *ctl, const char *line)
{
	static char words[512];
	static char *argv[64];
	char *rest = words;
	int argc = 0;

	snprintf(words, sizeof(words), "wtrackctl %s", line);
	while ((argv[argc] = strsep(&rest, " ")))
		argc += *argv[argc] != '\0';
	*ctl = (struct ctl) { .legend = true };
	return args_parse(ctl, argc, argv);
}
