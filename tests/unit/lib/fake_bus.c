// SPDX-License-Identifier: GPL-2.0-or-later
/* The system bus: what wtrackd would say. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus.h"
#include "fake.h"
#include "sys.h"

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static void note(const struct bus_open *args)
{
	snprintf(fake.daemon.vm, sizeof(fake.daemon.vm), "%s", args->vm);
	fake.daemon.attach = args->attach;
	fake.daemon.max_pages = args->max_pages;
	fake.daemon.max_records = args->max_records;
	fake.daemon.interactive = args->interactive;
}

struct bus_call {
	int fd;
	bool finished;
};

int wtrack__bus_call_new(const struct bus_open *args, struct bus_call **ret)
{
	struct bus_call *call;
	int err = fake_called(FAKE_BUS_NEW), fd;

	note(args);
	if (err)
		return err;
	fd = fake_new_fd(FAKE_REQUEST);
	if (fd < 0)
		return fd;
	call = calloc(1, sizeof(*call));
	call->fd = fd;
	*ret = call;
	return 0;
}

int wtrack__bus_call_get_fd(const struct bus_call *call)
{
	return call->fd;
}

int wtrack__bus_call_repeat(struct bus_call *call, const struct bus_open *args)
{
	int err = fake_called(FAKE_BUS_NEW);

	assert_true(call->finished);
	note(args);
	call->finished = false;
	return err;
}

static int open_session(struct bus_session *ret)
{
	*ret = (struct bus_session) {
		.attached = fake.daemon.attach || !fake.daemon.unattached,
		.vm_fd = fake.daemon.vm_fd,
	};
	if (fake.daemon.fd_kind)
		ret->fd = fake_new_fd(fake.daemon.fd_kind);
	else
		ret->fd = ret->attached ? fake_session_fd(0) :
					  fake_new_fd(FAKE_SESSION);
	ret->pidfd = fake_new_fd(FAKE_PIDFD);
	return 0;
}

int wtrack__bus_call_finish(struct bus_call *call, struct bus_session *ret,
			    struct bus_error *ret_error)
{
	int err = fake_called(FAKE_BUS_FINISH);
	const char *error = fake.daemon.attach && fake.daemon.attach_error ?
			    fake.daemon.attach_error : fake.daemon.error;

	assert_false(call->finished);
	*ret_error = (struct bus_error) { NULL, NULL };
	if (!err && fake.daemon.delay > 0) {
		fake.daemon.delay--;
		return -EAGAIN;
	}
	call->finished = true;
	if (err)
		return err;
	if (!error)
		return open_session(ret);
	ret_error->name = copy(error);
	ret_error->message = copy(fake.daemon.message);
	return -EREMOTEIO;
}

void wtrack__bus_session_done(struct bus_session *session)
{
	if (session->fd >= 0)
		wtrack__sys_close(session->fd);
	if (session->pidfd >= 0)
		wtrack__sys_close(session->pidfd);
	session->fd = session->pidfd = -1;
}

void wtrack__bus_call_free(struct bus_call *call)
{
	if (!call)
		return;
	wtrack__sys_close(call->fd);
	free(call);
}

void wtrack__bus_error_done(struct bus_error *error)
{
	free(error->name);
	free(error->message);
	*error = (struct bus_error) { NULL, NULL };
}
