// SPDX-License-Identifier: GPL-2.0-or-later
/* /org/wtrack1/session/ID */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "end.h"
#include "inspect.h"
#include "log.h"
#include "manager.h"
#include "session.h"
#include "util.h"
#include "viewer.h"
#include "vm.h"

#define INTERFACE	BUS_NAME ".Session"

static int get_vm(sd_bus *bus, const char *path, const char *interface,
		  const char *property, sd_bus_message *reply, void *userdata,
		  sd_bus_error *error)
{
	const struct session *session = userdata;

	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	return sd_bus_message_append(reply, "o",
				     session->vm ? session->vm->path : "/");
}

static int get_identity(sd_bus *bus, const char *path, const char *interface,
			const char *property, sd_bus_message *reply,
			void *userdata, sd_bus_error *error)
{
	const struct session *session = userdata;

	(void)bus;
	(void)path;
	(void)interface;
	(void)error;
	if (!strcmp(property, "Kind"))
		return sd_bus_message_append(reply, "s",
					     session_kind_name(session->kind));
	if (!strcmp(property, "ClientUid"))
		return sd_bus_message_append(reply, "u",
					     (uint32_t)session->uid);
	return sd_bus_message_append(reply, "i", (int32_t)session->pid);
}

struct counter {
	const char *name;
	char type;
	size_t offset;
};

#define COUNTER(name, type, field) \
	{ name, type, offsetof(struct session_counters, field) }

static const struct counter counters[] = {
	COUNTER("State", 'u', state),
	COUNTER("Records", 'u', records),
	COUNTER("Unread", 'u', unread),
	COUNTER("Pages", 't', pages),
	COUNTER("Events", 't', events),
	COUNTER("Merged", 't', merged),
	COUNTER("Overflows", 't', overflows),
	COUNTER("ResyncWrites", 't', resync_writes),
	COUNTER("RegionsRemoved", 't', regions_removed),
	COUNTER("Wakeups", 't', wakeups),
	COUNTER("MemoryBytes", 't', memory_bytes),
	COUNTER("Disarms", 't', disarms),
	COUNTER("OverBudget", 't', over_budget),
	COUNTER("Rearms", 't', rearms),
	COUNTER("Unreported", 't', unreported),
};

static int get_counter(sd_bus *bus, const char *path, const char *interface,
		       const char *property, sd_bus_message *reply,
		       void *userdata, sd_bus_error *error)
{
	struct session *session = userdata;
	const struct session_counters *values;
	size_t i;

	(void)bus;
	(void)path;
	(void)interface;
	(void)error;
	sessions_refresh(session->manager);
	values = session_counters(session, viewer_sees_session(session));
	for (i = 0; i < ARRAY_SIZE(counters); i++)
		if (!strcmp(counters[i].name, property))
			return sd_bus_message_append_basic(
				reply, counters[i].type,
				(const char *)values + counters[i].offset);
	return -ENOENT;
}

static int method_list_ranges(sd_bus_message *call, void *userdata,
			      sd_bus_error *error)
{
	return inspect_method(userdata, call, error);
}

static int method_end(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
	return end_method(userdata, call, error);
}

#define CHANGES	SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CONST	SD_BUS_VTABLE_PROPERTY_CONST
#define COUNTS(name, type) SD_BUS_PROPERTY(name, type, get_counter, 0, 0)

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Id", "t", NULL, offsetof(struct session, id), CONST),
	SD_BUS_PROPERTY("Vm", "o", get_vm, 0, CHANGES),
	SD_BUS_PROPERTY("Kind", "s", get_identity, 0, CONST),
	SD_BUS_PROPERTY("ClientUid", "u", get_identity, 0, CONST),
	SD_BUS_PROPERTY("ClientPid", "i", get_identity, 0, CONST),
	SD_BUS_PROPERTY("MaxPages", "t", NULL,
			offsetof(struct session, max_pages), CONST),
	COUNTS("State", "u"),
	COUNTS("Records", "u"),
	COUNTS("Unread", "u"),
	COUNTS("Pages", "t"),
	COUNTS("Events", "t"),
	COUNTS("Merged", "t"),
	COUNTS("Overflows", "t"),
	COUNTS("ResyncWrites", "t"),
	COUNTS("RegionsRemoved", "t"),
	COUNTS("Wakeups", "t"),
	COUNTS("MemoryBytes", "t"),
	COUNTS("Disarms", "t"),
	COUNTS("OverBudget", "t"),
	COUNTS("Rearms", "t"),
	COUNTS("Unreported", "t"),
	SD_BUS_METHOD_WITH_ARGS("ListRanges", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("a(tt)", ranges),
				method_list_ranges,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("End", "", "", method_end, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END
};

int bus_session_add(struct session *session)
{
	struct manager *m = session->manager;
	int r;

	r = sd_bus_add_object_vtable(m->bus, &session->slot, session->path,
				     INTERFACE, vtable, session);
	if (r < 0)
		return r;
	(void)sd_bus_emit_object_added(m->bus, session->path);
	bus_manager_signal(m, "SessionAdded", session->path);
	return 0;
}

void bus_session_remove(struct session *session)
{
	struct manager *m = session->manager;

	if (!session->slot)
		return;
	(void)sd_bus_emit_object_removed(m->bus, session->path);
	session->slot = sd_bus_slot_unref(session->slot);
	bus_manager_signal(m, "SessionRemoved", session->path);
}

void bus_session_changed(struct session *session, const char *property, ...)
{
	va_list args;

	if (!session->slot)
		return;
	va_start(args, property);
	bus_changed(session->manager->bus, session->path, INTERFACE, property,
		    args);
	va_end(args);
}
