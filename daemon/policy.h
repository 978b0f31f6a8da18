/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides whether a caller gets a session on a VM that the kernel does not let the
 * caller trace. Decides from facts alone, which open.c looks up.
 */
#ifndef WTRACKD_POLICY_H
#define WTRACKD_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Who refused a request: as in the manager's property Refusals. */
enum rule {
	RULE_POLICY,		/* not the caller's VM, and no polkit to ask */
	RULE_POLKIT,		/* polkit said no */
	RULE_LIMIT,		/* of the user, in wtrackd.conf */
	RULE_SESSION_LIMIT,	/* of one session, in wtrackd.conf */
	RULE_BUSY,		/* too many requests at a time */
	RULE_NO_VM,
	RULE_MODULE,		/* the module said no, or is not there */
	NR_RULES
};

const char *rule_name(enum rule rule);

struct policy_caller {
	uid_t uid;
	pid_t pid;
	const gid_t *groups;
	size_t nr_groups;
};

bool policy_in_group(const struct policy_caller *caller, gid_t gid);

enum verdict {
	VERDICT_YES,
	VERDICT_ASK,		/* polkit decides */
};

/*
 * group is that of the configuration, has_group whether it exists. reason is
 * filled with which rule said yes, or why polkit has to be asked.
 */
enum verdict policy_decide(const struct policy_caller *caller, pid_t vmm,
			   uid_t vmm_uid, bool has_group, gid_t group,
			   char *reason, size_t size);

#endif
