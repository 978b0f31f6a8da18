// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/ioctl.h>

#include "mode.h"
#include "tap.h"
#include "vm_internal.h"

enum { GATE_INTERRUPT = 0x8e };

void *mode_data(struct vm *vm, uint64_t gpa)
{
	CHECK(gpa >= VM_DATA && gpa < VM_DATA + vm->data_pages * PAGE);
	return vm->data + (gpa - VM_DATA);
}

void mode_32(struct vcpu *v, unsigned int round)
{
	struct kvm_segment code = {
		.limit = 0xffffffff, .selector = SEL_CODE, .type = 11,
		.present = 1, .s = 1, .db = 1, .g = 1,
	};
	struct kvm_segment data = {
		.limit = 0xffffffff, .selector = SEL_DATA, .type = 3,
		.present = 1, .s = 1, .db = 1, .g = 1,
	};
	struct kvm_sregs s;

	(void)round;
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cr0 &= ~(1UL << 31);
	s.cr3 = 0;
	s.efer = 0;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
}

void mode_fill_user(struct vm *vm, uint64_t low, uint64_t data)
{
	uint64_t *pml5 = (uint64_t *)(vm->low + LOW_USER_PML5);
	uint64_t *pml4 = (uint64_t *)(vm->low + LOW_USER_PML4);
	uint64_t *pdpt = (uint64_t *)(vm->low + LOW_USER_PDPT);
	uint64_t *pd = (uint64_t *)(vm->low + LOW_USER_PD);

	pml5[0] = LOW_USER_PML4 | PTE_TABLE | PTE_USER;
	pml4[0] = LOW_USER_PDPT | PTE_TABLE | PTE_USER;
	pdpt[0] = LOW_USER_PD | PTE_TABLE | PTE_USER;
	pd[0] = 0 | low;
	pd[1] = VM_DATA | data;
	pd[2] = 0 | PTE_LARGE;
	pd[3] = VM_DATA | PTE_LARGE | PTE_NX;
}

void mode_load_user(struct vcpu *v, unsigned int dpl)
{
	struct kvm_sregs s;

	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.cr3 = s.cr4 & CR4_LA57 ? LOW_USER_PML5 : LOW_USER_PML4;
	if (dpl) {
		s.cs.dpl = s.ss.dpl = s.ds.dpl = s.es.dpl = dpl;
		s.cs.selector = SEL_USER_CODE;
		s.ss.selector = s.ds.selector = s.es.selector = SEL_USER_DATA;
	}
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
}

void mode_fill_gdt(struct vm *vm, uint64_t gpa, uint64_t code)
{
	uint64_t *gdt = mode_data(vm, gpa);

	gdt[SEL_CODE / 8] = code;
	gdt[SEL_DATA / 8] = DESC_DATA;
}

static void load_table(struct kvm_dtable *table, uint64_t gpa)
{
	table->base = gpa;
	table->limit = PAGE - 1;
}

void mode_load_gdt(struct vcpu *v, uint64_t gpa)
{
	struct kvm_sregs s;

	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	load_table(&s.gdt, gpa);
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
}

void mode_set_gate(struct vm *vm, uint64_t gpa, unsigned int vector,
		   uint64_t rip, unsigned int ist)
{
	uint64_t *gate = (uint64_t *)mode_data(vm, gpa) + 2 * vector;

	gate[0] = (rip & 0xffff) | SEL_CODE << 16 | (uint64_t)ist << 32 |
		  (uint64_t)GATE_INTERRUPT << 40 | (rip >> 16 & 0xffff) << 48;
	gate[1] = rip >> 32;
}

void mode_load_idt(struct vcpu *v, uint64_t gpa)
{
	struct kvm_sregs s;

	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	load_table(&s.idt, gpa);
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
}
