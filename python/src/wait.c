// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sleeping without the interpreter's lock, until there is an event, a signal
 * whose handler raises, the time is over, or another thread closes the session.
 * The library's own wait would not notice the last; with a timeout of 0 it says
 * what there is.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <time.h>

#include "binding.h"

#define NS_PER_MS	1000000
#define NS_PER_S	INT64_C(1000000000)

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Rounded up, or it would not sleep at the end. A day at a time is enough. */
static int left_ms(int64_t deadline_ns)
{
	const int64_t day_ms = 24 * 3600 * 1000;
	int64_t ms;

	if (deadline_ns < 0)
		return -1;
	ms = (deadline_ns - now_ns() + NS_PER_MS - 1) / NS_PER_MS;
	if (ms < 0)
		return 0;
	return (int)(ms < day_ms ? ms : day_ms);
}

static void sleep_ms(struct session *self, int ms)
{
	struct pollfd fds[] = {
		{ .fd = wtrack_session_get_fd(self->session), .events = POLLIN },
		{ .fd = self->wake_fd, .events = POLLIN },
	};

	Py_BEGIN_ALLOW_THREADS
	poll(fds, 2, ms);
	Py_END_ALLOW_THREADS
}

/*
 * As wtrack_session_wait(), for a consumer: deadline_ns is -1 for ever. With
 * *raised there is an exception.
 */
int sleep_for_event(struct session *self, int64_t deadline_ns, bool *raised)
{
	int ms, r;

	for (;;) {
		r = wtrack_session_wait(self->session, 0);
		if (r && r != -EINTR)
			return r;
		ms = left_ms(deadline_ns);
		if (!ms)
			return 0;
		sleep_ms(self, ms);
		*raised = !session_may_go_on(self);
		if (*raised)
			return -EINTR;
	}
}

/* No event reports when there is memory again: see wtrack_mirror_wait(). */
static int longest_sleep_ms(const struct wtrack_mirror *mirror, int ms)
{
	const int look_ms = 100;
	struct wtrack_mirror_status status;

	wtrack_mirror_get_status(mirror, &status, sizeof(status));
	if (!status.absent || (ms >= 0 && ms < look_ms))
		return ms;
	return look_ms;
}

/* The same with wtrack_mirror_wait(). */
int sleep_for_change(struct session *self, struct wtrack_mirror *mirror,
		     int64_t deadline_ns, bool *raised)
{
	int ms, r;

	for (;;) {
		Py_BEGIN_ALLOW_THREADS
		r = wtrack_mirror_wait(mirror, 0);
		Py_END_ALLOW_THREADS
		if (r && r != -EINTR)
			return r;
		ms = left_ms(deadline_ns);
		if (!ms)
			return 0;
		sleep_ms(self, longest_sleep_ms(mirror, ms));
		*raised = !session_may_go_on(self);
		if (*raised)
			return -EINTR;
	}
}

/* Of seconds, or None for ever. */
bool deadline_parse(PyObject *timeout, int64_t *ret_ns)
{
	double seconds;

	*ret_ns = -1;
	if (timeout == Py_None)
		return true;
	seconds = PyFloat_AsDouble(timeout);
	if (seconds == -1 && PyErr_Occurred())
		return false;
	if (isnan(seconds) || seconds < 0) {
		PyErr_SetString(PyExc_ValueError,
				"a timeout is not negative");
		return false;
	}
	/* More than a century is for ever. */
	if (seconds < 4e9)
		*ret_ns = now_ns() + (int64_t)ceil(seconds * 1e9);
	return true;
}

/* wait(timeout) -> bool */
PyObject *session_wait(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	PyObject *timeout;
	int64_t deadline_ns;
	bool raised = false;
	int r;

	if (!PyArg_ParseTuple(args, "O:wait", &timeout) ||
	    !deadline_parse(timeout, &deadline_ns) ||
	    !session_begin(self, CONSUMER))
		return NULL;
	r = sleep_for_event(self, deadline_ns, &raised);
	session_end(self, CONSUMER);
	if (raised)
		return NULL;
	if (r < 0)
		return raise_error(session_state(self), r, NULL);
	return PyBool_FromLong(r);
}
