// SPDX-License-Identifier: GPL-2.0-or-later
/* Which VMs a watch is for. */
#include "test.h"

#include "watch_match.h"

static const struct watch_subject vm = {
	.machine = "web-1", .qemu_name = "guest=web", .uid = 64055,
	.cgroup = "/machine.slice/machine-qemu\\x2d1\\x2dweb.scope/libvirt",
};

static bool machine(const char *glob)
{
	struct watch_match match = { .machine = (char *)glob };

	return watch_match(&match, &vm);
}

static bool cgroup(const char *glob)
{
	struct watch_match match = { .cgroup = (char *)glob };

	return watch_match(&match, &vm);
}

static void names_are_matched_by_globs(void **state)
{
	(void)state;
	assert_true(machine("web-1"));
	assert_true(machine("web-*"));
	assert_true(machine("web-[0-9]"));
	assert_true(machine("*"));
	assert_false(machine("web"));
	assert_false(machine("web-2"));
	assert_false(machine("WEB-1"));
	assert_false(machine(""));
	assert_false(machine("["));
}

static void no_name_matches_no_glob(void **state)
{
	const struct watch_subject unnamed = { .qemu_name = "", .uid = 1 };
	struct watch_match match = { .machine = (char *)"*" };

	(void)state;
	assert_false(watch_match(&match, &unnamed));
	match = (struct watch_match){ .qemu_name = (char *)"*" };
	assert_false(watch_match(&match, &unnamed));
	match = (struct watch_match){ .cgroup = (char *)"*" };
	assert_false(watch_match(&match, &unnamed));
}

static void cgroups_above_count(void **state)
{
	(void)state;
	assert_true(cgroup("/machine.slice"));
	assert_true(cgroup("/machine.slice/*.scope"));
	assert_true(cgroup("*/libvirt"));
	assert_true(cgroup("/*"));
	assert_false(cgroup("/machine"));
	assert_false(cgroup("machine.slice"));
	assert_false(cgroup("/system.slice"));
}

static void all_that_is_given_has_to_match(void **state)
{
	struct watch_match match = {
		.machine = (char *)"web-*", .has_uid = true, .uid = 64055,
	};

	(void)state;
	assert_true(watch_match(&match, &vm));
	match.uid = 0;
	assert_false(watch_match(&match, &vm));
	match.has_uid = false;
	assert_true(watch_match(&match, &vm));
	match.qemu_name = (char *)"other";
	assert_false(watch_match(&match, &vm));
}

static void users_are_names_or_numbers(void **state)
{
	uid_t uid = 99;

	(void)state;
	assert_int_equal(watch_match_parse_user("root", &uid), 0);
	assert_int_equal(uid, 0);
	assert_int_equal(watch_match_parse_user("4294967294", &uid), 0);
	assert_int_equal(uid, 4294967294);
	assert_int_equal(watch_match_parse_user("4294967295", &uid), -ERANGE);
	assert_int_equal(watch_match_parse_user("12x", &uid), -EINVAL);
	assert_int_equal(watch_match_parse_user("no such user", &uid), -ESRCH);
	assert_int_equal(uid, 4294967294);
}

static void nothing_given_is_empty(void **state)
{
	struct watch_match match = { 0 };

	(void)state;
	assert_true(watch_match_is_empty(&match));
	match.has_uid = true;
	assert_false(watch_match_is_empty(&match));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(names_are_matched_by_globs),
		cmocka_unit_test(no_name_matches_no_glob),
		cmocka_unit_test(cgroups_above_count),
		cmocka_unit_test(all_that_is_given_has_to_match),
		cmocka_unit_test(users_are_names_or_numbers),
		cmocka_unit_test(nothing_given_is_empty),
	};

	return RUN(cases);
}
