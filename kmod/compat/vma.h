/* SPDX-License-Identifier: GPL-2.0-only */
/* Since 6.3 the flags of a mapping are changed through functions. */
#ifndef KWT_COMPAT_VMA_H
#define KWT_COMPAT_VMA_H

#include <linux/mm.h>

static inline void kwt_vma_change(struct vm_area_struct *vma,
				  unsigned long set, unsigned long clear)
{
#ifdef KWT_HAVE_VM_FLAGS_SET
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

#endif /* KWT_COMPAT_VMA_H */
