// SPDX-License-Identifier: LGPL-2.1-or-later
/* An event is a copy: it outlives its place in the ring, and the session. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "binding.h"

#include <structmember.h>

struct event {
	PyObject_HEAD
	struct record record;
};

#define PAGE_SHIFT	12

/* Fails when the library hands out more than a record has room for. */
int record_fill(struct record *record, const struct wtrack_event *event)
{
	uint64_t rip = 0;
	size_t len = wtrack_event_get_len(event);
	int vcpu = wtrack_event_get_vcpu(event);

	if (len > sizeof(record->data))
		return -EPROTO;
	*record = (struct record) {
		.seq = wtrack_event_get_seq(event),
		.time_ns = wtrack_event_get_time_ns(event),
		.gpa = wtrack_event_get_gpa(event),
		.nr_pages = wtrack_event_get_nr_pages(event),
		.nr_tracked = wtrack_event_get_nr_tracked(event),
		.vcpu = vcpu < 0 ? -1 : vcpu,
		.total = (uint32_t)wtrack_event_get_total(event),
		.action = wtrack_event_get_action(event),
		.cause = wtrack_event_get_cause(event),
		.len = (uint16_t)len,
		.type = (uint8_t)wtrack_event_get_type(event),
	};
	if (wtrack_event_has_more(event))
		record->flags |= RECORD_MORE;
	if (wtrack_event_is_page(event))
		record->flags |= RECORD_PAGE;
	if (wtrack_event_has_data(event))
		record->flags |= RECORD_DATA;
	if (wtrack_event_is_l2(event))
		record->flags |= RECORD_L2;
	if (wtrack_event_is_smm(event))
		record->flags |= RECORD_SMM;
	if (wtrack_event_is_async(event))
		record->flags |= RECORD_ASYNC;
	if (!wtrack_event_get_rip(event, &rip))
		record->flags |= RECORD_RIP;
	if (wtrack_event_is_once(event))
		record->flags |= RECORD_ONCE;
	record->rip = rip;
	memcpy(record->data, wtrack_event_get_data(event), len);
	return 0;
}

PyObject *event_new(struct module_state *state, const struct record *record)
{
	struct event *event = PyObject_New(struct event, state->event_type);

	if (event)
		event->record = *record;
	return (PyObject *)event;
}

static void event_dealloc(PyObject *self)
{
	PyTypeObject *type = Py_TYPE(self);

	PyObject_Free(self);
	Py_DECREF(type);
}

static const struct record *record_of(PyObject *self)
{
	return &((struct event *)self)->record;
}

static PyObject *get_data(PyObject *self, void *closure)
{
	const struct record *record = record_of(self);

	(void)closure;
	return PyBytes_FromStringAndSize((const char *)record->data,
					 record->len);
}

static PyObject *get_gfn(PyObject *self, void *closure)
{
	(void)closure;
	return PyLong_FromUnsignedLongLong(record_of(self)->gpa >> PAGE_SHIFT);
}

static PyObject *get_has_data(PyObject *self, void *closure)
{
	(void)closure;
	return PyBool_FromLong(record_of(self)->flags & RECORD_DATA);
}

static PyObject *get_has_more(PyObject *self, void *closure)
{
	(void)closure;
	return PyBool_FromLong(record_of(self)->flags & RECORD_MORE);
}

static PyObject *get_is_page(PyObject *self, void *closure)
{
	(void)closure;
	return PyBool_FromLong(record_of(self)->flags & RECORD_PAGE);
}

static PyObject *get_is_once(PyObject *self, void *closure)
{
	(void)closure;
	return PyBool_FromLong(record_of(self)->flags & RECORD_ONCE);
}

static PyObject *get_is_l2(PyObject *self, void *closure)
{
	(void)closure;
	return PyBool_FromLong(record_of(self)->flags & RECORD_L2);
}

static PyObject *get_is_smm(PyObject *self, void *closure)
{
	(void)closure;
	return PyBool_FromLong(record_of(self)->flags & RECORD_SMM);
}

static PyObject *get_is_async(PyObject *self, void *closure)
{
	(void)closure;
	return PyBool_FromLong(record_of(self)->flags & RECORD_ASYNC);
}

static PyObject *get_vcpu(PyObject *self, void *closure)
{
	int32_t vcpu = record_of(self)->vcpu;

	(void)closure;
	if (vcpu < 0)
		Py_RETURN_NONE;
	return PyLong_FromLong(vcpu);
}

static PyObject *get_rip(PyObject *self, void *closure)
{
	const struct record *record = record_of(self);

	(void)closure;
	if (!(record->flags & RECORD_RIP))
		Py_RETURN_NONE;
	return PyLong_FromUnsignedLongLong(record->rip);
}

/* It never changes. */
static PyObject *event_copy(PyObject *self, PyObject *args)
{
	(void)args;
	return Py_NewRef(self);
}

static PyObject *record_bytes(PyObject *self)
{
	return PyBytes_FromStringAndSize((const char *)record_of(self),
					 sizeof(struct record));
}

/* Pickled as event_from_record() and the record. */
static PyObject *event_reduce(PyObject *self, PyObject *args)
{
	struct module_state *state = PyType_GetModuleState(Py_TYPE(self));
	PyObject *record = record_bytes(self);

	(void)args;
	if (!record)
		return NULL;
	return Py_BuildValue("(O(N))", state->event_from_record, record);
}

/* A record that was not made here may have anything in it. */
static bool record_is_sane(const struct record *record)
{
	const uint16_t flags = RECORD_MORE | RECORD_PAGE | RECORD_RIP |
			       RECORD_DATA | RECORD_ONCE | RECORD_L2 |
			       RECORD_SMM | RECORD_ASYNC;
	const uint8_t zero[sizeof(record->pad)] = { 0 };

	return record->len <= sizeof(record->data) &&
	       record->vcpu >= -1 && !(record->flags & ~flags) &&
	       !memcmp(record->pad, zero, sizeof(zero));
}

/* event_from_record(record) -> Event */
PyObject *event_from_record(PyObject *module, PyObject *args)
{
	struct record record;
	const char *bytes;
	Py_ssize_t size;

	if (!PyArg_ParseTuple(args, "y#:event_from_record", &bytes, &size))
		return NULL;
	if (size == sizeof(record))
		memcpy(&record, bytes, sizeof(record));
	if (size != sizeof(record) || !record_is_sane(&record)) {
		PyErr_SetString(PyExc_ValueError, "not the record of an event");
		return NULL;
	}
	return event_new(PyModule_GetState(module), &record);
}

static PyObject *event_compare(PyObject *self, PyObject *other, int how)
{
	bool same;

	if ((how != Py_EQ && how != Py_NE) || Py_TYPE(self) != Py_TYPE(other))
		Py_RETURN_NOTIMPLEMENTED;
	same = !memcmp(record_of(self), record_of(other),
		       sizeof(struct record));
	return PyBool_FromLong(same == (how == Py_EQ));
}

static Py_hash_t event_hash(PyObject *self)
{
	PyObject *record = record_bytes(self);
	Py_hash_t hash;

	if (!record)
		return -1;
	hash = PyObject_Hash(record);
	Py_DECREF(record);
	return hash;
}

static PyMethodDef methods[] = {
	{ "__copy__", event_copy, METH_NOARGS, NULL },
	{ "__deepcopy__", event_copy, METH_O, NULL },
	{ "__reduce__", event_reduce, METH_NOARGS, NULL },
	{ NULL, NULL, 0, NULL },
};

/* PyUnicode_FromFormat() knows no long hexadecimal numbers. */
static PyObject *event_repr(PyObject *self)
{
	const struct record *record = record_of(self);
	char text[96];

	snprintf(text, sizeof(text), "<wtrack.Event seq=%" PRIu64
		 " type=%u gpa=%#" PRIx64 " len=%u>", record->seq,
		 record->type, record->gpa, record->len);
	return PyUnicode_FromString(text);
}

/* As they stand in the record. */
#define MEMBER(name, type, doc) \
	{ #name, type, offsetof(struct event, record.name), READONLY, doc }

static PyMemberDef members[] = {
	MEMBER(type, T_UBYTE, "What happened: see EventType."),
	MEMBER(seq, T_ULONGLONG,
	       "The session's first event has 1, each further one 1 more."),
	MEMBER(time_ns, T_ULONGLONG,
	       "When: nanoseconds of the host's CLOCK_MONOTONIC."),
	MEMBER(gpa, T_ULONGLONG,
	       "WRITE: guest physical address of the first byte of data.\n"
	       "REGION_REMOVED: of the first page. GUARD: in the page."),
	MEMBER(len, T_USHORT, "WRITE: bytes of data."),
	MEMBER(total, T_UINT,
	       "WRITE: bytes of the store, more than len if it has parts."),
	MEMBER(nr_pages, T_ULONGLONG, "REGION_REMOVED: pages of the region."),
	MEMBER(nr_tracked, T_ULONGLONG,
	       "REGION_REMOVED: pages of them that the session tracked."),
	MEMBER(action, T_UINT, "GUARD: what it did, see Guard."),
	MEMBER(cause, T_UINT, "GUARD: why it did it, see Cause."),
	{ NULL, 0, 0, 0, NULL },
};

static PyGetSetDef getters[] = {
	{ "data", get_data, NULL, "WRITE: what was stored.", NULL },
	{ "gfn", get_gfn, NULL, "Number of the page: gpa / 4096.", NULL },
	{ "has_data", get_has_data, NULL,
	  "WRITE: is what was stored in data? Not without Right.DATA.", NULL },
	{ "has_more", get_has_more, NULL,
	  "Does the next event continue the same store?", NULL },
	{ "is_page", get_is_page, NULL,
	  "Does it stand for the page? Then re-read it.", NULL },
	{ "is_once", get_is_once, NULL,
	  "Is the page not observed from here on? Session.rearm() ends that.",
	  NULL },
	{ "is_l2", get_is_l2, NULL,
	  "Was it a guest of the guest that stored?", NULL },
	{ "is_smm", get_is_smm, NULL,
	  "Was the vCPU in system management mode?", NULL },
	{ "is_async", get_is_async, NULL,
	  "WRITE: does the vCPU not wait until it is released?", NULL },
	{ "vcpu", get_vcpu, NULL, "The vCPU's id, None if not known.",
	  NULL },
	{ "rip", get_rip, NULL,
	  "The guest's instruction pointer, None if not known.", NULL },
	{ NULL, NULL, NULL, NULL, NULL },
};

static PyType_Slot slots[] = {
	{ Py_tp_doc, "An event. It is a copy, and valid for ever." },
	{ Py_tp_dealloc, event_dealloc },
	{ Py_tp_repr, event_repr },
	{ Py_tp_richcompare, event_compare },
	{ Py_tp_hash, event_hash },
	{ Py_tp_methods, methods },
	{ Py_tp_members, members },
	{ Py_tp_getset, getters },
	{ 0, NULL },
};

PyType_Spec event_spec = {
	.name = "wtrack.Event",
	.basicsize = sizeof(struct event),
	.flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION |
		 Py_TPFLAGS_IMMUTABLETYPE,
	.slots = slots,
};
