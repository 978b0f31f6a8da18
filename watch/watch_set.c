// SPDX-License-Identifier: GPL-2.0-or-later
/* Which watches there are, and what the daemon tells all of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_files.h"
#include "log.h"
#include "manager.h"
#include "util.h"
#include "vm.h"
#include "watch_set.h"

struct watch *watch_find(struct watches *watches, const char *name)
{
	struct watch *watch;

	LIST_FOREACH(watch, &watches->list, link)
		if (!strcmp(watch->config->name, name))
			return watch;
	return NULL;
}

static void consider_all(struct watches *watches, struct vm *vm)
{
	struct watch *watch;

	LIST_FOREACH(watch, &watches->list, link)
		watch_consider(watch, vm);
}

static bool is_named(const struct watch *watch,
		     struct watch_config *const *configs, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(configs[i]->name, watch->config->name))
			return true;
	return false;
}

static void drop_others(struct watches *watches,
			struct watch_config *const *configs, size_t nr)
{
	struct watch *watch, *next;

	for (watch = LIST_FIRST(&watches->list); watch; watch = next) {
		next = LIST_NEXT(watch, link);
		if (is_named(watch, configs, nr))
			continue;
		watch_leave(watch, "the watch was taken away");
		watch_free(watch);
	}
}

static int load(struct watches *watches)
{
	struct manager *m = watches->manager;
	struct watch_config **configs;
	struct watch *watch;
	char **dirs;
	size_t i, nr;
	int r;

	dirs = config_subdirs(m->config_dirs, "watches.d");
	if (!dirs)
		return -ENOMEM;
	r = watch_configs_load((const char *const *)dirs, &m->config,
			       manager_config_problem, m, &configs, &nr);
	strv_free(dirs);
	if (r < 0)
		return r;
	drop_others(watches, configs, nr);
	for (i = 0; i < nr; i++) {
		watch = watch_find(watches, configs[i]->name);
		r = 0;
		/* It stays as it was, if there was one. */
		if (configs[i]->unreadable)
			continue;
		if (watch && watch_config_equal(watch->config, configs[i]))
			continue;
		if (watch)
			watch_change(watch, configs[i]);
		else
			r = watch_add(watches, configs[i], &watch);
		if (r < 0)
			log_errno(r, "watch %s", configs[i]->name);
		else
			configs[i] = NULL;
	}
	watch_configs_free(configs, nr);
	return 0;
}

static int on_store_max(sd_bus_message *reply, void *userdata,
			sd_bus_error *error)
{
	struct watches *watches = userdata;
	uint32_t max;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL) ||
	    sd_bus_message_read(reply, "v", "u", &max) < 0)
		log_notice("the service manager does not say how many sessions "
			   "of watches it keeps");
	else
		watches->store_max = max;
	watches->store_call = sd_bus_slot_unref(watches->store_call);
	return 0;
}

/* The answer comes before the first VM does: that takes another turn. */
static void ask_store_max(struct watches *watches)
{
	watches->store_call = sd_bus_slot_unref(watches->store_call);
	(void)sd_bus_call_method_async(watches->manager->bus,
				       &watches->store_call,
				       "org.freedesktop.systemd1",
				       "/org/freedesktop/systemd1/unit/self",
				       "org.freedesktop.DBus.Properties", "Get",
				       on_store_max, watches, "ss",
				       "org.freedesktop.systemd1.Service",
				       "FileDescriptorStoreMax");
}

int watches_new(struct manager *m, struct watches **ret)
{
	struct watches *watches = calloc(1, sizeof(*watches));
	int r;

	if (!watches)
		return -ENOMEM;
	watches->manager = m;
	watches->store_max = UINT32_MAX;
	ask_store_max(watches);
	journal_init(&watches->journal, JOURNAL_SOCKET);
	r = load(watches);
	if (r == -ENOMEM) {
		watches_free(watches);
		return r;
	}
	/* A folder that cannot be read was reported: there are no watches. */
	watches_take_stored(watches);
	*ret = watches;
	return 0;
}

void watches_free(struct watches *watches)
{
	struct watch_session *session;

	if (!watches)
		return;
	while ((session = LIST_FIRST(&watches->sessions))) {
		(void)watch_tell_suppressed(session);
		watch_session_free(session);
	}
	while (!LIST_EMPTY(&watches->list))
		watch_free(LIST_FIRST(&watches->list));
	sd_bus_slot_unref(watches->store_call);
	watch_drop_source(&watches->journal_io);
	watch_drop_source(&watches->journal_timer);
	watch_drop_source(&watches->adopt_timer);
	journal_close(&watches->journal);
	watch_users_free(watches);
	free(watches);
}

void watches_reload(struct watches *watches)
{
	struct watch *watch;
	int r;

	ask_store_max(watches);
	r = load(watches);
	if (r < 0) {
		log_errno(r, "the watches stay as they were");
		return;
	}
	LIST_FOREACH(watch, &watches->list, link)
		watch_consider_all(watch);
}

/* One process may have several VMs: they have to be known for watch_adopt(). */
void watches_scanned(struct watches *watches)
{
	struct watch *watch;

	if (watches->scanned)
		return;
	watches->scanned = true;
	LIST_FOREACH(watch, &watches->list, link)
		watch_consider_all(watch);
	watches_unblock(watches);
	watches_expire_stored(watches);
}

void watches_vm_added(struct watches *watches, struct vm *vm)
{
	if (watches->scanned)
		consider_all(watches, vm);
}

void watches_vm_changed(struct watches *watches, struct vm *vm)
{
	watches_vm_added(watches, vm);
}

/* A session ends by itself, with what is in its ring. */
void watches_vm_removed(struct watches *watches, struct vm *vm)
{
	struct watch_session *session, *next;

	for (session = LIST_FIRST(&watches->sessions); session;
	     session = next) {
		next = LIST_NEXT(session, link);
		if (session->vm != vm)
			continue;
		session->vm = NULL;
		if (session->state == WATCH_WAITING)
			watch_session_free(session);
	}
}

void watches_module_changed(struct watches *watches)
{
	struct watch_session *session;

	LIST_FOREACH(session, &watches->sessions, link)
		if (session->state == WATCH_WAITING)
			watch_session_open(session);
}
