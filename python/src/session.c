// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A session's life. Any thread may close it at any time: what others have under
 * way on it ends first, and the last of them closes it.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "binding.h"

/* A child of fork(2) lacks the rings of sessions that were opened before. */
static unsigned int forks;

static void count_fork(void)
{
	forks++;
}

static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, count_fork);
}

/* Once for all interpreters. */
bool session_watch_forks(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	return !pthread_once(&once, watch_forks);
}

struct module_state *session_state(struct session *self)
{
	return PyType_GetModuleState(Py_TYPE((PyObject *)self));
}

/*
 * Closed, until the library has stored a session in it. It is made before that,
 * as what fails afterwards would close a descriptor that is the caller's.
 */
struct session *session_new(struct module_state *state)
{
	struct session *self;
	int wake_fd;

	wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0) {
		raise_error(state, -errno, NULL);
		return NULL;
	}
	self = PyObject_New(struct session, state->session_type);
	if (!self) {
		close(wake_fd);
		return NULL;
	}
	self->session = NULL;
	self->wake_fd = wake_fd;
	self->users = 0;
	self->consumed = false;
	self->mirrored = false;
	self->closing = false;
	self->forks = forks;
	return self;
}

static void session_destroy(struct session *self)
{
	struct wtrack_session *session = self->session;
	int wake_fd = self->wake_fd;

	self->session = NULL;
	self->wake_fd = -1;
	if (wake_fd < 0 || self->forks != forks)
		return;
	Py_BEGIN_ALLOW_THREADS
	wtrack_session_close(session);
	close(wake_fd);
	Py_END_ALLOW_THREADS
}

/* False with an exception. */
static bool is_usable(const struct session *self)
{
	if (!self->session || self->closing) {
		PyErr_SetString(PyExc_ValueError, "the session is closed");
		return false;
	}
	if (self->forks != forks) {
		PyErr_SetString(PyExc_ValueError,
				"the session belongs to the parent process");
		return false;
	}
	return true;
}

/*
 * The session, for a call that then has to end with session_end(); or NULL,
 * and an exception.
 */
struct wtrack_session *session_begin(struct session *self, enum use use)
{
	if (!is_usable(self))
		return NULL;
	if (use == CONSUMER && self->mirrored) {
		PyErr_SetString(PyExc_RuntimeError,
				"a mirror reads the session");
		return NULL;
	}
	if (use != ANY_THREAD && self->consumed) {
		PyErr_SetString(PyExc_RuntimeError,
				"another thread reads the session");
		return NULL;
	}
	if (use != ANY_THREAD)
		self->consumed = true;
	self->users++;
	return self->session;
}

/*
 * In the middle of a call, after others had their turn. False with an
 * exception: what a signal's handler raised, or of what it or another thread
 * did. A handler that forks returns in the child as well.
 */
bool session_may_go_on(const struct session *self)
{
	return PyErr_CheckSignals() >= 0 && is_usable(self);
}

static void put_user(struct session *self)
{
	if (!--self->users && self->closing)
		session_destroy(self);
}

/* Keeps the exception that may be on its way. */
void session_end(struct session *self, enum use use)
{
	if (use != ANY_THREAD)
		self->consumed = false;
	put_user(self);
}

/*
 * Begins a call of a mirror: the session stays open until the mirror releases
 * it, even if it is closed meanwhile.
 */
struct wtrack_session *session_hold(struct session *self)
{
	struct wtrack_session *session = session_begin(self, CONSUMER);

	if (!session)
		return NULL;
	self->mirrored = true;
	self->users++;
	return session;
}

void session_let_go(struct session *self)
{
	self->mirrored = false;
	put_user(self);
}

/* Of this process, and not of its parent? */
bool session_is_own(const struct session *self)
{
	return self->forks == forks;
}

static PyObject *session_close(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;

	(void)args;
	if (!self->session || self->closing)
		Py_RETURN_NONE;
	self->closing = true;
	if (!self->users || self->forks != forks)
		session_destroy(self);
	else
		eventfd_write(self->wake_fd, 1);
	Py_RETURN_NONE;
}

static PyObject *session_fileno(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session = session_begin(self, ANY_THREAD);
	int fd;

	(void)args;
	if (!session)
		return NULL;
	fd = wtrack_session_get_fd(session);
	session_end(self, ANY_THREAD);
	return PyLong_FromLong(fd);
}

static PyObject *session_get_closed(PyObject *object, void *closure)
{
	struct session *self = (struct session *)object;

	(void)closure;
	return PyBool_FromLong(!self->session || self->closing);
}

/* For copy and pickle, which would make a second owner of the descriptor. */
static PyObject *session_reduce(PyObject *object, PyObject *args)
{
	(void)object;
	(void)args;
	PyErr_SetString(PyExc_TypeError, "cannot copy or pickle a session");
	return NULL;
}

static void session_dealloc(PyObject *object)
{
	PyTypeObject *type = Py_TYPE(object);

	session_destroy((struct session *)object);
	PyObject_Free(object);
	Py_DECREF(type);
}

static PyMethodDef methods[] = {
	{ "__reduce__", session_reduce, METH_NOARGS, NULL },
	{ "close", session_close, METH_NOARGS, NULL },
	{ "fileno", session_fileno, METH_NOARGS, NULL },
	{ "attach", session_attach, METH_VARARGS, NULL },
	{ "restrict", session_restrict, METH_VARARGS, NULL },
	{ "set_wakeup", session_set_wakeup, METH_VARARGS, NULL },
	{ "set_budget", session_set_budget, METH_VARARGS, NULL },
	{ "set_sync", session_set_sync, METH_VARARGS, NULL },
	{ "make_ring", session_make_ring, METH_VARARGS, NULL },
	{ "get_status", session_get_status, METH_NOARGS, NULL },
	{ "add", session_add, METH_VARARGS, NULL },
	{ "rearm", session_rearm, METH_VARARGS, NULL },
	{ "remove", session_remove, METH_VARARGS, NULL },
	{ "query", session_query, METH_VARARGS, NULL },
	{ "query_gfn", session_query_gfn, METH_VARARGS, NULL },
	{ "read", session_read, METH_VARARGS, NULL },
	{ "regions_next", session_regions_next, METH_VARARGS, NULL },
	{ "wait", session_wait, METH_VARARGS, NULL },
	{ "next", session_next, METH_NOARGS, NULL },
	{ "release", session_release, METH_NOARGS, NULL },
	{ "get_waiters", session_get_waiters, METH_NOARGS, NULL },
	{ "read_batch", session_read_batch, METH_VARARGS, NULL },
	{ "fence", session_fence, METH_NOARGS, NULL },
	{ "resync_next", session_resync_next, METH_NOARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static PyGetSetDef getters[] = {
	{ "closed", session_get_closed, NULL, NULL, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_doc, "What wtrack.Session is made of." },
	{ Py_tp_dealloc, session_dealloc },
	{ Py_tp_iter, PyObject_SelfIter },
	{ Py_tp_iternext, session_iternext },
	{ Py_tp_methods, methods },
	{ Py_tp_getset, getters },
	{ 0, NULL },
};

PyType_Spec session_spec = {
	.name = "wtrack._wtrack.Session",
	.basicsize = sizeof(struct session),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
		 Py_TPFLAGS_IMMUTABLETYPE,
	.slots = slots,
};
