// SPDX-License-Identifier: GPL-2.0-or-later
/* Who is written to most, now. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "follow.h"
#include "model.h"
#include "top.h"
#include "top_json.h"

static void on_event(struct follow *follow, const struct event *event)
{
	struct top *top = follow->userdata;

	top_event(&top->model, event);
}

int top_look(struct top *top)
{
	struct model model;
	int r = model_load(top->ctl, &model);

	top_update(&top->model, r ? NULL : &model, stream_now_ns());
	if (!r)
		model_free(&model);
	return r;
}

/* Pages are followed by a session of our own, if any were asked for. */
static int open_pages(struct top *top)
{
	const struct args *args = &top->ctl->args;

	if (!args_vm(args) && !args->nr_ranges)
		return stream_begin(&top->follow.stream, top->ctl);
	if (!args_vm(args))
		return ctl_fail(top->ctl, EXIT_USAGE, "pages of which VM? give "
				"--vm");
	if (!args->nr_ranges)
		return ctl_fail(top->ctl, EXIT_USAGE, "which pages? give --gfn "
				"or --gpa");
	top->view.has_pages = true;
	top->view.pages_of = args_vm(args);
	return follow_open(&top->follow, top->ctl, 0);
}

static bool is_interactive(const struct ctl *ctl)
{
	return ctl->json == JSON_OFF && !args_has(&ctl->args, "batch") &&
	       isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int run(struct ctl *ctl)
{
	struct top top = {
		.ctl = ctl,
		.follow = { .ctl = ctl, .on_event = on_event },
	};
	int r;

	top.follow.userdata = &top;
	top_init(&top.model);
	top_view_init(&top.view);
	top.view.interval_ns = args_number(&ctl->args, "interval",
					   top.view.interval_ns);
	r = open_pages(&top);
	if (!r) {
		if (is_interactive(ctl))
			r = top_run_screen(&top);
		else
			r = top_run_batch(&top);
		follow_close(&top.follow);
	}
	top_done(&top.model);
	return r;
}

static const struct option_spec options[] = {
	OPTION_VM,
	OPTION_GFN,
	OPTION_GPA,
	{ .name = "interval", .letter = 'i', .type = ARG_SECONDS,
	  .metavar = "SEC", .min = 10 * NUMBER_MS, .max = ARG_MAX_NS,
	  .summary = "time between two looks (1)" },
	{ .name = "batch", .letter = 'b',
	  .summary = "print tables, once or --count times, without keys" },
	OPTION_BUDGET,
	OPTION_FULL,
	OPTION_RECORDS,
	{ 0 }
};

const struct command command_top = {
	.name = "top",
	.arguments = "[VM]",
	.summary = "Show VMs, sessions and pages by how much they are written to",
	.options = options,
	.type = ARG_VM,
	.max_args = 1,
	.flags = COMMAND_STREAM | COMMAND_LOOKS,
	.run = run,
};
