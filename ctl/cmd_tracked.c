// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>

#include "bus.h"
#include "command.h"
#include "common/range.h"
#include "json.h"
#include "mem.h"
#include "ranges.h"
#include "sessions.h"

static const struct column columns[] = {
	{ .title = "SESSION", .right = true },
	{ .title = "FIRST", .right = true },
	{ .title = "LAST", .right = true },
	{ .title = "PAGES", .right = true },
	{ .title = "ADDRESS", .right = true },
	{ 0 }
};

/*
 * What the command prints, while it goes through the sessions: rows of a
 * table, or objects of an array.
 */
struct output {
	struct table *table;
	struct json_object *array;
	struct wtrack_range *ranges;	/* of all sessions, which may overlap */
	size_t nr_ranges;
	size_t nr_answers;
	size_t nr_refused;
	char *refusal;
};

static void add_range(struct output *out, const struct session *session,
		      struct json_object *ranges, uint64_t gfn, uint64_t nr)
{
	struct json_object *range;

	out->ranges = mem_grow(out->ranges, out->nr_ranges, sizeof(*out->ranges));
	out->ranges[out->nr_ranges++] = (struct wtrack_range) { gfn, nr };
	if (ranges) {
		range = json_object_new_object();
		json_u64(range, "gfn", gfn);
		json_u64(range, "nr_pages", nr);
		json_object_array_add(ranges, range);
		return;
	}
	table_cell(out->table, "%llu", (unsigned long long)session->id);
	table_cell(out->table, "0x%llx", (unsigned long long)gfn);
	table_cell(out->table, "0x%llx", (unsigned long long)(gfn + nr - 1));
	table_cell(out->table, "%llu", (unsigned long long)nr);
	table_cell(out->table, "0x%llx", (unsigned long long)(gfn << PAGE_SHIFT));
}

static int read_ranges(sd_bus_message *reply, struct output *out,
		       const struct session *session,
		       struct json_object *ranges)
{
	uint64_t gfn, nr;
	int r;

	r = sd_bus_message_enter_container(reply, 'a', "(tt)");
	while (r >= 0 && (r = sd_bus_message_read(reply, "(tt)", &gfn, &nr)) > 0)
		add_range(out, session, ranges, gfn, nr);
	return r;
}

static struct json_object *session_object(struct output *out,
					  const struct session *session)
{
	struct json_object *obj;

	if (!out->array)
		return NULL;
	obj = json_object_new_object();
	json_u64(obj, "id", session->id);
	json_string(obj, "kind", session->kind);
	json_u64(obj, "client_uid", session->client_uid);
	json_object_array_add(out->array, obj);
	return obj;
}

/* A session that ended meanwhile is none that one could be told of. */
static void note_refusal(struct output *out, struct json_object *obj,
			 const struct session *session,
			 const sd_bus_error *error)
{
	const char *text = error->message ? error->message : error->name;

	out->nr_refused++;
	if (obj)
		json_string(obj, "refused", text);
	if (!out->refusal)
		out->refusal = text_printf("session %llu: %s",
					   (unsigned long long)session->id, text);
}

static int ask_session(struct ctl *ctl, struct output *out,
		       const struct session *session)
{
	struct json_object *ranges = NULL, *obj;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	int r;

	r = bus_call(ctl, session->path, BUS_SESSION, "ListRanges", &error,
		     &reply, NULL);
	if (sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_OBJECT)) {
		sd_bus_error_free(&error);
		return 0;
	}
	if (r < 0 && (bus_is_absent(r, &error) || !error.name))
		return bus_fail(ctl, r, &error, NULL);
	obj = session_object(out, session);
	if (obj)
		ranges = json_array(obj, "ranges");
	if (r < 0) {
		note_refusal(out, obj, session, &error);
		sd_bus_error_free(&error);
		return 0;
	}
	out->nr_answers++;
	r = read_ranges(reply, out, session, ranges);
	sd_bus_message_unref(reply);
	return r < 0 ? bus_fail_answer(ctl, r) : 0;
}

static int ask_all(struct ctl *ctl, struct output *out,
		   const struct model *model, const char *path)
{
	size_t i;
	int r = 0;

	for (i = 0; i < model->nr_sessions && !r; i++)
		if (session_is_of(&model->sessions[i], path))
			r = ask_session(ctl, out, &model->sessions[i]);
	if (!r && out->nr_refused && !out->nr_answers)
		r = ctl_fail(ctl, EXIT_PERMISSION, "%s; ask its owner or root",
			     out->refusal);
	return r;
}

/* A page that several sessions track is one page. */
static uint64_t distinct_pages(struct output *out)
{
	out->nr_ranges = ranges_merge(out->ranges, out->nr_ranges);
	return ranges_pages(out->ranges, out->nr_ranges);
}

static void print(struct ctl *ctl, struct output *out, struct json_object *obj)
{
	const uint64_t pages = distinct_pages(out);

	if (ctl->json != JSON_OFF) {
		json_u64(obj, "pages", pages);
		json_print(ctl, json_object_get(obj));
		return;
	}
	table_print(out->table, ctl);
	if (ctl->legend && !ctl->quiet)
		printf("%s%llu page%s in %zu session%s.\n",
		       table_rows(out->table) ? "\n" : "",
		       (unsigned long long)pages, pages == 1 ? "" : "s", out->nr_answers,
		       out->nr_answers == 1 ? "" : "s");
	if (out->nr_refused)
		ctl_note(ctl, "wtrackctl: %zu more not shown: %s",
			 out->nr_refused, out->refusal);
}

static int show(struct ctl *ctl, const struct model *model, const char *path)
{
	struct json_object *obj = json_document(ctl);
	struct output out = { .table = table_new(columns) };
	const struct vm *vm = model_vm(model, path);
	int r;

	json_object_object_add(obj, "vm", vm ? vm_to_json(vm) : NULL);
	if (ctl->json != JSON_OFF)
		out.array = json_array(obj, "sessions");
	r = ask_all(ctl, &out, model, path);
	if (!r)
		print(ctl, &out, obj);
	json_object_put(obj);
	table_free(out.table);
	free(out.ranges);
	free(out.refusal);
	return r;
}

static int run(struct ctl *ctl)
{
	return sessions_run(ctl, show);
}

static const struct option_spec options[] = {
	OPTION_VM,
	{ 0 }
};

const struct command command_tracked = {
	.name = "tracked",
	.arguments = "VM",
	.summary = "List the pages that are tracked on a VM",
	.options = options,
	.type = ARG_VM,
	.max_args = 1,
	.flags = COMMAND_NEEDS_VM | COMMAND_LOOKS,
	.run = run,
};
