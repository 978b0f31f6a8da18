// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "command.h"
#include "json.h"
#include "model.h"
#include "table.h"

static const struct column columns[] = {
	{ .title = "VM" },
	{ .title = "NAME", .shrink = true },
	{ .title = "USER", .shrink = true },
	{ .title = "SESSIONS", .right = true },
	{ .title = "PAGES", .right = true },
	{ .title = "MEMORY", .right = true },
	{ 0 }
};

static void add_row(struct table *table, const struct model *model,
		    const struct vm *vm)
{
	char buf[64];

	table_cell(table, "%s", vm_label(model, vm, buf, sizeof(buf)));
	table_cell(table, "%s", vm->name);
	table_cell(table, "%s", text_user(vm->uid, buf, sizeof(buf)));
	table_cell(table, "%zu", vm->nr_sessions);
	table_cell(table, "%llu", (unsigned long long)vm->pages);
	table_cell(table, "%s", text_bytes(vm->memory_bytes, buf, sizeof(buf)));
}

static void print_text(const struct ctl *ctl, const struct model *model)
{
	struct table *table = table_new(columns);
	size_t i;

	for (i = 0; i < model->nr_vms; i++)
		if (!model->vms[i].gone)
			add_row(table, model, &model->vms[i]);
	table_print(table, ctl);
	table_sum(table, ctl, "VM");
	table_free(table);
}

static void print_json(const struct ctl *ctl, const struct model *model)
{
	struct json_object *obj = json_document(ctl);
	struct json_object *vms = json_array(obj, "vms");
	size_t i;

	for (i = 0; i < model->nr_vms; i++)
		if (!model->vms[i].gone)
			json_object_array_add(vms, vm_to_json(&model->vms[i]));
	json_print(ctl, obj);
}

static int run(struct ctl *ctl)
{
	struct model model;
	int r = model_load(ctl, &model);

	if (r)
		return r;
	if (ctl->json != JSON_OFF)
		print_json(ctl, &model);
	else
		print_text(ctl, &model);
	model_free(&model);
	return EXIT_OK;
}

const struct command command_list = {
	.name = "list",
	.arguments = "",
	.summary = "List the VMs that run on this host",
	.flags = COMMAND_LOOKS,
	.run = run,
};
