// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The VMs that wtrackd shows on the bus. Anybody may send a signal to anybody: what
 * does not come from wtrackd's own connection is not looked at.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "util.h"
#include "watcher.h"

#define INTERFACE	WTRACKD_NAME ".VM"
#define PROPERTIES	"org.freedesktop.DBus.Properties"
#define OBJECTS		"org.freedesktop.DBus.ObjectManager"

static struct vm *find_vm(struct watcher *w, const char *path)
{
	struct vm *vm;

	LIST_FOREACH(vm, &w->vms, link)
		if (!strcmp(vm->path, path))
			return vm;
	return NULL;
}

void vm_free(struct vm *vm)
{
	LIST_REMOVE(vm, link);
	free(vm->path);
	free(vm->name);
	free(vm->machine);
	free(vm->qemu_name);
	free(vm->cgroup);
	free(vm);
}

struct vm *vm_new(struct watcher *w, const char *path)
{
	struct vm *vm = calloc(1, sizeof(*vm));

	if (!vm)
		return NULL;
	vm->watcher = w;
	vm->fd = -1;
	LIST_INSERT_HEAD(&w->vms, vm, link);
	if (string_set(&vm->path, path) < 0 || string_set(&vm->name, "") < 0 ||
	    string_set(&vm->machine, "") < 0 ||
	    string_set(&vm->qemu_name, "") < 0 ||
	    string_set(&vm->cgroup, "") < 0) {
		vm_free(vm);
		return NULL;
	}
	return vm;
}

static void drop_vm(struct vm *vm)
{
	vm_give_up(vm);
	vm_free(vm);
}

void vms_forget(struct watcher *w)
{
	while (!LIST_EMPTY(&w->vms))
		drop_vm(LIST_FIRST(&w->vms));
}

static int read_text(sd_bus_message *message, char **text)
{
	const char *value;
	int r = sd_bus_message_read(message, "v", "s", &value);

	return r < 0 ? r : string_set(text, value);
}

static int read_property(sd_bus_message *message, struct vm *vm,
			 const char *name)
{
	int r, gone;

	if (!strcmp(name, "Pid"))
		return sd_bus_message_read(message, "v", "i", &vm->pid);
	if (!strcmp(name, "Fd"))
		return sd_bus_message_read(message, "v", "i", &vm->fd);
	if (!strcmp(name, "Uid"))
		return sd_bus_message_read(message, "v", "u", &vm->uid);
	if (!strcmp(name, "VmId"))
		return sd_bus_message_read(message, "v", "t", &vm->vm_id);
	if (!strcmp(name, "Name"))
		return read_text(message, &vm->name);
	if (!strcmp(name, "Machine"))
		return read_text(message, &vm->machine);
	if (!strcmp(name, "QemuName"))
		return read_text(message, &vm->qemu_name);
	if (!strcmp(name, "Cgroup"))
		return read_text(message, &vm->cgroup);
	if (strcmp(name, "Gone"))
		return sd_bus_message_skip(message, "v");
	r = sd_bus_message_read(message, "v", "b", &gone);
	if (r >= 0 && gone)
		vm->gone = true;
	return r;
}

/* a{sv} */
static int read_properties(sd_bus_message *message, struct vm *vm)
{
	const char *name;
	int r;

	r = sd_bus_message_enter_container(message, 'a', "{sv}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
		r = sd_bus_message_read(message, "s", &name);
		if (r >= 0)
			r = read_property(message, vm, name);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

/* a{sa{sv}}: of the interfaces of an object only that of VMs. */
static int read_interfaces(struct watcher *w, sd_bus_message *message,
			   const char *path, struct vm **ret)
{
	const char *interface;
	int r;

	*ret = NULL;
	r = sd_bus_message_enter_container(message, 'a', "{sa{sv}}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(message, 'e', "sa{sv}")) > 0) {
		r = sd_bus_message_read(message, "s", &interface);
		if (r >= 0 && !strcmp(interface, INTERFACE) && !*ret) {
			*ret = vm_new(w, path);
			r = *ret ? read_properties(message, *ret) : -ENOMEM;
		} else if (r >= 0) {
			r = sd_bus_message_skip(message, "a{sv}");
		}
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int bad_message(int r)
{
	if (r < 0 && log_may(LOG_KIND_OTHER, 0))
		log_errno(r, "wtrackd's account of VMs is not understood");
	return 0;
}

static bool is_from_wtrackd(const struct watcher *w, sd_bus_message *message)
{
	const char *sender = sd_bus_message_get_sender(message);

	return sender && *w->wtrackd && !strcmp(sender, w->wtrackd);
}

/* A path that there is already has another VM now. */
static int on_added(sd_bus_message *message, void *userdata,
		    sd_bus_error *error)
{
	struct watcher *w = userdata;
	struct vm *vm = NULL, *before;
	const char *path;
	int r;

	(void)error;
	if (!is_from_wtrackd(w, message))
		return 0;
	r = sd_bus_message_read(message, "o", &path);
	before = r < 0 ? NULL : find_vm(w, path);
	if (r >= 0)
		r = read_interfaces(w, message, path, &vm);
	if (vm && before)
		drop_vm(before);
	if (r < 0 && vm) {
		vm_free(vm);
	} else if (vm) {
		stored_adopt(vm);
		vm_consider(vm, RETRY_NONE);
	}
	return bad_message(r);
}

static int on_removed(sd_bus_message *message, void *userdata,
		      sd_bus_error *error)
{
	struct watcher *w = userdata;
	const char *path;
	struct vm *vm;
	int r;

	(void)error;
	if (!is_from_wtrackd(w, message))
		return 0;
	r = sd_bus_message_read(message, "o", &path);
	vm = r < 0 ? NULL : find_vm(w, path);
	if (vm)
		drop_vm(vm);
	return bad_message(r);
}

/* The module, or its device, has come: what waits for it is tried again. */
static int on_manager_changed(struct watcher *w, sd_bus_message *message)
{
	bool loaded = false;
	const char *name;
	int r, value;

	r = sd_bus_message_enter_container(message, 'a', "{sv}");
	while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e',
							     "sv")) > 0) {
		r = sd_bus_message_read(message, "s", &name);
		if (r >= 0 && !strcmp(name, "ModuleLoaded")) {
			r = sd_bus_message_read(message, "v", "b", &value);
			loaded = r >= 0 && value;
		} else if (r >= 0) {
			r = sd_bus_message_skip(message, "v");
		}
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
	}
	if (loaded)
		vms_consider(w, RETRY_ALL);
	return bad_message(r);
}

static int on_changed(sd_bus_message *message, void *userdata,
		      sd_bus_error *error)
{
	const char *path = sd_bus_message_get_path(message);
	struct watcher *w = userdata;
	const char *interface;
	struct vm *vm;
	int r;

	(void)error;
	if (!is_from_wtrackd(w, message) || !path)
		return 0;
	r = sd_bus_message_read(message, "s", &interface);
	if (r < 0)
		return bad_message(r);
	if (!strcmp(interface, WTRACKD_NAME ".Manager"))
		return on_manager_changed(w, message);
	vm = strcmp(interface, INTERFACE) ? NULL : find_vm(w, path);
	if (!vm)
		return 0;
	r = read_properties(message, vm);
	stored_adopt(vm);
	if (vm->gone)
		vm_give_up(vm);
	else
		vm_consider(vm, RETRY_NONE);
	return bad_message(r);
}

/* a{oa{sa{sv}}} */
static int read_objects(struct watcher *w, sd_bus_message *message)
{
	const char *path;
	struct vm *vm;
	int r;

	r = sd_bus_message_enter_container(message, 'a', "{oa{sa{sv}}}");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_enter_container(message, 'e',
						   "oa{sa{sv}}")) > 0) {
		r = sd_bus_message_read(message, "o", &path);
		if (r >= 0)
			r = read_interfaces(w, message, path, &vm);
		if (r >= 0)
			r = sd_bus_message_exit_container(message);
		if (r < 0)
			return r;
	}
	return r;
}

/* VMs that were known before keep their threads, if they are the same. */
static void keep_guests(struct watcher *w, struct vm_list *before)
{
	struct vm *vm, *old;

	while ((old = LIST_FIRST(before))) {
		vm = find_vm(w, old->path);
		if (vm && !vm->gone && (!vm->vm_id || !old->vm_id ||
					vm->vm_id == old->vm_id)) {
			vm->guest = TAKE_PTR(old->guest);
			if (!vm->vm_id)
				vm->vm_id = old->vm_id;
		}
		drop_vm(old);
	}
}

static void take_list(struct watcher *w, sd_bus_message *reply)
{
	struct vm_list before = LIST_HEAD_INITIALIZER(before);
	struct vm *vm;
	int r;

	while ((vm = LIST_FIRST(&w->vms))) {
		LIST_REMOVE(vm, link);
		LIST_INSERT_HEAD(&before, vm, link);
	}
	r = read_objects(w, reply);
	if (r < 0)
		(void)bad_message(r);
	keep_guests(w, &before);
	w->listed = r >= 0;
	LIST_FOREACH(vm, &w->vms, link)
		stored_adopt(vm);
	vms_consider(w, RETRY_FAILED);
	stored_expire(w);
}

static int on_list(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *failure = sd_bus_message_get_error(reply);
	const char *sender = sd_bus_message_get_sender(reply);
	struct watcher *w = userdata;

	(void)error;
	w->list_call = sd_bus_slot_unref(w->list_call);
	if (failure)
		log_info("wtrackd does not tell its VMs: %s", failure->message);
	else if (sender && string_set(&w->wtrackd, sender) >= 0)
		take_list(w, reply);
	watcher_status_changed(w);
	return 0;
}

/* It is not started for that. */
static int ask_list(struct watcher *w)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	int r;

	w->list_call = sd_bus_slot_unref(w->list_call);
	r = sd_bus_message_new_method_call(w->bus, &call, WTRACKD_NAME,
					   WTRACKD_PATH, OBJECTS,
					   "GetManagedObjects");
	if (r >= 0)
		r = sd_bus_message_set_auto_start(call, false);
	if (r >= 0)
		r = sd_bus_call_async(w->bus, &w->list_call, call, on_list, w,
				      0);
	return r;
}

/* The VMs of a wtrackd that is gone count until another one sends its list. */
static int on_owner(sd_bus_message *message, void *userdata,
		    sd_bus_error *error)
{
	const char *name, *before, *now;
	struct watcher *w = userdata;
	int r;

	(void)error;
	r = sd_bus_message_read(message, "sss", &name, &before, &now);
	if (r >= 0)
		r = string_set(&w->wtrackd, now);
	if (r >= 0 && *now)
		r = ask_list(w);
	if (r < 0)
		log_errno(r, "wtrackd's VMs are not known");
	watcher_status_changed(w);
	return 0;
}

int vms_start(struct watcher *w)
{
	int r;

	r = sd_bus_add_match_async(w->bus, NULL,
			"type='signal',sender='org.freedesktop.DBus',"
			"path='/org/freedesktop/DBus',"
			"interface='org.freedesktop.DBus',"
			"member='NameOwnerChanged',arg0='" WTRACKD_NAME "'",
			on_owner, NULL, w);
	if (r >= 0)
		r = sd_bus_match_signal_async(w->bus, NULL, WTRACKD_NAME,
					      WTRACKD_PATH, OBJECTS,
					      "InterfacesAdded", on_added, NULL,
					      w);
	if (r >= 0)
		r = sd_bus_match_signal_async(w->bus, NULL, WTRACKD_NAME,
					      WTRACKD_PATH, OBJECTS,
					      "InterfacesRemoved", on_removed,
					      NULL, w);
	if (r >= 0)
		r = sd_bus_add_match_async(w->bus, NULL,
			"type='signal',sender='" WTRACKD_NAME "',"
			"path_namespace='" WTRACKD_PATH "',"
			"interface='" PROPERTIES "',"
			"member='PropertiesChanged'", on_changed, NULL, w);
	if (r >= 0)
		r = ask_list(w);
	return r;
}
