// SPDX-License-Identifier: GPL-2.0-or-later
/* Which watches there are, and on which VMs they have sessions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "manager.h"
#include "message-ids.h"
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

static bool watch_wants(const struct watch *watch, const struct vm *vm)
{
	const struct process *process = vm->process;
	const struct watch_subject subject = {
		.machine = process->machine,
		.qemu_name = process->info.qemu_name,
		.cgroup = process->info.cgroup,
		.uid = process->info.ids.uid,
	};

	return watch_match(&watch->config->match, &subject);
}

static struct watch_session *session_on(struct watch *watch,
					const struct vm *vm)
{
	struct watch_session *session;

	LIST_FOREACH(session, &watch->watches->sessions, link)
		if (session->watch == watch && session->vm == vm)
			return session;
	return NULL;
}

static void watch_open_on(struct watch *watch, struct vm *vm)
{
	struct watch_session *session;
	int r;

	r = watch_session_new(watch->watches, watch, watch->config->name,
			      &session);
	if (!r)
		r = watch_session_set_vm(session, vm);
	if (r < 0)
		log_errno(r, "watch %s: VM %d is not watched",
			  watch->config->name, (int)vm->process->pid);
	else
		watch_session_open(session);
}

/* The VM is new, or its names are, or the watch is. */
static void watch_consider(struct watch *watch, struct vm *vm)
{
	struct watch_session *session = session_on(watch, vm);
	bool wanted = watch_wants(watch, vm);

	if (session && wanted)
		(void)watch_session_set_vm(session, vm);
	else if (session)
		watch_session_leave(session, "the VM does not match any more");
	else if (wanted && !watch_adopt(watch, vm))
		watch_open_on(watch, vm);
}

static void consider_all(struct watches *watches, struct vm *vm)
{
	struct watch *watch;

	LIST_FOREACH(watch, &watches->list, link)
		watch_consider(watch, vm);
}

static void watch_consider_all(struct watch *watch)
{
	struct vm *vm;

	LIST_FOREACH(vm, &watch->watches->manager->vms, link)
		if (!vm->gone)
			watch_consider(watch, vm);
}

static int watch_add(struct watches *watches, struct watch_config *config,
		     struct watch **ret)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int r;

	if (!watch)
		return -ENOMEM;
	watch->watches = watches;
	watch->config = config;
	r = bus_watch_add(watches->manager, watch, &watch->bus_path,
			  &watch->bus_slot);
	if (r < 0) {
		free(watch);
		return r;
	}
	LIST_INSERT_HEAD(&watches->list, watch, link);
	*ret = watch;
	return 0;
}

static void watch_free(struct watch *watch)
{
	LIST_REMOVE(watch, link);
	bus_watch_remove(watch->watches->manager, &watch->bus_path,
			 &watch->bus_slot);
	watch_config_free(watch->config);
	free(watch);
}

static void watch_leave(struct watch *watch, const char *why)
{
	struct watch_session *session;

	LIST_FOREACH(session, &watch->watches->sessions, link)
		if (session->watch == watch)
			watch_session_leave(session, why);
}

/* Sessions go on, with what is new for them. */
static void watch_change(struct watch *watch, struct watch_config *config)
{
	struct watch_config *old = watch->config;
	bool same_ring = watch_config_same_ring(old, config);
	struct watch_session *session;
	int r;

	watch->config = config;
	LIST_FOREACH(session, &watch->watches->sessions, link) {
		if (session->watch != watch)
			continue;
		r = same_ring ? watch_session_apply(session) : 0;
		if (!same_ring)
			watch_session_leave(session, "it was changed");
		else if (r < 0)
			watch_session_fail(session, r);
	}
	watch_config_free(old);
}

static void on_report(void *userdata, const char *file, unsigned int line,
		      const char *message)
{
	char file_field[512], line_field[32];
	const char *fields[] = { file_field, line_field, NULL };

	(void)userdata;
	snprintf(file_field, sizeof(file_field), "CONFIG_FILE=%s", file);
	snprintf(line_field, sizeof(line_field), "CONFIG_LINE=%u", line);
	if (line)
		log_event(LOG_WARNING, MESSAGE_CONFIG_PROBLEM, fields,
			  "%s:%u: %s", file, line, message);
	else
		log_event(LOG_WARNING, MESSAGE_CONFIG_PROBLEM, fields, "%s: %s",
			  file, message);
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
			       on_report, NULL, &configs, &nr);
	strv_free(dirs);
	if (r < 0)
		return r;
	drop_others(watches, configs, nr);
	for (i = 0; i < nr; i++) {
		watch = watch_find(watches, configs[i]->name);
		r = 0;
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

int watches_new(struct manager *m, struct watches **ret)
{
	struct watches *watches = calloc(1, sizeof(*watches));
	int r;

	if (!watches)
		return -ENOMEM;
	watches->manager = m;
	journal_init(&watches->journal, JOURNAL_SOCKET);
	r = load(watches);
	if (r < 0) {
		watches_free(watches);
		return r;
	}
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
	watch_drop_source(&watches->journal_io);
	watch_drop_source(&watches->journal_timer);
	watch_drop_source(&watches->adopt_timer);
	journal_close(&watches->journal);
	free(watches);
}

void watches_reload(struct watches *watches)
{
	struct watch *watch;
	int r;

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
