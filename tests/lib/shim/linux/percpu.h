/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each thread is a processor of its own. */
#ifndef SHIM_LINUX_PERCPU_H
#define SHIM_LINUX_PERCPU_H

#define DECLARE_PER_CPU(type, name)	extern __thread type name
#define DEFINE_PER_CPU(type, name)	__thread type name
#define DECLARE_PER_CPU_SHARED_ALIGNED(type, name) DECLARE_PER_CPU(type, name)
#define this_cpu_inc(variable)		((void)(variable)++)
#define this_cpu_read(variable)		(variable)
#define this_cpu_write(variable, value)	((variable) = (value))

#endif
