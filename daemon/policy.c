// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "policy.h"

const char *rule_name(enum rule rule)
{
	static const char *const names[NR_RULES] = {
		[RULE_POLICY] = "policy",
		[RULE_POLKIT] = "polkit",
		[RULE_LIMIT] = "limit",
		[RULE_SESSION_LIMIT] = "session-limit",
		[RULE_BUSY] = "busy",
		[RULE_NO_VM] = "no-vm",
		[RULE_MODULE] = "module",
	};

	return names[rule];
}

bool policy_in_group(const struct policy_caller *caller, gid_t gid)
{
	size_t i;

	for (i = 0; i < caller->nr_groups; i++)
		if (caller->groups[i] == gid)
			return true;
	return false;
}

enum verdict policy_decide(const struct policy_caller *caller, pid_t vmm,
			   uid_t vmm_uid, bool has_group, gid_t group,
			   char *reason, size_t size)
{
	if (caller->uid == 0) {
		snprintf(reason, size, "root");
		return VERDICT_YES;
	}
	if (has_group && policy_in_group(caller, group)) {
		snprintf(reason, size, "group");
		return VERDICT_YES;
	}
	if (caller->uid == vmm_uid)
		snprintf(reason, size, "the kernel does not let pid %d trace pid "
			 "%d, although both are of uid %u "
			 "(kernel.yama.ptrace_scope, its other ids, capabilities "
			 "or user namespace, or a security module)", caller->pid,
			 vmm, vmm_uid);
	else
		snprintf(reason, size, "uid %u does not own pid %d (uid %u)",
			 caller->uid, vmm, vmm_uid);
	return VERDICT_ASK;
}
