/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a fence waits for. A thread that publishes a record notes on its
 * processor for which VM it does so, from before it looks which sessions track
 * the gfn until the record is published. Preemption is disabled meanwhile, so
 * there is one such note on a processor, and it is short-lived. A fence looks
 * at each processor, interrupts none, and waits for those that are publishing
 * for its own VM.
 */
#ifndef KWT_FENCE_H
#define KWT_FENCE_H

#include <linux/atomic.h>
#include <linux/percpu.h>
#include <linux/types.h>

/**
 * struct kwt_flight - what a processor is publishing
 * @vm: id of the VM, or 0 when nothing is
 * @nr: changes each time that publishing begins
 *
 * Only that processor writes it.
 */
struct kwt_flight {
	u64 vm;
	u64 nr;
};

DECLARE_PER_CPU_SHARED_ALIGNED(struct kwt_flight, kwt_flight);

int kwt_fence(u64 vm);

/*
 * A full barrier, which pairs with the one in kwt_fence(). Either the fence
 * finds this processor publishing, or this processor sees what the fence's
 * caller did before, for example that a gfn is not tracked any more.
 */
static __always_inline void kwt_flight_begin(u64 vm)
{
	this_cpu_inc(kwt_flight.nr);
	/* The store follows that of @nr, as on x86 all stores are in order. */
	barrier();
	this_cpu_write(kwt_flight.vm, vm);
	/* Pairs with the barrier in kwt_fence(). */
	smp_mb();
}

/*
 * A release, as each store on x86 is; pairs with the acquire in has_landed().
 */
static __always_inline void kwt_flight_end(void)
{
	barrier();
	this_cpu_write(kwt_flight.vm, 0);
}

/* Begin unless this processor publishes already. Returns whether it began. */
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
