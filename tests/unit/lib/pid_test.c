// SPDX-License-Identifier: GPL-2.0-or-later
/* Finding the VM of another process. */
#include "test.h"

static void vmm_has(int fd, int vm)
{
	fake.vmm.fds[fake.vmm.nr_fds] = fd;
	fake.vmm.vms[fake.vmm.nr_fds] = vm;
	fake.vmm.nr_fds++;
}

static void open_works(int pid)
{
	struct wtrack_session *session;

	assert_int_equal(wtrack_session_open_pid(pid, &session), 0);
	/* Neither the pidfd nor a copy of the VM is kept. */
	assert_int_equal(fake.nr_open, 1);
	wtrack_session_close(session);
}

static void open_fails(int pid, int expected)
{
	struct wtrack_session *session = UNTOUCHED;

	assert_int_equal(wtrack_session_open_pid(pid, &session), -expected);
	assert_ptr_equal(session, UNTOUCHED);
	assert_int_equal(fake.nr_open, 0);
}

static void open_fd_fails(int fd, int expected)
{
	struct wtrack_session *session = UNTOUCHED;

	assert_int_equal(wtrack_session_open_pid_fd(FAKE_PID, fd, &session),
			 -expected);
	assert_ptr_equal(session, UNTOUCHED);
	assert_int_equal(fake.nr_open, 0);
}

static void process_with_one_vm_is_opened(void **state)
{
	(void)state;
	vmm_has(12, 0);
	open_works(FAKE_PID);
}

static void copies_of_one_vm_count_as_one(void **state)
{
	(void)state;
	vmm_has(12, 1);
	vmm_has(13, 1);
	vmm_has(40, 1);
	open_works(FAKE_PID);
}

static void process_without_vm_is_ebadfd(void **state)
{
	(void)state;
	open_fails(FAKE_PID, EBADFD);
	vmm_has(12, FAKE_NO_VM);
	open_fails(FAKE_PID, EBADFD);
}

static void descriptors_of_other_kinds_are_skipped(void **state)
{
	(void)state;
	vmm_has(11, FAKE_NO_VM);
	vmm_has(12, 0);
	vmm_has(13, FAKE_NO_VM);
	open_works(FAKE_PID);
}

static void process_with_two_vms_is_enotuniq(void **state)
{
	struct wtrack_session *session;

	(void)state;
	vmm_has(12, 0);
	vmm_has(13, 1);
	open_fails(FAKE_PID, ENOTUNIQ);
	assert_int_equal(wtrack_session_open_pid_fd(FAKE_PID, 13, &session), 0);
	assert_int_equal(fake.nr_open, 1);
	wtrack_session_close(session);
}

static void no_such_process_is_esrch(void **state)
{
	(void)state;
	open_fails(1, ESRCH);
}

static void descriptor_that_was_closed_meanwhile_is_skipped(void **state)
{
	(void)state;
	vmm_has(12, 0);
	vmm_has(13, 1);
	fake_fail(FAKE_PIDFD_GETFD, 1, EBADF);
	open_works(FAKE_PID);
}

/* Whatever was found, it was not of the process that was meant. */
static void process_that_ends_during_the_search_is_esrch(void **state)
{
	(void)state;
	fake.vmm.alive = false;
	open_fails(FAKE_PID, ESRCH);
	fake_fail(FAKE_EACH_FD, 1, ENOENT);
	open_fails(FAKE_PID, ESRCH);
	vmm_has(12, 0);
	vmm_has(13, 1);
	open_fails(FAKE_PID, ESRCH);
	open_fd_fails(12, ESRCH);
}

static void process_that_may_not_be_traced_is_eacces(void **state)
{
	(void)state;
	vmm_has(12, 0);
	fake_fail(FAKE_EACH_FD, 1, EACCES);
	open_fails(FAKE_PID, EACCES);
	fake_fail(FAKE_PIDFD_GETFD, 1, EPERM);
	open_fails(FAKE_PID, EACCES);
	fake_fail(FAKE_PIDFD_GETFD, 1, EPERM);
	open_fd_fails(12, EACCES);
}

static void process_hidden_in_proc_is_eacces(void **state)
{
	(void)state;
	vmm_has(12, 0);
	fake_fail(FAKE_EACH_FD, 1, ENOENT);
	open_fails(FAKE_PID, EACCES);
}

static void other_failures_are_told_as_they_are(void **state)
{
	(void)state;
	vmm_has(12, 0);
	fake_fail(FAKE_PIDFD_OPEN, 1, EINVAL);
	open_fails(FAKE_PID, EINVAL);
	fake_fail(FAKE_PIDFD_OPEN, 1, EMFILE);
	open_fd_fails(12, EMFILE);
	fake_fail(FAKE_PIDFD_GETFD, 1, ENOSYS);
	open_fails(FAKE_PID, ENOSYS);
	fake_fail(FAKE_PIDFD_GETFD, 1, EMFILE);
	open_fails(FAKE_PID, EMFILE);
	fake_fail(FAKE_OPEN, 1, ENOENT);
	open_fails(FAKE_PID, ENODEV);
	fake_fail(FAKE_ATTACH, 1, EUSERS);
	open_fails(FAKE_PID, EUSERS);
}

static void failure_at_the_second_copy_closes_the_first(void **state)
{
	(void)state;
	vmm_has(12, 0);
	vmm_has(13, 0);
	fake_fail(FAKE_PIDFD_GETFD, 2, EMFILE);
	open_fails(FAKE_PID, EMFILE);
}

static void named_descriptor_that_is_not_there_is_ebadf(void **state)
{
	(void)state;
	vmm_has(12, 0);
	open_fd_fails(11, EBADF);
	open_fd_fails(-1, EBADF);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(process_with_one_vm_is_opened),
		CASE(copies_of_one_vm_count_as_one),
		CASE(process_without_vm_is_ebadfd),
		CASE(descriptors_of_other_kinds_are_skipped),
		CASE(process_with_two_vms_is_enotuniq),
		CASE(no_such_process_is_esrch),
		CASE(descriptor_that_was_closed_meanwhile_is_skipped),
		CASE(process_that_ends_during_the_search_is_esrch),
		CASE(process_that_may_not_be_traced_is_eacces),
		CASE(process_hidden_in_proc_is_eacces),
		CASE(other_failures_are_told_as_they_are),
		CASE(failure_at_the_second_copy_closes_the_first),
		CASE(named_descriptor_that_is_not_there_is_ebadf),
	};

	return RUN(cases);
}
