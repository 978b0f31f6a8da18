// SPDX-License-Identifier: GPL-2.0-or-later
/* /org/wtrack1/Watches, and below it an object for each watch. */
#include "util.h"
#include "watcher.h"

#define INTERFACE	"org.wtrack1.Watches"

static int get_problems(sd_bus *bus, const char *path, const char *interface,
			const char *property, sd_bus_message *reply,
			void *userdata, sd_bus_error *error)
{
	char **list;
	int r;

	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	r = watcher_problems(userdata, &list);
	if (r < 0)
		return r;
	r = sd_bus_message_append_strv(reply, list);
	strv_free(list);
	return r;
}

#define CHANGES	SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Problems", "as", get_problems, 0, CHANGES),
	SD_BUS_VTABLE_END
};

void bus_problems_changed(struct watcher *w)
{
	(void)sd_bus_emit_properties_changed(w->bus, BUS_PATH, INTERFACE,
					     "Problems", NULL);
}

int bus_start(struct watcher *w)
{
	int r;

	r = sd_bus_add_object_manager(w->bus, NULL, BUS_PATH);
	if (r >= 0)
		r = sd_bus_add_object_vtable(w->bus, NULL, BUS_PATH, INTERFACE,
					     vtable, w);
	return r;
}
