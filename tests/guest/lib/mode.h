/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processor modes and tables, for tests of what processors store by themselves. */
#ifndef GUEST_MODE_H
#define GUEST_MODE_H

#include "vm.h"

enum {
	SEL_CODE = 0x08, SEL_DATA = 0x10, SEL_TSS = 0x20,	/* two entries */
	SEL_FREE = 0x40,	/* the first of those that tests fill in */
	SEL_USER_CODE = SEL_FREE | 3, SEL_USER_DATA = (SEL_FREE + 8) | 3,
};

/* Descriptors of 4 GiB at 0; accessed or not. */
#define DESC_CODE64	0x00af9b000000ffffULL
#define DESC_CODE32	0x00cf9b000000ffffULL
#define DESC_DATA	0x00cf93000000ffffULL
#define DESC_ACCESSED	(1ULL << 40)
#define DESC_USER	(3ULL << 45)

/*
 * A system with user space: tables of their own, in which the first 4 MiB are
 * the user's at their own addresses, and the kernel's at MODE_KERNEL; a GDT, an
 * IDT and a TSS must be the latter's. The entries have the bits that are given
 * for the low memory and for that at VM_DATA.
 */
#define MODE_KERNEL	0x400000ULL
#define MODE_USER	0xe7ULL		/* present, write, user, used, large */
#define MODE_KEY(key)	((uint64_t)(key) << 59)
void mode_fill_user(struct vm *vm, uint64_t low, uint64_t data);
/* Uses them. With @dpl 3 at CPL 3, with the selectors behind SEL_FREE. */
void mode_load_user(struct vcpu *v, unsigned int dpl);

/* Flat 32-bit protected mode without paging; fits guard_work.load. */
void mode_32(struct vcpu *v, unsigned int round);
/* Where guest memory is in the test's, for gpas at VM_DATA. */
void *mode_data(struct vm *vm, uint64_t gpa);
/* A GDT of a page, and registers that fit; the segments are all accessed. */
void mode_fill_gdt(struct vm *vm, uint64_t gpa, uint64_t code);
void mode_load_gdt(struct vcpu *v, uint64_t gpa);
/* One gate of a 64-bit IDT. */
void mode_set_gate(struct vm *vm, uint64_t gpa, unsigned int vector,
		   uint64_t rip, unsigned int ist);
void mode_load_idt(struct vcpu *v, uint64_t gpa);

#endif /* GUEST_MODE_H */
