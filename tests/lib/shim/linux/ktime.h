/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SHIM_LINUX_KTIME_H
#define SHIM_LINUX_KTIME_H

#include <linux/compiler.h>
#include <linux/types.h>

static inline u64 ktime_get_ns(void)
{
	return READ_ONCE(shim_now);
}

#endif
