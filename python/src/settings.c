// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a session may do and has done; what the host can. */
#include "binding.h"

/*
 * Of (ranges, max_pages, max_records, budget, period_ms, max_sync_us, rights); the
 * ranges are to be freed with PyMem_Free().
 */
int restriction_parse(PyObject *limits, struct wtrack_restriction *ret)
{
	struct wtrack_restriction parsed = { 0 };
	PyObject *ranges;
	Py_ssize_t nr;

	if (!PyArg_ParseTuple(limits, "OO&O&O&O&O&O&", &ranges,
			      to_u64, &parsed.max_pages,
			      to_u32, &parsed.max_records,
			      to_u32, &parsed.budget,
			      to_u32, &parsed.period_ms,
			      to_u32, &parsed.max_sync_us,
			      to_u64, &parsed.rights))
		return -1;
	parsed.ranges = ranges_parse(ranges, &nr);
	if (!parsed.ranges)
		return -1;
	parsed.nr_ranges = (size_t)nr;
	*ret = parsed;
	return 0;
}

/* None, or the exception. */
static PyObject *answer(struct session *self, int r)
{
	if (r < 0)
		return raise_error(session_state(self), r, NULL);
	Py_RETURN_NONE;
}

PyObject *session_attach(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session;
	int fd, r;

	if (!PyArg_ParseTuple(args, "i:attach", &fd))
		return NULL;
	session = session_begin(self, ANY_THREAD);
	if (!session)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_attach(session, fd);
	Py_END_ALLOW_THREADS
	session_end(self, ANY_THREAD);
	return answer(self, r);
}

PyObject *session_restrict(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_restriction limits;
	struct wtrack_session *session;
	int r;

	if (restriction_parse(args, &limits) < 0)
		return NULL;
	session = session_begin(self, ANY_THREAD);
	if (!session) {
		PyMem_Free((void *)limits.ranges);
		return NULL;
	}
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_restrict(session, &limits, sizeof(limits));
	Py_END_ALLOW_THREADS
	session_end(self, ANY_THREAD);
	PyMem_Free((void *)limits.ranges);
	return answer(self, r);
}

PyObject *session_set_budget(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session;
	uint32_t budget, period_ms;
	int r;

	if (!PyArg_ParseTuple(args, "O&O&:set_budget", to_u32, &budget,
			      to_u32, &period_ms))
		return NULL;
	session = session_begin(self, CONSUMER);
	if (!session)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_set_budget(session, budget, period_ms);
	Py_END_ALLOW_THREADS
	session_end(self, CONSUMER);
	return answer(self, r);
}

PyObject *session_set_wakeup(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session;
	uint32_t watermark, latency_us;
	int r;

	if (!PyArg_ParseTuple(args, "O&O&:set_wakeup", to_u32, &watermark,
			      to_u32, &latency_us))
		return NULL;
	session = session_begin(self, ANY_THREAD);
	if (!session)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_set_wakeup(session, watermark, latency_us);
	Py_END_ALLOW_THREADS
	session_end(self, ANY_THREAD);
	return answer(self, r);
}

PyObject *session_set_sync(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session;
	uint32_t timeout_us;
	int r;

	if (!PyArg_ParseTuple(args, "O&:set_sync", to_u32, &timeout_us))
		return NULL;
	session = session_begin(self, CONSUMER);
	if (!session)
		return NULL;
	r = wtrack_session_set_sync(session, timeout_us);
	session_end(self, CONSUMER);
	return answer(self, r);
}

PyObject *session_make_ring(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	uint32_t records, flags, watermark, latency_us;
	struct wtrack_session *session;
	int r;

	if (!PyArg_ParseTuple(args, "O&O&O&O&:make_ring", to_u32, &records,
			      to_u32, &flags, to_u32, &watermark,
			      to_u32, &latency_us))
		return NULL;
	session = session_begin(self, CONSUMER);
	if (!session)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_make_ring(session, records, flags, watermark,
				     latency_us);
	Py_END_ALLOW_THREADS
	session_end(self, CONSUMER);
	return answer(self, r);
}

/* In the order of the struct, which is that of wtrack.Status. */
PyObject *session_get_status(PyObject *object, PyObject *args)
{
	struct session *self = (struct session *)object;
	struct wtrack_session *session;
	struct wtrack_status s;
	int r;

	(void)args;
	session = session_begin(self, ANY_THREAD);
	if (!session)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_session_get_status(session, &s, sizeof(s));
	Py_END_ALLOW_THREADS
	session_end(self, ANY_THREAD);
	if (r < 0)
		return raise_error(session_state(self), r, NULL);
	return Py_BuildValue("IiKKIIKKKKKKKKKKKKKKKKKKK", s.state, s.vm_pid, s.vm_id,
			     s.session_id, s.records, s.unread, s.pages,
			     s.max_pages, s.events, s.merged, s.overflows,
			     s.resync_writes, s.regions_removed, s.wakeups,
			     s.memory_bytes, s.vm_memory_bytes, s.disarms,
			     s.over_budget, s.rearms, s.unreported, s.rights,
			     s.generation, s.absent,
			     s.sync_waits, s.sync_timeouts);
}

/* In the order of the struct, which is that of wtrack.Info. */
PyObject *get_info(PyObject *module, PyObject *args)
{
	struct wtrack_info i;
	int r;

	(void)args;
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_get_info(&i, sizeof(i));
	Py_END_ALLOW_THREADS
	if (r < 0)
		return raise_error(PyModule_GetState(module), r, NULL);
	return Py_BuildValue("KKIIIIIIIIIIIIK", i.features, i.max_pages,
			     i.min_records, i.max_records, i.max_sessions,
			     i.max_users, i.max_ranges, i.max_latency_us,
			     i.data_bytes, i.max_budget, i.max_period_ms,
			     i.backoff_min_ms, i.backoff_max_ms, i.max_sync_us,
			     i.read_bytes_per_s);
}
