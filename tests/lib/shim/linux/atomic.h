/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHIM_LINUX_ATOMIC_H
#define SHIM_LINUX_ATOMIC_H

#include <linux/compiler.h>
#include <linux/types.h>

typedef struct {
	int counter;
} atomic_t;

static inline int atomic_read(const atomic_t *v)
{
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);
}

typedef struct {
	long counter;
} atomic_long_t;

static inline long atomic_long_read(const atomic_long_t *v)
{
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);
}

typedef struct {
	s64 counter;
} atomic64_t;

static inline s64 atomic64_read(const atomic64_t *v)
{
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);
}

static inline void atomic_long_or(long bits, atomic_long_t *v)
{
	__atomic_fetch_or(&v->counter, bits, __ATOMIC_RELAXED);
}

static inline void atomic64_dec(atomic64_t *v)
{
	__atomic_fetch_sub(&v->counter, 1, __ATOMIC_SEQ_CST);
}

static inline void atomic64_inc(atomic64_t *v)
{
	__atomic_fetch_add(&v->counter, 1, __ATOMIC_RELAXED);
}

/* A full barrier when it succeeds, none when it fails. */
#define try_cmpxchg(p, old, new)					\
	(shim_race(),							\
	 __atomic_compare_exchange_n(p, old, new, false,		\
				     __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))

#define cmpxchg(p, old, new)						\
({									\
	__typeof__(*(p)) shim_old = (old);				\
									\
	(void)try_cmpxchg(p, &shim_old, new);				\
	shim_old;							\
})

#endif
