/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a fence waits for: whoever publishes a record says so on its processor,
 * and for which VM, from before it looks who tracks the gfn until all of it is
 * published. Preemption is disabled meanwhile, so there is one at a time on a
 * processor, and it is short. A fence looks at each processor, interrupts none,
 * and waits for those that it found in the middle of it for its own VM.
 */
#ifndef KWT_FENCE_H
#define KWT_FENCE_H

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/types.h>

/**
 * struct kwt_flight - what is being published on a processor
 * @vm: id of the VM, or 0 when nothing is
 * @nr: changes each time that something begins
 *
 * Written by that processor alone.
 */
struct kwt_flight {
	u64 vm;
	u64 nr;
};

DECLARE_PER_CPU_SHARED_ALIGNED(struct kwt_flight, kwt_flight);

int kwt_fence(u64 vm);

/*
 * A full barrier: pairs with the one in kwt_fence(). Either the fence finds us,
 * or we see what its caller did before, which is that a gfn is not tracked any
 * more.
 */
static __always_inline void kwt_flight_begin(u64 vm)
{
	this_cpu_inc(kwt_flight.nr);
	/* Behind @nr, as all stores on x86. */
	barrier();
	this_cpu_write(kwt_flight.vm, vm);
	/* Pairs with the barrier in kwt_fence(). */
	smp_mb();
}

/* A release, which no store on x86 is not; pairs with the acquire in has_landed(). */
static __always_inline void kwt_flight_end(void)
{
	barrier();
	this_cpu_write(kwt_flight.vm, 0);
}

/* The same for what may be a part of something that has begun. */
static inline bool kwt_flight_join(u64 vm)
{
	if (this_cpu_read(kwt_flight.vm))
		return false;
	kwt_flight_begin(vm);
	return true;
}

static inline void kwt_flight_leave(bool began)
{
	if (began)
		kwt_flight_end();
}

#endif /* KWT_FENCE_H */
