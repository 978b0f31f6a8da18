// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Calls through memory with a tracked stack. KVM's emulator may take what it
 * reads from the page that is tracked, when both are at the same offset: the
 * guest then goes to what is in the stack's slot.
 */
#include "guard.h"
#include "mode.h"

#define STACK_TOP	(VM_DATA + 0x400)
#define OPERANDS	(VM_DATA + PAGE)

static void load_gdt(struct vcpu *v, unsigned int round)
{
	(void)round;
	mode_load_gdt(v, VM_DATA + 2 * PAGE);
}

static void fill(struct vcpu *v)
{
	mode_fill_gdt(v->vm, VM_DATA + 2 * PAGE, DESC_CODE64);
}

/* rdi is the stack, rsi the operand. eax tells where the call went. */
#define CALL(claim, class, offset, before, insn)			\
	GUARD_CODE(g_##claim,						\
		   "mov %rdi, %rsp\n lea 1f(%rip), %rax\n"		\
		   "lea 2f(%rip), %rdx\n" before,			\
		   insn "\n hlt\n"					\
		   "1: mov $0x900d, %eax\n hlt\n"			\
		   "2: mov $0xbad, %eax\n");				\
	CASE(claim)							\
	{								\
		struct guard_work w = {					\
			.name = class "/" #claim, .code = g_##claim,	\
			.seen = SEEN_EXACT | SEEN_OPERAND,		\
			.anywhere = true, .pages = 3,			\
			.args = { STACK_TOP, OPERANDS + (offset) },	\
			.fill = fill, .load = load_gdt,			\
		};							\
									\
		guard_try(&w);						\
	}

#define NEAR	"mov %rax, (%rsi)\n mov %rdx, -8(%rdi)"
#define FAR	"mov %eax, (%rsi)\n movw $8, 4(%rsi)\n" \
		"mov %edx, -4(%rdi)\n movw $8, (%rdi)"

CALL(near_call, "call through memory, tracked stack", 0x80, NEAR,
     "call *(%rsi)")
CALL(far_call, "call through memory, tracked stack", 0x80, FAR,
     "lcall *(%rsi)")
CALL(near_call_same_offset,
     "call through memory, tracked stack, operand at the same offset",
     0x3f8, NEAR, "call *(%rsi)")
CALL(far_call_same_offset,
     "call through memory, tracked stack, operand at the same offset",
     0x3fc, FAR, "lcall *(%rsi)")
