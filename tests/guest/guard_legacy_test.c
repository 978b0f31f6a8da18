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
	struct guard_work any = *w;

	if (code16_is_unknown()) {
		any.seen = SEEN_OPERAND;
		any.later = SEEN_OPERAND;
	}
	if (w->seen == SEEN_UNEMULATED && is_interpreted())
		tap_note("class %s: absent", w->name);
	else
		guard_try(&any);
}

#define REAL_LOADED(loads, claim, how, fpu, insn, ...)			\
	GUARD_CODE(g_real_##claim,					\
		   ".code16\n mov $0x1122, %ax\n" fpu, insn);		\
	CASE(real_##claim)						\
	{								\
		const struct guard_work w = {				\
			.name = "real mode/" #claim, .seen = how,	\
			.code = { g_real_##claim##_start,		\
				  g_real_##claim##_end },		\
			.at = g_real_##claim##_at, .real_mode = true,	\
			.fill = fill, .load = loads, .pages = 3,	\
			.args = { 0x100, 0x1100 }, __VA_ARGS__		\
		};							\
									\
		try_real(&w);						\
	}
#define REAL_AFTER(...)	REAL_LOADED(load_real, __VA_ARGS__)
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

/*
 * A call through memory, in a stack whose segment begins somewhere in a page:
 * the operand is where the call pushes to, but for the page.
 */
static void load_call(struct vcpu *v, unsigned int round)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	load_real(v, round);
	CHECK_SYS(!ioctl(v->fd, KVM_GET_SREGS, &s));
	s.ss.base = VM_DATA + 0x150;
	s.ds.base = VM_DATA + PAGE;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_SREGS, &s));
	CHECK_SYS(!ioctl(v->fd, KVM_GET_REGS, &r));
	r.rsp = 0x302;
	r.rbp = 0x300;
	r.rbx = 0x450;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_REGS, &r));
}

#define REAL_CALL(claim, before, insn)					\
	REAL_LOADED(load_call, claim, SEEN_EXACT | SEEN_OPERAND,	\
		   "mov $1f - g_real_" #claim "_start, %ax\n"		\
		   "mov $2f - g_real_" #claim "_start, %dx\n" before,	\
		   insn "\n hlt\n"					\
		   "1: mov $0x900d, %cx\n hlt\n 2: mov $0xbad, %cx",	\
		   .anywhere = true)

REAL_CALL(near_call_same_offset, "mov %ax, (%bx)\n mov %dx, (%bp)",
	  "call *(%bx)")
