/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Taken by files of the module that are not compiled here. */
#ifndef SHIM_LINUX_SPINLOCK_H
#define SHIM_LINUX_SPINLOCK_H

typedef struct {
	int locked;
} spinlock_t;

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->locked = 0;
}

#endif
