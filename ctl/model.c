// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wtrack/status.h>

#include "bus.h"
#include "json.h"
#include "mem.h"
#include "model.h"

/* Where a property goes: its type as in D-Bus, the place in the struct. */
struct property {
	const char *name;
	char type;
	size_t offset;
};

#define VM_PROPERTY(name, type, field) \
	{ name, type, offsetof(struct vm, field) }
static const struct property vm_properties[] = {
	VM_PROPERTY("Pid", 'i', pid),
	VM_PROPERTY("Fd", 'i', fd),
	VM_PROPERTY("Uid", 'u', uid),
	VM_PROPERTY("Name", 's', name),
	VM_PROPERTY("Machine", 's', machine),
	VM_PROPERTY("QemuName", 's', qemu_name),
	VM_PROPERTY("Cgroup", 's', cgroup),
	VM_PROPERTY("Comm", 's', comm),
	VM_PROPERTY("VmId", 't', vm_id),
	VM_PROPERTY("Pages", 't', pages),
	VM_PROPERTY("MemoryBytes", 't', memory_bytes),
	VM_PROPERTY("Gone", 'b', gone),
	{ 0 }
};

#define SESSION_PROPERTY(name, type, field) \
	{ name, type, offsetof(struct session, field) }
static const struct property session_properties[] = {
	SESSION_PROPERTY("Id", 't', id),
	SESSION_PROPERTY("Vm", 'o', vm_path),
	SESSION_PROPERTY("Kind", 's', kind),
	SESSION_PROPERTY("ClientUid", 'u', client_uid),
	SESSION_PROPERTY("ClientPid", 'i', client_pid),
	SESSION_PROPERTY("State", 'u', state),
	SESSION_PROPERTY("Pages", 't', pages),
	SESSION_PROPERTY("MaxPages", 't', max_pages),
	SESSION_PROPERTY("Records", 'u', records),
	SESSION_PROPERTY("Unread", 'u', unread),
	SESSION_PROPERTY("MemoryBytes", 't', memory_bytes),
	SESSION_PROPERTY("Events", 't', counters.events),
	SESSION_PROPERTY("Merged", 't', counters.merged),
	SESSION_PROPERTY("Overflows", 't', counters.overflows),
	SESSION_PROPERTY("ResyncWrites", 't', counters.resync_writes),
	SESSION_PROPERTY("RegionsRemoved", 't', counters.regions_removed),
	SESSION_PROPERTY("Wakeups", 't', counters.wakeups),
	SESSION_PROPERTY("Disarms", 't', counters.disarms),
	SESSION_PROPERTY("OverBudget", 't', counters.over_budget),
	SESSION_PROPERTY("Rearms", 't', counters.rearms),
	SESSION_PROPERTY("Unreported", 't', counters.unreported),
	{ 0 }
};

#define WATCH_PROPERTY(name, type, field) \
	{ name, type, offsetof(struct watch, field) }
static const struct property watch_properties[] = {
	WATCH_PROPERTY("Name", 's', name),
	WATCH_PROPERTY("Path", 's', file),
	WATCH_PROPERTY("Events", 't', events),
	WATCH_PROPERTY("Suppressed", 't', suppressed),
	WATCH_PROPERTY("Active", 'b', active),
	{ 0 }
};

static bool is_string(char type)
{
	return type == 's' || type == 'o';
}

static const struct property *find(const struct property *properties,
				   const char *name)
{
	for (; properties->name; properties++)
		if (!strcmp(properties->name, name))
			return properties;
	return NULL;
}

/* Reads a basic value of that type to its place. */
static int read_value(sd_bus_message *m, const struct property *property,
		      void *object)
{
	void *place = (char *)object + property->offset;
	const char *text;
	int r, flag;

	if (is_string(property->type)) {
		r = sd_bus_message_read_basic(m, property->type, &text);
		if (r > 0) {
			free(*(char **)place);
			*(char **)place = mem_strdup(text);
		}
		return r;
	}
	if (property->type != 'b')
		return sd_bus_message_read_basic(m, property->type, place);
	r = sd_bus_message_read_basic(m, 'b', &flag);
	if (r > 0)
		*(bool *)place = flag;
	return r;
}

/* One entry of a{sv}; what is not known, or of another type, is skipped. */
static int read_property(sd_bus_message *m, const struct property *properties,
			 void *object)
{
	const struct property *property;
	const char *name, *contents;
	int r;

	r = sd_bus_message_read_basic(m, 's', &name);
	if (r < 0)
		return r;
	r = sd_bus_message_peek_type(m, NULL, &contents);
	if (r < 0)
		return r;
	property = find(properties, name);
	if (!property || contents[0] != property->type || contents[1])
		return sd_bus_message_skip(m, "v");
	r = sd_bus_message_enter_container(m, 'v', contents);
	if (r >= 0)
		r = read_value(m, property, object);
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_properties(sd_bus_message *m, const struct property *properties,
			   void *object)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{sv}");
	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'e', "sv");
		if (r <= 0)
			break;
		r = read_property(m, properties, object);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* The lists that may be of any of the three kinds of objects. */
struct kind {
	const char *interface;
	const struct property *properties;
	size_t size;
	size_t array;		/* offset in struct model, the pointer */
	size_t nr;		/* and the number */
};

#define KIND(interface_, type, properties_, array_)			\
	{ .interface = interface_, .properties = properties_,		\
	  .size = sizeof(struct type),					\
	  .array = offsetof(struct model, array_),			\
	  .nr = offsetof(struct model, nr_##array_) }
static const struct kind kinds[] = {
	KIND(BUS_VM, vm, vm_properties, vms),
	KIND(BUS_SESSION, session, session_properties, sessions),
	KIND(BUS_WATCH, watch, watch_properties, watches),
};
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Their first field is the path. */
static void *add_object(struct model *model, const struct kind *kind,
			const char *path)
{
	void **array = (void **)((char *)model + kind->array);
	size_t *nr = (size_t *)((char *)model + kind->nr);
	const struct property *property;
	char *object;

	*array = mem_grow(*array, *nr, kind->size);
	object = (char *)*array + (*nr)++ * kind->size;
	memset(object, 0, kind->size);
	*(char **)object = mem_strdup(path);
	for (property = kind->properties; property->name; property++)
		if (is_string(property->type))
			*(char **)(object + property->offset) = mem_strdup("");
	return object;
}

static int read_interface(sd_bus_message *m, const char *path,
			  struct model *model)
{
	const char *interface;
	size_t i;
	int r;

	r = sd_bus_message_read_basic(m, 's', &interface);
	if (r < 0)
		return r;
	for (i = 0; i < NR_KINDS; i++)
		if (!strcmp(interface, kinds[i].interface))
			return read_properties(m, kinds[i].properties,
					add_object(model, &kinds[i], path));
	return sd_bus_message_skip(m, "a{sv}");
}

static int read_object(sd_bus_message *m, struct model *model)
{
	const char *path;
	int r;

	r = sd_bus_message_read_basic(m, 'o', &path);
	if (r >= 0)
		r = sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'e', "sa{sv}");
		if (r <= 0)
			break;
		r = read_interface(m, path, model);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_objects(sd_bus_message *m, struct model *model)
{
	int r;

	r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
	while (r >= 0) {
		r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}");
		if (r <= 0)
			break;
		r = read_object(m, model);
		if (r >= 0)
			r = sd_bus_message_exit_container(m);
	}
	return r;
}

static int by_pid(const void *a, const void *b)
{
	const struct vm *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->fd > y->fd) - (x->fd < y->fd);
}

static int by_id(const void *a, const void *b)
{
	const struct session *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int by_name(const void *a, const void *b)
{
	const struct watch *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void link_objects(struct model *model)
{
	size_t i, j;

	if (model->nr_vms)
		qsort(model->vms, model->nr_vms, sizeof(*model->vms), by_pid);
	if (model->nr_sessions)
		qsort(model->sessions, model->nr_sessions,
		      sizeof(*model->sessions), by_id);
	if (model->nr_watches)
		qsort(model->watches, model->nr_watches,
		      sizeof(*model->watches), by_name);
	for (i = 0; i < model->nr_sessions; i++) {
		for (j = 0; j < model->nr_vms; j++) {
			if (strcmp(model->sessions[i].vm_path,
				   model->vms[j].path))
				continue;
			model->sessions[i].vm = &model->vms[j];
			model->vms[j].nr_sessions++;
		}
	}
}

static int load(struct ctl *ctl, struct model *ret, sd_bus_error *error)
{
	struct model model = { 0 };
	sd_bus_message *reply = NULL;
	int r;

	r = bus_call(ctl, BUS_PATH, "org.freedesktop.DBus.ObjectManager",
		     "GetManagedObjects", error, &reply, NULL);
	if (r < 0)
		return r;
	r = read_objects(reply, &model);
	sd_bus_message_unref(reply);
	if (r < 0) {
		model_free(&model);
		return -EBADMSG;
	}
	link_objects(&model);
	*ret = model;
	return 0;
}

int model_load(struct ctl *ctl, struct model *ret)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = load(ctl, ret, &error);

	if (r == -EBADMSG && !error.name)
		return bus_fail_answer(ctl, r);
	return r < 0 ? bus_fail(ctl, r, &error, NULL) : 0;
}

int model_try(struct ctl *ctl, struct model *ret)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = load(ctl, ret, &error);

	sd_bus_error_free(&error);
	return r;
}

static void free_objects(const struct kind *kind, struct model *model)
{
	char *array = *(void **)((char *)model + kind->array);
	size_t nr = *(size_t *)((char *)model + kind->nr);
	const struct property *property;
	size_t i;

	for (i = 0; i < nr; i++) {
		free(*(char **)(array + i * kind->size));
		for (property = kind->properties; property->name; property++)
			if (is_string(property->type))
				free(*(char **)(array + i * kind->size +
						property->offset));
	}
	free(array);
}

void model_free(struct model *model)
{
	size_t i;

	for (i = 0; i < NR_KINDS; i++)
		free_objects(&kinds[i], model);
	*model = (struct model) { 0 };
}

const struct vm *model_vm(const struct model *model, const char *path)
{
	size_t i;

	for (i = 0; i < model->nr_vms; i++)
		if (!strcmp(model->vms[i].path, path))
			return &model->vms[i];
	return NULL;
}
