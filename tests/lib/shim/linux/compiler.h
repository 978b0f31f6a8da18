/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Accesses and barriers, with the kernel's order or a stronger one. */
#ifndef SHIM_LINUX_COMPILER_H
#define SHIM_LINUX_COMPILER_H

#include "../shim.h"

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define noinline	__attribute__((__noinline__))
#undef __always_inline
#define __always_inline	inline __attribute__((__always_inline__))

#define BUILD_BUG_ON(condition)						\
	_Static_assert(!(condition), #condition)

#define barrier()	__asm__ __volatile__("" ::: "memory")
#define READ_ONCE(x)							\
	(shim_race(), __atomic_load_n(&(x), __ATOMIC_RELAXED))
#define WRITE_ONCE(x, value)						\
	(shim_race(), __atomic_store_n(&(x), value, __ATOMIC_RELAXED))

/* A race that does not matter, as ThreadSanitizer is told. */
#ifdef __SANITIZE_THREAD__
void AnnotateIgnoreReadsBegin(const char *file, int line);
void AnnotateIgnoreReadsEnd(const char *file, int line);

#define data_race(expression)						\
({									\
	__typeof__(expression) shim_value;				\
									\
	AnnotateIgnoreReadsBegin(__FILE__, __LINE__);			\
	shim_value = (expression);					\
	AnnotateIgnoreReadsEnd(__FILE__, __LINE__);			\
	shim_value;							\
})
#else
#define data_race(expression)	(expression)
#endif

#define OPTIMIZER_HIDE_VAR(var)	__asm__("" : "+r" (var))
#define __force

#define smp_load_acquire(p)						\
	(shim_race(), __atomic_load_n(p, __ATOMIC_ACQUIRE))
/* What comes before and what comes after are both worth a race. */
#define smp_store_release(p, value)					\
	(shim_race(), __atomic_store_n(p, value, __ATOMIC_RELEASE),	\
	 shim_race())

extern int shim_barrier_word;

/*
 * ThreadSanitizer knows no fences. To change a word that all barriers share
 * has the same effect, and that it knows.
 */
#define smp_mb()							\
	(shim_race(),							\
	 (void)__atomic_fetch_add(&shim_barrier_word, 1, __ATOMIC_SEQ_CST))
#define smp_rmb()		smp_mb()
#define smp_mb__after_atomic()	smp_mb()

#endif
