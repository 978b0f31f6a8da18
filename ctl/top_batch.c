// SPDX-License-Identifier: GPL-2.0-or-later
/* `wtrackctl top` for pipes: the same rows, printed. */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "top.h"
#include "top_json.h"

#define COLUMNS		100
#define MAX_ROWS	20

static void print_line(struct top_line *line)
{
	size_t length = strlen(line->text);

	while (length && line->text[length - 1] == ' ')
		length--;
	printf("%.*s\n", (int)length, line->text);
}

static void print_list(const struct top *top, enum top_kind kind)
{
	const struct top_list *list = &top->model.lists[kind];
	struct top_line line;
	size_t i;

	if (top->ctl->legend) {
		top_row_heading(&line, kind, COLUMNS);
		print_line(&line);
	}
	for (i = 0; i < list->nr && i < MAX_ROWS; i++) {
		top_row_draw(&line, &top->model, kind, &list->rows[i], COLUMNS);
		print_line(&line);
	}
	putchar('\n');
}

static void print(struct top *top)
{
	int nr = top->view.has_pages ? TOP_KINDS : TOP_KINDS - 1, kind;

	for (kind = 0; kind < nr; kind++)
		top_sort(&top->model.lists[kind], TOP_BY_RATE, false);
	if (top->ctl->json != JSON_OFF)
		json_print(top->ctl, top_to_json(&top->model, nr > TOP_VMS + 2));
	else
		for (kind = 0; kind < nr; kind++)
			print_list(top, (enum top_kind)kind);
}

static void on_tick(struct follow *follow)
{
	struct top *top = follow->userdata;
	int r;

	if (follow->stream.reason != STREAM_GOES_ON)
		return;
	r = top_look(top);
	if (r) {
		stream_stop(&follow->stream, STREAM_ERROR, r);
		return;
	}
	print(top);
	stream_count(&follow->stream);
}

int top_run_batch(struct top *top)
{
	struct stream *stream = &top->follow.stream;
	int r = top_look(top);

	if (r)
		return r;
	stream->output_only = true;
	if (!stream->max_count)
		stream->max_count = 1;
	top->follow.on_tick = on_tick;
	top->follow.tick_ns = top->view.interval_ns;
	follow_run(&top->follow);
	return stream_end(stream, NULL);
}
