// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * OverflowError for what does not fit, where PyArg_ParseTuple() cuts off; as
 * there, whatever has __index__() is a number, those of numpy among them.
 */
#include "binding.h"

int to_u64(PyObject *object, void *ret)
{
	PyObject *number = PyNumber_Index(object);
	unsigned long long value;

	if (!number)
		return 0;
	value = PyLong_AsUnsignedLongLong(number);
	Py_DECREF(number);
	if (value == (unsigned long long)-1 && PyErr_Occurred())
		return 0;
	*(uint64_t *)ret = value;
	return 1;
}

int to_u32(PyObject *object, void *ret)
{
	uint64_t value;

	if (!to_u64(object, &value))
		return 0;
	if (value > UINT32_MAX) {
		PyErr_SetString(PyExc_OverflowError,
				"the number has more than 32 bits");
		return 0;
	}
	*(uint32_t *)ret = (uint32_t)value;
	return 1;
}
