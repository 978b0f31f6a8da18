// SPDX-License-Identifier: GPL-2.0-or-later
/* What is still there when a VM, its process or its sessions are gone. */
#include "fake.h"
#include "inspect.h"

#define OWNER	1000
#define OTHER	1001

/* A session of OWNER whose ranges OTHER asks for; polkit thinks about it. */
static void ask(struct session *session)
{
	sd_bus_message *call = fake_call("ListRanges");

	fake.current = session;
	assert_int_equal(inspect_method(session, call, NULL), 1);
	sd_bus_message_unref(call);
	fake_caller_is(OTHER);
	assert_non_null(fake.on_polkit);
}

static void session_of_a_vm_that_is_gone_is_closed_while_polkit_thinks(
	void **state)
{
	struct process *process = fake_process(OWNER, "web");
	struct session *session = fake_session(fake_vm(process, 9), 7, OWNER);

	(void)state;
	fake_kill(process);
	assert_true(session->vm->gone);
	ask(session);
	session_remove(session);
	fake.on_polkit(fake.on_polkit_data, POLKIT_NO);
	assert_string_equal(fake.error, ERROR_NOT_PERMITTED);
}

static void vm_goes_while_polkit_thinks(void **state)
{
	struct process *process = fake_process(OWNER, "web");
	struct session *session = fake_session(fake_vm(process, 9), 7, OWNER);

	(void)state;
	ask(session);
	fake_kill(process);
	assert_null(fake.on_polkit);
	assert_string_equal(fake.error, ERROR_VM_GONE);
	session_remove(session);
}

static void process_that_ended_is_not_found_by_its_number(void **state)
{
	struct process *process = fake_process(OWNER, "web");
	struct session *session = fake_session(fake_vm(process, 9), 7, OWNER);
	pid_t pid = process->pid;

	(void)state;
	assert_ptr_equal(process_find(&fake.manager, pid), process);
	fake_kill(process);
	assert_null(process_find(&fake.manager, pid));
	assert_null(vm_of_pid(&fake.manager, pid, NULL));
	assert_true(session->vm->gone);
	session_remove(session);
	assert_true(LIST_EMPTY(&fake.manager.processes));
}

static void names_mean_the_callers_own_vm_first(void **state)
{
	struct vm *owners = fake_vm(fake_process(OWNER, "web"), 9);
	struct vm *others = fake_vm(fake_process(OTHER, "web"), 9);

	(void)state;
	fake_find("web", OWNER);
	assert_ptr_equal(fake.found, owners);
	fake_find("web", OTHER);
	assert_ptr_equal(fake.found, others);
	fake_find("web", 0);
	assert_null(fake.found);
	assert_string_equal(fake.error, ERROR_AMBIGUOUS);
	fake_find("wed", OWNER);
	assert_string_equal(fake.error, ERROR_NO_SUCH_VM);
	fake_kill(others->process);
	fake_find("web", OTHER);
	assert_ptr_equal(fake.found, owners);
}

static void machines_name_goes_before_qemus(void **state)
{
	struct vm *machine = fake_vm(fake_process(OTHER, "db"), 9);

	(void)state;
	fake_vm(fake_process(OWNER, "web"), 9);
	process_set_machine(machine->process, "web");
	fake_find("web", OWNER);
	assert_ptr_equal(fake.found, machine);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(session_of_a_vm_that_is_gone_is_closed_while_polkit_thinks),
		CASE(vm_goes_while_polkit_thinks),
		CASE(process_that_ended_is_not_found_by_its_number),
		CASE(names_mean_the_callers_own_vm_first),
		CASE(machines_name_goes_before_qemus),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
