// SPDX-License-Identifier: GPL-2.0-only
/*
 * Just enough of an instruction decoder for operand.h: it knows the
 * instructions that read memory and store elsewhere by the way, all others are
 * none of its business.
 */
#include <linux/types.h>

#include "operand.h"

#define MODRM_MOD(modrm)	((modrm) >> 6)
#define MODRM_REG(modrm)	((modrm) >> 3 & 7)

static bool is_prefix(u8 byte, bool mode64)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e: case 0x64: case 0x65:
	case 0x66: case 0x67: case 0xf0: case 0xf2: case 0xf3:
		return true;
	default:
		return mode64 && (byte & 0xf0) == 0x40;
	}
}

static bool in_memory(u8 modrm)
{
	return MODRM_MOD(modrm) != 3;
}

static bool two_byte(u8 opcode, u8 modrm)
{
	switch (opcode) {
	case 0x00:	/* lldt, ltr */
		return in_memory(modrm) && (MODRM_REG(modrm) & 6) == 2;
	case 0xb2: case 0xb4: case 0xb5:	/* lss, lfs, lgs */
		return in_memory(modrm);
	case 0xa1: case 0xa9:	/* pop fs, gs */
		return true;
	default:
		return false;
	}
}

static bool one_byte(u8 opcode, u8 modrm, bool mode64)
{
	switch (opcode) {
	case 0xff:	/* call near, call far, jmp far */
		return in_memory(modrm) &&
		       (MODRM_REG(modrm) == 2 || MODRM_REG(modrm) == 3 ||
			MODRM_REG(modrm) == 5);
	case 0x8e:	/* mov to a segment */
		return in_memory(modrm);
	case 0xc4: case 0xc5:	/* les, lds; in 64-bit code a VEX prefix */
		return !mode64 && in_memory(modrm);
	case 0x07: case 0x17: case 0x1f:	/* pop es, ss, ds */
		return !mode64;
	case 0xca: case 0xcb: case 0xcf:	/* ret far, iret */
		return true;
	default:
		return false;
	}
}

/*
 * Does the instruction read an operand from memory, or from the stack, and
 * store somewhere else? Also when there are too few bytes to tell.
 */
bool kwt_insn_has_operand(const u8 *insn, u32 len, bool mode64)
{
	u32 at = 0;

	while (at < len && is_prefix(insn[at], mode64))
		at++;
	if (at + 1 < len && insn[at] != 0x0f)
		return one_byte(insn[at], insn[at + 1], mode64);
	if (at + 2 < len)
		return two_byte(insn[at + 1], insn[at + 2]);
	/* One byte is a whole instruction: no ModRM byte that could matter. */
	if (at + 1 == len && insn[at] != 0x0f)
		return one_byte(insn[at], 0, mode64);
	return true;
}
