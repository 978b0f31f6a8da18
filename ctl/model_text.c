// SPDX-License-Identifier: GPL-2.0-or-later
/* VMs and sessions as text and as JSON. */
#include <stdio.h>
#include <string.h>

#include <wtrack/status.h>

#include "json.h"
#include "model.h"
#include "text.h"

static const struct {
	uint32_t bit;
	const char *name;
} states[] = {
	{ WTRACK_STATE_ATTACHED, "attached" },
	{ WTRACK_STATE_RESTRICTED, "restricted" },
	{ WTRACK_STATE_RING, "ring" },
	{ WTRACK_STATE_COALESCE, "coalesce" },
	{ WTRACK_STATE_RESYNC, "resync" },
	{ WTRACK_STATE_VM_GONE, "vm_gone" },
	{ WTRACK_STATE_ENDED, "ended" },
};

const char *const counter_names[NR_COUNTERS] = {
	"events", "merged", "overflows", "resync_writes", "regions_removed",
	"wakeups", "disarms", "over_budget", "rearms", "unreported",
};

uint64_t counter_get(const struct counters *counters, size_t i)
{
	return ((const uint64_t *)counters)[i];
}

void counters_add(struct counters *sum, const struct counters *counters)
{
	size_t i;

	for (i = 0; i < NR_COUNTERS; i++)
		((uint64_t *)sum)[i] += counter_get(counters, i);
}

const char *vm_label(const struct model *model, const struct vm *vm, char *buf,
		     size_t size)
{
	size_t i, same = 0;

	for (i = 0; i < model->nr_vms; i++)
		same += model->vms[i].pid == vm->pid;
	if (same > 1)
		snprintf(buf, size, "%d:%d", vm->pid, vm->fd);
	else
		snprintf(buf, size, "%d", vm->pid);
	return buf;
}

char *state_text(uint32_t state, char *buf, size_t size)
{
	size_t i, length = 0;

	buf[0] = '\0';
	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (state & states[i].bit && length < size)
			length += (size_t)snprintf(buf + length, size - length,
						   "%s%s", length ? "," : "",
						   states[i].name);
	return buf;
}

static struct json_object *state_to_json(uint32_t state)
{
	struct json_object *array = json_object_new_array();
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (state & states[i].bit)
			json_object_array_add(array,
				json_object_new_string(states[i].name));
	return array;
}

struct json_object *vm_to_json(const struct vm *vm)
{
	struct json_object *obj = json_object_new_object();
	char user[64];

	json_object_object_add(obj, "pid", json_object_new_int(vm->pid));
	json_object_object_add(obj, "fd", json_object_new_int(vm->fd));
	json_u64(obj, "uid", vm->uid);
	json_string(obj, "user", text_user(vm->uid, user, sizeof(user)));
	json_string(obj, "name", vm->name);
	json_string(obj, "machine", vm->machine);
	json_string(obj, "qemu_name", vm->qemu_name);
	json_string(obj, "comm", vm->comm);
	json_string(obj, "cgroup", vm->cgroup);
	json_u64(obj, "vm_id", vm->vm_id);
	json_u64(obj, "nr_sessions", vm->nr_sessions);
	json_u64(obj, "pages", vm->pages);
	json_u64(obj, "writes", vm->writes);
	json_u64(obj, "memory_bytes", vm->memory_bytes);
	json_flag(obj, "gone", vm->gone);
	json_string(obj, "path", vm->path);
	return obj;
}

struct json_object *counters_to_json(const struct counters *counters)
{
	struct json_object *obj = json_object_new_object();
	size_t i;

	for (i = 0; i < NR_COUNTERS; i++)
		json_u64(obj, counter_names[i], counter_get(counters, i));
	return obj;
}

static struct json_object *vm_name_to_json(const struct vm *vm)
{
	struct json_object *obj;

	if (!vm)
		return NULL;
	obj = json_object_new_object();
	json_object_object_add(obj, "pid", json_object_new_int(vm->pid));
	json_object_object_add(obj, "fd", json_object_new_int(vm->fd));
	json_string(obj, "name", vm->name);
	json_string(obj, "path", vm->path);
	return obj;
}

struct json_object *session_to_json(const struct session *session)
{
	struct json_object *obj = json_object_new_object();
	char user[64];

	json_u64(obj, "id", session->id);
	json_string(obj, "kind", session->kind);
	json_object_object_add(obj, "watch", session->watch ?
			       json_object_new_string(session->watch->name) :
			       NULL);
	json_object_object_add(obj, "vm", vm_name_to_json(session->vm));
	json_u64(obj, "client_uid", session->client_uid);
	json_string(obj, "client_user",
		    text_user(session->client_uid, user, sizeof(user)));
	json_object_object_add(obj, "client_pid",
			       json_object_new_int(session->client_pid));
	json_object_object_add(obj, "state", state_to_json(session->state));
	json_u64(obj, "pages", session->pages);
	json_u64(obj, "max_pages", session->max_pages);
	json_u64(obj, "records", session->records);
	json_u64(obj, "unread", session->unread);
	json_u64(obj, "memory_bytes", session->memory_bytes);
	json_object_object_add(obj, "counters",
			       counters_to_json(&session->counters));
	json_string(obj, "path", session->path);
	return obj;
}
