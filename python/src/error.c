// SPDX-License-Identifier: LGPL-2.1-or-later
#include "binding.h"

/* message is what the daemon said, or NULL. */
PyObject *raise_error(struct module_state *state, int err, const char *message)
{
	PyObject *error;

	error = PyObject_CallFunction(state->make_error, "isz", -err,
				      wtrack_strerror(err), message);
	if (!error)
		return NULL;
	PyErr_SetObject((PyObject *)Py_TYPE(error), error);
	Py_DECREF(error);
	return NULL;
}

PyObject *get_strerror(PyObject *module, PyObject *args)
{
	int err;

	(void)module;
	if (!PyArg_ParseTuple(args, "i:strerror", &err))
		return NULL;
	return PyUnicode_FromString(wtrack_strerror(err));
}
