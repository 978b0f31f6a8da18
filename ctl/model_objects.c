// SPDX-License-Identifier: GPL-2.0-or-later
/* VMs, sessions and watches: which property of the bus goes where. */
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "mem.h"
#include "model_internal.h"

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
	VM_PROPERTY("Writes", 't', writes),
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
	WATCH_PROPERTY("Sessions", PROPERTY_IDS, sessions),
	WATCH_PROPERTY("Active", 'b', active),
	{ 0 }
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

const struct kind *model_kind(const char *interface)
{
	size_t i;

	for (i = 0; i < NR_KINDS; i++)
		if (!strcmp(interface, kinds[i].interface))
			return &kinds[i];
	return NULL;
}

bool property_is_string(char type)
{
	return type == 's' || type == 'o';
}

/* Their first field is the path. */
void *model_add(struct model *model, const struct kind *kind, const char *path)
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
		if (property_is_string(property->type))
			*(char **)(object + property->offset) = mem_strdup("");
	return object;
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
			/* Of ids, too, the pointer comes first. */
			if (property_is_string(property->type) ||
			    property->type == PROPERTY_IDS)
				free(*(void **)(array + i * kind->size +
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
