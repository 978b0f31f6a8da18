// SPDX-License-Identifier: GPL-2.0-or-later
/* Stores that are not emulated, or not told of, and that go across pages. */
#include "guard.h"

#define BOTH	3
#define SECOND	2

#define CROSS(claim, mask, how, before, insn, ...)			\
	GUARD_CASE(claim, "across two pages/" #claim, how,		\
		   "add $4096, %rdi\n" before, insn,			\
		   .args = { VM_DATA, VM_DATA + 2 * PAGE }, .pages = 3,	\
		   .tracked = mask, __VA_ARGS__)

CROSS(mov_both, BOTH, SEEN_EXACT, "mov %rsi, %rax", "mov %rax, -3(%rdi)")
CROSS(mov_second, SECOND, SEEN_EXACT, "mov %rsi, %rax", "mov %rax, -3(%rdi)")
CROSS(movups_both, BOTH, SEEN_EXACT, "movups (%rsi), %xmm0",
      "movups %xmm0, -7(%rdi)")
CROSS(fstp_both, BOTH, SEEN_UNEMULATED, "fninit\n fldpi", "fstpl -3(%rdi)")
CROSS(fstp_second, SECOND, SEEN_UNEMULATED, "fninit\n fldpi",
      "fstpl -3(%rdi)")
CROSS(movlps_both, BOTH, SEEN_UNEMULATED, "movups (%rsi), %xmm0",
      "movlps %xmm0, -3(%rdi)")
CROSS(fnsave_both, BOTH, SEEN_UNEMULATED, GUARD_FPU_FORGETS,
      "fnsave -50(%rdi)")
CROSS(xsave_both, BOTH, SEEN_UNEMULATED,
      "mov $7, %eax\n xor %edx, %edx\n fninit", "xsave -64(%rdi)",
      .feature = CPU_XSAVE)
/* KVM would make it all at the fault on the first page. */
CROSS(sgdt_both, BOTH, SEEN_CHANGED, "", "sgdt -4(%rdi)")
CROSS(sgdt_second, SECOND, SEEN_CHANGED, "", "sgdt -4(%rdi)")
