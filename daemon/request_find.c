// SPDX-License-Identifier: GPL-2.0-or-later
/* Which VM does a client mean? */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/vm_text.h"
#include "manager.h"
#include "request.h"
#include "scan.h"
#include "util.h"
#include "vm.h"

/* Is it what the client means, by this kind of name? */
typedef bool (*matches_fn)(const struct vm *vm, const struct request *request);

static void found(struct request *request, struct vm *vm)
{
	request->vm = vm;
	request->next(request);
}

static const char *machine_of(const struct vm *vm)
{
	return vm->process->machine;
}

static const char *qemu_name_of(const struct vm *vm)
{
	return vm->process->info.qemu_name;
}

/* Those that match, in words, for who has to choose. */
static void fail_ambiguous(struct request *request, matches_fn matches)
{
	char text[256] = "";
	size_t used = 0;
	struct vm *vm;

	LIST_FOREACH(vm, &request->manager->vms, link)
		if (!vm->gone && matches(vm, request) &&
		    used < sizeof(text))
			used += (size_t)snprintf(text + used,
						 sizeof(text) - used,
						 "%s%d:%d", used ? ", " : "",
						 vm->process->pid, vm->fd);
	request_fail(request, RULE_NO_VM, ERROR_AMBIGUOUS,
		     "%s names several VMs: choose one of %s",
		     request->vm_text, text);
}

static bool matches_pid(const struct vm *vm, const struct request *request)
{
	return vm->process->pid == atoi(request->vm_text);
}

static bool matches_machine(const struct vm *vm, const struct request *request)
{
	return !strcmp(machine_of(vm), request->vm_text);
}

static bool matches_qemu_name(const struct vm *vm,
			      const struct request *request)
{
	return !strcmp(qemu_name_of(vm), request->vm_text);
}

static bool matches_own(const struct vm *vm, const struct request *request)
{
	return vm->process->info.ids.uid == request->caller.uid &&
	       matches_qemu_name(vm, request);
}

/* True when that was the end of it. */
static bool try(struct request *request, matches_fn matches)
{
	struct vm *vm, *match = NULL;
	unsigned int nr = 0;

	LIST_FOREACH(vm, &request->manager->vms, link) {
		if (vm->gone || !matches(vm, request))
			continue;
		match = vm;
		nr++;
	}
	if (nr == 1)
		found(request, match);
	else if (nr > 1)
		fail_ambiguous(request, matches);
	return nr > 0;
}

/*
 * QEMU's name is whatever the VM's user chose: another user's VM must not keep
 * the caller from his own.
 */
static void find_by_name(struct request *request)
{
	processes_check_users(request->manager);
	if (try(request, matches_machine) || try(request, matches_own) ||
	    try(request, matches_qemu_name))
		return;
	request_fail(request, RULE_NO_VM, ERROR_NO_SUCH_VM,
		     "no VM has the process id, machine name or QEMU name %s",
		     request->vm_text);
}

static void find_by_pid(struct request *request, pid_t pid, int fd)
{
	struct vm *vm;

	if (fd < 0) {
		if (!try(request, matches_pid))
			find_by_name(request);
		return;
	}
	vm = vm_find(request->manager, pid, fd);
	if (vm)
		found(request, vm);
	else
		request_fail(request, RULE_NO_VM, ERROR_NO_SUCH_VM,
			     "pid %d has no VM at descriptor %d", pid, fd);
}

static void on_scanned(void *userdata, int result)
{
	struct request *request = userdata;
	pid_t pid;
	int fd;

	request->scan = NULL;
	/* That is what it asked for. */
	(void)vm_text_parse(request->vm_text, &pid, &fd);
	if (result < 0 && !vm_of_pid(request->manager, pid, NULL))
		request_fail(request, RULE_BUSY, ERROR_TIMEOUT,
			     "pid %d has not let itself be looked at for %d "
			     "seconds: it, or another process of its user, may "
			     "be within execve(2)", pid,
			     (int)(SCAN_WAIT_USEC / 1000000));
	else
		find_by_pid(request, pid, fd);
}

/*
 * A caller may be faster than the uevent of a VM that it has just started, or
 * may not get one: then its process is looked at first.
 */
void request_find_vm(struct request *request, request_fn next)
{
	struct manager *m = request->manager;
	pid_t pid;
	int fd, r;

	request->next = next;
	if (vm_text_parse(request->vm_text, &pid, &fd) < 0) {
		find_by_name(request);
		return;
	}
	process_check(m, pid);
	if (fd >= 0 ? vm_find(m, pid, fd) : vm_of_pid(m, pid, NULL)) {
		find_by_pid(request, pid, fd);
		return;
	}
	r = scan_pid_wait(m->scans, pid, on_scanned, request, &request->scan);
	if (r == -EBUSY)
		request_fail(request, RULE_BUSY, ERROR_BUSY,
			     "%d processes of the user of pid %d wait to be "
			     "looked at already", SCANS_PER_USER, pid);
	else if (r < 0)
		request_fail(request, RULE_NO_VM, SD_BUS_ERROR_NO_MEMORY,
			     "no memory");
}
