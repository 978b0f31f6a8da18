// SPDX-License-Identifier: GPL-2.0-or-later
/* One watch, and on which VMs it has sessions. */
#include <errno.h>
#include <stdlib.h>

#include "log.h"
#include "manager.h"
#include "vm.h"
#include "watch_set.h"

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

void watch_consider(struct watch *watch, struct vm *vm)
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

void watch_consider_all(struct watch *watch)
{
	struct vm *vm;

	LIST_FOREACH(vm, &watch->watches->manager->vms, link)
		if (!vm->gone)
			watch_consider(watch, vm);
}

int watch_add(struct watches *watches, struct watch_config *config,
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

void watch_free(struct watch *watch)
{
	LIST_REMOVE(watch, link);
	bus_watch_remove(watch->watches->manager, &watch->bus_path,
			 &watch->bus_slot);
	watch_config_free(watch->config);
	free(watch);
}

void watch_leave(struct watch *watch, const char *why)
{
	struct watch_session *session;

	LIST_FOREACH(session, &watch->watches->sessions, link)
		if (session->watch == watch)
			watch_session_leave(session, why);
}

/* Sessions go on, with what is new for them. */
void watch_change(struct watch *watch, struct watch_config *config)
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
