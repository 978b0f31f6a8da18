// SPDX-License-Identifier: GPL-2.0-or-later
/* What a caller is told when a session could not be opened. */
#include <errno.h>
#include <string.h>

#include "attach.h"
#include "log.h"
#include "open_internal.h"
#include "request.h"
#include "util.h"
#include "vm.h"

struct error_text {
	int error;
	enum rule rule;
	const char *name, *text;
};

/* What went wrong between us and the module. */
static const struct error_text errors[] = {
	{ ENODEV, RULE_MODULE, ERROR_NO_MODULE,
	  "the module kvm-wtrack is not loaded" },
	{ EPROTO, RULE_MODULE, ERROR_NO_MODULE,
	  "the module kvm-wtrack that is loaded does not fit this wtrackd" },
	{ EOPNOTSUPP, RULE_MODULE, ERROR_CONFIDENTIAL,
	  "KVM cannot track this VM: it is confidential" },
	{ ESRCH, RULE_NO_VM, ERROR_VM_GONE, "the VM is gone" },
	{ EUSERS, RULE_MODULE, ERROR_LIMIT_EXCEEDED,
	  "module: the VM has as many sessions as it may have" },
	{ ERANGE, RULE_MODULE, ERROR_INVALID_ARGUMENT,
	  "module: more ranges or records than it takes" },
	{ EINVAL, RULE_MODULE, ERROR_INVALID_ARGUMENT,
	  "module: a range is empty, or goes beyond 52 bits of address" },
	{ EMFILE, RULE_BUSY, ERROR_BUSY,
	  "wtrackd has no descriptor left: see LimitNOFILE= of its unit" },
	{ ENOMEM, RULE_BUSY, ERROR_BUSY, "no memory" },
};

void open_fail_errno(struct request *request, int r)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].error != -r)
			continue;
		request_fail(request, errors[i].rule, errors[i].name, "%s",
			     errors[i].text);
		return;
	}
	request_fail(request, RULE_MODULE, SD_BUS_ERROR_FAILED,
		     "wtrackd could not open the session: %s", strerror(-r));
}

/* Of ours: the device before udev has seen it, or a unit that lacks rights. */
void open_fail(struct request *request, int r)
{
	if (r != -EACCES) {
		open_fail_errno(request, r);
		return;
	}
	if (log_may(LOG_KIND_OTHER, request->caller.uid))
		log_warning("cannot open /dev/kvm-wtrack: check the device's "
			    "group, and DeviceAllow= of the unit");
	request_fail(request, RULE_MODULE, ERROR_NO_MODULE,
		     "wtrackd may not open /dev/kvm-wtrack");
}

void open_fail_start(struct request *request, int r)
{
	if (r == -EBUSY) {
		request_fail(request, RULE_BUSY, ERROR_BUSY,
			     "uid %u has %d sessions being attached already, or "
			     "%d to VMs of pid %d: wait for them",
			     request->caller.uid, ATTACHES_PER_USER,
			     ATTACHES_PER_VMM, request->vm->process->pid);
		return;
	}
	if (log_may(LOG_KIND_OTHER, request->caller.uid))
		log_warning("cannot ask wtrack-attach: %s; check "
			    "wtrack-attach.socket", strerror(-r));
	request_fail(request, RULE_BUSY, ERROR_BUSY,
		     "wtrackd cannot ask wtrack-attach, which attaches sessions "
		     "to VMs of others: %s; see `systemctl status "
		     "wtrack-attach.socket`", strerror(-r));
}

void open_fail_attach(struct request *request, int r)
{
	pid_t pid = request->vm->process->pid;

	switch (r) {
	case -EACCES:
		request_fail(request, RULE_MODULE, ERROR_NOT_PERMITTED,
			     "kernel: nobody may trace pid %d, not even with "
			     "CAP_SYS_PTRACE: kernel.yama.ptrace_scope is 3, or a "
			     "security module confines it", pid);
		break;
	case -ETIMEDOUT:
		request_fail(request, RULE_BUSY, ERROR_TIMEOUT,
			     "pid %d has kept the descriptor of its VM from being "
			     "copied for %d seconds: it may be within execve(2)",
			     pid, (int)(ATTACH_USEC / 1000000));
		break;
	case -EPIPE:
		request_fail(request, RULE_BUSY, ERROR_BUSY,
			     "wtrack-attach ended before it had attached the "
			     "session to the VM of pid %d: see `journalctl -u "
			     "'wtrack-attach@*'`", pid);
		break;
	default:
		open_fail_errno(request, r);
	}
}
