// SPDX-License-Identifier: GPL-2.0-or-later
/* Which callers get a session on a VM that the kernel does not let them trace. */
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

static enum verdict decide(struct policy_caller caller, uid_t vmm_uid)
{
	memset(reason, 0, sizeof(reason));
	return policy_decide(&caller, 60, vmm_uid, true, GROUP, reason,
			     sizeof(reason));
}

static void asks(uid_t vmm_uid, const char *why)
{
	assert_int_equal(decide(user(), vmm_uid), VERDICT_ASK);
	if (!strstr(reason, why))
		fail_msg("\"%s\" does not say \"%s\"", reason, why);
}

static void root_may_use_any(void **state)
{
	const struct policy_caller root = { .uid = 0, .pid = 1 };

	(void)state;
	assert_int_equal(decide(root, USER), VERDICT_YES);
	assert_string_equal(reason, "root");
}

static void stranger_is_asked_about(void **state)
{
	(void)state;
	asks(OTHER, "uid 1000 does not own pid 60 (uid 1001)");
	asks(0, "uid 1000 does not own pid 60 (uid 0)");
}

/* Whoever comes here with a VM of the same user was refused by the kernel. */
static void owner_is_asked_about(void **state)
{
	(void)state;
	asks(USER, "the kernel does not let pid 50 trace pid 60");
}

static void member_may_use_any(void **state)
{
	struct policy_caller member = user();

	(void)state;
	member.groups = groups_and_more;
	assert_int_equal(decide(member, OTHER), VERDICT_YES);
	assert_string_equal(reason, "group");
	assert_int_equal(decide(member, USER), VERDICT_YES);
	assert_int_equal(decide(member, 0), VERDICT_YES);
}

static void group_that_does_not_exist_has_no_members(void **state)
{
	struct policy_caller member = user();

	(void)state;
	member.groups = groups_and_more;
	assert_int_equal(policy_decide(&member, 60, OTHER, false, GROUP, reason,
				       sizeof(reason)), VERDICT_ASK);
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
		CASE(stranger_is_asked_about),
		CASE(owner_is_asked_about),
		CASE(member_may_use_any),
		CASE(group_that_does_not_exist_has_no_members),
		CASE(every_rule_has_a_name),
	};

	return RUN(cases);
}
