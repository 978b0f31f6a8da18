// SPDX-License-Identifier: GPL-2.0-or-later
/* /org/wtrack1 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "log.h"
#include "manager.h"
#include "open.h"
#include "open_options.h"
#include "polkit.h"
#include "request.h"
#include "session.h"
#include "util.h"
#include "viewer.h"
#include "vm.h"

#define INTERFACE	BUS_NAME ".Manager"
#define MAX_CHANGED	8

static char **bus_names(const char *first, va_list args)
{
	char **names = calloc(MAX_CHANGED + 1, sizeof(*names));
	size_t n = 0;

	for (; names && first && n < MAX_CHANGED;
	     first = va_arg(args, const char *))
		names[n++] = (char *)first;
	return names;
}

void bus_changed(sd_bus *bus, const char *path, const char *interface,
		 const char *first, va_list args)
{
	CLEANUP(free_p) char **names = bus_names(first, args);
	int r;

	r = names ? sd_bus_emit_properties_changed_strv(bus, path, interface,
							names) : -ENOMEM;
	if (r < 0)
		log_debug("%s: change not told: %s", path, strerror(-r));
}

void bus_manager_changed(struct manager *m, const char *property, ...)
{
	va_list args;

	va_start(args, property);
	bus_changed(m->bus, BUS_PATH, INTERFACE, property, args);
	va_end(args);
}

void bus_manager_signal(struct manager *m, const char *signal,
			const char *path)
{
	int r = sd_bus_emit_signal(m->bus, BUS_PATH, INTERFACE, signal, "o",
				   path);

	if (r < 0)
		log_debug("%s %s not told: %s", signal, path, strerror(-r));
}

static int method_open_session(sd_bus_message *call, void *userdata,
			       sd_bus_error *error)
{
	return open_method(userdata, call, error);
}

static void find_found(struct request *request)
{
	request_reply(request, "o", request->vm->path);
}

static void find_called(struct request *request)
{
	request_find_vm(request, find_found);
}

static int method_find_vm(sd_bus_message *call, void *userdata,
			  sd_bus_error *error)
{
	return request_begin(userdata, call, open_options_read_vm, find_called, error);
}

static int append_vm(sd_bus_message *reply, const struct vm *vm)
{
	return sd_bus_message_append(reply, "(oiiust)", vm->path,
				     (int32_t)vm->process->pid,
				     (int32_t)vm->fd,
				     (uint32_t)vm->process->info.ids.uid,
				     vm_name(vm), (uint64_t)vm->nr_sessions);
}

static int method_list_vms(sd_bus_message *call, void *userdata,
			   sd_bus_error *error)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct manager *m = userdata;
	struct vm *vm;
	int r;

	(void)error;
	processes_check_users(m);
	r = sd_bus_message_new_method_return(call, &reply);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(oiiust)");
	LIST_FOREACH(vm, &m->vms, link)
		if (r >= 0 && !vm->gone)
			r = append_vm(reply, vm);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_message_send(reply);
}

static int append_session(sd_bus_message *reply, struct session *session)
{
	const struct session_counters *counters =
		session_counters(session, viewer_sees_session(session));

	return sd_bus_message_append(reply, "(touist)", session->id,
				     session->vm ? session->vm->path : "/",
				     (uint32_t)session->uid,
				     (int32_t)session->pid,
				     session_kind_name(session->kind),
				     counters->pages);
}

static int method_list_sessions(sd_bus_message *call, void *userdata,
				sd_bus_error *error)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
	struct manager *m = userdata;
	struct session *session;
	int r;

	(void)error;
	sessions_refresh(m);
	r = sd_bus_message_new_method_return(call, &reply);
	if (r >= 0)
		r = sd_bus_message_open_container(reply, 'a', "(touist)");
	LIST_FOREACH(session, &m->sessions, link)
		if (r >= 0)
			r = append_session(reply, session);
	if (r >= 0)
		r = sd_bus_message_close_container(reply);
	return r < 0 ? r : sd_bus_message_send(reply);
}

static void reload_permitted(struct request *request)
{
	int r = manager_reload(request->manager);

	if (r < 0)
		request_fail(request, RULE_BUSY, SD_BUS_ERROR_FAILED,
			     "the configuration could not be read: %s",
			     request->manager->problems.nr_of_config ?
			     request->manager->problems.of_config[0] :
			     strerror(-r));
	else
		request_reply(request, "");
}

static void reload_called(struct request *request)
{
	if (request->caller.uid)
		request_authorize(request, ACTION_MANAGE, NULL,
				  "the caller is not root", reload_permitted);
	else
		reload_permitted(request);
}

static int method_reload(sd_bus_message *call, void *userdata,
			 sd_bus_error *error)
{
	return request_begin(userdata, call, NULL, reload_called, error);
}

static int get_version(sd_bus *bus, const char *path, const char *interface,
		       const char *property, sd_bus_message *reply,
		       void *userdata, sd_bus_error *error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)userdata;
	(void)error;
	return sd_bus_message_append(reply, "s", WTRACK_VERSION);
}

static int get_module_loaded(sd_bus *bus, const char *path,
			     const char *interface, const char *property,
			     sd_bus_message *reply, void *userdata,
			     sd_bus_error *error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	return sd_bus_message_append(reply, "b",
				     (int)manager_module_loaded(userdata));
}

static int get_count(sd_bus *bus, const char *path, const char *interface,
		     const char *property, sd_bus_message *reply,
		     void *userdata, sd_bus_error *error)
{
	struct manager *m = userdata;

	(void)bus;
	(void)path;
	(void)interface;
	(void)error;
	return sd_bus_message_append(reply, "u", !strcmp(property, "NVMs") ?
				     manager_nr_vms(m) :
				     manager_nr_sessions(m));
}

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
	r = manager_problems(userdata, &list);
	if (r < 0)
		return r;
	r = sd_bus_message_append_strv(reply, list);
	strv_free(list);
	return r;
}

static int get_refusals(sd_bus *bus, const char *path, const char *interface,
			const char *property, sd_bus_message *reply,
			void *userdata, sd_bus_error *error)
{
	const struct manager *m = userdata;
	size_t i;
	int r;

	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)error;
	r = sd_bus_message_open_container(reply, 'a', "{st}");
	for (i = 0; r >= 0 && i < NR_RULES; i++)
		r = sd_bus_message_append(reply, "{st}",
					  rule_name((enum rule)i),
					  m->refusals[i]);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

#define CHANGES	SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD_WITH_ARGS("OpenSession",
				SD_BUS_ARGS("s", vm, "a{sv}", options),
				SD_BUS_RESULT("h", session, "t", session_id,
					      "o", vm_path, "b", attached,
					      "h", vmm, "i", vm_fd),
				method_open_session,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("FindVM", SD_BUS_ARGS("s", vm),
				SD_BUS_RESULT("o", vm_path), method_find_vm,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListVMs", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("a(oiiust)", vms),
				method_list_vms, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("ListSessions", SD_BUS_NO_ARGS,
				SD_BUS_RESULT("a(touist)", sessions),
				method_list_sessions,
				SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD_WITH_ARGS("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT,
				method_reload, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", get_version, 0,
			SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_PROPERTY("ModuleLoaded", "b", get_module_loaded, 0, CHANGES),
	SD_BUS_PROPERTY("Features", "t", NULL,
			offsetof(struct manager, features), CHANGES),
	SD_BUS_PROPERTY("NVMs", "u", get_count, 0, CHANGES),
	SD_BUS_PROPERTY("NSessions", "u", get_count, 0, CHANGES),
	SD_BUS_PROPERTY("Problems", "as", get_problems, 0, CHANGES),
	SD_BUS_PROPERTY("Refusals", "a{st}", get_refusals, 0, 0),
	SD_BUS_SIGNAL_WITH_ARGS("VMAdded", SD_BUS_ARGS("o", vm), 0),
	SD_BUS_SIGNAL_WITH_ARGS("VMRemoved", SD_BUS_ARGS("o", vm), 0),
	SD_BUS_SIGNAL_WITH_ARGS("SessionAdded", SD_BUS_ARGS("o", session), 0),
	SD_BUS_SIGNAL_WITH_ARGS("SessionRemoved", SD_BUS_ARGS("o", session), 0),
	SD_BUS_VTABLE_END
};

int bus_manager_add(struct manager *m)
{
	int r;

	r = sd_bus_add_object_manager(m->bus, NULL, BUS_PATH);
	if (r < 0)
		return r;
	return sd_bus_add_object_vtable(m->bus, NULL, BUS_PATH, INTERFACE,
					vtable, m);
}
