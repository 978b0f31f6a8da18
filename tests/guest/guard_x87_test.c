// SPDX-License-Identifier: GPL-2.0-or-later
/* What the x87 unit stores, which KVM's emulator does not know but for two. */
#include "guard.h"

#define X87_AFTER(claim, fpu, insn)					\
	GUARD_CASE(claim, "x87/" #claim, SEEN_UNEMULATED, fpu, insn)
#define X87(claim, insn)	X87_AFTER(claim, "fninit\n fldpi", insn)

X87(fst_m32, "fsts 8(%rdi)")
X87(fst_m64, "fstl 8(%rdi)")
X87(fstp_m32, "fstps 8(%rdi)")
X87(fstp_m64, "fstpl 8(%rdi)")
X87(fstp_m80, "fstpt 8(%rdi)")
X87(fist_m16, "fists 8(%rdi)")
X87(fist_m32, "fistl 8(%rdi)")
X87(fistp_m16, "fistps 8(%rdi)")
X87(fistp_m32, "fistpl 8(%rdi)")
X87(fistp_m64, "fistpll 8(%rdi)")
X87(fisttp_m16, "fisttps 8(%rdi)")
X87(fisttp_m32, "fisttpl 8(%rdi)")
X87(fisttp_m64, "fisttpll 8(%rdi)")
X87(fbstp, "fbstp 8(%rdi)")
X87_AFTER(fnstenv, GUARD_FPU_FORGETS, "fnstenv 8(%rdi)")
X87_AFTER(fnsave, GUARD_FPU_FORGETS, "fnsave 8(%rdi)")

GUARD_CASE(fnstcw, "x87/fnstcw", SEEN_EXACT, "fninit", "fnstcw 8(%rdi)")
GUARD_CASE(fnstsw, "x87/fnstsw", SEEN_EXACT, "fninit\n fldpi", "fnstsw 8(%rdi)")
