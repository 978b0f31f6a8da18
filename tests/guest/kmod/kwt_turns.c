// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turns for both processors of an emulated host whose clock counts instructions,
 * on the debug kernel.
 *
 * QEMU 7.2 lets its processors run one after the other, each until a timer is
 * due. If the first one never comes to rest and none of its own timers is the
 * next that is due, the second one is given no instruction at all: for minutes
 * of the host's time it was seen at the first instruction of an interrupt. The
 * instruction "pause" ends the turn of a processor before a timer is due. So
 * each processor but the last executes it every few milliseconds. Ordinary kernels
 * do not need it, and their processors get more unequal turns with it: 581 changes
 * for 1,125 records became 28,125 for 5,545 in a test of two vCPUs.
 */
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/smp.h>
#include <linux/version.h>

#define PERIOD	(4 * NSEC_PER_MSEC)

static DEFINE_PER_CPU(struct hrtimer, turn);

static enum hrtimer_restart end_turn(struct hrtimer *timer)
{
	cpu_relax();
	hrtimer_forward_now(timer, ns_to_ktime(PERIOD));
	return HRTIMER_RESTART;
}

static void start_turns(void *unused)
{
	struct hrtimer *timer = this_cpu_ptr(&turn);

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_PINNED_HARD);
	timer->function = end_turn;
#else
	hrtimer_setup(timer, end_turn, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_PINNED_HARD);
#endif
	hrtimer_start(timer, ns_to_ktime(PERIOD), HRTIMER_MODE_REL_PINNED_HARD);
}

static bool is_last(unsigned int cpu)
{
	return cpumask_next(cpu, cpu_online_mask) >= nr_cpu_ids;
}

/* No processor comes or goes in the emulated host. */
static int __init turns_init(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (!is_last(cpu))
			smp_call_function_single(cpu, start_turns, NULL, true);
	return 0;
}

static void __exit turns_exit(void)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (!is_last(cpu))
			hrtimer_cancel(per_cpu_ptr(&turn, cpu));
}

module_init(turns_init);
module_exit(turns_exit);
MODULE_DESCRIPTION("Turns for the processors of an emulated host");
MODULE_LICENSE("GPL");
