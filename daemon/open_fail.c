// SPDX-License-Identifier: GPL-2.0-or-later
/* What a caller is told when a session could not be opened. */
#include <errno.h>
#include <string.h>

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
		log_warning("cannot open /dev/kvm-wtrack, or copy descriptors "
			    "of pid %d: check the device's group and "
			    "CAP_SYS_PTRACE", request->vm->process->pid);
	request_fail(request, RULE_MODULE, ERROR_NO_MODULE,
		     "wtrackd may not open /dev/kvm-wtrack, or may not copy "
		     "descriptors of pid %d", request->vm->process->pid);
}
