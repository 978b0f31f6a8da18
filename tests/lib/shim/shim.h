/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module's data structures outside of the kernel.
 *
 * linux/ has headers named like the kernel's, with just what space.c, span.c,
 * set.c, match.c, tell.c, ring.c, sync.c and resync.c use of them, so that these files compile
 * unchanged for user space. What is here belongs to the shim alone:
 *
 *	races		each atomic access may give way to other threads, so
 *			that rare interleavings become common
 *	allocations	are counted by bytes, and fail when asked to
 *	time		is what a test says
 *	grace periods	end when a test says so: rcu_barrier()
 */
#ifndef SHIM_H
#define SHIM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The module, or a test, did what it must never do. Ends the program: it may
 * be found in any thread and in the middle of anything.
 */
_Noreturn void shim_broken(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

#define shim_require(condition)						\
	((condition) ? (void)0 :					\
	 shim_broken("%s:%d: not so: %s", __FILE__, __LINE__, #condition))

/* One in that many atomic accesses gives way; 0, the default, for none. */
extern unsigned int shim_race_odds;
/* Called instead, if set: there is one thread then, and every race is its own. */
extern void (*shim_step)(void);

void shim_give_way(void);

static inline void shim_race(void)
{
	if (__builtin_expect(shim_race_odds != 0, 0))
		shim_give_way();
}

/* What others do before this thread gets the next spinlock. */
extern __thread void (*shim_before_lock)(void);

/*
 * Promise that nothing is given to call_rcu() for now. Read sides then take no
 * more than in the kernel; otherwise each begins with a full barrier.
 */
extern bool shim_nothing_goes;

/* Have the nth allocation from now on fail, once; 0 for none. */
void shim_fail_alloc(unsigned int nth);

/* Has it? */
bool shim_alloc_failed(void);

/* The time, which stands still unless a test sets it. */
extern unsigned long long shim_now;

/* Held now, what waits for a grace period included. */
size_t shim_bytes(void);

#endif
