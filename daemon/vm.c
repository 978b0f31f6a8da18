// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "manager.h"
#include "message-ids.h"
#include "pidfd.h"
#include "request.h"
#include "session.h"
#include "utf8.h"
#include "util.h"
#include "vm.h"

const char *vm_name(const struct vm *vm)
{
	return *vm->process->machine ? vm->process->machine :
	       vm->process->info.qemu_name;
}

struct vm *vm_of_pid(struct manager *m, pid_t pid, const struct vm *prev)
{
	struct vm *vm = prev ? LIST_NEXT(prev, link) : LIST_FIRST(&m->vms);

	for (; vm; vm = LIST_NEXT(vm, link))
		if (!vm->gone && vm->process->pid == pid)
			return vm;
	return NULL;
}

struct vm *vm_find(struct manager *m, pid_t pid, int fd)
{
	struct vm *vm = vm_of_pid(m, pid, NULL);

	while (vm && vm->fd != fd)
		vm = vm_of_pid(m, pid, vm);
	return vm;
}

struct vm *vm_by_path(struct manager *m, const char *path)
{
	struct vm *vm;

	LIST_FOREACH(vm, &m->vms, link)
		if (!strcmp(vm->path, path))
			return vm;
	return NULL;
}

struct vm *vm_by_module_id(struct manager *m, uint64_t id)
{
	struct vm *vm;

	LIST_FOREACH(vm, &m->vms, link)
		if (id && vm->module_id == id)
			return vm;
	return NULL;
}

static unsigned int count_of_user(struct manager *m, uid_t uid)
{
	unsigned int nr = 0;
	struct vm *vm;

	LIST_FOREACH(vm, &m->vms, link)
		nr += vm->process->info.ids.uid == uid;
	return nr;
}

static void log_vm(int priority, const char *id, const struct vm *vm,
		   const char *what)
{
	char pid[64], name[UTF8_MAX + 32];
	const char *const fields[] = { pid, name, NULL };

	if (!log_may(LOG_KIND_VMS, vm->process->info.ids.uid))
		return;
	snprintf(pid, sizeof(pid), "WTRACK_VM_PID=%d", vm->process->pid);
	snprintf(name, sizeof(name), "WTRACK_VM_NAME=%s", vm_name(vm));
	log_event(priority, id, fields, "VM of pid %d%s%s%s %s",
		  vm->process->pid, *vm_name(vm) ? " (" : "", vm_name(vm),
		  *vm_name(vm) ? ")" : "", what);
}

/* A new process may have the number of one whose sessions are still open. */
static void clear_path(struct manager *m, const char *path)
{
	struct vm *vm = vm_by_path(m, path);
	struct session *session;

	if (!vm)
		return;
	LIST_FOREACH(session, &m->sessions, link)
		if (session->vm == vm)
			session_set_vm(session, NULL);
}

static void vm_free(struct vm *vm)
{
	LIST_REMOVE(vm, link);
	process_unref(vm->process);
	free(vm->path);
	free(vm);
}

static int vm_new(struct manager *m, struct process *process, int fd,
		  struct vm **ret)
{
	struct vm *vm = calloc(1, sizeof(*vm));
	char *path;

	if (!vm || asprintf(&path, "%s/vm/%d_%d", BUS_PATH, process->pid,
			    fd) < 0) {
		free(vm);
		return -ENOMEM;
	}
	clear_path(m, path);
	*vm = (struct vm) {
		.manager = m,
		.process = process,
		.fd = fd,
		.path = path,
	};
	process->nr_vms++;
	LIST_INSERT_HEAD(&m->vms, vm, link);
	*ret = vm;
	return 0;
}

/* A process without any VM is nothing to keep. */
static void drop_idle(struct process *process)
{
	process->nr_vms++;
	process_unref(process);
}

int vm_add(struct manager *m, struct process *process, int fd)
{
	uid_t uid = process->info.ids.uid;
	struct vm *vm;
	int r;

	r = uid && count_of_user(m, uid) >= VMS_PER_USER ? -EUSERS :
	    vm_new(m, process, fd, &vm);
	if (r < 0) {
		drop_idle(process);
		return r;
	}
	r = bus_vm_add(vm);
	if (r < 0) {
		vm_free(vm);
		return r;
	}
	log_vm(LOG_INFO, MESSAGE_VM_FOUND, vm, "found");
	manager_counts_changed(m);
	return 0;
}

void vms_added(struct manager *m, pid_t pid)
{
	sessions_process_scanned(m, pid);
}

void vm_gone(struct vm *vm)
{
	struct manager *m = vm->manager;

	vm->gone = true;
	log_vm(LOG_INFO, MESSAGE_VM_GONE, vm, "is gone");
	requests_vm_gone(m->requests, vm);
	bus_vm_gone(vm);
	manager_counts_changed(m);
	vm_release(vm);
}

void vm_release(struct vm *vm)
{
	if (!vm->gone || vm->nr_sessions)
		return;
	bus_vm_remove(vm);
	vm_free(vm);
}

void vms_free(struct manager *m)
{
	struct vm *vm;

	while ((vm = LIST_FIRST(&m->vms))) {
		sd_bus_slot_unref(vm->slot);
		vm_free(vm);
	}
}
