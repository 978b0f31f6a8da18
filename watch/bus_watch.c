// SPDX-License-Identifier: GPL-2.0-or-later
/* /org/wtrack1/watch/NAME */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "manager.h"
#include "session.h"
#include "util.h"
#include "viewer.h"
#include "vm.h"
#include "watch.h"

#define INTERFACE	BUS_NAME ".Watch"

static int get_text(sd_bus *bus, const char *path, const char *interface,
		    const char *property, sd_bus_message *reply, void *userdata,
		    sd_bus_error *error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)error;
	return sd_bus_message_append(reply, "s", !strcmp(property, "Name") ?
				     watch_name(userdata) :
				     watch_file(userdata));
}

static int append_vm(struct vm *vm, void *userdata)
{
	return sd_bus_message_append(userdata, "o", vm->path);
}

static int get_vms(sd_bus *bus, const char *path, const char *interface,
		   const char *property, sd_bus_message *reply, void *userdata,
		   sd_bus_error *error)
{
	int r;

	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	r = sd_bus_message_open_container(reply, 'a', "o");
	if (r >= 0)
		r = watch_each_vm(userdata, append_vm, reply);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_counter(sd_bus *bus, const char *path, const char *interface,
		       const char *property, sd_bus_message *reply,
		       void *userdata, sd_bus_error *error)
{
	struct manager *m = watch_manager(userdata);
	bool fresh;

	(void)bus;
	(void)path;
	(void)interface;
	(void)error;
	sessions_refresh(m);
	fresh = viewer_sees_all(m);
	return sd_bus_message_append(reply, "t", !strcmp(property, "Events") ?
				     watch_events(userdata, fresh) :
				     watch_suppressed(userdata, fresh));
}

static int get_active(sd_bus *bus, const char *path, const char *interface,
		      const char *property, sd_bus_message *reply,
		      void *userdata, sd_bus_error *error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	return sd_bus_message_append(reply, "b", (int)watch_active(userdata));
}

#define CHANGES	SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CONST	SD_BUS_VTABLE_PROPERTY_CONST

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Name", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("Path", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("Vms", "ao", get_vms, 0, CHANGES),
	SD_BUS_PROPERTY("Events", "t", get_counter, 0, 0),
	SD_BUS_PROPERTY("Suppressed", "t", get_counter, 0, 0),
	SD_BUS_PROPERTY("Active", "b", get_active, 0, CHANGES),
	SD_BUS_VTABLE_END
};

int bus_watch_add(struct manager *m, struct watch *watch, char **path,
		  sd_bus_slot **slot)
{
	int r;

	r = sd_bus_path_encode(BUS_PATH "/watch", watch_name(watch), path);
	if (r < 0)
		return r;
	r = sd_bus_add_object_vtable(m->bus, slot, *path, INTERFACE, vtable,
				     watch);
	if (r < 0) {
		free(TAKE_PTR(*path));
		return r;
	}
	(void)sd_bus_emit_object_added(m->bus, *path);
	return 0;
}

void bus_watch_changed(struct manager *m, const char *path,
		       const char *property, ...)
{
	va_list args;

	if (!path)
		return;
	va_start(args, property);
	bus_changed(m->bus, path, INTERFACE, property, args);
	va_end(args);
}

void bus_watch_remove(struct manager *m, char **path, sd_bus_slot **slot)
{
	if (*slot && *path)
		(void)sd_bus_emit_object_removed(m->bus, *path);
	*slot = sd_bus_slot_unref(*slot);
	free(TAKE_PTR(*path));
}
