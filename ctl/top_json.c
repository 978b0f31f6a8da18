// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"
#include "top_json.h"
#include "top_model.h"

static void add_vm(struct json_object *obj, const struct top_row *row)
{
	json_u64(obj, "pid", row->id >> 32);
	json_u64(obj, "fd", (uint32_t)row->id);
	json_string(obj, "name", row->name);
	json_u64(obj, "uid", row->uid);
	json_u64(obj, "sessions", row->sessions);
	json_u64(obj, "pages", row->pages);
	json_u64(obj, "memory_bytes", row->memory);
	json_flag(obj, "gone", row->unseen);
	json_double(obj, "vcpu_share", top_row_share(TOP_VMS, row));
}

static void add_session(struct json_object *obj, const struct top_row *row)
{
	json_u64(obj, "session", row->id);
	json_string(obj, "vm", row->label);
	json_string(obj, "kind", row->name);
	json_u64(obj, "uid", row->uid);
	json_u64(obj, "pid", (uint64_t)row->pid);
	json_u64(obj, "pages", row->pages);
	json_u64(obj, "unread", row->unread);
	json_u64(obj, "records", row->records);
	json_double(obj, "vcpu_share", top_row_share(TOP_SESSIONS, row));
}

static void add_page(struct json_object *obj, const struct top_row *row)
{
	json_u64(obj, "gfn", row->id);
	json_flag(obj, "unseen", row->unseen);
}

static void add_list(struct json_object *obj, const char *key,
		     const struct top_list *list,
		     void (*add)(struct json_object *, const struct top_row *))
{
	struct json_object *array = json_array(obj, key), *item;
	size_t i;

	for (i = 0; i < list->nr; i++) {
		item = json_object_new_object();
		add(item, &list->rows[i]);
		json_u64(item, "writes", list->rows[i].total);
		json_double(item, "writes_per_second", list->rows[i].rate);
		json_u64(item, "losses", list->rows[i].losses);
		json_object_array_add(array, item);
	}
}

struct json_object *top_to_json(const struct top_model *top, int has_pages)
{
	struct json_object *obj = json_line("top");

	json_u64(obj, "time_ns", top->time_ns);
	json_double(obj, "writes_per_second", top->rate);
	json_double(obj, "vcpu_share", top->share);
	add_list(obj, "vms", &top->lists[TOP_VMS], add_vm);
	add_list(obj, "sessions", &top->lists[TOP_SESSIONS], add_session);
	if (has_pages)
		add_list(obj, "pages", &top->lists[TOP_PAGES_PANE], add_page);
	return obj;
}
