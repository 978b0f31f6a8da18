// SPDX-License-Identifier: GPL-2.0-or-later
/* A system bus that does not answer, answers nonsense, or is not there. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "bus.h"

#define SOON_MS	20000

static const struct bus_open args = { .vm = "fred" };
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int listener;

static int setup(void **state)
{
	static char directory[] = "/tmp/wtrack-bus.XXXXXX";
	char text[160];

	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/bus",
		 directory);
	snprintf(text, sizeof(text), "unix:path=%s", address.sun_path);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", text, 1);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 8))
		return -1;
	errno = EXDEV;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(listener);
	unlink(address.sun_path);
	*strrchr(address.sun_path, '/') = '\0';
	return rmdir(address.sun_path);
}

static int fds_open(void)
{
	int fd, nr = 0;

	for (fd = 0; fd < 64; fd++)
		nr += fcntl(fd, F_GETFD) >= 0;
	return nr;
}

/* The result when there is one, after as many turns as it takes. */
static struct bus_session opened;

static int finish(struct bus_call *call, struct bus_error *error)
{
	struct pollfd pfd = { .fd = wtrack__bus_call_get_fd(call),
			      .events = POLLIN };
	int r;

	while ((r = wtrack__bus_call_finish(call, &opened,
						    error)) == -EAGAIN)
		assert_int_equal(poll(&pfd, 1, SOON_MS), 1);
	return r;
}

static void nobody_waits_for_a_bus_that_is_silent(void **state)
{
	struct bus_call *call;
	struct bus_error error;
	struct pollfd pfd = { .events = POLLIN };
	int before = fds_open(), i;

	(void)state;
	errno = EXDEV;
	assert_int_equal(wtrack__bus_call_new(&args, &call), 0);
	pfd.fd = wtrack__bus_call_get_fd(call);
	for (i = 0; i < 10; i++) {
		assert_int_equal(wtrack__bus_call_finish(call, &opened,
							 &error),
				 -EAGAIN);
		assert_null(error.name);
	}
	/* And does not poll in a busy loop. */
	assert_int_equal(poll(&pfd, 1, 50), 0);
	assert_int_equal(errno, EXDEV);
	wtrack__bus_call_free(call);
	assert_int_equal(errno, EXDEV);
	/* The next test has a connection of its own. */
	close(accept(listener, NULL, NULL));
	assert_int_equal(fds_open(), before);
}

static void a_bus_that_hangs_up_is_none(void **state)
{
	struct bus_call *call;
	struct bus_error error;
	int before = fds_open(), peer;

	(void)state;
	assert_int_equal(wtrack__bus_call_new(&args, &call), 0);
	peer = accept(listener, NULL, NULL);
	assert_true(peer >= 0);
	assert_int_equal(wtrack__bus_call_finish(call, &opened,
							 &error), -EAGAIN);
	close(peer);
	/* The library's callers get ECONNREFUSED for it. */
	assert_int_equal(finish(call, &error), -ECONNRESET);
	assert_null(error.name);
	wtrack__bus_call_free(call);
	assert_int_equal(fds_open(), before);
}

static void a_bus_that_talks_nonsense_is_none(void **state)
{
	static const char nonsense[] = "REJECTED\r\n\xff\r\n\xff\r\nno\r\n";
	struct bus_call *call;
	struct bus_error error;
	int peer;

	(void)state;
	assert_int_equal(wtrack__bus_call_new(&args, &call), 0);
	peer = accept(listener, NULL, NULL);
	assert_int_equal(write(peer, nonsense, sizeof(nonsense)),
			 sizeof(nonsense));
	assert_int_equal(finish(call, &error), -ECONNREFUSED);
	wtrack__bus_call_free(call);
	close(peer);
}

static void what_is_no_text_is_einval(void **state)
{
	const struct bus_open wrong = { .vm = "\xff" };
	struct bus_call *call = (void *)77;
	int before = fds_open();

	(void)state;
	assert_int_equal(wtrack__bus_call_new(&wrong, &call), -EINVAL);
	assert_ptr_equal(call, (void *)77);
	close(accept(listener, NULL, NULL));
	assert_int_equal(fds_open(), before);
}

static void without_a_bus_it_is_told_at_once(void **state)
{
	struct bus_call *call = (void *)77;
	int before = fds_open();

	(void)state;
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
	assert_int_equal(wtrack__bus_call_new(&args, &call), -ECONNREFUSED);
	assert_ptr_equal(call, (void *)77);
	assert_int_equal(fds_open(), before);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(nobody_waits_for_a_bus_that_is_silent),
		cmocka_unit_test(a_bus_that_hangs_up_is_none),
		cmocka_unit_test(a_bus_that_talks_nonsense_is_none),
		cmocka_unit_test(what_is_no_text_is_einval),
		cmocka_unit_test(without_a_bus_it_is_told_at_once),
	};

	return cmocka_run_group_tests(cases, setup, teardown);
}
