// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A mirror, and its pages as buffers. It belongs to its session: each call on
 * it is one of the session's consumer. The session stays open while it has a
 * mirror or a page has a memoryview, even if its close() is called.
 */
#include <errno.h>

#include "binding.h"

#define PAGE_BYTES	4096

/* A page that can be asked for its bytes; they are looked up each time. */
struct page_view {
	PyObject_HEAD
	struct mirror *mirror;
	uint64_t gfn;
	unsigned int exports;
	struct page_view *next;		/* of the mirror's, while exported */
};

struct mirror {
	PyObject_HEAD
	struct session *owner;
	struct wtrack_mirror *mirror;	/* NULL when closed */
	struct page_view *exported;
};

static struct module_state *state_of(struct mirror *self)
{
	return PyType_GetModuleState(Py_TYPE((PyObject *)self));
}

static PyObject *failed(struct mirror *self, int r)
{
	return raise_error(state_of(self), r, NULL);
}

/* As session_begin(). */
static struct wtrack_mirror *begin(struct mirror *self)
{
	if (!self->mirror) {
		PyErr_SetString(PyExc_ValueError, "the mirror is closed");
		return NULL;
	}
	return session_begin(self->owner, MIRROR) ? self->mirror : NULL;
}

static void end(struct mirror *self)
{
	session_end(self->owner, MIRROR);
}

/* mirror_new(session, records, flags, watermark, latency_us) -> Mirror */
PyObject *mirror_new(PyObject *module, PyObject *args)
{
	struct module_state *state = PyModule_GetState(module);
	struct wtrack_mirror_options options = { 0 };
	struct wtrack_session *session;
	struct mirror *self;
	PyObject *owner;
	int r;

	if (!PyArg_ParseTuple(args, "O!O&O&O&O&:mirror_new",
			      state->session_type, &owner,
			      to_u32, &options.records,
			      to_u32, &options.ring_flags,
			      to_u32, &options.watermark,
			      to_u32, &options.latency_us))
		return NULL;
	self = PyObject_New(struct mirror, state->mirror_type);
	if (!self)
		return NULL;
	self->owner = (struct session *)Py_NewRef(owner);
	self->mirror = NULL;
	self->exported = NULL;
	session = session_hold(self->owner);
	if (!session) {
		Py_DECREF((PyObject *)self);
		return NULL;
	}
	Py_BEGIN_ALLOW_THREADS
	r = wtrack_mirror_new(session, &options, sizeof(options),
			      &self->mirror);
	Py_END_ALLOW_THREADS
	end(self);
	if (!r)
		return (PyObject *)self;
	session_let_go(self->owner);
	failed(self, r);
	Py_DECREF((PyObject *)self);
	return NULL;
}

/* Frees a mirror whose pages have no memoryview. */
static void destroy(struct mirror *self)
{
	struct wtrack_mirror *mirror = self->mirror;
	bool own = session_is_own(self->owner);

	self->mirror = NULL;
	if (!mirror)
		return;
	if (own) {
		Py_BEGIN_ALLOW_THREADS
		wtrack_mirror_close(mirror);
		Py_END_ALLOW_THREADS
	}
	session_let_go(self->owner);
}

static PyObject *refuse_exported(void)
{
	PyErr_SetString(PyExc_BufferError,
			"a page has a memoryview: release it first");
	return NULL;
}

static PyObject *mirror_close(PyObject *object, PyObject *args)
{
	struct mirror *self = (struct mirror *)object;

	(void)args;
	if (!self->mirror)
		Py_RETURN_NONE;
	if (self->exported)
		return refuse_exported();
	if (self->owner->consumed && session_is_own(self->owner)) {
		PyErr_SetString(PyExc_RuntimeError,
				"another thread reads the session");
		return NULL;
	}
	destroy(self);
	Py_RETURN_NONE;
}

static void mirror_dealloc(PyObject *object)
{
	struct mirror *self = (struct mirror *)object;
	PyTypeObject *type = Py_TYPE(object);

	destroy(self);
	Py_DECREF((PyObject *)self->owner);
	PyObject_Free(object);
	Py_DECREF(type);
}

static PyObject *results_list(const struct wtrack_result *results,
			      Py_ssize_t nr)
{
	PyObject *list = PyList_New(nr);
	Py_ssize_t i;

	for (i = 0; list && i < nr; i++) {
		PyObject *tuple = Py_BuildValue("KKKiK", results[i].done,
						results[i].changed,
						results[i].error_gfn,
						-results[i].error,
						results[i].skipped);

		if (!tuple)
			Py_CLEAR(list);
		else
			PyList_SetItem(list, i, tuple);
	}
	return list;
}

/* add(ranges, nowait, skip_holes) -> (errno or 0, results) */
static PyObject *mirror_add(PyObject *object, PyObject *args)
{
	struct mirror *self = (struct mirror *)object;
	struct wtrack_result *results = NULL;
	PyObject *arg, *list = NULL;
	struct wtrack_mirror *mirror;
	struct wtrack_range *ranges;
	int nowait, skip_holes, r = 0;
	Py_ssize_t nr;

	if (!PyArg_ParseTuple(args, "Opp:add", &arg, &nowait, &skip_holes))
		return NULL;
	ranges = ranges_parse(arg, &nr);
	if (!ranges)
		return NULL;
	results = PyMem_Calloc((size_t)nr + 1, sizeof(*results));
	if (!results)
		PyErr_NoMemory();
	mirror = results ? begin(self) : NULL;
	if (mirror) {
		Py_BEGIN_ALLOW_THREADS
		r = wtrack_mirror_add(mirror, ranges, (size_t)nr, results,
				      (nowait ? WTRACK_CHANGE_NOWAIT : 0) |
				      (skip_holes ?
				       WTRACK_CHANGE_SKIP_HOLES : 0));
		Py_END_ALLOW_THREADS
		end(self);
		list = results_list(results, nr);
	}
	PyMem_Free(results);
	PyMem_Free(ranges);
	return list ? Py_BuildValue("iN", -r, list) : NULL;
}

static bool is_exported(const struct mirror *self,
			const struct wtrack_range *ranges, Py_ssize_t nr)
{
	const struct page_view *view;
	Py_ssize_t i;

	for (view = self->exported; view; view = view->next)
		for (i = 0; i < nr; i++)
			if (view->gfn - ranges[i].gfn < ranges[i].nr_pages)
				return true;
	return false;
}

static PyObject *run_remove(struct mirror *self,
			    const struct wtrack_range *ranges, Py_ssize_t nr)
{
	struct wtrack_mirror *mirror;
	int r;

	if (is_exported(self, ranges, nr))
		return refuse_exported();
	mirror = begin(self);
	if (!mirror)
		return NULL;
	/* Holds the lock, so that no memoryview of a page is made meanwhile. */
	r = wtrack_mirror_remove(mirror, ranges, (size_t)nr);
	end(self);
	if (r < 0)
		return failed(self, r);
	Py_RETURN_NONE;
}

static PyObject *mirror_remove(PyObject *object, PyObject *args)
{
	struct wtrack_range *ranges;
	PyObject *arg, *answer;
	Py_ssize_t nr;

	if (!PyArg_ParseTuple(args, "O:remove", &arg))
		return NULL;
	ranges = ranges_parse(arg, &nr);
	if (!ranges)
		return NULL;
	answer = run_remove((struct mirror *)object, ranges, nr);
	PyMem_Free(ranges);
	return answer;
}

static PyObject *mirror_reread(PyObject *object, PyObject *args)
{
	struct mirror *self = (struct mirror *)object;
	struct wtrack_mirror *mirror;
	struct wtrack_range *ranges;
	PyObject *arg;
	Py_ssize_t nr;

	if (!PyArg_ParseTuple(args, "O:reread", &arg))
		return NULL;
	ranges = ranges_parse(arg, &nr);
	if (!ranges)
		return NULL;
	mirror = begin(self);
	if (mirror) {
		wtrack_mirror_reread(mirror, ranges, (size_t)nr);
		end(self);
	}
	PyMem_Free(ranges);
	return mirror ? Py_NewRef(Py_None) : NULL;
}

static PyObject *bytes_or_none(const unsigned char *bytes, uint64_t len)
{
	if (!bytes)
		return Py_NewRef(Py_None);
	return PyBytes_FromStringAndSize((const char *)bytes, (Py_ssize_t)len);
}

static PyObject *event_or_none(struct mirror *self,
			       const struct wtrack_event *event)
{
	struct record record;
	int r;

	if (!event)
		return Py_NewRef(Py_None);
	r = record_fill(&record, event);
	return r < 0 ? failed(self, r) : event_new(state_of(self), &record);
}

/* (what, state, gpa, len, old_bytes, new_bytes, event) */
static PyObject *change_tuple(struct mirror *self,
			      const struct wtrack_change *change)
{
	PyObject *before, *after = NULL, *event = NULL;

	before = bytes_or_none(change->old_bytes, change->len);
	if (before)
		after = bytes_or_none(change->new_bytes, change->len);
	if (after)
		event = event_or_none(self, change->event);
	if (event)
		return Py_BuildValue("IIKKNNN", change->what, change->state,
				     change->gpa, change->len, before, after,
				     event);
	Py_XDECREF(before);
	Py_XDECREF(after);
	return NULL;
}

/* The next change, or None. */
static PyObject *next_change(PyObject *object,
			     int (*next)(struct wtrack_mirror *mirror,
					 const struct wtrack_change **ret))
{
	struct mirror *self = (struct mirror *)object;
	const struct wtrack_change *change = NULL;
	struct wtrack_mirror *mirror = begin(self);
	PyObject *answer = NULL;
	int r;

	if (!mirror)
		return NULL;
	Py_BEGIN_ALLOW_THREADS
	r = next(mirror, &change);
	Py_END_ALLOW_THREADS
	if (r < 0)
		failed(self, r);
	else
		answer = r ? change_tuple(self, change) : Py_NewRef(Py_None);
	end(self);
	return answer;
}

static PyObject *mirror_update(PyObject *self, PyObject *args)
{
	(void)args;
	return next_change(self, wtrack_mirror_update);
}

static PyObject *mirror_sync(PyObject *self, PyObject *args)
{
	(void)args;
	return next_change(self, wtrack_mirror_sync);
}

/* wait(timeout) -> bool */
static PyObject *mirror_wait(PyObject *object, PyObject *args)
{
	struct mirror *self = (struct mirror *)object;
	struct wtrack_mirror *mirror;
	int64_t deadline_ns;
	bool raised = false;
	PyObject *timeout;
	int r;

	if (!PyArg_ParseTuple(args, "O:wait", &timeout) ||
	    !deadline_parse(timeout, &deadline_ns))
		return NULL;
	mirror = begin(self);
	if (!mirror)
		return NULL;
	r = sleep_for_change(self->owner, mirror, deadline_ns, &raised);
	end(self);
	if (raised)
		return NULL;
	return r < 0 ? failed(self, r) : PyBool_FromLong(r);
}

/* get_state(gfn) -> state or None */
static PyObject *mirror_get_state(PyObject *object, PyObject *args)
{
	struct mirror *self = (struct mirror *)object;
	struct wtrack_mirror *mirror;
	uint64_t gfn;
	int r;

	if (!PyArg_ParseTuple(args, "O&:get_state", to_u64, &gfn))
		return NULL;
	mirror = begin(self);
	if (!mirror)
		return NULL;
	r = wtrack_mirror_get_state(mirror, gfn);
	end(self);
	if (r < 0)
		Py_RETURN_NONE;
	return PyLong_FromLong(r);
}

/* In the order of the struct, which is that of wtrack.MirrorStatus. */
static PyObject *mirror_get_status(PyObject *object, PyObject *args)
{
	struct mirror *self = (struct mirror *)object;
	struct wtrack_mirror *mirror = begin(self);
	struct wtrack_mirror_status s;

	(void)args;
	if (!mirror)
		return NULL;
	wtrack_mirror_get_status(mirror, &s, sizeof(s));
	end(self);
	return Py_BuildValue("KKKKKKKKKK", s.pages, s.live, s.disarmed,
			     s.absent, s.removed, s.memory_bytes, s.writes,
			     s.rereads, s.conflicts, s.resyncs);
}

static PyObject *mirror_fileno(PyObject *object, PyObject *args)
{
	struct mirror *self = (struct mirror *)object;
	struct wtrack_mirror *mirror = begin(self);
	int fd;

	(void)args;
	if (!mirror)
		return NULL;
	fd = wtrack_mirror_get_fd(mirror);
	end(self);
	return PyLong_FromLong(fd);
}

/* page(gfn) -> a memoryview, or None */
static PyObject *mirror_page(PyObject *object, PyObject *args)
{
	struct mirror *self = (struct mirror *)object;
	struct wtrack_mirror *mirror;
	struct page_view *view;
	PyObject *memory;
	uint64_t gfn;
	bool has;

	if (!PyArg_ParseTuple(args, "O&:page", to_u64, &gfn))
		return NULL;
	mirror = begin(self);
	if (!mirror)
		return NULL;
	has = wtrack_mirror_page(mirror, gfn);
	end(self);
	if (!has)
		Py_RETURN_NONE;
	view = PyObject_New(struct page_view, state_of(self)->page_type);
	if (!view)
		return NULL;
	view->mirror = (struct mirror *)Py_NewRef(object);
	view->gfn = gfn;
	view->exports = 0;
	view->next = NULL;
	memory = PyMemoryView_FromObject((PyObject *)view);
	Py_DECREF((PyObject *)view);
	return memory;
}

static void link_view(struct page_view *view)
{
	view->next = view->mirror->exported;
	view->mirror->exported = view;
}

static void unlink_view(struct page_view *view)
{
	struct page_view **at = &view->mirror->exported;

	while (*at != view)
		at = &(*at)->next;
	*at = view->next;
}

static int page_get_buffer(PyObject *object, Py_buffer *buffer, int flags)
{
	struct page_view *view = (struct page_view *)object;
	struct wtrack_mirror *mirror = begin(view->mirror);
	const void *bytes;

	if (!mirror)
		return -1;
	bytes = wtrack_mirror_page(mirror, view->gfn);
	end(view->mirror);
	if (!bytes) {
		PyErr_SetString(PyExc_BufferError,
				"the page is not in the mirror any more");
		return -1;
	}
	if (PyBuffer_FillInfo(buffer, object, (void *)bytes, PAGE_BYTES, 1,
			      flags) < 0)
		return -1;
	if (!view->exports++)
		link_view(view);
	return 0;
}

static void page_release_buffer(PyObject *object, Py_buffer *buffer)
{
	struct page_view *view = (struct page_view *)object;

	(void)buffer;
	if (!--view->exports)
		unlink_view(view);
}

static void page_dealloc(PyObject *object)
{
	PyTypeObject *type = Py_TYPE(object);

	Py_DECREF((PyObject *)((struct page_view *)object)->mirror);
	PyObject_Free(object);
	Py_DECREF(type);
}

static PyObject *mirror_get_closed(PyObject *object, void *closure)
{
	(void)closure;
	return PyBool_FromLong(!((struct mirror *)object)->mirror);
}

static PyMethodDef methods[] = {
	{ "close", mirror_close, METH_NOARGS, NULL },
	{ "fileno", mirror_fileno, METH_NOARGS, NULL },
	{ "add", mirror_add, METH_VARARGS, NULL },
	{ "remove", mirror_remove, METH_VARARGS, NULL },
	{ "reread", mirror_reread, METH_VARARGS, NULL },
	{ "update", mirror_update, METH_NOARGS, NULL },
	{ "sync", mirror_sync, METH_NOARGS, NULL },
	{ "wait", mirror_wait, METH_VARARGS, NULL },
	{ "page", mirror_page, METH_VARARGS, NULL },
	{ "get_state", mirror_get_state, METH_VARARGS, NULL },
	{ "get_status", mirror_get_status, METH_NOARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

static PyGetSetDef getters[] = {
	{ "closed", mirror_get_closed, NULL, NULL, NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_doc, "What wtrack.Mirror is made of." },
	{ Py_tp_dealloc, mirror_dealloc },
	{ Py_tp_methods, methods },
	{ Py_tp_getset, getters },
	{ 0, NULL },
};

PyType_Spec mirror_spec = {
	.name = "wtrack._wtrack.Mirror",
	.basicsize = sizeof(struct mirror),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
		 Py_TPFLAGS_IMMUTABLETYPE,
	.slots = slots,
};

static PyType_Slot page_slots[] = {
	{ Py_tp_doc, "A page of a mirror, as what a memoryview looks at." },
	{ Py_tp_dealloc, page_dealloc },
	{ Py_bf_getbuffer, page_get_buffer },
	{ Py_bf_releasebuffer, page_release_buffer },
	{ 0, NULL },
};

PyType_Spec page_spec = {
	.name = "wtrack._wtrack.Page",
	.basicsize = sizeof(struct page_view),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
		 Py_TPFLAGS_IMMUTABLETYPE,
	.slots = page_slots,
};
