// SPDX-License-Identifier: LGPL-2.1-or-later
/* Adding pages, arming them again and removing them. */
#include <errno.h>

#include "change.h"

/* Went the call no further? All other reasons may be those of a page. */
static bool is_end(int r)
{
	return r == -EINVAL || r == -ENOBUFS || r == -EPROTO || r == -ESRCH ||
	       r == -ESHUTDOWN;
}

static int (*const calls[])(struct wtrack_session *session,
			    const struct wtrack_range *ranges, size_t nr_ranges,
			    struct wtrack_result *results,
			    unsigned int flags) = {
	[CHANGE_ADD] = wtrack_session_add,
	[CHANGE_REARM] = wtrack_session_rearm,
	[CHANGE_REMOVE] = wtrack_session_remove,
};

static int step(struct change *change, struct piece *piece)
{
	int r;

	piece_make(piece, change);
	Py_BEGIN_ALLOW_THREADS
	r = calls[change->kind](change->session, piece->ranges, piece->nr,
				piece->results, change->flags);
	Py_END_ALLOW_THREADS
	piece_account(change, piece);
	piece_advance(change, piece);
	if (!change->refused)
		change->refused = r;
	return is_end(r) ? r : 0;
}

/* What was not reached has the error of the call. */
static void close_results(struct change *change, int err)
{
	size_t i;

	for (i = 0; i < change->nr; i++) {
		struct wtrack_result *result = &change->results[i];

		uint64_t reached = result->done + result->skipped;

		if (result->error || reached == change->ranges[i].nr_pages)
			continue;
		result->error = err;
		result->error_gfn = change->ranges[i].gfn + reached;
	}
}

static bool change_run(struct change *change, int *ret)
{
	struct piece *piece = PyMem_Malloc(sizeof(*piece));
	bool ok = true;
	int r = 0;

	if (!piece) {
		PyErr_NoMemory();
		return false;
	}
	while (ok && !r && change->at < change->nr) {
		r = step(change, piece);
		ok = session_may_go_on(change->self);
	}
	PyMem_Free(piece);
	if (r < 0)
		close_results(change, r);
	*ret = r < 0 ? r : change->refused;
	return ok;
}

static PyObject *results_list(const struct change *change)
{
	PyObject *list = PyList_New((Py_ssize_t)change->nr);
	size_t i;

	for (i = 0; list && i < change->nr; i++) {
		const struct wtrack_result *result = &change->results[i];
		PyObject *tuple = Py_BuildValue("KKKiK", result->done,
						result->changed,
						result->error_gfn,
						-result->error,
						result->skipped);

		if (!tuple)
			Py_CLEAR(list);
		else
			PyList_SetItem(list, (Py_ssize_t)i, tuple);
	}
	return list;
}

/* Of pages that were removed: none of their events has a higher number. */
static int fence(struct change *change, uint64_t *ret_seq)
{
	int r;

	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_remove_fenced(change->session, NULL, 0, NULL, 0,
					 ret_seq);
	Py_END_ALLOW_THREADS
	return r;
}

static PyObject *change_answer(struct change *change, bool fenced)
{
	bool has_seq = false;
	PyObject *results;
	uint64_t seq;
	int r, fence_r;

	if (!change_run(change, &r))
		return NULL;
	if (fenced && !is_end(r)) {
		fence_r = fence(change, &seq);
		has_seq = fence_r >= 0;
		r = has_seq ? r : fence_r;
	}
	results = results_list(change);
	if (!results)
		return NULL;
	return has_seq ? Py_BuildValue("iNK", -r, results, seq) :
			 Py_BuildValue("iNO", -r, results, Py_None);
}

static PyObject *run(struct session *self, PyObject *ranges,
		     enum change_kind kind, bool fenced, unsigned int flags)
{
	struct change change = {
		.self = self, .kind = kind, .flags = flags,
	};
	PyObject *answer = NULL;
	Py_ssize_t nr;

	change.ranges = ranges_parse(ranges, &nr);
	if (!change.ranges)
		return NULL;
	change.nr = (size_t)nr;
	change.results = PyMem_Calloc(change.nr + 1, sizeof(*change.results));
	if (!change.results)
		PyErr_NoMemory();
	else
		change.session = session_begin(self, ANY_THREAD);
	if (change.session) {
		answer = change_answer(&change, fenced);
		session_end(self, ANY_THREAD);
	}
	PyMem_Free(change.results);
	PyMem_Free(change.ranges);
	return answer;
}

/* add(ranges, nowait, skip_holes) -> (errno or 0, results, None) */
PyObject *session_add(PyObject *self, PyObject *args)
{
	int nowait, skip_holes;
	PyObject *ranges;

	if (!PyArg_ParseTuple(args, "Opp:add", &ranges, &nowait, &skip_holes))
		return NULL;
	return run((struct session *)self, ranges, CHANGE_ADD, false,
		   (nowait ? WTRACK_CHANGE_NOWAIT : 0) |
		   (skip_holes ? WTRACK_CHANGE_SKIP_HOLES : 0));
}

/* rearm(ranges, nowait) -> likewise */
PyObject *session_rearm(PyObject *self, PyObject *args)
{
	PyObject *ranges;
	int nowait;

	if (!PyArg_ParseTuple(args, "Op:rearm", &ranges, &nowait))
		return NULL;
	return run((struct session *)self, ranges, CHANGE_REARM, false,
		   nowait ? WTRACK_CHANGE_NOWAIT : 0);
}

/* remove(ranges, fenced) -> (errno or 0, results, sequence number or None) */
PyObject *session_remove(PyObject *self, PyObject *args)
{
	PyObject *ranges;
	int fenced;

	if (!PyArg_ParseTuple(args, "Op:remove", &ranges, &fenced))
		return NULL;
	return run((struct session *)self, ranges, CHANGE_REMOVE, fenced, 0);
}
