// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sessions are opened by functions of the module. */
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

static PyObject *open_daemon(PyObject *module, PyObject *args)
{
	struct session *self;
	char *message = NULL;
	const char *vm;
	int r;

	if (!PyArg_ParseTuple(args, "s:open_daemon", &vm))
		return NULL;
	self = session_new(PyModule_GetState(module));
	if (!self)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_open_daemon(vm, &self->session, &message);
	Py_END_ALLOW_THREADS
	return opened(module, r, self, message);
}

static PyObject *open_daemon_pid(PyObject *module, PyObject *args)
{
	struct session *self;
	char *message = NULL;
	int pid, r;

	if (!PyArg_ParseTuple(args, "i:open_daemon_pid", &pid))
		return NULL;
	self = session_new(PyModule_GetState(module));
	if (!self)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_open_daemon_pid(pid, &self->session, &message);
	Py_END_ALLOW_THREADS
	return opened(module, r, self, message);
}

static PyObject *open_daemon_restricted(PyObject *module, PyObject *args)
{
	struct wtrack_restriction wanted;
	struct session *self;
	char *message = NULL;
	const char *vm;
	PyObject *limits;
	int r;

	if (!PyArg_ParseTuple(args, "sO:open_daemon_restricted", &vm, &limits) ||
	    restriction_parse(limits, &wanted) < 0)
		return NULL;
	self = session_new(PyModule_GetState(module));
	if (!self) {
		PyMem_Free((void *)wanted.ranges);
		return NULL;
	}
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_open_daemon_restricted(vm, &wanted, sizeof(wanted),
						  &self->session, &message);
	Py_END_ALLOW_THREADS
	PyMem_Free((void *)wanted.ranges);
	return opened(module, r, self, message);
}

PyMethodDef open_functions[] = {
	{ "open_vm_fd", open_vm_fd, METH_VARARGS, NULL },
	{ "open_pid", open_pid, METH_VARARGS, NULL },
	{ "open_pid_fd", open_pid_fd, METH_VARARGS, NULL },
	{ "open_fd", open_fd, METH_VARARGS, NULL },
	{ "open_daemon", open_daemon, METH_VARARGS, NULL },
	{ "open_daemon_pid", open_daemon_pid, METH_VARARGS, NULL },
	{ "open_daemon_restricted", open_daemon_restricted, METH_VARARGS,
	  NULL },
	{ "get_info", get_info, METH_NOARGS, NULL },
	{ "strerror", get_strerror, METH_VARARGS, NULL },
	{ NULL, NULL, 0, NULL },
};
