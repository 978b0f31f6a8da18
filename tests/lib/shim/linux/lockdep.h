/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHIM_LINUX_LOCKDEP_H
#define SHIM_LINUX_LOCKDEP_H

#include <linux/rcupdate.h>

#define lockdep_assert_preemption_disabled()				\
	shim_require(rcu_read_lock_sched_held())

/* Of a spinlock: by somebody. */
#define lockdep_assert_held(lock)					\
	shim_require(__atomic_load_n(&(lock)->locked, __ATOMIC_RELAXED))

#endif
