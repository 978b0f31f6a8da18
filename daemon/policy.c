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

/*
 * What ptrace(2) wants of a process without privileges, as far as others can
 * see it: the same user, dumpable, no more capabilities, and what Yama adds. It
 * also wants the same group, of which we ask membership.
 */
static bool owns(const struct policy_caller *caller,
		 const struct policy_vmm *vmm, int ptrace_scope, char *reason,
		 size_t size)
{
	if (caller->uid != vmm->uid || caller->uid != vmm->euid ||
	    caller->uid != vmm->suid) {
		snprintf(reason, size, "uid %u does not own pid %d (uid %u)",
			 caller->uid, vmm->pid, vmm->uid);
		return false;
	}
	if (vmm->proc_owner != caller->uid) {
		snprintf(reason, size, "pid %d is of uid %u but not dumpable",
			 vmm->pid, caller->uid);
		return false;
	}
	if (!policy_in_group(caller, vmm->gid) ||
	    !policy_in_group(caller, vmm->egid) ||
	    !policy_in_group(caller, vmm->sgid)) {
		snprintf(reason, size,
			 "pid %d runs with a group of which uid %u is no member",
			 vmm->pid, caller->uid);
		return false;
	}
	if (vmm->privileged) {
		snprintf(reason, size,
			 "pid %d runs with capabilities that uid %u has not",
			 vmm->pid, caller->uid);
		return false;
	}
	if (ptrace_scope >= 2 || (ptrace_scope == 1 && !vmm->ancestor)) {
		snprintf(reason, size,
			 "kernel.yama.ptrace_scope=%d keeps pid %d from pid %d",
			 ptrace_scope, caller->pid, vmm->pid);
		return false;
	}
	return true;
}

enum verdict policy_decide(const struct policy_caller *caller,
			   const struct policy_vmm *vmm, int ptrace_scope,
			   bool has_group, gid_t group, char *reason,
			   size_t size)
{
	if (caller->uid == 0) {
		snprintf(reason, size, "root");
		return VERDICT_YES;
	}
	if (owns(caller, vmm, ptrace_scope, reason, size)) {
		snprintf(reason, size, "owner");
		return VERDICT_YES;
	}
	if (has_group && policy_in_group(caller, group)) {
		snprintf(reason, size, "group");
		return VERDICT_YES;
	}
	return VERDICT_ASK;
}
