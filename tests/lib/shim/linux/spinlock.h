/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nobody holds one for long. */
#ifndef SHIM_LINUX_SPINLOCK_H
#define SHIM_LINUX_SPINLOCK_H

#include <sched.h>

#include <linux/compiler.h>

typedef struct {
	int locked;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	__atomic_store_n(&lock->locked, 0, __ATOMIC_RELAXED);
}

static inline void spin_lock(spinlock_t *lock)
{
	void (*before)(void) = shim_before_lock;

	shim_before_lock = NULL;
	if (before)
		before();
	shim_race();
	while (__atomic_exchange_n(&lock->locked, 1, __ATOMIC_ACQUIRE))
		sched_yield();
}

static inline void spin_unlock(spinlock_t *lock)
{
	shim_require(__atomic_exchange_n(&lock->locked, 0, __ATOMIC_RELEASE));
	shim_race();
}

#endif
