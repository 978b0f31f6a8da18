// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "genl.h"
#include "log.h"
#include "manager.h"
#include "message-ids.h"
#include "session.h"
#include "state.h"
#include "util.h"
#include "vm.h"

const char *session_kind_name(enum session_kind kind)
{
	static const char *const names[] = {
		[SESSION_DIRECT] = "direct",
		[SESSION_CLIENT] = "client",
		[SESSION_WATCH] = "watch",
	};

	return names[kind];
}

enum session_kind session_kind_of(const struct manager *m, uid_t uid)
{
	return manager_is_watch_user(m, uid) ? SESSION_WATCH : SESSION_CLIENT;
}

struct session *session_find(struct manager *m, uint64_t id)
{
	struct session *session;

	LIST_FOREACH(session, &m->sessions, link)
		if (session->id == id)
			return session;
	return NULL;
}

/* The module forgets a VM with its last session, and numbers it anew. */
static void leave_vm(struct vm *vm)
{
	if (!--vm->nr_sessions) {
		vm->module_id = 0;
		vm->counters = vm->coarse = (struct vm_counters) { 0 };
	}
	bus_vm_changed(vm, "Sessions", "VmId", NULL);
	vm_release(vm);
}

void session_set_vm(struct session *session, struct vm *vm)
{
	struct vm *old = session->vm;

	if (old == vm)
		return;
	session->vm = vm;
	if (vm) {
		vm->nr_sessions++;
		if (session->module_vm_id)
			vm->module_id = session->module_vm_id;
		bus_vm_changed(vm, "Sessions", "VmId", NULL);
	}
	if (old)
		leave_vm(old);
	if (session->slot)
		bus_session_changed(session, "Vm", NULL);
}

/* The only one of its process that the module knows by no other number. */
static struct vm *only_candidate(const struct session *session)
{
	struct manager *m = session->manager;
	struct vm *vm = vm_of_pid(m, session->vm_pid, NULL), *found = NULL;

	for (; vm; vm = vm_of_pid(m, session->vm_pid, vm)) {
		if (vm->module_id)
			continue;
		if (found)
			return NULL;
		found = vm;
	}
	return found;
}

/* A process may have the number of the VMM of a VM that is gone. */
static void find_vm(struct session *session)
{
	struct manager *m = session->manager;
	struct vm *vm;

	if (session->vm || !session->module_vm_id)
		return;
	vm = vm_by_module_id(m, session->module_vm_id);
	if (!vm && (session->counters.state & WTRACK_STATE_VM_GONE))
		return;
	if (!vm)
		vm = session->vm_fd >= 0 ?
		     vm_find(m, session->vm_pid, session->vm_fd) :
		     only_candidate(session);
	if (vm)
		session_set_vm(session, vm);
}

void sessions_process_scanned(struct manager *m, pid_t pid)
{
	struct session *session;

	LIST_FOREACH(session, &m->sessions, link)
		if (session->vm_pid == pid)
			find_vm(session);
}

static void log_session(const char *id, const struct session *session,
			const char *what)
{
	char number[64], pid[64], uid[64];
	const char *const fields[] = { number, pid, uid, NULL };

	if (!log_may(LOG_KIND_SESSIONS, session->uid))
		return;
	snprintf(number, sizeof(number), "WTRACK_SESSION=%ju",
		 (uintmax_t)session->id);
	snprintf(pid, sizeof(pid), "WTRACK_VM_PID=%d", session->vm_pid);
	snprintf(uid, sizeof(uid), "WTRACK_UID=%u", session->uid);
	log_event(LOG_INFO, id, fields,
		  "session %ju of uid %u (pid %d) on the VM of pid %d %s",
		  (uintmax_t)session->id, session->uid, session->pid,
		  session->vm_pid, what);
}

int session_add(struct manager *m, const struct session *fields, struct vm *vm,
		struct session **ret)
{
	struct session *session;
	int r;

	if (session_find(m, fields->id))
		return -EEXIST;
	session = malloc(sizeof(*session));
	if (!session)
		return -ENOMEM;
	*session = *fields;
	session->manager = m;
	session->vm = NULL;
	session->slot = NULL;
	if (asprintf(&session->path, "%s/session/%ju", BUS_PATH,
		     (uintmax_t)session->id) < 0) {
		free(session);
		return -ENOMEM;
	}
	LIST_INSERT_HEAD(&m->sessions, session, link);
	if (vm)
		session_set_vm(session, vm);
	else
		find_vm(session);
	r = bus_session_add(session);
	if (r < 0)
		log_errno(r, "session %ju is not on the bus",
			  (uintmax_t)session->id);
	manager_counts_changed(m);
	if (ret)
		*ret = session;
	return 0;
}

void session_log_opened(struct session *session)
{
	session->logged = true;
	log_session(MESSAGE_SESSION_OPENED, session, "opened");
}

static void session_free(struct session *session)
{
	LIST_REMOVE(session, link);
	sd_bus_slot_unref(session->slot);
	free(session->path);
	free(session);
}

void session_remove(struct session *session)
{
	struct manager *m = session->manager;

	if (session->logged)
		log_session(MESSAGE_SESSION_CLOSED, session, "closed");
	if (session->kind != SESSION_DIRECT)
		(void)state_remove(m->state_dir, session->id);
	if (session->reserved.sessions)
		limits_release(&m->limits, session->uid, &session->reserved);
	bus_session_remove(session);
	session_set_vm(session, NULL);
	session_free(session);
	manager_counts_changed(m);
}

/*
 * A client attaches its session to any VM that the kernel lets it have. Of one
 * process with several VMs it may choose another than it was opened for: then we
 * show the wrong one of two that are the client's all the same.
 */
void session_attached(struct session *session, uint64_t module_vm_id,
		      pid_t vm_pid)
{
	/* A dump may tell of a VM's sessions before it tells of the VM. */
	if (session->module_vm_id == module_vm_id && session->vm_pid)
		return;
	session->module_vm_id = module_vm_id;
	session->counters.state |= WTRACK_STATE_ATTACHED;
	if (session->vm_pid != vm_pid)
		session->vm_fd = -1;
	session->vm_pid = vm_pid;
	find_vm(session);
}

void session_vm_gone(struct session *session)
{
	session->counters.state |= WTRACK_STATE_VM_GONE;
}

#define MAX_TOLD	16

/* Those of watches are left out: wtrack-watch continues with them. */
void sessions_tell_left(struct manager *m)
{
	const struct session *session;
	unsigned int nr = 0;
	char text[1024] = "";
	size_t used = 0;

	LIST_FOREACH(session, &m->sessions, link) {
		if (session->kind == SESSION_WATCH)
			continue;
		if (nr++ < MAX_TOLD)
			used += (size_t)snprintf(
				text + used, sizeof(text) - used,
				"%s%ju of uid %u (pid %d)", used ? ", " : "",
				(uintmax_t)session->id, session->uid,
				session->pid);
	}
	if (!nr)
		return;
	log_event(LOG_NOTICE, MESSAGE_SESSIONS_LEFT, NULL,
		  "%u %s on without wtrackd: %s%s. Each ends when the process "
		  "that holds it closes it or ends; while wtrackd runs, "
		  "`wtrackctl stop` ends it.", nr,
		  nr == 1 ? "session goes" : "sessions go", text,
		  nr > MAX_TOLD ? ", and more" : "");
}

void sessions_free(struct manager *m)
{
	struct session *session;

	while ((session = LIST_FIRST(&m->sessions)))
		session_free(session);
	free(TAKE_PTR(m->module_vms));
}

void sessions_forget_all(struct manager *m)
{
	struct session *session;
	struct vm *vm;

	while ((session = LIST_FIRST(&m->sessions)))
		session_remove(session);
	LIST_FOREACH(vm, &m->vms, link)
		vm->module_id = 0;
	m->nr_module_vms = 0;
}
