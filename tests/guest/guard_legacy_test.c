// SPDX-License-Identifier: GPL-2.0-or-later
/* Stores of 32-bit protected mode and of real mode. */
#include <string.h>
#include <sys/ioctl.h>

#include "guard.h"
#include "mode.h"
#include "module.h"

#define STACK_TOP	(VM_DATA + 0x400)
#define GDT		(VM_DATA + 2 * PAGE)

static void fill(struct vcpu *v)
{
	unsigned int i;

	for (i = 0; i < PAGE; i++)
		v->vm->data[i] = i * 37 + 11;
	mode_fill_gdt(v->vm, GDT, DESC_CODE32);
}

static void set_stack(struct vcpu *v, uint64_t rsp)
{
	struct kvm_regs r;

	CHECK_SYS(!ioctl(v->fd, KVM_GET_REGS, &r));
	r.rsp = rsp;
	r.rbp = rsp - VM_DATA + 8;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_REGS, &r));
}

static void load_32(struct vcpu *v, unsigned int round)
{
	mode_32(v, round);
	mode_load_gdt(v, GDT);
	set_stack(v, STACK_TOP);
}

#define PROTECTED_AFTER(claim, how, fpu, insn, ...)			\
	GUARD_CASE(protected_##claim, "32-bit/" #claim, how,		\
		   ".code32\n mov $0x11223344, %eax\n" fpu,		\
		   insn, .pages = 3, .fill = fill, .load = load_32,	\
		   __VA_ARGS__)
#define PROTECTED(claim, how, insn, ...)				\
	PROTECTED_AFTER(claim, how, "fninit\n fldpi", insn, __VA_ARGS__)

PROTECTED(mov, SEEN_EXACT, "mov %eax, 8(%edi)")
PROTECTED(push, SEEN_EXACT, "push %eax")
PROTECTED(pusha, SEEN_EXACT, "pusha")
PROTECTED(pushaw, SEEN_EXACT, "pushaw")
PROTECTED(push_segment, SEEN_EXACT, "pushw %cs")
PROTECTED(enter, SEEN_EXACT, "enter $32, $0")
PROTECTED(enter_nested, SEEN_UNEMULATED, "mov $0x200100, %ebp\n"
	  "enter $32, $2", .anywhere = true)
PROTECTED(far_call, SEEN_EXACT, "lcall $8, $0x20000 + 1f - "
	  "g_protected_far_call_start\n hlt\n 1: nop")
PROTECTED(cmpxchg8b, SEEN_EXACT, "lock cmpxchg8b 8(%edi)")
PROTECTED(fstp, SEEN_UNEMULATED, "fstpl 8(%edi)")
PROTECTED_AFTER(fnsave, SEEN_UNEMULATED, GUARD_FPU_FORGETS, "fnsave 8(%edi)")
PROTECTED(sgdt, SEEN_CHANGED, "sgdt 8(%edi)")
PROTECTED(rep_movsl, SEEN_EXACT, "mov $100, %ecx\n rep movsl",
	  .anywhere = true)

/* Data and stack at VM_DATA; offsets are the low parts of the addresses. */
static void load_real(struct vcpu *v, unsigned int round)
{
	struct kvm_sregs s;

	(void)round;
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.ds.base = s.es.base = s.ss.base = VM_DATA;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
	set_stack(v, STACK_TOP - VM_DATA);
}

/*
 * Real mode with bases that its selectors do not give is interpreted by KVM
 * instruction by instruction, if an Intel processor has no nested page tables:
 * what KVM cannot emulate fails, tracked or not. Nothing faults, so that stores
 * which KVM makes without telling are not seen.
 */
static bool is_interpreted(void)
{
	return !strcmp(module_vendor(), "kvm_intel") && !paging_is_nested();
}

static void try_real(const struct guard_work *w)
{
	if (w->seen == SEEN_UNEMULATED && is_interpreted())
		tap_note("class %s: absent", w->name);
	else
		guard_try(w);
}

#define REAL_AFTER(claim, how, fpu, insn, ...)				\
	GUARD_CODE(g_real_##claim,					\
		   ".code16\n mov $0x1122, %ax\n" fpu, insn);		\
	CASE(real_##claim)						\
	{								\
		const struct guard_work w = {				\
			.name = "real mode/" #claim, .seen = how,	\
			.code = { g_real_##claim##_start,		\
				  g_real_##claim##_end },		\
			.at = g_real_##claim##_at, .real_mode = true,	\
			.fill = fill, .load = load_real, .pages = 3,	\
			.args = { 0x100, 0x1100 }, __VA_ARGS__		\
		};							\
									\
		try_real(&w);						\
	}
#define REAL(claim, how, insn, ...)					\
	REAL_AFTER(claim, how, "fninit", insn, __VA_ARGS__)

REAL(mov, SEEN_EXACT, "mov %ax, 8(%di)")
REAL(push, SEEN_EXACT, "push %ax")
REAL(pusha, SEEN_EXACT, "pusha")
REAL(enter, SEEN_EXACT, "enter $32, $0")
REAL(rep_stosb, SEEN_EXACT, "mov $100, %cx\n rep stosb", .anywhere = true)
REAL(rep_movsw, SEEN_EXACT, "mov $100, %cx\n rep movsw", .anywhere = true)
REAL_AFTER(fstp, SEEN_UNEMULATED, "fninit\n fldpi", "fstpl 8(%di)")
REAL_AFTER(fnsave, SEEN_UNEMULATED, GUARD_FPU_FORGETS, "fnsave 8(%di)")
REAL(sidt, is_interpreted() ? SEEN_NOT : SEEN_CHANGED, "sidt 8(%di)",
     .later = is_interpreted() ? SEEN_NO_STORE : SEEN_CHANGED)
