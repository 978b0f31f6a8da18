// SPDX-License-Identifier: GPL-2.0-or-later
/* Instructions that store the state of the processor, or a part of it. */
#include "guard.h"
#include "mode.h"

#define LOAD	"fninit\n fldpi\n movups (%rsi), %xmm0\n" \
		"mov $7, %eax\n xor %edx, %edx"

#define STATE(claim, how, insn, ...)					\
	GUARD_CASE(claim, "state/" #claim, how, LOAD, insn, __VA_ARGS__)

STATE(fxsave, SEEN_UNEMULATED, "fxsave 64(%rdi)")
STATE(fxsave64, SEEN_UNEMULATED, "fxsave64 64(%rdi)")

/* What a processor may leave as it was is 0 already. */
static void fill_nothing(struct vcpu *v)
{
	(void)v;
}

/* KVM's emulator makes these stores in another way, and tells nobody. */
STATE(fxsave_32, SEEN_CHANGED, ".code32\n fxsave 64(%edi)",
      .load = mode_32, .fill = fill_nothing)
STATE(sgdt, SEEN_CHANGED, "sgdt 8(%rdi)")
STATE(sidt, SEEN_CHANGED, "sidt 8(%rdi)")

STATE(xsave, SEEN_UNEMULATED, "xsave 64(%rdi)", .feature = CPU_XSAVE)
STATE(xsave64, SEEN_UNEMULATED, "xsave64 64(%rdi)", .feature = CPU_XSAVE)
STATE(xsaveopt, SEEN_UNEMULATED, "xsaveopt 64(%rdi)",
      .feature = CPU_XSAVEOPT)
STATE(xsavec, SEEN_UNEMULATED, "xsavec 64(%rdi)",
      .feature = CPU_XSAVEC, .optional = true)

STATE(sldt, SEEN_EXACT, "sldt 8(%rdi)")
STATE(str, SEEN_EXACT, "str 8(%rdi)")
STATE(smsw, SEEN_EXACT, "smsw 8(%rdi)")
STATE(mov_from_segment, SEEN_EXACT, "mov %ss, 8(%rdi)")
