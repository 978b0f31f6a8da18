// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sessions are opened by functions of the module. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "binding.h"

/* What the opening came to: the session as an object, or an exception. */
static PyObject *opened(PyObject *module, int r, struct session *self,
			char *message)
{
	if (r >= 0)
		return (PyObject *)self;
	Py_DECREF(self);
	raise_error(PyModule_GetState(module), r, message);
	free(message);
	return NULL;
}

static PyObject *open_vm_fd(PyObject *module, PyObject *args)
{
	struct session *self;
	int fd, r;

	if (!PyArg_ParseTuple(args, "i:open_vm_fd", &fd))
		return NULL;
	self = session_new(PyModule_GetState(module));
	if (!self)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_open_vm_fd(fd, &self->session);
	Py_END_ALLOW_THREADS
	return opened(module, r, self, NULL);
}

static PyObject *open_pid(PyObject *module, PyObject *args)
{
	struct session *self;
	int pid, r;

	if (!PyArg_ParseTuple(args, "i:open_pid", &pid))
		return NULL;
	self = session_new(PyModule_GetState(module));
	if (!self)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_open_pid(pid, &self->session);
	Py_END_ALLOW_THREADS
	return opened(module, r, self, NULL);
}

static PyObject *open_pid_fd(PyObject *module, PyObject *args)
{
	struct session *self;
	int pid, fd, r;

	if (!PyArg_ParseTuple(args, "ii:open_pid_fd", &pid, &fd))
		return NULL;
	self = session_new(PyModule_GetState(module));
	if (!self)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_open_pid_fd(pid, fd, &self->session);
	Py_END_ALLOW_THREADS
	return opened(module, r, self, NULL);
}

static PyObject *open_device(PyObject *module, PyObject *unused)
{
	struct session *self = session_new(PyModule_GetState(module));
	int r;

	(void)unused;
	if (!self)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_open(&self->session);
	Py_END_ALLOW_THREADS
	return opened(module, r, self, NULL);
}

static PyObject *open_fd(PyObject *module, PyObject *args)
{
	struct session *self;
	int fd, r;

	if (!PyArg_ParseTuple(args, "i:open_fd", &fd))
		return NULL;
	self = session_new(PyModule_GetState(module));
	if (!self)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_open_fd(fd, &self->session);
	Py_END_ALLOW_THREADS
	return opened(module, r, self, NULL);
}

/* A signal that comes just before the poll is seen after that time. */
#define SIGNAL_MS	1000

/* Until there is an answer; false with what a signal's handler has raised. */
static bool wait_for_answer(const struct wtrack_request *request)
{
	struct pollfd pfd = {
		.fd = wtrack_request_get_fd(request),
		.events = POLLIN,
	};

	Py_BEGIN_ALLOW_THREADS
	poll(&pfd, 1, SIGNAL_MS);
	Py_END_ALLOW_THREADS
	return PyErr_CheckSignals() >= 0;
}

/*
 * An exception on the way gives the request up. Takes the request and the
 * reference to the session.
 */
static PyObject *finish_request(PyObject *module, struct session *self,
				struct wtrack_request *request)
{
	char *message = NULL;
	int r;

	for (;;) {
		Py_BEGIN_ALLOW_THREADS
		r = wtrack_request_finish(request, &self->session, &message);
		Py_END_ALLOW_THREADS
		if (r != -EAGAIN)
			break;
		if (!wait_for_answer(request)) {
			wtrack_request_close(request);
			Py_DECREF(self);
			return NULL;
		}
	}
	wtrack_request_close(request);
	return opened(module, r, self, message);
}

static PyObject *ask_daemon(PyObject *module, const char *vm,
			    const struct wtrack_restriction *wanted,
			    int interactive)
{
	unsigned int flags = interactive ? WTRACK_OPEN_INTERACTIVE : 0;
	struct session *self = session_new(PyModule_GetState(module));
	struct wtrack_request *request;
	int r;

	if (!self)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_request_new(vm, wanted, sizeof(*wanted), flags, &request);
	Py_END_ALLOW_THREADS
	if (r < 0)
		return opened(module, r, self, NULL);
	return finish_request(module, self, request);
}

static PyObject *open_daemon(PyObject *module, PyObject *args)
{
	const char *vm;
	int interactive;

	if (!PyArg_ParseTuple(args, "sp:open_daemon", &vm, &interactive))
		return NULL;
	return ask_daemon(module, vm, NULL, interactive);
}

static PyObject *open_daemon_pid(PyObject *module, PyObject *args)
{
	int pid, interactive;
	char vm[16];

	if (!PyArg_ParseTuple(args, "ip:open_daemon_pid", &pid, &interactive))
		return NULL;
	if (pid <= 0)
		return raise_error(PyModule_GetState(module), -EINVAL, NULL);
	snprintf(vm, sizeof(vm), "%d", pid);
	return ask_daemon(module, vm, NULL, interactive);
}

static PyObject *open_daemon_restricted(PyObject *module, PyObject *args)
{
	struct wtrack_restriction wanted;
	PyObject *limits, *session;
	const char *vm;
	int interactive;

	if (!PyArg_ParseTuple(args, "sOp:open_daemon_restricted", &vm, &limits,
			      &interactive) ||
	    restriction_parse(limits, &wanted) < 0)
		return NULL;
	session = ask_daemon(module, vm, &wanted, interactive);
	PyMem_Free((void *)wanted.ranges);
	return session;
}

PyMethodDef open_functions[] = {
	{ "open", open_device, METH_NOARGS, NULL },
	{ "open_vm_fd", open_vm_fd, METH_VARARGS, NULL },
	{ "open_pid", open_pid, METH_VARARGS, NULL },
	{ "open_pid_fd", open_pid_fd, METH_VARARGS, NULL },
	{ "open_fd", open_fd, METH_VARARGS, NULL },
	{ "open_daemon", open_daemon, METH_VARARGS, NULL },
	{ "open_daemon_pid", open_daemon_pid, METH_VARARGS, NULL },
	{ "open_daemon_restricted", open_daemon_restricted, METH_VARARGS,
	  NULL },
	{ "mirror_new", mirror_new, METH_VARARGS, NULL },
	{ "event_from_record", event_from_record, METH_VARARGS, NULL },
	{ "get_info", get_info, METH_NOARGS, NULL },
	{ "strerror", get_strerror, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};
