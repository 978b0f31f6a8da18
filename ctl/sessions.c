// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "json.h"
#include "sessions.h"

static const struct column columns[] = {
	{ .title = "SESSION", .right = true },
	{ .title = "VM" },
	{ .title = "NAME", .shrink = true },
	{ .title = "KIND", .shrink = true },
	{ .title = "USER", .shrink = true },
	{ .title = "PID", .right = true },
	{ .title = "PAGES", .right = true },
	{ .title = "UNREAD", .right = true },
	{ .title = "EVENTS", .right = true },
	{ .title = "MEMORY", .right = true },
	{ .title = "STATE", .shrink = true },
	{ 0 }
};

static void add_row(struct table *table, const struct model *model,
		    const struct session *session)
{
	char buf[128];

	table_cell(table, "%llu", (unsigned long long)session->id);
	table_cell(table, "%s", session->vm ? vm_label(model, session->vm, buf,
						       sizeof(buf)) : "");
	table_cell(table, "%s", session->vm ? session->vm->name : "");
	table_cell(table, "%s%s%s", session->kind, session->watch ? " " : "",
		   session->watch ? session->watch->name : "");
	table_cell(table, "%s", text_user(session->client_uid, buf,
					  sizeof(buf)));
	table_cell(table, "%d", session->client_pid);
	table_cell(table, "%llu", (unsigned long long)session->pages);
	table_cell(table, "%u", session->unread);
	table_cell(table, "%llu", (unsigned long long)session->counters.events);
	table_cell(table, "%s", text_bytes(session->memory_bytes, buf,
					   sizeof(buf)));
	table_cell(table, "%s", state_text(session->state, buf, sizeof(buf)));
}

bool session_is_of(const struct session *session, const char *vm_path)
{
	return !vm_path || !strcmp(session->vm_path, vm_path);
}

void sessions_print(const struct ctl *ctl, const struct model *model,
		    const char *vm_path)
{
	struct table *table = table_new(columns);
	size_t i;

	for (i = 0; i < model->nr_sessions; i++)
		if (session_is_of(&model->sessions[i], vm_path))
			add_row(table, model, &model->sessions[i]);
	table_print(table, ctl);
	table_sum(table, ctl, "session");
	table_free(table);
}

void sessions_to_json(struct json_object *obj, const struct model *model,
		      const char *vm_path)
{
	struct json_object *array = json_array(obj, "sessions");
	size_t i;

	for (i = 0; i < model->nr_sessions; i++)
		if (session_is_of(&model->sessions[i], vm_path))
			json_object_array_add(array,
				session_to_json(&model->sessions[i]));
}

int sessions_find_vm(struct ctl *ctl, char **ret_path)
{
	const char *vm = args_vm(&ctl->args);

	*ret_path = NULL;
	return vm ? bus_find_vm(ctl, vm, ret_path) : 0;
}

int sessions_run(struct ctl *ctl,
		 int (*fn)(struct ctl *ctl, const struct model *model,
			   const char *vm_path))
{
	struct model model;
	char *path;
	int r;

	r = sessions_find_vm(ctl, &path);
	if (r)
		return r;
	r = model_load(ctl, &model);
	if (!r) {
		r = fn(ctl, &model, path);
		model_free(&model);
	}
	free(path);
	return r;
}
