/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of the extension share. */
#ifndef BINDING_H
#define BINDING_H

/* One build for Python 3.11 and all that follow. */
#define Py_LIMITED_API 0x030b0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtrack/wtrack.h>

/* Of one interpreter. */
struct module_state {
	PyTypeObject *event_type, *session_type, *mirror_type, *page_type;
	PyObject *make_error;	/* wtrack._errors.make_error */
	PyObject *event_from_record;
};

/*
 * Its fields are the interpreter lock's. Without that lock a call may use
 * session as long as it is counted in users: see session_begin().
 */
struct session {
	PyObject_HEAD
	struct wtrack_session *session;	/* NULL when closed */
	int wake_fd;			/* readable when it is to be closed */
	unsigned int users;		/* calls that are under way */
	bool consumed;			/* one of them is the consumer's */
	bool mirrored;			/* the consumer is a mirror */
	bool closing;
	unsigned int forks;		/* when it was opened */
};

enum use { ANY_THREAD, CONSUMER, MIRROR };

/*
 * An event as an object and in a batch: the layout is that of RECORD_FORMAT in
 * wtrack/_records.py.
 */
struct record {
	uint64_t seq, time_ns, gpa, rip, nr_pages, nr_tracked;
	int32_t vcpu;			/* -1 when not known */
	uint32_t total, action, cause;
	uint16_t len, flags;
	uint8_t type;
	uint8_t pad[3];
	uint8_t data[24];
};

#define RECORD_MORE	1
#define RECORD_PAGE	2
#define RECORD_RIP	4
#define RECORD_DATA	8
#define RECORD_ONCE	16
#define RECORD_L2	32
#define RECORD_SMM	64
#define RECORD_ASYNC	128

/* error.c */
PyObject *raise_error(struct module_state *state, int err, const char *message);
PyObject *get_strerror(PyObject *module, PyObject *args);

/* numbers.c: converters of PyArg_ParseTuple(), which would cut off itself */
int to_u32(PyObject *object, void *ret);
int to_u64(PyObject *object, void *ret);

/* constants.c */
int add_constants(PyObject *module);

/* event.c */
extern PyType_Spec event_spec;
PyObject *event_new(struct module_state *state, const struct record *record);
PyObject *event_from_record(PyObject *module, PyObject *args);
int record_fill(struct record *record, const struct wtrack_event *event);

/* session.c */
extern PyType_Spec session_spec;
struct session *session_new(struct module_state *state);
struct wtrack_session *session_begin(struct session *self, enum use use);
bool session_may_go_on(const struct session *self);
void session_end(struct session *self, enum use use);
struct wtrack_session *session_hold(struct session *self);
void session_let_go(struct session *self);
bool session_is_own(const struct session *self);
struct module_state *session_state(struct session *self);
bool session_watch_forks(void);

/* open.c */
extern PyMethodDef open_functions[];

/* ranges.c */
struct wtrack_range *ranges_parse(PyObject *object, Py_ssize_t *ret_nr);
PyObject *session_query(PyObject *self, PyObject *args);
PyObject *session_query_gfn(PyObject *self, PyObject *args);

/* memory.c */
PyObject *session_read(PyObject *self, PyObject *args);
PyObject *session_regions_next(PyObject *self, PyObject *args);

/* change.c */
PyObject *session_add(PyObject *self, PyObject *args);
PyObject *session_rearm(PyObject *self, PyObject *args);
PyObject *session_remove(PyObject *self, PyObject *args);

/* settings.c */
int restriction_parse(PyObject *limits, struct wtrack_restriction *ret);
PyObject *session_attach(PyObject *self, PyObject *args);
PyObject *session_restrict(PyObject *self, PyObject *args);
PyObject *session_set_wakeup(PyObject *self, PyObject *args);
PyObject *session_set_budget(PyObject *self, PyObject *args);
PyObject *session_set_sync(PyObject *self, PyObject *args);
PyObject *session_make_ring(PyObject *self, PyObject *args);
PyObject *session_get_status(PyObject *self, PyObject *args);
PyObject *get_info(PyObject *module, PyObject *args);

/* mirror.c */
extern PyType_Spec mirror_spec, page_spec;
PyObject *mirror_new(PyObject *module, PyObject *args);

/* wait.c */
bool deadline_parse(PyObject *timeout, int64_t *ret_ns);
int sleep_for_change(struct session *self, struct wtrack_mirror *mirror,
		     int64_t deadline_ns, bool *raised);
int sleep_for_event(struct session *self, int64_t deadline_ns, bool *raised);
PyObject *session_wait(PyObject *self, PyObject *args);

/* ring.c */
PyObject *session_next(PyObject *self, PyObject *args);
PyObject *session_iternext(PyObject *self);
PyObject *session_release(PyObject *self, PyObject *args);
PyObject *session_get_waiters(PyObject *self, PyObject *args);
PyObject *session_read_batch(PyObject *self, PyObject *args);
PyObject *session_fence(PyObject *self, PyObject *args);
PyObject *session_resync_next(PyObject *self, PyObject *args);

#endif
