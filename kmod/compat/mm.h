/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debian exports mmput_async(), for Android's binder. Without it whoever was the
 * last user waits until the mm is taken apart, which is the caller's worker.
 */
#ifndef KWT_COMPAT_MM_H
#define KWT_COMPAT_MM_H

#include <linux/sched/mm.h>

static inline void kwt_mmput_later(struct mm_struct *mm)
{
#ifdef KWT_HAVE_MMPUT_ASYNC
	mmput_async(mm);
#else
	mmput(mm);
#endif
}

#endif /* KWT_COMPAT_MM_H */
