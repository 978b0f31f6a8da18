// SPDX-License-Identifier: GPL-2.0-or-later
/* Stores of MMX and SSE: whole vectors are emulated, parts of them are not. */
#include "guard.h"

#define LOAD	"movups (%rsi), %xmm0\n movups 5(%rsi), %xmm1"
#define LOAD_MMX "movq (%rsi), %mm0\n movq 5(%rsi), %mm1"

#define WHOLE(claim, insn)						\
	GUARD_CASE(claim, "SSE, 16 bytes/" #claim, SEEN_EXACT, LOAD, insn)
#define PART(claim, insn, ...)						\
	GUARD_CASE(claim, "SSE, part of a register/" #claim,		\
		   SEEN_UNEMULATED, LOAD, insn, __VA_ARGS__)
#define MMX(claim, how, insn)						\
	GUARD_CASE(mmx_##claim, "MMX/" #claim, how, LOAD_MMX, insn "\n emms")

WHOLE(movups, "movups %xmm0, 7(%rdi)")
WHOLE(movupd, "movupd %xmm0, 7(%rdi)")
WHOLE(movaps, "movaps %xmm0, 16(%rdi)")
WHOLE(movapd, "movapd %xmm0, 16(%rdi)")
WHOLE(movdqu, "movdqu %xmm0, 7(%rdi)")
WHOLE(movdqa, "movdqa %xmm0, 16(%rdi)")
WHOLE(movntps, "movntps %xmm0, 16(%rdi)")
WHOLE(movntpd, "movntpd %xmm0, 16(%rdi)")
WHOLE(movntdq, "movntdq %xmm0, 16(%rdi)")

PART(movss, "movss %xmm0, 8(%rdi)")
PART(movsd, "movsd %xmm0, 8(%rdi)")
PART(movd, "movd %xmm0, 8(%rdi)")
PART(movq, "movq %xmm0, 8(%rdi)")
PART(movq_7e, ".byte 0x66, 0x48, 0x0f, 0x7e, 0x47, 0x08")
PART(movlps, "movlps %xmm0, 8(%rdi)")
PART(movlpd, "movlpd %xmm0, 8(%rdi)")
PART(movhps, "movhps %xmm0, 8(%rdi)")
PART(movhpd, "movhpd %xmm0, 8(%rdi)")
PART(maskmovdqu, "maskmovdqu %xmm1, %xmm0")
PART(pextrb, "pextrb $3, %xmm0, 8(%rdi)", .feature = CPU_SSE41)
PART(pextrw, "pextrw $3, %xmm0, 8(%rdi)", .feature = CPU_SSE41)
PART(pextrd, "pextrd $3, %xmm0, 8(%rdi)", .feature = CPU_SSE41)
PART(pextrq, "pextrq $1, %xmm0, 8(%rdi)", .feature = CPU_SSE41)
PART(extractps, "extractps $2, %xmm0, 8(%rdi)", .feature = CPU_SSE41)
PART(stmxcsr, "stmxcsr 8(%rdi)")

MMX(movd, SEEN_UNEMULATED, "movd %mm0, 8(%rdi)")
MMX(movq, SEEN_EXACT, "movq %mm0, 8(%rdi)")
MMX(movntq, SEEN_UNEMULATED, "movntq %mm0, 8(%rdi)")
MMX(maskmovq, SEEN_UNEMULATED, "maskmovq %mm1, %mm0")
