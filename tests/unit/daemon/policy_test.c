// SPDX-License-Identifier: GPL-2.0-or-later
/* Who may open a session on which VM. */
#include "policy.h"
#include "test.h"

#define USER	1000
#define OTHER	1001
#define GROUP	27

static const gid_t groups[] = { 1000, 44 };
static const gid_t groups_and_more[] = { 1000, GROUP };

static char reason[256];

static struct policy_caller user(void)
{
	return (struct policy_caller) {
		.uid = USER, .pid = 50,
		.groups = groups, .nr_groups = 2,
	};
}

static struct policy_vmm vmm_of(uid_t uid)
{
	return (struct policy_vmm) {
		.pid = 60,
		.uid = uid, .euid = uid, .suid = uid,
		.gid = 1000, .egid = 1000, .sgid = 1000,
		.proc_owner = uid,
	};
}

static enum verdict decide(struct policy_caller caller, struct policy_vmm vmm,
			   int scope)
{
	memset(reason, 0, sizeof(reason));
	return policy_decide(&caller, &vmm, scope, true, GROUP, reason,
			     sizeof(reason));
}

static void asks(struct policy_vmm vmm, int scope, const char *why)
{
	assert_int_equal(decide(user(), vmm, scope), VERDICT_ASK);
	if (!strstr(reason, why))
		fail_msg("\"%s\" does not say \"%s\"", reason, why);
}

static void root_may_use_any(void **state)
{
	const struct policy_caller root = { .uid = 0, .pid = 1 };

	(void)state;
	assert_int_equal(decide(root, vmm_of(USER), 3), VERDICT_YES);
	assert_string_equal(reason, "root");
}

static void owner_may_use_his(void **state)
{
	(void)state;
	assert_int_equal(decide(user(), vmm_of(USER), 0), VERDICT_YES);
	assert_string_equal(reason, "owner");
}

static void stranger_is_asked_about(void **state)
{
	(void)state;
	asks(vmm_of(OTHER), 0, "uid 1000 does not own pid 60 (uid 1001)");
	asks(vmm_of(0), 0, "uid 1000 does not own pid 60 (uid 0)");
}

static void each_of_the_uids_counts(void **state)
{
	struct policy_vmm vmm;

	(void)state;
	vmm = vmm_of(USER);
	vmm.uid = OTHER;
	asks(vmm, 0, "does not own");
	vmm = vmm_of(USER);
	vmm.euid = 0;
	asks(vmm, 0, "does not own");
	vmm = vmm_of(USER);
	vmm.suid = 0;
	asks(vmm, 0, "does not own");
}

static void each_of_the_groups_counts(void **state)
{
	struct policy_vmm vmm;

	(void)state;
	vmm = vmm_of(USER);
	vmm.gid = 9;
	asks(vmm, 0, "group");
	vmm = vmm_of(USER);
	vmm.egid = 9;
	asks(vmm, 0, "group");
	vmm = vmm_of(USER);
	vmm.sgid = 9;
	asks(vmm, 0, "group");
	/* One that the caller is a member of does not hurt. */
	vmm = vmm_of(USER);
	vmm.egid = 44;
	assert_int_equal(decide(user(), vmm, 0), VERDICT_YES);
}

static void process_that_is_not_dumpable_is_asked_about(void **state)
{
	struct policy_vmm vmm = vmm_of(USER);

	(void)state;
	vmm.proc_owner = 0;
	asks(vmm, 0, "not dumpable");
}

static void process_with_more_capabilities_is_asked_about(void **state)
{
	struct policy_vmm vmm = vmm_of(USER);

	(void)state;
	vmm.privileged = true;
	asks(vmm, 0, "runs with capabilities");
}

static void yama_limits_owners(void **state)
{
	struct policy_vmm vmm = vmm_of(USER);

	(void)state;
	asks(vmm, 1, "kernel.yama.ptrace_scope=1");
	asks(vmm, 2, "kernel.yama.ptrace_scope=2");
	asks(vmm, 3, "kernel.yama.ptrace_scope=3");
	vmm.ancestor = true;
	assert_int_equal(decide(user(), vmm, 1), VERDICT_YES);
	asks(vmm, 2, "kernel.yama.ptrace_scope=2");
	asks(vmm, 3, "kernel.yama.ptrace_scope=3");
}

static void member_may_use_any(void **state)
{
	struct policy_caller member = user();

	(void)state;
	member.groups = groups_and_more;
	assert_int_equal(decide(member, vmm_of(OTHER), 3), VERDICT_YES);
	assert_string_equal(reason, "group");
	assert_int_equal(decide(member, vmm_of(0), 0), VERDICT_YES);
}

static void group_that_does_not_exist_has_no_members(void **state)
{
	struct policy_caller member = user();
	const struct policy_vmm vmm = vmm_of(OTHER);

	(void)state;
	member.groups = groups_and_more;
	assert_int_equal(policy_decide(&member, &vmm, 0, false, GROUP, reason,
				       sizeof(reason)), VERDICT_ASK);
}

static void ancestor_of_others_gains_nothing(void **state)
{
	struct policy_vmm vmm = vmm_of(OTHER);

	(void)state;
	vmm.ancestor = true;
	asks(vmm, 1, "does not own");
}

static void caller_without_groups_owns_nothing(void **state)
{
	struct policy_caller caller = user();

	(void)state;
	caller.nr_groups = 0;
	assert_int_equal(decide(caller, vmm_of(USER), 0), VERDICT_ASK);
}

static void every_rule_has_a_name(void **state)
{
	int a, b;

	(void)state;
	for (a = 0; a < NR_RULES; a++)
		for (b = 0; b < a; b++)
			assert_string_not_equal(rule_name(a), rule_name(b));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(root_may_use_any),
		CASE(owner_may_use_his),
		CASE(stranger_is_asked_about),
		CASE(each_of_the_uids_counts),
		CASE(each_of_the_groups_counts),
		CASE(process_that_is_not_dumpable_is_asked_about),
		CASE(process_with_more_capabilities_is_asked_about),
		CASE(yama_limits_owners),
		CASE(member_may_use_any),
		CASE(group_that_does_not_exist_has_no_members),
		CASE(ancestor_of_others_gains_nothing),
		CASE(caller_without_groups_owns_nothing),
		CASE(every_rule_has_a_name),
	};

	return RUN(cases);
}
