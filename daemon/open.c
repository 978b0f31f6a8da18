// SPDX-License-Identifier: GPL-2.0-or-later
/* Manager.OpenSession(): who calls, which VM, may he? */
#include <errno.h>
#include <stdio.h>

#include "manager.h"
#include "open.h"
#include "open_internal.h"
#include "open_options.h"
#include "pidfd.h"
#include "polkit.h"
#include "proc.h"
#include "request.h"
#include "util.h"
#include "vm.h"

int open_vm(const struct vm *vm, struct wtrack_session **ret)
{
	CLEANUP(close_p) int fd = vm_copy_fd(vm);

	return fd < 0 ? fd : wtrack_session_open_vm_fd(fd, ret);
}

/*
 * Whose user namespace it is has all capabilities in there. What others of the
 * same user have is not asked: a program may be started with some, a user not.
 */
static bool is_privileged(const struct proc_ids *ids, pid_t pid, uid_t caller)
{
	uid_t owner;

	return ids->permitted &&
	       (proc_read_userns_owner(pid, &owner) < 0 || owner != caller);
}

int open_look_at(const struct request *request, struct policy_vmm *ret)
{
	const struct process *process = request->vm->process;
	struct proc_ids ids;
	uid_t owner;
	int r;

	r = proc_read_ids(process->pid, &ids);
	if (r >= 0)
		r = proc_read_owner(process->pid, &owner);
	if (r < 0)
		return r;
	*ret = (struct policy_vmm) {
		.pid = process->pid,
		.uid = ids.uid, .euid = ids.euid, .suid = ids.suid,
		.gid = ids.gid, .egid = ids.egid, .sgid = ids.sgid,
		.proc_owner = owner,
		.ancestor = proc_is_descendant(process->pid,
					       request->caller.pid),
		.privileged = is_privileged(&ids, process->pid,
					    request->caller.uid),
	};
	/* All that was about this process if that is still there. */
	return pidfd_is_alive(process->pidfd) ? 0 : -ESRCH;
}

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

static void open_found(struct request *request)
{
	struct manager *m = request->manager;
	struct policy_vmm vmm;
	char reason[256];

	if (!manager_module_loaded(m)) {
		open_fail_errno(request, -ENODEV);
		return;
	}
	/* What is known of it is for polkit's question. */
	process_check_user(request->vm->process);
	if (open_look_at(request, &vmm) < 0) {
		open_fail_errno(request, -ESRCH);
		return;
	}
	if (policy_decide(&request->caller, &vmm, proc_read_ptrace_scope(),
			  m->has_group, m->group, reason, sizeof(reason)) ==
	    VERDICT_YES)
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
