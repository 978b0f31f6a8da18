/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where things are in a test guest's low memory. */
#ifndef GUEST_VM_INTERNAL_H
#define GUEST_VM_INTERNAL_H

#define LOW_PML4	0x10000ULL
#define LOW_PDPT	0x11000ULL
#define LOW_PD		0x12000ULL	/* four pages */
#define LOW_PDPT_HIGH	0x16000ULL
#define LOW_PD_HIGH	0x17000ULL
#define LOW_PML5	0x18000ULL	/* with LA57 */
#define LOW_USER_PML4	0x19000ULL	/* see mode_fill_user() */
#define LOW_USER_PDPT	0x1a000ULL
#define LOW_USER_PD	0x1b000ULL
#define LOW_USER_PML5	0x1c000ULL
#define LOW_CODE	0x20000ULL	/* one page for each vCPU */
#define LOW_STACK	0x30000ULL	/* likewise */

#define LARGE_PAGE	(2ULL << 20)
/* Accessed and dirty from the start: nothing writes to the tables later. */
#define PTE_TABLE	0x23ULL		/* present, write, accessed */
#define PTE_LARGE	0xe3ULL		/* the same, dirty, large */
#define PTE_USER	4ULL
#define PTE_NX		(1ULL << 63)

#endif /* GUEST_VM_INTERNAL_H */
