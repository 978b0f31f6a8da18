// SPDX-License-Identifier: GPL-2.0-or-later
/* Texts of /proc, written by whoever runs the process. */
#include <stdio.h>

#include "proc.h"
#include "test.h"
#include "utf8.h"

/* Arguments as they are in /proc/PID/cmdline. */
#define IS_NAMED(expected, args) \
	is_named(expected, args, sizeof(args) - 1)

static void is_named(const char *expected, const char *cmdline, size_t size)
{
	char *name;

	assert_int_equal(proc_parse_qemu_name(cmdline, size, &name), 0);
	assert_string_equal(name, expected);
	free(name);
}

static void plain_name_is_found(void **state)
{
	(void)state;
	IS_NAMED("vm1", "qemu-system-x86_64\0-name\0vm1\0-m\0" "512\0");
	IS_NAMED("vm1", "/usr/bin/kvm\0-enable-kvm\0-name\0vm1\0");
	IS_NAMED("vm1", "/usr/libexec/qemu-kvm\0--name\0vm1");
}

static void parts_of_the_option_are_understood(void **state)
{
	(void)state;
	IS_NAMED("vm1", "qemu\0-name\0guest=vm1,debug-threads=on\0-S\0");
	IS_NAMED("vm1", "qemu\0-name\0debug-threads=on,guest=vm1\0");
	IS_NAMED("vm1", "qemu\0-name\0vm1,debug-threads=on,process=x\0");
	IS_NAMED("", "qemu\0-name\0debug-threads=on\0");
	IS_NAMED("", "qemu\0-name\0process=x,guest=\0");
	IS_NAMED("a=b", "qemu\0-name\0guest=a=b\0");
	/* A part without = that is not the first is an option that is set. */
	IS_NAMED("vm1", "qemu\0-name\0vm1,debug-threads\0");
}

static void doubled_comma_is_one_of_the_name(void **state)
{
	(void)state;
	IS_NAMED("a,b", "qemu\0-name\0guest=a,,b,debug-threads=on\0");
	IS_NAMED("a,debug-threads=on", "qemu\0-name\0a,,debug-threads=on\0");
	IS_NAMED(",", "qemu\0-name\0guest=,,\0");
}

static void last_of_several_names_counts(void **state)
{
	(void)state;
	IS_NAMED("b", "qemu\0-name\0a\0-name\0b\0");
	IS_NAMED("", "qemu\0-name\0a\0-name\0process=b\0");
}

static void what_is_no_name_is_none(void **state)
{
	(void)state;
	IS_NAMED("", "");
	IS_NAMED("", "\0");
	IS_NAMED("", "qemu\0");
	IS_NAMED("", "qemu\0-name");
	IS_NAMED("", "qemu\0-name\0");
	IS_NAMED("", "qemu\0-names\0vm1\0");
	IS_NAMED("", "cat\0-name\0vm1\0");
	IS_NAMED("", "/opt/qemu/cat\0-name\0vm1\0");
}

static void name_is_made_printable(void **state)
{
	(void)state;
	IS_NAMED("a?b", "qemu\0-name\0a\nb\0");
	IS_NAMED("?[31m", "qemu\0-name\0\x1b[31m\0");
	IS_NAMED("\xc3\xbc", "qemu\0-name\0\xc3\xbc\0");
	IS_NAMED("?a", "qemu\0-name\0\xc3" "a\0");
	IS_NAMED("??", "qemu\0-name\0\xc0\xaf\0");	/* overlong */
	IS_NAMED("???", "qemu\0-name\0\xed\xa0\x80\0");	/* surrogate */
	IS_NAMED("????", "qemu\0-name\0\xf4\x90\x80\x80\0");
	IS_NAMED("??", "qemu\0-name\0\xc2\x9b\0");	/* a control */
}

static void long_name_is_cut_between_characters(void **state)
{
	char cmdline[2048] = "qemu\0-name\0", *name;
	size_t at = sizeof("qemu\0-name"), i;

	(void)state;
	for (i = 0; i < 300; i++)
		memcpy(cmdline + at + 2 * i, "\xc3\xbc", 2);
	assert_int_equal(proc_parse_qemu_name(cmdline, at + 601, &name), 0);
	assert_int_equal(strlen(name), UTF8_MAX - 1);
	free(name);
}

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static void noise_does_no_harm(void **state)
{
	char bytes[600], *text;
	struct proc_ids ids;
	int i;

	(void)state;
	for (i = 0; i < 20000; i++) {
		size_t size = noise() % sizeof(bytes);

		noise_fill(bytes, sizeof(bytes), "-name,guest=qemuUidGTgP: \t\n0");
		memcpy(bytes, "qemu\0-name", i % 2 ? 11 : 0);
		assert_int_equal(proc_parse_qemu_name(bytes, size, &text), 0);
		assert_true(is_printable(text));
		assert_true(strlen(text) <= UTF8_MAX);
		free(text);
		bytes[size] = '\0';
		(void)proc_parse_status(bytes, &ids);
		if (proc_parse_cgroup(bytes, &text) >= 0)
			free(text);
		assert_int_equal(proc_parse_machine(bytes, &text), 0);
		free(text);
	}
}

#define STATUS \
	"Name:\tqemu\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t4711\n" \
	"Ngid:\t0\nPid:\t4712\nPPid:\t1\nTracerPid:\t0\n" \
	"Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nFDSize:\t64\n" \
	"CapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\n"

static void status_is_read(void **state)
{
	struct proc_ids ids;

	(void)state;
	assert_int_equal(proc_parse_status(STATUS, &ids), 0);
	assert_int_equal(ids.uid, 1);
	assert_int_equal(ids.euid, 2);
	assert_int_equal(ids.suid, 3);
	assert_int_equal(ids.tgid, 4711);
}

/* A process may call itself whatever it likes, but not begin a line. */
static void name_is_not_taken_for_a_line(void **state)
{
	struct proc_ids ids;

	(void)state;
	assert_int_equal(proc_parse_status("Name:\tUid:\t0\t0\t0\n" STATUS,
					   &ids), 0);
	assert_int_equal(ids.uid, 1);
}

static void truncated_status_is_refused(void **state)
{
	struct proc_ids ids = { .uid = 77 };
	char text[sizeof(STATUS)];
	const char *last = strstr(STATUS, "\t3\t");
	size_t i;

	(void)state;
	for (i = 0; i <= (size_t)(last - STATUS); i++) {
		memcpy(text, STATUS, i);
		text[i] = '\0';
		assert_int_equal(proc_parse_status(text, &ids), -EBADMSG);
	}
	assert_int_equal(ids.uid, 77);
}

static void is_in_cgroup(const char *text, const char *expected)
{
	char *cgroup;

	assert_int_equal(proc_parse_cgroup(text, &cgroup), 0);
	assert_string_equal(cgroup, expected);
	free(cgroup);
}

static void cgroup_of_the_unified_hierarchy_is_taken(void **state)
{
	(void)state;
	is_in_cgroup("0::/user.slice\n", "/user.slice");
	is_in_cgroup("0::/a", "/a");
	is_in_cgroup("1:name=systemd:/x\n0::/machine.slice/b\n",
		     "/machine.slice/b");
	is_in_cgroup("1:name=systemd:/x\n", "");
	is_in_cgroup("", "");
}

static void is_machine(const char *cgroup, const char *expected)
{
	char *machine;

	assert_int_equal(proc_parse_machine(cgroup, &machine), 0);
	assert_string_equal(machine, expected);
	free(machine);
}

static void machine_is_found_in_the_cgroup(void **state)
{
	(void)state;
	is_machine("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope",
		   "qemu-1-vm");
	is_machine("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emu",
		   "qemu-1-vm");
	is_machine("/machine.slice/machine-plain.scope", "plain");
	is_machine("/machine.slice/machine-a.slice/machine-b.scope", "b");
	is_machine("/machine-b.scope", "b");
}

/* Users make such groups below units that are theirs. */
static void group_inside_of_a_unit_names_no_machine(void **state)
{
	(void)state;
	is_machine("/user.slice/user-1000.slice/user@1000.service/"
		   "machine-b.scope", "");
	is_machine("/user.slice/user-1000.slice/user@1000.service/"
		   "machine.slice/machine-b.scope", "");
	is_machine("/system.slice/x.service/machine-b.scope", "");
	is_machine("/machine-a/machine-b.scope", "");
	is_machine("/machine.slice/machine-a.scope/machine-b.scope", "a");
}

static void other_cgroups_are_of_no_machine(void **state)
{
	(void)state;
	is_machine("", "");
	is_machine("/", "");
	is_machine("/machine.slice", "");
	is_machine("/machine.slice/machine-.scope", "");
	is_machine("/machine-a.service", "");
	is_machine("/x-machine-a.scope", "");
	is_machine("/machine-.scope.scopx", "");
}

static void escapes_that_are_none_stay(void **state)
{
	(void)state;
	is_machine("/machine-a\\x2.scope", "a\\x2");
	is_machine("/machine-a\\xzz.scope", "a\\xzz");
	is_machine("/machine-a\\x00b.scope", "a");
	is_machine("/machine-a\\x1b.scope", "a?");
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(plain_name_is_found),
		CASE(parts_of_the_option_are_understood),
		CASE(doubled_comma_is_one_of_the_name),
		CASE(last_of_several_names_counts),
		CASE(what_is_no_name_is_none),
		CASE(name_is_made_printable),
		CASE(long_name_is_cut_between_characters),
		CASE(noise_does_no_harm),
		CASE(status_is_read),
		CASE(name_is_not_taken_for_a_line),
		CASE(truncated_status_is_refused),
		CASE(cgroup_of_the_unified_hierarchy_is_taken),
		CASE(machine_is_found_in_the_cgroup),
		CASE(group_inside_of_a_unit_names_no_machine),
		CASE(other_cgroups_are_of_no_machine),
		CASE(escapes_that_are_none_stay),
	};

	return RUN(cases);
}
