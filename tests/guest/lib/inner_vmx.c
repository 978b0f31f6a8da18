// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <sys/ioctl.h>

#include "inner.h"
#include "mode.h"
#include "tap.h"
#include "vm_internal.h"

#define CR4_VMXE	(1ULL << 13)

enum {
	MSR_FEATURE_CONTROL = 0x3a, LOCKED = 1 << 0, VMX_ALLOWED = 1 << 2,
	MSR_BASIC = 0x480, MSR_SECONDARY = 0x48b, MSR_PIN = 0x48d,
	MSR_PRIMARY = 0x48e, MSR_EXIT = 0x48f, MSR_ENTRY = 0x490,
};

/* Fields of the VMCS: Intel's manual, volume 3, appendix B. */
enum {
	GUEST_SELECTOR = 0x0800, HOST_SELECTOR = 0x0c00,
	EPT_POINTER = 0x201a, LINK_POINTER = 0x2800,
	PIN = 0x4000, PRIMARY = 0x4002, EXIT = 0x400c, ENTRY = 0x4012,
	SECONDARY = 0x401e,
	GUEST_LIMIT = 0x4800, GUEST_GDTR_LIMIT = 0x4810,
	GUEST_IDTR_LIMIT = 0x4812, GUEST_ACCESS = 0x4814,
	GUEST_CR0 = 0x6800, GUEST_CR3 = 0x6802, GUEST_CR4 = 0x6804,
	GUEST_BASE = 0x6806, GUEST_GDTR_BASE = 0x6816, GUEST_IDTR_BASE = 0x6818,
	GUEST_DR7 = 0x681a, GUEST_RSP = 0x681c, GUEST_RIP = 0x681e,
	GUEST_RFLAGS = 0x6820,
	HOST_CR0 = 0x6c00, HOST_CR3 = 0x6c02, HOST_CR4 = 0x6c04,
	HOST_GDTR_BASE = 0x6c0c, HOST_IDTR_BASE = 0x6c0e,
	HOST_RSP = 0x6c14, HOST_RIP = 0x6c16,
};

/* In the order of their fields; the host has no LDTR. */
enum { ES, CS, SS, DS, FS, GS, LDTR, TR, SEGMENTS };

#define HLT_EXITING	(1U << 7)
#define USE_SECONDARY	(1U << 31)
#define ENABLE_EPT	(1U << 1)
#define WIDE		(1U << 9)	/* the host's code, the guest's, is 64-bit */
#define UNUSABLE	(1U << 16)
#define EPT_CACHED	6ULL
#define EPT_LEVELS	(3ULL << 3)	/* minus one */

/* What the guest writes: see INNER_CODE(). */
struct writes {
	uint64_t state, vmcs, nr;
	struct { uint64_t field, value; } each[];
};

static void put(struct vm *vm, uint64_t field, uint64_t value)
{
	struct writes *w = mode_data(vm, INNER_AT(INNER_WRITES));

	CHECK(sizeof(*w) + (w->nr + 1) * sizeof(w->each[0]) <= PAGE);
	w->each[w->nr].field = field;
	w->each[w->nr].value = value;
	w->nr++;
}

static void put_segment(struct vm *vm, unsigned int which,
			const struct kvm_segment *s)
{
	uint32_t access = s->type | s->s << 4 | s->dpl << 5 |
			  s->present << 7 | s->l << 13 | s->db << 14 |
			  s->g << 15;

	put(vm, GUEST_SELECTOR + 2 * which, s->selector);
	put(vm, GUEST_BASE + 2 * which, s->base);
	put(vm, GUEST_LIMIT + 2 * which, s->limit);
	put(vm, GUEST_ACCESS + 2 * which, s->present ? access : UNUSABLE);
	if (which != LDTR)
		put(vm, HOST_SELECTOR + 2 * (which == TR ? LDTR : which),
		    which == TR ? SEL_TSS : s->selector);
}

/* The bits that have to be set, and those that are wanted. */
static void put_control(struct vcpu *v, uint64_t field, uint32_t msr,
			uint32_t wanted)
{
	uint64_t able = vcpu_get_msr(v, msr);

	CHECK_EQ(wanted & ~(able >> 32), 0);
	put(v->vm, field, (uint32_t)able | wanted);
}

static void put_controls(struct vcpu *v, const struct inner *inner)
{
	uint32_t secondary = inner->nested ? USE_SECONDARY : 0;

	put_control(v, PIN, MSR_PIN, 0);
	put_control(v, PRIMARY, MSR_PRIMARY, HLT_EXITING | secondary);
	if (secondary)
		put_control(v, SECONDARY, MSR_SECONDARY, ENABLE_EPT);
	put_control(v, EXIT, MSR_EXIT, WIDE);
	put_control(v, ENTRY, MSR_ENTRY, WIDE);
	put(v->vm, EPT_POINTER, INNER_AT(INNER_PML4) | EPT_LEVELS | EPT_CACHED);
	put(v->vm, LINK_POINTER, ~0ULL);
}

static void put_segments(struct vm *vm, const struct kvm_sregs *s)
{
	put_segment(vm, ES, &s->es);
	put_segment(vm, CS, &s->cs);
	put_segment(vm, SS, &s->ss);
	put_segment(vm, DS, &s->ds);
	put_segment(vm, FS, &s->fs);
	put_segment(vm, GS, &s->gs);
	put_segment(vm, LDTR, &(struct kvm_segment){ 0 });
	put_segment(vm, TR, &s->tr);
}

static void put_registers(struct vm *vm, const struct kvm_sregs *s,
			  const struct inner *inner)
{
	put(vm, GUEST_CR0, s->cr0);
	put(vm, GUEST_CR3, s->cr3);
	put(vm, GUEST_CR4, s->cr4);
	put(vm, GUEST_GDTR_BASE, s->gdt.base);
	put(vm, GUEST_GDTR_LIMIT, s->gdt.limit);
	put(vm, GUEST_IDTR_BASE, s->idt.base);
	put(vm, GUEST_IDTR_LIMIT, s->idt.limit);
	put(vm, GUEST_DR7, 0x400);
	put(vm, GUEST_RSP, LOW_STACK + PAGE / 2);
	put(vm, GUEST_RIP, inner->rip);
	put(vm, GUEST_RFLAGS, 2);
	put(vm, HOST_CR0, s->cr0);
	put(vm, HOST_CR3, s->cr3);
	put(vm, HOST_CR4, s->cr4);
	put(vm, HOST_GDTR_BASE, s->gdt.base);
	put(vm, HOST_IDTR_BASE, s->idt.base);
	put(vm, HOST_RSP, LOW_STACK + PAGE);
	put(vm, HOST_RIP, inner->left);
}

static void fill_region(struct vcpu *v, unsigned int page)
{
	uint32_t *region = mode_data(v->vm, INNER_AT(page));

	memset(region, 0, PAGE);
	region[0] = vcpu_get_msr(v, MSR_BASIC) & 0x7fffffff;
}

void inner_load_vmx(struct vcpu *v, const struct inner *inner)
{
	struct writes *w = mode_data(v->vm, INNER_AT(INNER_WRITES));
	struct kvm_sregs s;

	vcpu_set_msr(v, MSR_FEATURE_CONTROL, LOCKED | VMX_ALLOWED);
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.cr4 |= CR4_VMXE;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
	fill_region(v, INNER_STATE);
	fill_region(v, INNER_CONTROL);
	memset(w, 0, PAGE);
	w->state = INNER_AT(INNER_STATE);
	w->vmcs = INNER_AT(INNER_CONTROL);
	put_controls(v, inner);
	put_segments(v->vm, &s);
	put_registers(v->vm, &s, inner);
}
