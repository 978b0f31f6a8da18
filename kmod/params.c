// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits, as module parameters that root may change at any time, within bounds
 * that hold whatever he writes. What is in use already is not affected.
 */
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/moduleparam.h>

#include "kwt.h"

/* The bounds of a parameter, for the function that sets it. */
struct bounds {
	unsigned int *value;
	unsigned int min;
	unsigned int max;
	bool power_of_2;
};

static int bounded_set(const char *text, const struct kernel_param *kp)
{
	const struct bounds *bounds = kp->arg;
	unsigned int value;
	int r = kstrtouint(text, 0, &value);

	if (r)
		return r;
	if (value < bounds->min || value > bounds->max)
		return -ERANGE;
	if (bounds->power_of_2 && !is_power_of_2(value))
		return -EINVAL;
	WRITE_ONCE(*bounds->value, value);
	return 0;
}

static int bounded_get(char *text, const struct kernel_param *kp)
{
	const struct bounds *bounds = kp->arg;

	return sysfs_emit(text, "%u\n", READ_ONCE(*bounds->value));
}

static const struct kernel_param_ops bounded_ops = {
	.set = bounded_set,
	.get = bounded_get,
};

#define BOUNDED(name, default_, min_, max_, power_of_2_, text)			\
	unsigned int kwt_##name = (default_);				\
	static struct bounds name##_bounds = {				\
		&kwt_##name, (min_), (max_), (power_of_2_)		\
	};								\
	module_param_cb(name, &bounded_ops, &name##_bounds, 0644);	\
	MODULE_PARM_DESC(name, text)

/*
 * A vCPU goes through the sessions that have something in a chunk with
 * preemption disabled, and publishes a record for each that tracks the gfn.
 */
BOUNDED(max_sessions, 1024, 1, 1024, false,
	"sessions on one VM (1 to 1024)");
BOUNDED(max_users, 1024, 1, 1024, false,
	"sessions that track one gfn (1 to 1024)");
BOUNDED(max_records, 65536, KWT_MIN_RECORDS, KWT_MAX_RECORDS, true,
	"records in one ring (a power of two, 64 to 1048576)");
BOUNDED(max_pages, 1U << 22, 1, UINT_MAX, false,
	"pages that one session tracks (1 to 4294967295)");
BOUNDED(guard_min_ms, 16, 8, 4000, false,
	"how long the guard leaves a page alone at first, in ms (8 to 4000)");
BOUNDED(guard_max_ms, 1024, 8, 4000, false,
	"how long the guard leaves a page alone at most, in ms (8 to 4000)");
BOUNDED(read_mib_per_s, 1024, 1, 1048576, false,
	"guest memory that one session reads in a second, in MiB (1 to 1048576)");
BOUNDED(poll_ms, 200, 10, 60000, false,
	"how often to look for VMs that were closed, in ms (10 to 60000)");

u64 kwt_read_bytes_per_s(void)
{
	return (u64)READ_ONCE(kwt_read_mib_per_s) << 20;
}
