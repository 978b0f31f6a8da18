// SPDX-License-Identifier: GPL-2.0-only
/* Since 6.3 the flags of a mapping are changed through functions. */
#include <linux/mm.h>

void probe(struct vm_area_struct *vma);
void probe(struct vm_area_struct *vma)
{
	vm_flags_mod(vma, 0, 0);
}
