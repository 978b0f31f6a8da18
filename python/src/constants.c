// SPDX-License-Identifier: LGPL-2.1-or-later
/* The library's numbers, under their names without WTRACK_. */
#include "binding.h"

#define NUMBER(name) { #name, WTRACK_##name }

static const struct {
	const char *name;
	unsigned long long value;
} constants[] = {
	NUMBER(EVENT_WRITE),
	NUMBER(EVENT_RESYNC),
	NUMBER(EVENT_REGION_REMOVED),
	NUMBER(EVENT_VM_GONE),
	NUMBER(EVENT_GUARD),
	NUMBER(GUARD_DISARMED),
	NUMBER(GUARD_REARMED),
	NUMBER(GUARD_STOPPED),
	NUMBER(GUARD_CHANGED),
	NUMBER(CAUSE_NONE),
	NUMBER(CAUSE_UNEMULATED),
	NUMBER(CAUSE_PAGE_WALK),
	NUMBER(CAUSE_EVENT),
	NUMBER(CAUSE_BUDGET),
	NUMBER(CAUSE_NESTED),
	NUMBER(CAUSE_UNREPORTED),
	NUMBER(CAUSE_NEW_VCPU),
	NUMBER(CAUSE_OPERAND),
	NUMBER(CAUSE_SPLIT_LOCK),
	NUMBER(CAUSE_NATIVE),
	NUMBER(FEAT_FOREIGN_ATTACH),
	NUMBER(FEAT_COALESCE),
	NUMBER(FEAT_VCPU),
	NUMBER(FEAT_RIP),
	NUMBER(FEAT_RESTRICT),
	NUMBER(FEAT_LONG_WRITES),
	NUMBER(FEAT_GUARD),
	NUMBER(FEAT_BUDGET),
	NUMBER(FEAT_NATIVE),
	NUMBER(GFN_TRACKED),
	NUMBER(GFN_RESYNC),
	NUMBER(GFN_DISARMED),
	NUMBER(RESYNC_REREAD),
	NUMBER(RESYNC_REMOVED),
	NUMBER(RESYNC_DISARMED),
	NUMBER(RING_COALESCE),
	NUMBER(RING_STOP),
	NUMBER(RING_NATIVE),
	NUMBER(STATE_ATTACHED),
	NUMBER(STATE_RESTRICTED),
	NUMBER(STATE_RING),
	NUMBER(STATE_COALESCE),
	NUMBER(STATE_RESYNC),
	NUMBER(STATE_VM_GONE),
	{ "RECORD_SIZE", sizeof(struct record) },
	{ "RECORD_MORE", RECORD_MORE },
	{ "RECORD_PAGE", RECORD_PAGE },
	{ "RECORD_RIP", RECORD_RIP },
};

int add_constants(PyObject *module)
{
	size_t i;

	for (i = 0; i < sizeof(constants) / sizeof(constants[0]); i++) {
		PyObject *value;
		int r;

		value = PyLong_FromUnsignedLongLong(constants[i].value);
		r = value ? PyModule_AddObjectRef(module, constants[i].name,
						  value) : -1;
		Py_XDECREF(value);
		if (r < 0)
			return r;
	}
	return 0;
}
