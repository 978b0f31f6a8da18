// SPDX-License-Identifier: GPL-2.0-only
/*
 * Just enough of an instruction decoder for operand.h: it knows the
 * instructions that read memory and store elsewhere by the way, all others are
 * none of its business.
 */
#include <linux/types.h>

#include "operand.h"

/*
 * An instruction behind its prefixes.
 * @escape: it has two bytes, the first is 0x0f
 */
struct insn {
	u8 opcode;
	int modrm;
	bool escape;
};

/* For a ModRM byte that could not be read: worse than any. */
#define UNREAD	-1

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

/* Is the operand in memory, and the instruction this one of its group? */
static bool is_member(int modrm, u32 member)
{
	return modrm == UNREAD ||
	       (modrm >> 6 != 3 && (modrm >> 3 & 7) == member);
}

static bool in_memory(int modrm)
{
	return modrm == UNREAD || modrm >> 6 != 3;
}

static bool two_byte(u8 opcode, int modrm)
{
	switch (opcode) {
	case 0x00:	/* lldt, ltr */
		return is_member(modrm, 2) || is_member(modrm, 3);
	case 0xb2: case 0xb4: case 0xb5:	/* lss, lfs, lgs */
		return in_memory(modrm);
	case 0xa1: case 0xa9:	/* pop fs, gs */
		return true;
	default:
		return false;
	}
}

static bool one_byte(u8 opcode, int modrm, bool mode64)
{
	switch (opcode) {
	case 0xff:	/* call near, call far, jmp far */
		return is_member(modrm, 2) || is_member(modrm, 3) ||
		       is_member(modrm, 5);
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

/* False when not even the opcode is there. */
static bool decode(struct insn *to, const u8 *insn, u32 len, bool mode64)
{
	u32 at = 0;

	while (at < len && is_prefix(insn[at], mode64))
		at++;
	to->escape = at < len && insn[at] == 0x0f;
	at += to->escape;
	if (at >= len)
		return false;
	to->opcode = insn[at];
	to->modrm = at + 1 < len ? insn[at + 1] : UNREAD;
	return true;
}

/*
 * Does the instruction read an operand from memory, or from the stack, and
 * store somewhere else? Also when there are too few bytes to tell.
 */
bool kwt_insn_has_operand(const u8 *bytes, u32 len, bool mode64)
{
	struct insn insn;

	if (!decode(&insn, bytes, len, mode64))
		return true;
	return insn.escape ? two_byte(insn.opcode, insn.modrm) :
			     one_byte(insn.opcode, insn.modrm, mode64);
}

/* Does KVM make its store without a notification? Likewise. */
bool kwt_insn_is_silent(const u8 *bytes, u32 len, bool mode64)
{
	struct insn insn;

	if (!decode(&insn, bytes, len, mode64))
		return true;
	if (!insn.escape)
		return false;
	switch (insn.opcode) {
	case 0x01:	/* sgdt, sidt */
		return is_member(insn.modrm, 0) || is_member(insn.modrm, 1);
	case 0xae:	/* fxsave */
		return is_member(insn.modrm, 0);
	default:
		return false;
	}
}
