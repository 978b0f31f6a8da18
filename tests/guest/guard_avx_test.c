// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Stores of AVX and AVX-512. Later kernels emulate moves of whole vectors,
 * earlier ones none.
 */
#include "guard.h"

#define LOAD	"vmovups (%rsi), %ymm0\n vmovups 5(%rsi), %ymm1"
#define LOAD512	"vmovups (%rsi), %zmm0\n kxnorw %k1, %k1, %k1"

#define WHOLE(claim, insn)						\
	GUARD_CASE(claim, "AVX, whole register/" #claim,		\
		   SEEN_UNEMULATED | SEEN_EXACT, LOAD, insn,		\
		   .feature = CPU_AVX)
#define PART(claim, insn)						\
	GUARD_CASE(claim, "AVX, part of a register/" #claim,		\
		   SEEN_UNEMULATED, LOAD, insn, .feature = CPU_AVX)
#define MASK2(claim, insn)						\
	GUARD_CASE(claim, "AVX, part of a register/" #claim,		\
		   SEEN_UNEMULATED, LOAD, insn, .feature = CPU_AVX2)
#define WIDE(claim, insn)						\
	GUARD_CASE(claim, "AVX-512/" #claim, SEEN_UNEMULATED, LOAD512, insn, \
		   .feature = CPU_AVX512F, .optional = true)

WHOLE(vmovups_16, "vmovups %xmm0, 7(%rdi)")
WHOLE(vmovups_32, "vmovups %ymm0, 7(%rdi)")
WHOLE(vmovupd_32, "vmovupd %ymm0, 7(%rdi)")
WHOLE(vmovaps_16, "vmovaps %xmm0, 32(%rdi)")
WHOLE(vmovaps_32, "vmovaps %ymm0, 32(%rdi)")
WHOLE(vmovapd_32, "vmovapd %ymm0, 32(%rdi)")
WHOLE(vmovdqu_16, "vmovdqu %xmm0, 7(%rdi)")
WHOLE(vmovdqu_32, "vmovdqu %ymm0, 7(%rdi)")
WHOLE(vmovdqa_32, "vmovdqa %ymm0, 32(%rdi)")
WHOLE(vmovntps_32, "vmovntps %ymm0, 32(%rdi)")
WHOLE(vmovntpd_32, "vmovntpd %ymm0, 32(%rdi)")
WHOLE(vmovntdq_32, "vmovntdq %ymm0, 32(%rdi)")

PART(vmovss, "vmovss %xmm0, 8(%rdi)")
PART(vmovsd, "vmovsd %xmm0, 8(%rdi)")
PART(vmovd, "vmovd %xmm0, 8(%rdi)")
PART(vmovq, "vmovq %xmm0, 8(%rdi)")
PART(vmovlps, "vmovlps %xmm0, 8(%rdi)")
PART(vmovhpd, "vmovhpd %xmm0, 8(%rdi)")
PART(vpextrb, "vpextrb $3, %xmm0, 8(%rdi)")
PART(vpextrd, "vpextrd $1, %xmm0, 8(%rdi)")
PART(vextractps, "vextractps $2, %xmm0, 8(%rdi)")
PART(vextractf128, "vextractf128 $1, %ymm0, 7(%rdi)")
PART(vmaskmovps, "vmaskmovps %ymm0, %ymm1, 7(%rdi)")
PART(vmaskmovdqu, "vmaskmovdqu %xmm1, %xmm0")
PART(vstmxcsr, "vstmxcsr 8(%rdi)")
MASK2(vextracti128, "vextracti128 $1, %ymm0, 7(%rdi)")
MASK2(vpmaskmovq, "vpmaskmovq %ymm0, %ymm1, 7(%rdi)")

WIDE(vmovups_64, "vmovups %zmm0, 7(%rdi)")
WIDE(vmovdqu64, "vmovdqu64 %zmm0, 7(%rdi)")
WIDE(vmovdqa32, "vmovdqa32 %zmm0, 64(%rdi)")
WIDE(vmovntdq_64, "vmovntdq %zmm0, 64(%rdi)")
WIDE(vmovups_masked, "vmovups %zmm0, 7(%rdi){%k1}")
WIDE(vpcompressd, "vpcompressd %zmm0, 8(%rdi){%k1}")
