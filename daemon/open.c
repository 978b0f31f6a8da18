// SPDX-License-Identifier: GPL-2.0-or-later
/* Manager.OpenSession(): who calls, which VM, may he? */
#include <errno.h>
#include <stdio.h>

#include "manager.h"
#include "open.h"
#include "open_internal.h"
#include "open_options.h"
#include "polkit.h"
#include "request.h"
#include "util.h"
#include "vm.h"

static void ask_polkit(struct request *request, const char *reason)
{
	const struct process *process = request->vm->process;
	char pid[16], uid[16];
	const char *const details[] = {
		"vm.pid", pid,
		"vm.uid", uid,
		"vm.name", vm_name(request->vm),
		NULL
	};

	snprintf(pid, sizeof(pid), "%d", process->pid);
	snprintf(uid, sizeof(uid), "%u", process->info.ids.uid);
	request_authorize(request, ACTION_OPEN_SESSION, details, reason,
			  open_permitted);
}

/*
 * The VM of the caller's user is the caller's to attach: there the kernel checks
 * what ptrace(2) wants. Only whom it has refused comes again, with the option
 * attach.
 */
static void open_found(struct request *request)
{
	struct manager *m = request->manager;
	struct process *process = request->vm->process;
	char reason[256];

	if (!manager_module_loaded(m)) {
		open_fail_errno(request, -ENODEV);
		return;
	}
	process_check_user(process);
	request->by_us = request->options.attach ||
			 !process_is_of(process, request->caller.uid);
	if (!request->by_us ||
	    manager_is_watch_user(m, request->caller.uid) ||
	    policy_decide(&request->caller, process->pid,
			  process->info.ids.uid, m->has_group, m->group,
			  reason, sizeof(reason)) == VERDICT_YES)
		open_permitted(request);
	else
		ask_polkit(request, reason);
}

static void open_called(struct request *request)
{
	request_find_vm(request, open_found);
}

int open_method(struct manager *m, sd_bus_message *call, sd_bus_error *error)
{
	return request_begin(m, call, open_options_read, open_called, error);
}
