// SPDX-License-Identifier: LGPL-2.1-or-later
/* The extension behind the package wtrack: one state for each interpreter. */
#include "binding.h"

static PyTypeObject *add_type(PyObject *module, PyType_Spec *spec)
{
	PyTypeObject *type;

	type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
	if (type && PyModule_AddType(module, type) < 0)
		Py_CLEAR(type);
	return type;
}

static PyObject *import_make_error(void)
{
	PyObject *errors = PyImport_ImportModule("wtrack._errors");
	PyObject *function;

	if (!errors)
		return NULL;
	function = PyObject_GetAttrString(errors, "make_error");
	Py_DECREF(errors);
	return function;
}

static int module_exec(PyObject *module)
{
	struct module_state *state = PyModule_GetState(module);

	if (!session_watch_forks()) {
		PyErr_SetNone(PyExc_ImportError);
		return -1;
	}
	state->make_error = import_make_error();
	if (!state->make_error)
		return -1;
	state->event_from_record = PyObject_GetAttrString(module,
							  "event_from_record");
	if (!state->event_from_record)
		return -1;
	state->event_type = add_type(module, &event_spec);
	state->session_type = add_type(module, &session_spec);
	state->mirror_type = add_type(module, &mirror_spec);
	state->page_type = add_type(module, &page_spec);
	if (!state->event_type || !state->session_type ||
	    !state->mirror_type || !state->page_type)
		return -1;
	return add_constants(module);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg)
{
	struct module_state *state = PyModule_GetState(module);

	Py_VISIT(state->event_type);
	Py_VISIT(state->session_type);
	Py_VISIT(state->mirror_type);
	Py_VISIT(state->page_type);
	Py_VISIT(state->make_error);
	Py_VISIT(state->event_from_record);
	return 0;
}

static int module_clear(PyObject *module)
{
	struct module_state *state = PyModule_GetState(module);

	Py_CLEAR(state->event_type);
	Py_CLEAR(state->session_type);
	Py_CLEAR(state->mirror_type);
	Py_CLEAR(state->page_type);
	Py_CLEAR(state->make_error);
	Py_CLEAR(state->event_from_record);
	return 0;
}

static PyModuleDef_Slot slots[] = {
	{ Py_mod_exec, module_exec },
	{ 0, NULL },
};

static struct PyModuleDef definition = {
	PyModuleDef_HEAD_INIT,
	.m_name = "wtrack._wtrack",
	.m_doc = "libwtrack, for the package wtrack alone.",
	.m_size = sizeof(struct module_state),
	.m_methods = open_functions,
	.m_slots = slots,
	.m_traverse = module_traverse,
	.m_clear = module_clear,
};

/* Python looks for it by this name. */
PyMODINIT_FUNC PyInit__wtrack(void);

PyMODINIT_FUNC PyInit__wtrack(void)
{
	return PyModuleDef_Init(&definition);
}
