// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions that the daemon opens: what it is asked, and what it may say. */
#include <stdlib.h>

#include "test.h"

static void daemon_says(const char *error, const char *message)
{
	fake.daemon.error = error;
	fake.daemon.message = message;
}

static void open_fails(const char *vm, int expected)
{
	struct wtrack_session *session = UNTOUCHED;
	char *message = UNTOUCHED;

	assert_int_equal(wtrack_session_open_daemon(vm, 0, &session, &message),
			 -expected);
	assert_ptr_equal(session, UNTOUCHED);
	if (fake.daemon.error && fake.daemon.message) {
		assert_string_equal(message, fake.daemon.message);
		free(message);
	} else {
		assert_null(message);
	}
	assert_int_equal(fake.nr_open, 0);
}

static void session_of_the_daemon_is_the_callers(void **state)
{
	struct wtrack_session *session;
	char *message = UNTOUCHED;

	(void)state;
	assert_int_equal(wtrack_session_open_daemon("name", 0, &session,
						    &message), 0);
	assert_null(message);
	assert_string_equal(fake.daemon.vm, "name");
	assert_int_equal(fake.daemon.max_pages, 0);
	assert_int_equal(fake.daemon.max_records, 0);
	assert_int_equal(fake.nr_open, 1);
	wtrack_session_close(session);
}

static void pid_is_passed_as_text(void **state)
{
	struct wtrack_session *session;

	(void)state;
	assert_int_equal(wtrack_session_open_daemon_pid(INT32_MAX, 0, &session,
							NULL), 0);
	assert_string_equal(fake.daemon.vm, "2147483647");
	wtrack_session_close(session);
}

static void what_is_no_pid_is_einval(void **state)
{
	struct wtrack_session *session = UNTOUCHED;
	char *message = UNTOUCHED;

	(void)state;
	assert_int_equal(wtrack_session_open_daemon_pid(0, 0, &session, &message),
			 -EINVAL);
	assert_null(message);
	assert_int_equal(wtrack_session_open_daemon_pid(-1, 0, &session, NULL),
			 -EINVAL);
	assert_ptr_equal(session, UNTOUCHED);
	assert_int_equal(fake.nr_calls[FAKE_BUS_NEW], 0);
}

static void restriction_is_asked_for(void **state)
{
	const struct wtrack_range range = { 16, 4 };
	const struct wtrack_restriction wanted = {
		.ranges = &range, .nr_ranges = 1,
		.max_pages = 5, .max_records = 64,
	};
	struct wtrack_session *session;

	(void)state;
	assert_int_equal(wtrack_session_open_daemon_restricted("1:2", &wanted,
			 sizeof(wanted), 0, &session, NULL), 0);
	assert_string_equal(fake.daemon.vm, "1:2");
	assert_int_equal(fake.nr_calls[FAKE_RESTRICT], 1);
	assert_int_equal(fake.restriction.nr_ranges, 1);
	assert_int_equal(fake.restriction.rights, UINT64_MAX);
	assert_int_equal(fake.restriction.max_sync_us, UINT32_MAX);
	assert_int_equal(fake.restriction.max_pages, 0);
	assert_int_equal(fake.daemon.max_pages, 5);
	assert_int_equal(fake.daemon.max_records, 64);
	wtrack_session_close(session);
}

static void rights_are_given_up_when_the_session_is_there(void **state)
{
	struct wtrack_restriction wanted = { .max_pages = 5 };
	struct wtrack_session *session;

	(void)state;
	assert_int_equal(wtrack_session_open_daemon_restricted("1:2", &wanted,
			 sizeof(wanted), 0, &session, NULL), 0);
	assert_int_equal(fake.nr_calls[FAKE_RESTRICT], 0);
	wtrack_session_close(session);
	wanted.rights = WTRACK_RIGHT_DATA;
	assert_int_equal(wtrack_session_open_daemon_restricted("1:2", &wanted,
			 sizeof(wanted), 0, &session, NULL), 0);
	assert_int_equal(fake.nr_calls[FAKE_RESTRICT], 1);
	assert_int_equal(fake.restriction.rights, WTRACK_RIGHT_DATA);
	assert_int_equal(fake.restriction.max_pages, 0);
	wtrack_session_close(session);
	fake_fail(FAKE_RESTRICT, 1, ENOMEM);
	session = UNTOUCHED;
	assert_int_equal(wtrack_session_open_daemon_restricted("1:2", &wanted,
			 sizeof(wanted), 0, &session, NULL), -ENOMEM);
	assert_ptr_equal(session, UNTOUCHED);
}

static void restriction_fails(const struct wtrack_restriction *wanted,
			      size_t size, int expected)
{
	struct wtrack_session *session = UNTOUCHED;
	char *message = UNTOUCHED;

	assert_int_equal(wtrack_session_open_daemon_restricted("1", wanted,
			 size, 0, &session, &message), -expected);
	assert_ptr_equal(session, UNTOUCHED);
	assert_null(message);
	assert_int_equal(fake.nr_calls[FAKE_BUS_NEW], 0);
}

static void malformed_restriction_is_not_asked_for(void **state)
{
	struct {
		struct wtrack_restriction known;
		uint64_t more;
	} longer = { .more = 1 };
	struct wtrack_restriction wanted = { .max_pages = 1 };

	(void)state;
	restriction_fails(&wanted, 0, EINVAL);
	restriction_fails(&longer.known, sizeof(longer), E2BIG);
	wanted.max_sync_us = 1;
	restriction_fails(&wanted, sizeof(wanted), EINVAL);
	wanted.max_sync_us = 0;
	wanted.budget = 1;
	restriction_fails(&wanted, sizeof(wanted), EINVAL);
	wanted.budget = 0;
	wanted.period_ms = 1;
	restriction_fails(&wanted, sizeof(wanted), EINVAL);
}

static void each_error_of_the_daemon_has_its_errno(void **state)
{
	static const struct {
		const char *name;
		int err;
	} errors[] = {
		{ "org.wtrack1.Error.NoSuchVM", ESRCH },
		{ "org.wtrack1.Error.VmGone", ESRCH },
		{ "org.wtrack1.Error.Ambiguous", ENOTUNIQ },
		{ "org.wtrack1.Error.NotPermitted", EACCES },
		{ "org.wtrack1.Error.LimitExceeded", EDQUOT },
		{ "org.wtrack1.Error.Confidential", EOPNOTSUPP },
		{ "org.wtrack1.Error.NoModule", ENODEV },
		{ "org.wtrack1.Error.Busy", EBUSY },
		{ "org.wtrack1.Error.InvalidArgument", EINVAL },
		{ "org.wtrack1.Error.Timeout", ETIMEDOUT },
		{ "org.freedesktop.DBus.Error.ServiceUnknown", ECONNREFUSED },
		{ "org.freedesktop.DBus.Error.AccessDenied", EACCES },
		{ "org.freedesktop.DBus.Error.NoReply", ETIMEDOUT },
		{ "org.freedesktop.DBus.Error.Spawn.ChildExited",
		  ECONNREFUSED },
		{ "org.freedesktop.systemd1.NoSuchUnit", ECONNREFUSED },
		{ "org.example.Whatever", EPROTO },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		daemon_says(errors[i].name, "policy: uid 1 is uid 1");
		open_fails("1", errors[i].err);
		daemon_says(errors[i].name, NULL);
		open_fails("1", errors[i].err);
	}
}

static void message_may_be_left_out(void **state)
{
	struct wtrack_session *session = UNTOUCHED;

	(void)state;
	daemon_says("org.wtrack1.Error.NotPermitted", "no");
	assert_int_equal(wtrack_session_open_daemon("1", 0, &session, NULL),
			 -EACCES);
	assert_ptr_equal(session, UNTOUCHED);
}

static void failure_without_answer_is_told(void **state)
{
	static const struct {
		int err, expected;
	} failures[] = {
		{ ECONNREFUSED, ECONNREFUSED }, { ENOMEM, ENOMEM },
		{ EMFILE, EMFILE }, { ENFILE, ENFILE }, { EINVAL, EINVAL },
		{ ETIMEDOUT, ETIMEDOUT }, { ECONNRESET, ECONNREFUSED },
		{ ENOTCONN, ECONNREFUSED }, { EBADMSG, EPROTO },
		{ ENXIO, EPROTO },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		fake_fail(FAKE_BUS_NEW, 1, failures[i].err);
		open_fails("1", failures[i].expected);
		fake_fail(FAKE_BUS_FINISH, 1, failures[i].err);
		open_fails("1", failures[i].expected);
	}
}

static void answer_that_is_no_session_is_eproto(void **state)
{
	(void)state;
	fake.daemon.fd_kind = FAKE_PIDFD;
	open_fails("1", EPROTO);
}

static void lack_of_memory_is_told_as_it_is(void **state)
{
	(void)state;
	fake_fail(FAKE_ALLOC, 1, ENOMEM);
	open_fails("1", ENOMEM);
}

static void nobody_is_asked_unless_the_caller_says_so(void **state)
{
	const struct wtrack_restriction wanted = { .max_pages = 5 };
	struct wtrack_session *session = UNTOUCHED;
	unsigned int flags;

	(void)state;
	for (flags = 0; flags <= WTRACK_OPEN_INTERACTIVE; flags++) {
		assert_int_equal(wtrack_session_open_daemon("1", flags,
							    &session, NULL), 0);
		assert_int_equal(fake.daemon.interactive, flags);
		wtrack_session_close(session);
		assert_int_equal(wtrack_session_open_daemon_pid(1, flags,
								&session, NULL),
				 0);
		assert_int_equal(fake.daemon.interactive, flags);
		wtrack_session_close(session);
		assert_int_equal(wtrack_session_open_daemon_restricted("1",
				 &wanted, sizeof(wanted), flags, &session,
				 NULL), 0);
		assert_int_equal(fake.daemon.interactive, flags);
		wtrack_session_close(session);
	}
	session = UNTOUCHED;
	assert_int_equal(wtrack_session_open_daemon("1", 2, &session, NULL),
			 -EINVAL);
	assert_ptr_equal(session, UNTOUCHED);
}

static void the_answer_is_waited_for(void **state)
{
	struct wtrack_session *session;

	(void)state;
	fake.daemon.delay = 3;
	assert_int_equal(wtrack_session_open_daemon("1", 0, &session, NULL), 0);
	assert_int_equal(fake.nr_calls[FAKE_POLL], 3);
	assert_int_equal(fake.nr_calls[FAKE_BUS_FINISH], 4);
	wtrack_session_close(session);
}

static void a_signal_gives_the_request_up(void **state)
{
	struct wtrack_session *session = UNTOUCHED;
	char *message = UNTOUCHED;

	(void)state;
	fake.daemon.delay = 3;
	fake_fail(FAKE_POLL, 2, EINTR);
	assert_int_equal(wtrack_session_open_daemon("1",
						    WTRACK_OPEN_INTERACTIVE,
						    &session, &message),
			 -EINTR);
	assert_ptr_equal(session, UNTOUCHED);
	assert_null(message);
	assert_int_equal(fake.nr_open, 0);
	assert_int_equal(fake.nr_allocated, 0);
}

static void a_request_is_polled(void **state)
{
	struct wtrack_session *session = UNTOUCHED;
	struct wtrack_request *request;
	char *message = UNTOUCHED;

	(void)state;
	fake.daemon.delay = 1;
	assert_int_equal(wtrack_request_new("name", NULL, 0, 0, &request), 0);
	assert_string_equal(fake.daemon.vm, "name");
	assert_int_equal(fake_kind(wtrack_request_get_fd(request)),
			 FAKE_REQUEST);
	assert_int_equal(wtrack_request_finish(request, &session, &message),
			 -EAGAIN);
	assert_ptr_equal(session, UNTOUCHED);
	assert_null(message);
	assert_int_equal(wtrack_request_finish(request, &session, &message), 0);
	assert_int_equal(wtrack_request_finish(request, &session, &message),
			 -EALREADY);
	assert_int_equal(fake.nr_calls[FAKE_POLL], 0);
	wtrack_request_close(request);
	assert_int_equal(fake_kind(wtrack_session_get_fd(session)),
			 FAKE_SESSION);
	wtrack_session_close(session);
}

static void a_request_may_be_refused(void **state)
{
	struct wtrack_session *session = UNTOUCHED;
	struct wtrack_request *request;
	char *message;

	(void)state;
	daemon_says("org.wtrack1.Error.NotPermitted", "no");
	assert_int_equal(wtrack_request_new("1", NULL, 0, 0, &request), 0);
	assert_int_equal(wtrack_request_finish(request, &session, &message),
			 -EACCES);
	assert_string_equal(message, "no");
	free(message);
	assert_int_equal(wtrack_request_finish(request, &session, &message),
			 -EALREADY);
	assert_null(message);
	assert_ptr_equal(session, UNTOUCHED);
	wtrack_request_close(request);
}

static void a_request_may_be_given_up(void **state)
{
	struct wtrack_request *request;

	(void)state;
	wtrack_request_close(NULL);
	assert_int_equal(wtrack_request_new("1", NULL, 0, 0, &request), 0);
	wtrack_request_close(request);
	assert_int_equal(fake.nr_open, 0);
	assert_int_equal(fake.nr_allocated, 0);
}

static void a_malformed_request_is_not_made(void **state)
{
	const struct wtrack_restriction wrong = { .budget = 1 };
	struct wtrack_request *request = UNTOUCHED;

	(void)state;
	assert_int_equal(wtrack_request_new("1", NULL, 0, 2, &request),
			 -EINVAL);
	assert_int_equal(wtrack_request_new("1", &wrong, sizeof(wrong), 0,
					    &request), -EINVAL);
	assert_int_equal(wtrack_request_new("1", &wrong, 0, 0, &request),
			 -EINVAL);
	assert_int_equal(fake.nr_calls[FAKE_BUS_NEW], 0);
	fake_fail(FAKE_BUS_NEW, 1, ECONNREFUSED);
	assert_int_equal(wtrack_request_new("1", NULL, 0, 0, &request),
			 -ECONNREFUSED);
	fake_fail(FAKE_ALLOC, 1, ENOMEM);
	assert_int_equal(wtrack_request_new("1", NULL, 0, 0, &request),
			 -ENOMEM);
	assert_ptr_equal(request, UNTOUCHED);
}

/* A VM of the caller's user: the daemon leaves it to the kernel. */
static void own_vm(int vm_fd)
{
	fake.daemon.unattached = true;
	fake.daemon.vm_fd = vm_fd;
	fake.vmm.fds[0] = 12;
	fake.vmm.vms[0] = 0;
	fake.vmm.fds[1] = 13;
	fake.vmm.vms[1] = FAKE_NO_VM;
	fake.vmm.nr_fds = 2;
}

static void the_caller_attaches_a_vm_of_its_own(void **state)
{
	struct wtrack_session *session;

	(void)state;
	own_vm(12);
	assert_int_equal(wtrack_session_open_daemon("1", 0, &session, NULL), 0);
	assert_int_equal(fake.nr_calls[FAKE_PIDFD_GETFD], 1);
	assert_int_equal(fake.nr_calls[FAKE_ATTACH], 1);
	assert_int_equal(fake.nr_calls[FAKE_BUS_NEW], 1);
	assert_false(fake.daemon.attach);
	assert_int_equal(fake.nr_open, 1);
	wtrack_session_close(session);
}

static void what_the_kernel_refuses_the_daemon_is_asked_for(void **state)
{
	static const int refusals[] = { EPERM, ENOSYS };
	struct wtrack_session *session;
	struct wtrack_request *request;
	size_t i;

	(void)state;
	own_vm(12);
	for (i = 0; i < 2; i++) {
		int fd;

		fake_fail(FAKE_PIDFD_GETFD, 1, refusals[i]);
		assert_int_equal(wtrack_request_new("name", NULL, 0,
						    WTRACK_OPEN_INTERACTIVE,
						    &request), 0);
		fd = wtrack_request_get_fd(request);
		assert_int_equal(wtrack_request_finish(request, &session, NULL),
				 -EAGAIN);
		/* It does not count against the limits any more. */
		assert_int_equal(fake.nr_open, 1);
		assert_int_equal(wtrack_request_get_fd(request), fd);
		assert_true(fake.daemon.attach && fake.daemon.interactive);
		assert_string_equal(fake.daemon.vm, "name");
		assert_int_equal(wtrack_request_finish(request, &session, NULL),
				 0);
		wtrack_request_close(request);
		wtrack_session_close(session);
	}
}

static void what_both_refuse_is_refused_once(void **state)
{
	struct wtrack_session *session = UNTOUCHED;
	char *message = UNTOUCHED;

	(void)state;
	own_vm(12);
	fake.daemon.attach_error = "org.wtrack1.Error.NotPermitted";
	fake.daemon.message = "policy: no";
	fake_fail(FAKE_PIDFD_GETFD, 1, EPERM);
	assert_int_equal(wtrack_session_open_daemon("1", 0, &session, &message),
			 -EACCES);
	assert_string_equal(message, "policy: no");
	free(message);
	assert_int_equal(fake.nr_calls[FAKE_BUS_NEW], 2);
	assert_int_equal(fake.nr_open, 0);
	fake_fail(FAKE_PIDFD_GETFD, 1, EPERM);
	fake_fail(FAKE_BUS_NEW, 2, ECONNRESET);
	assert_int_equal(wtrack_session_open_daemon("1", 0, &session, NULL),
			 -ECONNREFUSED);
	assert_ptr_equal(session, UNTOUCHED);
	assert_int_equal(fake.nr_open, 0);
}

static void a_vm_that_is_gone_meanwhile_is_esrch(void **state)
{
	(void)state;
	own_vm(14);
	open_fails("1", ESRCH);
	own_vm(12);
	fake_fail(FAKE_ATTACH, 1, EBADFD);
	open_fails("1", ESRCH);
	fake_fail(FAKE_ATTACH, 1, EUSERS);
	open_fails("1", EUSERS);
	fake.vmm.alive = false;
	open_fails("1", ESRCH);
	/* A process that has ended is not asked about again. */
	assert_false(fake.daemon.attach);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(session_of_the_daemon_is_the_callers),
		CASE(pid_is_passed_as_text),
		CASE(what_is_no_pid_is_einval),
		CASE(restriction_is_asked_for),
		CASE(rights_are_given_up_when_the_session_is_there),
		CASE(malformed_restriction_is_not_asked_for),
		CASE(each_error_of_the_daemon_has_its_errno),
		CASE(message_may_be_left_out),
		CASE(failure_without_answer_is_told),
		CASE(answer_that_is_no_session_is_eproto),
		CASE(lack_of_memory_is_told_as_it_is),
		CASE(nobody_is_asked_unless_the_caller_says_so),
		CASE(the_answer_is_waited_for),
		CASE(a_signal_gives_the_request_up),
		CASE(a_request_is_polled),
		CASE(a_request_may_be_refused),
		CASE(a_request_may_be_given_up),
		CASE(a_malformed_request_is_not_made),
		CASE(the_caller_attaches_a_vm_of_its_own),
		CASE(what_the_kernel_refuses_the_daemon_is_asked_for),
		CASE(what_both_refuse_is_refused_once),
		CASE(a_vm_that_is_gone_meanwhile_is_esrch),
	};

	return RUN(cases);
}
