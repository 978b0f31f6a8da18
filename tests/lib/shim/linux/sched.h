/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that sleep: see <linux/hrtimer.h>. */
#ifndef SHIM_LINUX_SCHED_H
#define SHIM_LINUX_SCHED_H

#include <sched.h>

#include <linux/compiler.h>
#include <linux/types.h>

#define cond_resched()	((void)sched_yield())

#define TASK_RUNNING	0
#define TASK_KILLABLE	1

struct task_struct {
	int state;
	bool signalled;		/* a signal is pending */
	bool killed;		/* and it is one that kills */
} __attribute__((__aligned__(8)));

/* This thread. Called, since UBSan takes the address of such a variable for NULL. */
struct task_struct *shim_current(void);
#define current shim_current()

#define __set_current_state(value)	WRITE_ONCE(current->state, value)

/* A full barrier behind it. */
static inline void set_current_state(int state)
{
	__atomic_store_n(&current->state, state, __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	shim_race();
}

static inline void wake_up_process(struct task_struct *task)
{
	__atomic_store_n(&task->state, TASK_RUNNING, __ATOMIC_SEQ_CST);
	shim_race();
}

#endif
