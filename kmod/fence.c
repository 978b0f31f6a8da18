// SPDX-License-Identifier: GPL-2.0-only
/* A fence: all records of a VM that were begun before it are published. */
#include <linux/cpumask.h>
#include <linux/sched/signal.h>

#include "fence.h"

/* After so many looks the processor that we are on has something better to do. */
#define LOOKS	1000

DEFINE_PER_CPU_SHARED_ALIGNED(struct kwt_flight, kwt_flight);

/* Is what was number @nr published? Then the caller sees all of it. */
static bool has_landed(const struct kwt_flight *flight, u64 vm, u64 nr)
{
	/*
	 * Pairs with kwt_flight_end(); or with the next kwt_flight_begin(),
	 * which comes behind that.
	 */
	if (smp_load_acquire(&flight->vm) != vm)
		return true;
	/* Likewise. */
	return smp_load_acquire(&flight->nr) != nr;
}

/*
 * -EINTR when the caller is killed. What is waited for does not sleep, but the
 * processor that it is on may be a virtual one that stands still.
 */
static int wait_to_land(const struct kwt_flight *flight, u64 vm)
{
	unsigned int looks = 0;
	u64 nr;

	/* Pairs with kwt_flight_end(): what it ended is published. */
	if (smp_load_acquire(&flight->vm) != vm)
		return 0;
	nr = READ_ONCE(flight->nr);
	while (!has_landed(flight, vm, nr)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (++looks % LOOKS)
			cpu_relax();
		else
			schedule_timeout_killable(1);
	}
	return 0;
}

int kwt_fence(u64 vm)
{
	int cpu, r = 0;

	/* Pairs with the barrier in kwt_flight_begin(). */
	smp_mb();
	/* One that is not online yet, or not any more, publishes nothing old. */
	for_each_online_cpu(cpu) {
		r = wait_to_land(per_cpu_ptr(&kwt_flight, cpu), vm);
		if (r)
			break;
	}
	return r;
}
