/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread that sleeps calls shim_asleep, if set, until something ends it. */
#ifndef SHIM_LINUX_HRTIMER_H
#define SHIM_LINUX_HRTIMER_H

#include <errno.h>

#include <linux/ktime.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#define NSEC_PER_USEC	1000L
#define HRTIMER_MODE_ABS	0

typedef s64 ktime_t;

static inline ktime_t ns_to_ktime(u64 ns)
{
	return ns;
}

/* What others do meanwhile, of the thread that sleeps. */
extern __thread void (*shim_asleep)(void);

static inline void might_sleep(void)
{
	shim_require(!rcu_read_lock_sched_held());
}

/* 0 when the time is over. */
static inline int schedule_hrtimeout_range(ktime_t *expires, u64 slack, int mode)
{
	might_sleep();
	while (__atomic_load_n(&current->state, __ATOMIC_SEQ_CST) !=
	       TASK_RUNNING) {
		if (fatal_signal_pending(current))
			break;
		if ((s64)READ_ONCE(shim_now) >= *expires) {
			__set_current_state(TASK_RUNNING);
			return 0;
		}
		if (shim_asleep)
			shim_asleep();
		else
			sched_yield();
	}
	__set_current_state(TASK_RUNNING);
	return -EINTR;
}

#endif
