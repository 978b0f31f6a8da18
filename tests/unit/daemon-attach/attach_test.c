// SPDX-License-Identifier: GPL-2.0-or-later
/* What becomes of a request to wtrack-attach, and for how long it counts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach.h"
#include "attach/protocol.h"
#include "manager.h"
#include "vm.h"

#define ALICE	1000
#define BOB	1001
#define VM_FD	11

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
int __real_connect(int fd, const struct sockaddr *address, socklen_t length);

static struct manager manager;
static int listener;
static struct sockaddr_un place;
static socklen_t place_length;

/* What attach_fn was called with, and how often. */
static int told, nr_told;

int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	(void)length;
	assert_string_equal(((const struct sockaddr_un *)address)->sun_path,
			    ATTACH_SOCKET);
	return __real_connect(fd, (struct sockaddr *)&place, place_length);
}

static int setup(void **state)
{
	(void)state;
	memset(&manager, 0, sizeof(manager));
	assert_true(sd_event_new(&manager.event) >= 0);
	place = (struct sockaddr_un){ .sun_family = AF_UNIX };
	place_length = sizeof(place);
	listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	/* The kernel chooses a name. */
	assert_int_equal(bind(listener, (struct sockaddr *)&place,
			      sizeof(sa_family_t)), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&place,
				     &place_length), 0);
	assert_int_equal(listen(listener, 64), 0);
	told = nr_told = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	attaches_free(&manager);
	sd_event_unref(manager.event);
	close(listener);
	return 0;
}

static void run(void)
{
	while (sd_event_run(manager.event, 0) > 0)
		;
}

static void on_told(void *userdata, int result)
{
	assert_ptr_equal(userdata, &manager);
	told = result;
	nr_told++;
}

/* Of a VM of this process; standard error is a session and a pidfd. */
static int start(uid_t uid, pid_t pid, struct attach **ret)
{
	struct process process = { .pid = pid, .pidfd = STDERR_FILENO };
	const struct vm vm = { .process = &process, .fd = VM_FD };

	return attach_start(&manager, uid, STDERR_FILENO, &vm, on_told, &manager,
			    ret);
}

/* The process that systemd would start for the next request. */
static int helper(void)
{
	struct attach_request request;
	int fd = accept(listener, NULL, NULL);

	assert_true(fd >= 0);
	assert_int_equal(recv(fd, &request, sizeof(request), 0),
			 sizeof(request));
	assert_int_equal(request.vm_fd, VM_FD);
	return fd;
}

static void answers(int fd, int result, int step)
{
	const struct attach_answer answer = { .result = result, .step = step };

	assert_int_equal(send(fd, &answer, sizeof(answer), MSG_NOSIGNAL),
			 sizeof(answer));
	run();
}

static void ends(int fd)
{
	close(fd);
	run();
}

static void caller_learns_what_the_process_answers(void **state)
{
	static const struct {
		int result, step, told;
	} cases[] = {
		{ 0, ATTACH_STEP_ATTACH, 0 },
		{ -EPERM, ATTACH_STEP_GETFD, -EACCES },
		{ -EBADF, ATTACH_STEP_GETFD, -ESRCH },
		{ -ESRCH, ATTACH_STEP_GETFD, -ESRCH },
		{ -EBADFD, ATTACH_STEP_ATTACH, -ESRCH },
		{ -EUSERS, ATTACH_STEP_ATTACH, -EUSERS },
		{ 1, ATTACH_STEP_ATTACH, -EPIPE },
	};
	struct attach *attach;
	size_t i;
	int fd;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(start(ALICE, 7, &attach), 0);
		fd = helper();
		answers(fd, cases[i].result, cases[i].step);
		assert_int_equal(told, cases[i].told);
		ends(fd);
		assert_int_equal(nr_told, i + 1);
	}
	assert_true(LIST_EMPTY(&manager.attaches));
}

static void process_that_ends_without_an_answer_is_told(void **state)
{
	struct attach *attach;
	int fd;

	(void)state;
	assert_int_equal(start(ALICE, 7, &attach), 0);
	ends(helper());
	assert_int_equal(told, -EPIPE);
	assert_int_equal(start(ALICE, 7, &attach), 0);
	fd = helper();
	assert_int_equal(send(fd, "x", 1, 0), 1);
	run();
	assert_int_equal(nr_told, 2);
	assert_int_equal(told, -EPIPE);
	/* What it says besides is nobody's. */
	answers(fd, 0, ATTACH_STEP_ATTACH);
	ends(fd);
	assert_int_equal(nr_told, 2);
	assert_true(LIST_EMPTY(&manager.attaches));
}

static void nobody_is_told_who_has_left(void **state)
{
	struct attach *attach;
	int fd;

	(void)state;
	assert_int_equal(start(ALICE, 7, &attach), 0);
	attach_forget(attach);
	fd = helper();
	assert_false(LIST_EMPTY(&manager.attaches));
	answers(fd, 0, ATTACH_STEP_ATTACH);
	ends(fd);
	assert_int_equal(nr_told, 0);
	assert_true(LIST_EMPTY(&manager.attaches));
}

/* The VMM's descriptor may be one that is not closed soon. */
static void process_counts_until_it_has_ended(void **state)
{
	int fds[ATTACHES_PER_VMM], i;
	struct attach *attach;

	(void)state;
	for (i = 0; i < ATTACHES_PER_VMM; i++) {
		assert_int_equal(start(ALICE, 7, &attach), 0);
		fds[i] = helper();
		answers(fds[i], -EBADFD, ATTACH_STEP_ATTACH);
		assert_int_equal(nr_told, i + 1);
		assert_int_equal(told, -ESRCH);
	}
	assert_int_equal(start(ALICE, 7, &attach), -EBUSY);
	assert_int_equal(start(BOB, 7, &attach), 0);
	assert_int_equal(start(ALICE, 8, &attach), 0);
	ends(fds[0]);
	assert_int_equal(start(ALICE, 7, &attach), 0);
	for (i = 1; i < ATTACHES_PER_VMM; i++)
		ends(fds[i]);
}

static void user_has_so_many_at_a_time(void **state)
{
	struct attach *attach;
	int i;

	(void)state;
	for (i = 0; i < ATTACHES_PER_USER; i++)
		assert_int_equal(start(ALICE, 100 + i, &attach), 0);
	assert_int_equal(start(ALICE, 99, &attach), -EBUSY);
	assert_int_equal(start(BOB, 99, &attach), 0);
}

#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(caller_learns_what_the_process_answers),
		CASE(process_that_ends_without_an_answer_is_told),
		CASE(nobody_is_told_who_has_left),
		CASE(process_counts_until_it_has_ended),
		CASE(user_has_so_many_at_a_time),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
