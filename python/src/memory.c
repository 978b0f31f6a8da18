// SPDX-License-Identifier: LGPL-2.1-or-later
/* The guest's memory. */
#include <errno.h>

#include "binding.h"

/*
 * Signals are handled when one has interrupted the call. False with an exception,
 * of what a handler raised.
 */
static bool read_all(struct session *self, struct wtrack_session *session,
		     uint64_t gpa, const Py_buffer *buffer, unsigned int flags,
		     struct wtrack_read *ret, int *ret_r)
{
	struct wtrack_read part;
	bool first = true;
	int r;

	*ret = (struct wtrack_read) { 0 };
	do {
		char *to = (char *)buffer->buf + ret->done;
		size_t len = (size_t)buffer->len - ret->done;

		Py_BEGIN_ALLOW_THREADS
		r = wtrack_session_read(session, gpa + ret->done, to, len,
					&part, flags | WTRACK_READ_INTR);
		Py_END_ALLOW_THREADS
		part.done += ret->done;
		if (first)
			*ret = part;
		ret->done = part.done;
		first = false;
		if (!session_may_go_on(self))
			return false;
	} while (r == -EINTR);
	*ret_r = r;
	return true;
}

/* read(gpa, buffer, nofault) -> (errno or 0, done, seq, generation) */
PyObject *session_read(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session;
	struct wtrack_read result;
	unsigned int flags = 0;
	PyObject *target;
	Py_buffer buffer;
	int nofault, r;
	uint64_t gpa;
	bool ok;

	if (!PyArg_ParseTuple(args, "O&Op:read", to_u64, &gpa, &target,
			      &nofault))
		return NULL;
	if (PyObject_GetBuffer(target, &buffer, PyBUF_WRITABLE) < 0)
		return NULL;
	if (nofault)
		flags |= WTRACK_READ_NOFAULT;
	session = session_begin(self, ANY_THREAD);
	if (!session) {
		PyBuffer_Release(&buffer);
		return NULL;
	}
	ok = read_all(self, session, gpa, &buffer, flags, &result, &r);
	session_end(self, ANY_THREAD);
	PyBuffer_Release(&buffer);
	return ok ? Py_BuildValue("iKKK", -r, result.done, result.seq,
				  result.generation) : NULL;
}

/* regions_next(gfn) -> (region or None, the gfn to continue at, generation) */
PyObject *session_regions_next(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session;
	struct wtrack_region region;
	uint64_t gfn, generation = 0;
	int r;

	if (!PyArg_ParseTuple(args, "O&:regions_next", to_u64, &gfn))
		return NULL;
	session = session_begin(self, ANY_THREAD);
	if (!session)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_regions_next(session, &gfn, &region, &generation);
	Py_END_ALLOW_THREADS
	session_end(self, ANY_THREAD);
	if (r < 0)
		return raise_error(session_state(self), r, NULL);
	if (!r)
		return Py_BuildValue("OKK", Py_None, gfn, generation);
	return Py_BuildValue("(KKI)KK", region.gfn, region.nr_pages,
			     region.flags, gfn, generation);
}
