// SPDX-License-Identifier: GPL-2.0-or-later
/* What the daemon and its objects count, for Prometheus or as JSON. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "command.h"
#include "json.h"
#include "mem.h"
#include "metrics.h"
#include "put_file.h"
#include "text.h"

/* What it asks for, until it is printed. */
struct request {
	struct model model;
	struct metrics metrics;
	char *version;
	sd_bus_message *refusals;	/* has their names */
	struct metrics_refusal *list;
};

static int read_refusals(struct request *request)
{
	sd_bus_message *m = request->refusals;
	struct metrics *metrics = &request->metrics;
	struct metrics_refusal refusal;
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{st}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(m, "{st}", &refusal.rule,
					&refusal.count)) > 0) {
		request->list = mem_grow(request->list, metrics->nr_refusals,
					 sizeof(refusal));
		request->list[metrics->nr_refusals++] = refusal;
	}
	metrics->refusals = request->list;
	return r;
}

/* What the manager has of its own. 0, or the exit code. */
static int ask_manager(struct ctl *ctl, struct request *request)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r, loaded = 0;

	r = sd_bus_get_property_string(ctl->bus, BUS_NAME, BUS_PATH,
				       BUS_MANAGER, "Version", &error,
				       &request->version);
	if (r >= 0)
		r = sd_bus_get_property_trivial(ctl->bus, BUS_NAME, BUS_PATH,
						BUS_MANAGER, "ModuleLoaded",
						&error, 'b', &loaded);
	if (r >= 0)
		r = sd_bus_get_property(ctl->bus, BUS_NAME, BUS_PATH,
					BUS_MANAGER, "Refusals", &error,
					&request->refusals, "a{st}");
	if (r < 0)
		return bus_fail(ctl, r, &error, NULL);
	request->metrics.version = request->version;
	request->metrics.module_loaded = loaded;
	r = read_refusals(request);
	return r < 0 ? bus_fail_answer(ctl, r) : 0;
}

/* Lines are ours, names in them are not: nothing steers a terminal. */
static void print_lines(char *text)
{
	char *line, *safe;

	while ((line = strsep(&text, "\n")) && *line) {
		safe = text_escape_again(line);
		puts(safe);
		free(safe);
	}
}

static int put(struct ctl *ctl, const char *path, const char *text, size_t size)
{
	const char *why;
	int r = put_file(path, text, size, &why);

	return r < 0 ? ctl_fail(ctl, exit_code_of(r), "%s: %s; it is left as "
				"it was", path, why) : EXIT_OK;
}

/* All of the text is there before a file is touched. */
static int put_text(struct ctl *ctl, const struct metrics *metrics)
{
	const char *path = args_string(&ctl->args, "output", "-");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int code = EXIT_OK;

	if (out)
		metrics_write(out, metrics, ctl->legend);
	if (!out || fclose(out))
		code = ctl_fail(ctl, EXIT_FAILED, "no memory");
	else if (strcmp(path, "-"))
		code = put(ctl, path, text, size);
	else if (term_is_tty())
		print_lines(text);
	else
		fwrite(text, 1, size, stdout);
	free(text);
	return code;
}

static int put_json(struct ctl *ctl, const struct metrics *metrics)
{
	struct json_object *obj = json_document(ctl);

	json_object_object_add(obj, "metrics", metrics_to_json(metrics));
	json_print(ctl, obj);
	return EXIT_OK;
}

static int run(struct ctl *ctl)
{
	struct request request = {
		.metrics.model = &request.model,
		.metrics.per_session = !args_has(&ctl->args, "no-sessions"),
	};
	int code;

	if (ctl->json != JSON_OFF && args_has(&ctl->args, "output"))
		return ctl_fail(ctl, EXIT_USAGE, "a file is not written as JSON; "
				"give either --output or --json");
	code = model_load(ctl, &request.model);
	if (code)
		return code;
	code = ask_manager(ctl, &request);
	if (!code)
		code = ctl->json != JSON_OFF ?
			       put_json(ctl, &request.metrics) :
			       put_text(ctl, &request.metrics);
	free(request.list);
	free(request.version);
	sd_bus_message_unref(request.refusals);
	model_free(&request.model);
	return code;
}

static const struct option_spec options[] = {
	{ .name = "output", .letter = 'o', .type = ARG_FILE, .metavar = "FILE",
	  .summary = "replace this file at once; - for standard output" },
	{ .name = "no-sessions",
	  .summary = "leave out what is counted for each session" },
	{ 0 }
};

const struct command command_metrics = {
	.name = "metrics",
	.arguments = "",
	.summary = "Print what is counted, for Prometheus",
	.options = options,
	.flags = COMMAND_LOOKS,
	.run = run,
};
