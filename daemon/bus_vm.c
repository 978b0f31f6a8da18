// SPDX-License-Identifier: GPL-2.0-or-later
/* /org/wtrack1/vm/PID_FD */
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "log.h"
#include "manager.h"
#include "session.h"
#include "viewer.h"
#include "utf8.h"
#include "vm.h"

#define INTERFACE	BUS_NAME ".VM"

#define GETTER(name) \
	static int name(sd_bus *bus, const char *path, const char *interface, \
			const char *property, sd_bus_message *reply, \
			void *userdata, sd_bus_error *error)
#define UNUSED_BUT_PROPERTY() \
	do { \
		(void)bus; \
		(void)path; \
		(void)interface; \
		(void)error; \
	} while (0)

GETTER(get_number)
{
	const struct vm *vm = userdata;
	struct process *process = vm->process;

	UNUSED_BUT_PROPERTY();
	if (!strcmp(property, "Uid"))
		process_check_user(process);
	if (!strcmp(property, "Pid"))
		return sd_bus_message_append(reply, "i", (int32_t)process->pid);
	if (!strcmp(property, "Fd"))
		return sd_bus_message_append(reply, "i", (int32_t)vm->fd);
	if (!strcmp(property, "Uid"))
		return sd_bus_message_append(reply, "u",
					     (uint32_t)process->info.ids.uid);
	return sd_bus_message_append(reply, "b", (int)vm->gone);
}

static const char *text_of(const struct vm *vm, const char *property)
{
	if (!strcmp(property, "Machine"))
		return vm->process->machine;
	if (!strcmp(property, "QemuName"))
		return vm->process->info.qemu_name;
	if (!strcmp(property, "Comm"))
		return vm->process->info.comm;
	return vm_name(vm);
}

GETTER(get_text)
{
	UNUSED_BUT_PROPERTY();
	return sd_bus_message_append(reply, "s", text_of(userdata, property));
}

/* A cgroup may be named by a user, and be no UTF-8. */
GETTER(get_cgroup)
{
	const struct vm *vm = userdata;
	char *clean;
	int r;

	UNUSED_BUT_PROPERTY();
	(void)property;
	r = utf8_clean(vm->process->info.cgroup,
		       strlen(vm->process->info.cgroup), &clean);
	if (r < 0)
		return r;
	r = sd_bus_message_append(reply, "s", clean);
	free(clean);
	return r;
}

GETTER(get_sessions)
{
	const struct vm *vm = userdata;
	const struct session *session;
	int r;

	UNUSED_BUT_PROPERTY();
	(void)property;
	r = sd_bus_message_open_container(reply, 'a', "o");
	LIST_FOREACH(session, &vm->manager->sessions, link)
		if (r >= 0 && session->vm == vm)
			r = sd_bus_message_append(reply, "o", session->path);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

/* The VM's own, and that of all of its sessions. */
static uint64_t memory_bytes(const struct vm *vm,
			     const struct vm_counters *counters, bool fresh)
{
	uint64_t sum = counters->memory_bytes;
	struct session *session;

	LIST_FOREACH(session, &vm->manager->sessions, link)
		if (session->vm == vm)
			sum += session_counters(session, fresh)->memory_bytes;
	return sum;
}

GETTER(get_counter)
{
	const struct vm_counters *counters;
	struct vm *vm = userdata;
	uint64_t value;
	bool fresh;

	UNUSED_BUT_PROPERTY();
	sessions_refresh(vm->manager);
	fresh = viewer_sees_vm(vm);
	counters = fresh ? &vm->counters : &vm->coarse;
	if (!strcmp(property, "Pages"))
		value = counters->pages;
	else if (!strcmp(property, "Writes"))
		value = counters->writes;
	else
		value = memory_bytes(vm, counters, fresh);
	return sd_bus_message_append(reply, "t", value);
}

#define CHANGES	SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CONST	SD_BUS_VTABLE_PROPERTY_CONST

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Pid", "i", get_number, 0, CONST),
	SD_BUS_PROPERTY("Fd", "i", get_number, 0, CONST),
	SD_BUS_PROPERTY("Uid", "u", get_number, 0, CHANGES),
	SD_BUS_PROPERTY("Name", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Machine", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("QemuName", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("Cgroup", "s", get_cgroup, 0, CHANGES),
	SD_BUS_PROPERTY("Comm", "s", get_text, 0, CHANGES),
	SD_BUS_PROPERTY("VmId", "t", NULL, offsetof(struct vm, module_id),
			CHANGES),
	SD_BUS_PROPERTY("Sessions", "ao", get_sessions, 0, CHANGES),
	SD_BUS_PROPERTY("Pages", "t", get_counter, 0, 0),
	SD_BUS_PROPERTY("Writes", "t", get_counter, 0, 0),
	SD_BUS_PROPERTY("MemoryBytes", "t", get_counter, 0, 0),
	SD_BUS_PROPERTY("Gone", "b", get_number, 0, CHANGES),
	SD_BUS_VTABLE_END
};

int bus_vm_add(struct vm *vm)
{
	struct manager *m = vm->manager;
	int r;

	r = sd_bus_add_object_vtable(m->bus, &vm->slot, vm->path, INTERFACE,
				     vtable, vm);
	if (r < 0)
		return r;
	(void)sd_bus_emit_object_added(m->bus, vm->path);
	bus_manager_signal(m, "VMAdded", vm->path);
	return 0;
}

void bus_vm_gone(struct vm *vm)
{
	bus_vm_changed(vm, "Gone", NULL);
	bus_manager_signal(vm->manager, "VMRemoved", vm->path);
}

void bus_vm_remove(struct vm *vm)
{
	if (!vm->slot)
		return;
	(void)sd_bus_emit_object_removed(vm->manager->bus, vm->path);
	vm->slot = sd_bus_slot_unref(vm->slot);
}

void bus_vm_changed(struct vm *vm, const char *property, ...)
{
	va_list args;

	if (!vm->slot)
		return;
	va_start(args, property);
	bus_changed(vm->manager->bus, vm->path, INTERFACE, property, args);
	va_end(args);
}
