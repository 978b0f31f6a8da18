/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHIM_LINUX_SCHED_SIGNAL_H
#define SHIM_LINUX_SCHED_SIGNAL_H

#include <linux/sched.h>

static inline bool fatal_signal_pending(const struct task_struct *task)
{
	return READ_ONCE(task->killed);
}

static inline bool task_sigpending(const struct task_struct *task)
{
	return READ_ONCE(task->signalled);
}

#endif
