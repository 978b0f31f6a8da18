// SPDX-License-Identifier: GPL-2.0-or-later
/* The daemon's OpenMetrics text, as it is or as JSON. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "command.h"
#include "json.h"
#include "mem.h"
#include "metrics_json.h"
#include "text.h"

/* Lines of text are what the daemon made; still nothing steers a terminal. */
static void print_text(const struct ctl *ctl, const char *text)
{
	char *copy = mem_strdup(text), *rest = copy, *line, *safe;

	while ((line = strsep(&rest, "\n"))) {
		if (!*line || (!ctl->legend && line[0] == '#' &&
			       strcmp(line, "# EOF")))
			continue;
		safe = term_is_tty() ? text_escape_again(line) : mem_strdup(line);
		puts(safe);
		free(safe);
	}
	free(copy);
}

static int print(struct ctl *ctl, const char *text)
{
	struct json_object *obj, *metrics;

	if (ctl->json == JSON_OFF) {
		print_text(ctl, text);
		return EXIT_OK;
	}
	metrics = metrics_to_json(text);
	if (!metrics)
		return bus_fail_answer(ctl, -EBADMSG);
	obj = json_document(ctl);
	json_object_object_add(obj, "metrics", metrics);
	json_print(ctl, obj);
	return EXIT_OK;
}

static int run(struct ctl *ctl)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	const char *text;
	int r;

	r = bus_call(ctl, BUS_PATH, BUS_MANAGER, "GetMetrics", &error, &reply,
		     NULL);
	if (r < 0)
		return bus_fail(ctl, r, &error, NULL);
	r = sd_bus_message_read(reply, "s", &text);
	r = r < 0 ? bus_fail_answer(ctl, r) : print(ctl, text);
	sd_bus_message_unref(reply);
	return r;
}

const struct command command_metrics = {
	.name = "metrics",
	.arguments = "",
	.summary = "Print the daemon's metrics in OpenMetrics format",
	.run = run,
};
