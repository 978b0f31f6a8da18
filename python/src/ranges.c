// SPDX-License-Identifier: LGPL-2.1-or-later
/* Ranges as Python's pairs, and asking which are tracked. */
#include "binding.h"

#define QUERY_RANGES	64

static bool range_parse(PyObject *object, struct wtrack_range *ret)
{
	PyObject *pair = PySequence_Tuple(object);
	bool ok;

	ok = pair && PyArg_ParseTuple(pair, "O&O&;a range is (gfn, nr_pages)",
				      to_u64, &ret->gfn,
				      to_u64, &ret->nr_pages);
	Py_XDECREF(pair);
	return ok;
}

/* Of any iterable; to be freed with PyMem_Free(). NULL with an exception. */
struct wtrack_range *ranges_parse(PyObject *object, Py_ssize_t *ret_nr)
{
	PyObject *list = PySequence_List(object);
	struct wtrack_range *ranges = NULL;
	Py_ssize_t i, nr;

	if (!list)
		return NULL;
	nr = PyList_Size(list);
	ranges = PyMem_Calloc((size_t)nr + 1, sizeof(*ranges));
	if (!ranges) {
		PyErr_NoMemory();
		goto out;
	}
	for (i = 0; i < nr; i++) {
		if (range_parse(PyList_GetItem(list, i), &ranges[i]))
			continue;
		PyMem_Free(ranges);
		ranges = NULL;
		goto out;
	}
	*ret_nr = nr;
out:
	Py_DECREF(list);
	return ranges;
}

static PyObject *list_of(const struct wtrack_range *ranges, int nr)
{
	PyObject *list = PyList_New(nr);
	int i;

	for (i = 0; list && i < nr; i++) {
		PyObject *pair = Py_BuildValue("KK", ranges[i].gfn,
					       ranges[i].nr_pages);

		if (!pair)
			Py_CLEAR(list);
		else
			PyList_SetItem(list, i, pair);
	}
	return list;
}

/* query(gfn) -> (ranges, the gfn to continue at); no ranges at the end */
PyObject *session_query(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_range ranges[QUERY_RANGES];
	struct wtrack_session *session;
	PyObject *list;
	uint64_t gfn;
	int r;

	if (!PyArg_ParseTuple(args, "O&:query", to_u64, &gfn))
		return NULL;
	session = session_begin(self, ANY_THREAD);
	if (!session)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_query(session, &gfn, ranges, QUERY_RANGES);
	Py_END_ALLOW_THREADS
	session_end(self, ANY_THREAD);
	if (r < 0)
		return raise_error(session_state(self), r, NULL);
	list = list_of(ranges, r);
	return list ? Py_BuildValue("NK", list, gfn) : NULL;
}

/* query_gfn(gfn) -> (users, state) */
PyObject *session_query_gfn(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session;
	uint32_t users, state;
	uint64_t gfn;
	int r;

	if (!PyArg_ParseTuple(args, "O&:query_gfn", to_u64, &gfn))
		return NULL;
	session = session_begin(self, ANY_THREAD);
	if (!session)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_query_gfn(session, gfn, &users, &state);
	Py_END_ALLOW_THREADS
	session_end(self, ANY_THREAD);
	if (r < 0)
		return raise_error(session_state(self), r, NULL);
	return Py_BuildValue("II", users, state);
}
