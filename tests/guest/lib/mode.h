/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processor modes and tables, for tests of what processors store by themselves. */
#ifndef GUEST_MODE_H
#define GUEST_MODE_H

#include "vm.h"

enum {
	SEL_CODE = 0x08, SEL_DATA = 0x10, SEL_TSS = 0x20,	/* two entries */
	SEL_FREE = 0x40,	/* the first of those that tests fill in */
};

/* Descriptors of 4 GiB at 0; accessed or not. */
#define DESC_CODE64	0x00af9b000000ffffULL
#define DESC_CODE32	0x00cf9b000000ffffULL
#define DESC_DATA	0x00cf93000000ffffULL
#define DESC_ACCESSED	(1ULL << 40)

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
