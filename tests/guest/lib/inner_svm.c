// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <sys/ioctl.h>

#include "inner.h"
#include "mode.h"
#include "tap.h"
#include "vm_internal.h"

#define EFER_SVME	(1ULL << 12)
#define MSR_HSAVE	0xc0010117

/* Places in the VMCB: AMD's manual, volume 2, appendix B. */
enum {
	INTERCEPT_MISC1 = 0x00c, INTERCEPT_HLT = 1 << 24,
	INTERCEPT_MISC2 = 0x010, INTERCEPT_VMRUN = 1 << 0,
	ASID = 0x058, NESTED_CONTROL = 0x090, NESTED_CR3 = 0x0b0,
	SEG_ES = 0x400, SEG_CS = 0x410, SEG_SS = 0x420, SEG_DS = 0x430,
	SAVE_EFER = 0x4d0, SAVE_CR4 = 0x548, SAVE_CR3 = 0x550, SAVE_CR0 = 0x558,
	SAVE_DR7 = 0x560, SAVE_DR6 = 0x568, SAVE_RFLAGS = 0x570,
	SAVE_RIP = 0x578, SAVE_RSP = 0x5d8, SAVE_PAT = 0x668,
};

#define RESET_PAT	0x0007040600070406ULL

static void *vmcb(struct vm *vm)
{
	return mode_data(vm, INNER_AT(INNER_CONTROL));
}

static void put32(struct vm *vm, unsigned int at, uint32_t value)
{
	memcpy((char *)vmcb(vm) + at, &value, sizeof(value));
}

static void put64(struct vm *vm, unsigned int at, uint64_t value)
{
	memcpy((char *)vmcb(vm) + at, &value, sizeof(value));
}

static void put_segment(struct vm *vm, unsigned int at,
			const struct kvm_segment *s)
{
	uint32_t attributes = s->type | s->s << 4 | s->dpl << 5 |
			      s->present << 7 | s->l << 9 | s->db << 10 |
			      s->g << 11;

	put32(vm, at, s->selector | attributes << 16);
	put32(vm, at + 4, s->limit);
	put64(vm, at + 8, s->base);
}

/* AMD's nested page tables have as many levels as the host's own. */
static uint64_t nested_cr3(const struct kvm_sregs *s, const struct inner *inner)
{
	if (!inner->nested)
		return 0;
	return INNER_AT(s->cr4 & CR4_LA57 ? INNER_PML5 : INNER_PML4);
}

static void fill_vmcb(struct vm *vm, const struct kvm_sregs *s,
		      const struct inner *inner)
{
	memset(vmcb(vm), 0, PAGE);
	put32(vm, INTERCEPT_MISC1, INTERCEPT_HLT);
	put32(vm, INTERCEPT_MISC2, INTERCEPT_VMRUN);
	put32(vm, ASID, 1);
	put64(vm, NESTED_CONTROL, inner->nested);
	put64(vm, NESTED_CR3, nested_cr3(s, inner));
	put_segment(vm, SEG_ES, &s->es);
	put_segment(vm, SEG_CS, &s->cs);
	put_segment(vm, SEG_SS, &s->ss);
	put_segment(vm, SEG_DS, &s->ds);
	put64(vm, SAVE_EFER, s->efer);
	put64(vm, SAVE_CR4, s->cr4);
	put64(vm, SAVE_CR3, s->cr3);
	put64(vm, SAVE_CR0, s->cr0);
	put64(vm, SAVE_DR7, 0x400);
	put64(vm, SAVE_DR6, 0xffff0ff0);
	put64(vm, SAVE_RFLAGS, 2);
	put64(vm, SAVE_RIP, inner->rip);
	put64(vm, SAVE_RSP, LOW_STACK + PAGE / 2);
	put64(vm, SAVE_PAT, RESET_PAT);
}

void inner_load_svm(struct vcpu *v, const struct inner *inner)
{
	struct kvm_sregs s;

	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.efer |= EFER_SVME;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
	vcpu_set_msr(v, MSR_HSAVE, INNER_AT(INNER_STATE));
	fill_vmcb(v->vm, &s, inner);
}
