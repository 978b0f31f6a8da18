/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See rcu.c. Disabled preemption is a read side, here as there. */
#ifndef SHIM_LINUX_RCUPDATE_H
#define SHIM_LINUX_RCUPDATE_H

#include <linux/compiler.h>
#include <linux/types.h>

#define __rcu

struct rcu_head {
	struct rcu_head *next;
	void (*func)(struct rcu_head *head);
};

/* The kernel relies on the dependency; ThreadSanitizer wants an acquire. */
#define rcu_dereference_raw(p)	smp_load_acquire(&(p))

#define rcu_dereference_check(p, protected)				\
	(shim_require(protected), rcu_dereference_raw(p))
#define rcu_dereference_sched(p)					\
	rcu_dereference_check(p, rcu_read_lock_sched_held())
#define rcu_dereference_protected(p, protected)				\
	(shim_require(protected), (p))
#define rcu_assign_pointer(p, value)	smp_store_release(&(p), value)
#define RCU_INIT_POINTER(p, value)	WRITE_ONCE(p, value)

void rcu_read_lock(void);
void rcu_read_unlock(void);
int rcu_read_lock_sched_held(void);
#define preempt_disable()	rcu_read_lock()
#define preempt_enable()	rcu_read_unlock()

void synchronize_rcu(void);
void call_rcu(struct rcu_head *head, void (*func)(struct rcu_head *head));

/* Ends a grace period and runs all that waits for it. */
void rcu_barrier(void);

#endif
