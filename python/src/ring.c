// SPDX-License-Identifier: LGPL-2.1-or-later
/* The consumer's side: waiting, taking events, finishing a resync. */
#include <errno.h>

#include "binding.h"

/* Copies the next event. 0 when there is none. */
static int take(struct wtrack_session *session, struct record *ret)
{
	const struct wtrack_event *event = wtrack_session_next(session);
	int r;

	if (!event)
		return 0;
	r = record_fill(ret, event);
	return r < 0 ? r : 1;
}

/* The event, None for 0, or the exception. */
static PyObject *taken(struct session *self, int r, const struct record *record)
{
	if (r < 0)
		return raise_error(session_state(self), r, NULL);
	if (!r)
		Py_RETURN_NONE;
	return event_new(session_state(self), record);
}

PyObject *session_next(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session;
	struct record record;
	int r;

	(void)args;
	session = session_begin(self, CONSUMER);
	if (!session)
		return NULL;
	r = take(session, &record);
	session_end(self, CONSUMER);
	return taken(self, r, &record);
}

PyObject *session_release(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session = session_begin(self, CONSUMER);

	(void)args;
	if (!session)
		return NULL;
	wtrack_session_release(session);
	session_end(self, CONSUMER);
	Py_RETURN_NONE;
}

/* Sleeps, takes the event and releases it; ends when the VM is gone. */
PyObject *session_iternext(PyObject *object)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session = session_begin(self, CONSUMER);
	struct record record;
	bool raised = false;
	int r;

	if (!session)
		return NULL;
	do {
		r = take(session, &record);
		if (r)
			break;
		r = sleep_for_event(self, -1, &raised);
	} while (r > 0);
	if (r > 0)
		wtrack_session_release(session);
	session_end(self, CONSUMER);
	if (raised || r == -ESRCH)
		return NULL;
	return taken(self, r, &record);
}

/* As many as there are, at most nr; releases them. */
static int fill(struct wtrack_session *session, struct record *records,
		size_t nr, size_t *filled)
{
	int r = 1;

	for (*filled = 0; *filled < nr; ++*filled) {
		r = take(session, &records[*filled]);
		if (r <= 0)
			break;
	}
	if (r >= 0)
		wtrack_session_release(session);
	return r;
}

static PyObject *read_records(struct session *self, struct record *records,
			      size_t nr)
{
	struct wtrack_session *session = session_begin(self, CONSUMER);
	size_t filled;
	int r;

	if (!session)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = fill(session, records, nr, &filled);
	Py_END_ALLOW_THREADS
	session_end(self, CONSUMER);
	if (r < 0)
		return raise_error(session_state(self), r, NULL);
	return PyBytes_FromStringAndSize((char *)records,
					 (Py_ssize_t)(filled *
						      sizeof(*records)));
}

/* read_batch(nr) -> bytes */
PyObject *session_read_batch(PyObject *self, PyObject *args)
{
	struct record *records;
	PyObject *batch;
	uint32_t nr;

	if (!PyArg_ParseTuple(args, "O&:read_batch", to_u32, &nr))
		return NULL;
	records = PyMem_Malloc(nr * sizeof(*records));
	if (!records)
		return PyErr_NoMemory();
	batch = read_records((struct session *)self, records, nr);
	PyMem_Free(records);
	return batch;
}

/* get_waiters() -> (waiters, signalled) */
PyObject *session_get_waiters(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session = session_begin(self, ANY_THREAD);
	uint32_t waiters, signalled;
	int r;

	(void)args;
	if (!session)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_get_waiters(session, &waiters, &signalled);
	Py_END_ALLOW_THREADS
	session_end(self, ANY_THREAD);
	if (r < 0)
		return raise_error(session_state(self), r, NULL);
	return Py_BuildValue("II", waiters, signalled);
}

PyObject *session_fence(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session = session_begin(self, ANY_THREAD);
	uint64_t seq;
	int r;

	(void)args;
	if (!session)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_fence(session, &seq);
	Py_END_ALLOW_THREADS
	session_end(self, ANY_THREAD);
	if (r < 0)
		return raise_error(session_state(self), r, NULL);
	return PyLong_FromUnsignedLongLong(seq);
}

/* resync_next() -> (gfn, nr_pages, what) or None */
PyObject *session_resync_next(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session = session_begin(self, CONSUMER);
	struct wtrack_resync_range range;
	int r;

	(void)args;
	if (!session)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_resync_next(session, &range);
	Py_END_ALLOW_THREADS
	session_end(self, CONSUMER);
	if (r < 0)
		return raise_error(session_state(self), r, NULL);
	if (!r)
		Py_RETURN_NONE;
	return Py_BuildValue("KKI", range.gfn, range.nr_pages, range.what);
}
