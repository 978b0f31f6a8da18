// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stores of a guest of the guest: AMD's VMRUN, with page tables of the guest's
 * and with nested paging in the guest. Each enters it, and is left by its HLT.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "guard.h"
#include "mode.h"
#include "module.h"
#include "vm_internal.h"

/* In VM_DATA. */
enum { DATA, VMCB, STATE, NPML4, NPDPT, NPD, PAGES };

#define PAGE_AT(page)	(VM_DATA + (page) * PAGE)
#define LARGE		(2ULL << 20)
/* Present, writable, and user's, as all of nested paging has to be. */
#define NPT_ENTRY	7ULL
#define LARGE_BIT	0x80ULL

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

static struct guest_code code;
static const unsigned char *inner;
static bool inner_npt;

static void put32(struct vm *vm, unsigned int at, uint32_t value)
{
	memcpy((char *)mode_data(vm, PAGE_AT(VMCB)) + at, &value, sizeof(value));
}

static void put64(struct vm *vm, unsigned int at, uint64_t value)
{
	memcpy((char *)mode_data(vm, PAGE_AT(VMCB)) + at, &value, sizeof(value));
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

/* The same processor once more, at other code. */
static void fill_vmcb(struct vcpu *v, const struct kvm_sregs *s)
{
	struct vm *vm = v->vm;

	memset(mode_data(vm, PAGE_AT(VMCB)), 0, PAGE);
	put32(vm, INTERCEPT_MISC1, INTERCEPT_HLT);
	put32(vm, INTERCEPT_MISC2, INTERCEPT_VMRUN);
	put32(vm, ASID, 1);
	put64(vm, NESTED_CONTROL, inner_npt);
	put64(vm, NESTED_CR3, inner_npt ? PAGE_AT(NPML4) : 0);
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
	put64(vm, SAVE_RIP, vcpu_code_rip(v) + (inner - code.start));
	put64(vm, SAVE_RSP, LOW_STACK + PAGE / 2);
	put64(vm, SAVE_PAT, RESET_PAT);
}

static void fill(struct vcpu *v)
{
	uint64_t *pd = mode_data(v->vm, PAGE_AT(NPD));

	memset(v->vm->data, 0x5a, PAGE);
	*(uint64_t *)mode_data(v->vm, PAGE_AT(NPML4)) = PAGE_AT(NPDPT) | NPT_ENTRY;
	*(uint64_t *)mode_data(v->vm, PAGE_AT(NPDPT)) = PAGE_AT(NPD) | NPT_ENTRY;
	pd[0] = 0 | LARGE_BIT | NPT_ENTRY;
	pd[1] = LARGE | LARGE_BIT | NPT_ENTRY;
}

static void load(struct vcpu *v, unsigned int round)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} msrs = {
		.head.nmsrs = 1,
		.entry = { .index = MSR_HSAVE, .data = PAGE_AT(STATE) },
	};
	struct kvm_sregs s;

	(void)round;
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.efer |= EFER_SVME;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
	CHECK_SYS(ioctl(v->fd, KVM_SET_MSRS, &msrs) == 1);
	fill_vmcb(v, &s);
}

/* rdx is the VMCB. Behind VMRUN interrupts are off until STGI. */
#define INNER_CODE(name, before, insn)					\
	extern const unsigned char name##_at[], name##_inner[];		\
	GUEST_CODE(name, "mov %rdx, %rax\n"				\
		   "vmrun\n"						\
		   "stgi\n"						\
		   "hlt\n"						\
		   ".globl " #name "_at, " #name "_inner\n"		\
		   #name "_inner:\n" before "\n"			\
		   #name "_at:\n" insn "\n"				\
		   "hlt")

static void try_inner(const char *name, const unsigned char *at)
{
	const struct guard_work w = {
		.name = name, .seen = SEEN_NESTED, .code = code, .at = at,
		.args = { VM_DATA, VM_LOW_BYTES - PAGE, PAGE_AT(VMCB) },
		.pages = PAGES, .tracked = 1 << DATA,
		.fill = fill, .load = load,
	};

	/* Who has no nested paging does not offer it, either. */
	if (inner_npt && !paging_is_nested())
		tap_note("class %s: absent", name);
	else
		guard_try(&w);
}

#define INNER(claim, class, before, insn)				\
	INNER_CODE(g_##claim, before, insn);				\
	CASE(claim)							\
	{								\
		code = g_##claim;					\
		inner = g_##claim##_inner;				\
		try_inner("guest of the guest/" class, g_##claim##_at);	\
	}								\
	CASE(claim##_with_nested_paging)				\
	{								\
		code = g_##claim;					\
		inner = g_##claim##_inner;				\
		inner_npt = true;					\
		try_inner("guest of the guest, nested paging/" class,	\
			  g_##claim##_at);				\
	}

INNER(inner_mov, "mov", "mov $7, %rax", "mov %rax, 8(%rdi)")
INNER(inner_add, "lock add", "mov $7, %rax", "lock add %rax, 8(%rdi)")
INNER(inner_fstp, "fstp", "fninit\n fldpi", "fstpl 8(%rdi)")
INNER(inner_sgdt, "sgdt", "", "sgdt 8(%rdi)")
