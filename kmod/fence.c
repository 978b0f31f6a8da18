// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fence: when it returns, all records of a VM that were begun before are
 * published.
 */
#include <linux/cpumask.h>
#include <linux/sched/signal.h>

#include "fence.h"

/* After so many looks at a processor, sleep instead of spinning. */
#define LOOKS	1000

DEFINE_PER_CPU_SHARED_ALIGNED(struct kwt_flight, kwt_flight);

/* Is the flight with number @nr over? If so, the caller sees its records. */
static bool has_landed(const struct kwt_flight *flight, u64 vm, u64 nr)
{
	/*
	 * Pairs with kwt_flight_end(), or with the next kwt_flight_begin(),
	 * which follows it.
	 */
	if (smp_load_acquire(&flight->vm) != vm)
		return true;
	/* Pairs with the same. */
	return smp_load_acquire(&flight->nr) != nr;
}

/*
 * Returns -EINTR when the caller is killed. A thread that publishes does not
 * sleep, but its processor may be a virtual one that does not run.
 */
static int wait_to_land(const struct kwt_flight *flight, u64 vm)
{
	unsigned int looks = 0;
	u64 nr;

	/*
	 * Pairs with kwt_flight_end(): records of a flight that is over are
	 * published.
	 */
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
	/* A processor that is not online is not publishing. */
	for_each_online_cpu(cpu) {
		r = wait_to_land(per_cpu_ptr(&kwt_flight, cpu), vm);
		if (r)
			break;
	}
	return r;
}
