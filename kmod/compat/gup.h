/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of another process, in the spelling of 6.5 and later:
 *
 *	kwt_get_pages	get_user_pages_remote(), for which any signal ends the
 *			wait where the kernel can do that, otherwise one that
 *			kills
 */
#ifndef KWT_COMPAT_GUP_H
#define KWT_COMPAT_GUP_H

#include <linux/mm.h>

static inline long kwt_get_pages(struct mm_struct *mm, unsigned long start,
				 unsigned long nr, unsigned int flags,
				 struct page **pages, int *locked)
{
#ifdef KWT_HAVE_FOLL_INTERRUPTIBLE
	flags |= FOLL_INTERRUPTIBLE;
#endif
#ifdef KWT_HAVE_GUP_VMAS
	return get_user_pages_remote(mm, start, nr, flags, pages, NULL, locked);
#else
	return get_user_pages_remote(mm, start, nr, flags, pages, locked);
#endif
}

#endif /* KWT_COMPAT_GUP_H */
