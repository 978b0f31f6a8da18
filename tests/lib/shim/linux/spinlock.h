/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whoever takes one of these here has the VM's lock as well: it is free. */
#ifndef SHIM_LINUX_SPINLOCK_H
#define SHIM_LINUX_SPINLOCK_H

#include "../shim.h"

typedef struct {
	int locked;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->locked = 0;
}

static inline void spin_lock(spinlock_t *lock)
{
	shim_require(!lock->locked++);
}

static inline void spin_unlock(spinlock_t *lock)
{
	shim_require(!--lock->locked);
}

#endif
