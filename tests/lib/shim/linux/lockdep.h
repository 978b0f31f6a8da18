/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHIM_LINUX_LOCKDEP_H
#define SHIM_LINUX_LOCKDEP_H

#include <linux/rcupdate.h>

#define lockdep_assert_preemption_disabled()				\
	shim_require(rcu_read_lock_sched_held())

#endif
