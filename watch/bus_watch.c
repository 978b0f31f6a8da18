// SPDX-License-Identifier: GPL-2.0-or-later
/* /org/wtrack1/Watches/NAME */
#include <stdlib.h>
#include <string.h>

#include "util.h"
#include "watcher.h"

#define INTERFACE	"org.wtrack1.Watch"

/* Of counters for whom they are no concern: they show what a guest does, and when. */
#define COARSE_USEC	(UINT64_C(10) * 1000000)

static void keep_coarse(struct watcher *w)
{
	uint64_t period = now_usec() / COARSE_USEC;
	struct watch *watch;

	if (period == w->coarse_period)
		return;
	w->coarse_period = period;
	LIST_FOREACH(watch, &w->watches, link) {
		watch->coarse_events = __atomic_load_n(&watch->counts->events,
						       __ATOMIC_RELAXED);
		watch->coarse_suppressed =
			__atomic_load_n(&watch->counts->suppressed,
					__ATOMIC_RELAXED);
	}
}

/* Root is the administrator, whose watches they are. */
static bool is_root(sd_bus *bus)
{
	CLEANUP(sd_bus_creds_unrefp) sd_bus_creds *creds = NULL;
	sd_bus_message *message = sd_bus_get_current_message(bus);
	uid_t uid;

	return message && sd_bus_message_is_method_call(message, NULL, NULL) &&
	       sd_bus_query_sender_creds(message, SD_BUS_CREDS_EUID,
					 &creds) >= 0 &&
	       sd_bus_creds_get_euid(creds, &uid) >= 0 && !uid;
}

static int get_text(sd_bus *bus, const char *path, const char *interface,
		    const char *property, sd_bus_message *reply, void *userdata,
		    sd_bus_error *error)
{
	const struct watch *watch = userdata;

	(void)bus;
	(void)path;
	(void)interface;
	(void)error;
	return sd_bus_message_append(reply, "s", !strcmp(property, "Name") ?
				     watch->config->name :
				     watch->config->path);
}

static int get_counter(sd_bus *bus, const char *path, const char *interface,
		       const char *property, sd_bus_message *reply,
		       void *userdata, sd_bus_error *error)
{
	struct watch *watch = userdata;
	bool events = !strcmp(property, "Events");
	uint64_t value;

	(void)path;
	(void)interface;
	(void)error;
	keep_coarse(watch->watcher);
	if (!is_root(bus))
		value = events ? watch->coarse_events :
				 watch->coarse_suppressed;
	else
		value = __atomic_load_n(events ? &watch->counts->events :
						 &watch->counts->suppressed,
					__ATOMIC_RELAXED);
	return sd_bus_message_append(reply, "t", value);
}

struct finding {
	const struct watch *watch;
	const struct vm *vm;
	sd_bus_message *reply;		/* NULL: whether there is one */
	bool found;
};

static bool is_active(const struct report *report, const struct watch *watch)
{
	return report->active && !strcmp(report->name, watch->config->name);
}

static int append_vm(const struct report *report, void *userdata)
{
	struct finding *finding = userdata;

	if (!is_active(report, finding->watch))
		return 0;
	finding->found = true;
	return finding->reply && finding->vm ?
	       sd_bus_message_append(finding->reply, "o", finding->vm->path) :
	       0;
}

static int append_session(const struct report *report, void *userdata)
{
	struct finding *finding = userdata;

	return is_active(report, finding->watch) ?
	       sd_bus_message_append(finding->reply, "t", report->session_id) :
	       0;
}

static int get_vms(sd_bus *bus, const char *path, const char *interface,
		   const char *property, sd_bus_message *reply, void *userdata,
		   sd_bus_error *error)
{
	struct finding finding = { .watch = userdata, .reply = reply };
	struct vm *vm;
	int r;

	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	r = sd_bus_message_open_container(reply, 'a', "o");
	LIST_FOREACH(vm, &finding.watch->watcher->vms, link) {
		finding.vm = vm;
		if (r >= 0 && vm->guest)
			r = guest_each_report(vm->guest, append_vm, &finding);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_sessions(sd_bus *bus, const char *path, const char *interface,
			const char *property, sd_bus_message *reply,
			void *userdata, sd_bus_error *error)
{
	struct finding finding = { .watch = userdata, .reply = reply };
	struct guest *guest;
	int r;

	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	r = sd_bus_message_open_container(reply, 'a', "t");
	LIST_FOREACH(guest, &finding.watch->watcher->guests, link)
		if (r >= 0)
			r = guest_each_report(guest, append_session, &finding);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int get_active(sd_bus *bus, const char *path, const char *interface,
		      const char *property, sd_bus_message *reply,
		      void *userdata, sd_bus_error *error)
{
	struct finding finding = { .watch = userdata };
	struct guest *guest;

	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	LIST_FOREACH(guest, &finding.watch->watcher->guests, link)
		(void)guest_each_report(guest, append_vm, &finding);
	return sd_bus_message_append(reply, "b", (int)finding.found);
}

#define CHANGES	SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CONST	SD_BUS_VTABLE_PROPERTY_CONST

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Name", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("Path", "s", get_text, 0, CONST),
	SD_BUS_PROPERTY("Vms", "ao", get_vms, 0, CHANGES),
	SD_BUS_PROPERTY("Sessions", "at", get_sessions, 0, CHANGES),
	SD_BUS_PROPERTY("Events", "t", get_counter, 0, 0),
	SD_BUS_PROPERTY("Suppressed", "t", get_counter, 0, 0),
	SD_BUS_PROPERTY("Active", "b", get_active, 0, CHANGES),
	SD_BUS_VTABLE_END
};

int bus_watch_add(struct watch *watch)
{
	struct watcher *w = watch->watcher;
	int r;

	r = sd_bus_path_encode(BUS_PATH, watch->config->name, &watch->bus_path);
	if (r >= 0)
		r = sd_bus_add_object_vtable(w->bus, &watch->bus_slot,
					     watch->bus_path, INTERFACE,
					     vtable, watch);
	if (r >= 0)
		(void)sd_bus_emit_object_added(w->bus, watch->bus_path);
	return r;
}

void bus_watch_remove(struct watch *watch)
{
	if (watch->bus_slot)
		(void)sd_bus_emit_object_removed(watch->watcher->bus,
						 watch->bus_path);
	watch->bus_slot = sd_bus_slot_unref(watch->bus_slot);
	free(TAKE_PTR(watch->bus_path));
}

void bus_watches_changed(struct watcher *w)
{
	struct watch *watch;

	LIST_FOREACH(watch, &w->watches, link)
		(void)sd_bus_emit_properties_changed(w->bus, watch->bus_path,
						     INTERFACE, "Vms", "Sessions",
						     "Active", NULL);
}
