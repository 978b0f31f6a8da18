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
	fake.daemon.nr_ranges = args->nr_ranges;
	if (args->nr_ranges)
		fake.daemon.range = args->ranges[0];
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

int wtrack__bus_call_finish(struct bus_call *call, struct bus_error *ret_error)
{
	int err = fake_called(FAKE_BUS_FINISH);

	assert_false(call->finished);
	*ret_error = (struct bus_error) { NULL, NULL };
	if (!err && fake.daemon.delay > 0) {
		fake.daemon.delay--;
		return -EAGAIN;
	}
	call->finished = true;
	if (err)
		return err;
	if (fake.daemon.error) {
		ret_error->name = copy(fake.daemon.error);
		ret_error->message = copy(fake.daemon.message);
		return -EREMOTEIO;
	}
	if (fake.daemon.fd_kind)
		return fake_new_fd(fake.daemon.fd_kind);
	return fake_session_fd(0);
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
