// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager.h"
#include "problems.h"
#include "proc.h"
#include "util.h"
#include "vm.h"
#include "watch.h"

void problems_add(struct problems *problems, const char *format, ...)
{
	char *text = NULL, *clean = NULL;
	va_list args;
	int r;

	if (problems->nr_of_config == PROBLEMS_MAX) {
		problems->nr_more++;
		return;
	}
	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	if (r < 0)
		return;
	/* A line of a file may be anything, what is on the bus is UTF-8. */
	if (proc_clean(text, strlen(text), &clean) >= 0)
		problems->of_config[problems->nr_of_config++] = clean;
	free(text);
}

void problems_clear(struct problems *problems)
{
	while (problems->nr_of_config)
		free(problems->of_config[--problems->nr_of_config]);
	problems->nr_more = 0;
}

static int append(char ***list, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int append(char ***list, const char *format, ...)
{
	char *text;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	return r < 0 ? -ENOMEM : strv_append(list, text);
}

static int append_config(const struct problems *problems, char ***list)
{
	size_t i;
	int r = 0;

	for (i = 0; r >= 0 && i < problems->nr_of_config; i++)
		r = append(list, "%s", problems->of_config[i]);
	if (r >= 0 && problems->nr_more)
		r = append(list, "%zu more of the configuration: see the journal",
			   problems->nr_more);
	return r;
}

static int append_vms(const struct manager *m, char ***list)
{
	const struct process *process;
	int r = 0;

	LIST_FOREACH(process, &m->processes, link)
		if (r >= 0 && process->nr_left_out && !process->ended)
			r = append(list, "pid %d (uid %u) has %u VMs that are not listed",
				   process->pid, process->info.ids.uid,
				   process->nr_left_out);
	return r;
}

static int append_watches(struct manager *m, char ***list)
{
	unsigned int nr = watches_not_stored(m->watches);

	return nr ? append(list, "watches: %u sessions are not tracked, because FileDescriptorStoreMax= of wtrackd.service allows no more",
			   nr) : 0;
}

int problems_list(struct manager *m, char ***ret)
{
	char **list = calloc(1, sizeof(*list));
	int r = list ? 0 : -ENOMEM;

	if (r >= 0)
		r = append_config(&m->problems, &list);
	if (r >= 0)
		r = append_vms(m, &list);
	if (r >= 0)
		r = append_watches(m, &list);
	if (r < 0) {
		strv_free(list);
		return r;
	}
	*ret = list;
	return 0;
}
