/* SPDX-License-Identifier: GPL-2.0-only */
/* Since 6.13 a timer gets its function when it is set up, later only then. */
#ifndef KWT_COMPAT_HRTIMER_H
#define KWT_COMPAT_HRTIMER_H

#include <linux/hrtimer.h>

static inline void
kwt_hrtimer_setup(struct hrtimer *timer,
		  enum hrtimer_restart (*function)(struct hrtimer *))
{
#ifdef KWT_HAVE_HRTIMER_SETUP
	hrtimer_setup(timer, function, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	timer->function = function;
#endif
}

#endif /* KWT_COMPAT_HRTIMER_H */
