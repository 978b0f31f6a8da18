// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "problems.h"
#include "utf8.h"
#include "util.h"

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
	if (utf8_clean(text, strlen(text), &clean) >= 0)
		problems->of_config[problems->nr_of_config++] = clean;
	free(text);
}

void problems_clear(struct problems *problems)
{
	while (problems->nr_of_config)
		free(problems->of_config[--problems->nr_of_config]);
	problems->nr_more = 0;
}

int problems_append(char ***list, const char *format, ...)
{
	char *text;
	va_list args;
	int r;

	va_start(args, format);
	r = vasprintf(&text, format, args);
	va_end(args);
	return r < 0 ? -ENOMEM : strv_append(list, text);
}

int problems_append_config(const struct problems *problems,
			   char ***list)
{
	size_t i;
	int r = 0;

	for (i = 0; r >= 0 && i < problems->nr_of_config; i++)
		r = problems_append(list, "%s", problems->of_config[i]);
	if (r >= 0 && problems->nr_more)
		r = problems_append(list, "%zu more of the configuration: see the journal",
			   problems->nr_more);
	return r;
}
