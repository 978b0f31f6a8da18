// SPDX-License-Identifier: GPL-2.0-only
/*
 * The part of an instruction decoder that operand.h needs. It knows the
 * instructions that read an operand from memory and also store somewhere else,
 * and does not decode others. It uses nothing of KVM.
 */
#include <linux/types.h>

#include "operand.h"

/* Is the operand in memory, and the instruction this one of its group? */
static bool is_member(int modrm, u32 member)
{
	return modrm == KWT_UNREAD ||
	       (modrm >> 6 != 3 && (modrm >> 3 & 7) == member);
}

static bool operand_in_memory(int modrm)
{
	return modrm == KWT_UNREAD || modrm >> 6 != 3;
}

static bool two_byte_has_operand(u8 opcode, int modrm)
{
	switch (opcode) {
	case 0x00:	/* lldt, ltr */
		return is_member(modrm, 2) || is_member(modrm, 3);
	case 0xb2: case 0xb4: case 0xb5:	/* lss, lfs, lgs */
		return operand_in_memory(modrm);
	case 0xa1: case 0xa9:	/* pop fs, gs */
		return true;
	default:
		return false;
	}
}

static bool one_byte_has_operand(u8 opcode, int modrm, bool mode64)
{
	switch (opcode) {
	case 0xff:	/* call near, call far, jmp far */
		return is_member(modrm, 2) || is_member(modrm, 3) ||
		       is_member(modrm, 5);
	case 0x8e:	/* mov to a segment */
		return operand_in_memory(modrm);
	case 0xc4: case 0xc5:	/* les, lds; in 64-bit code a VEX prefix */
		return !mode64 && operand_in_memory(modrm);
	case 0x07: case 0x17: case 0x1f:	/* pop es, ss, ds */
		return !mode64;
	case 0xca: case 0xcb: case 0xcf:	/* ret far, iret */
		return true;
	default:
		return false;
	}
}

/* Note a prefix in @to. Returns false when @byte is no prefix. */
static bool take_prefix(struct kwt_insn *to, u8 byte, u8 *rex, bool mode64)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e:	/* es, cs, ss, ds */
	case 0xf2: case 0xf3:
		break;
	case 0x64: case 0x65:	/* fs, gs */
	case 0x67:
		to->known = false;
		break;
	case 0x66:
		to->narrow = true;
		break;
	case 0xf0:
		to->lock = true;
		break;
	default:
		if (!mode64 || (byte & 0xf0) != 0x40)
			return false;
		*rex = byte;
		return true;
	}
	/* A REX prefix counts only right before the opcode. */
	*rex = 0;
	return true;
}

/* Decode the parts of the operand's address, in 64-bit code. */
static void decode_address(struct kwt_insn *to, const u8 *byte, u32 len, u8 rex)
{
	u32 mod = to->modrm >> 6, at = 1, disp_bytes = mod == 2 ? 4 : mod;
	int rm = to->modrm & 7;

	if (to->modrm == KWT_UNREAD || mod == 3) {
		to->known = false;
		return;
	}
	to->base = rm | (rex & 1) << 3;
	to->index = KWT_NO_REG;
	if (rm == 4 && at < len) {
		rm = byte[at] & 7;
		to->base = rm | (rex & 1) << 3;
		to->index = (byte[at] >> 3 & 7) | (rex & 2) << 2;
		to->scale = byte[at] >> 6;
		if (to->index == 4)
			to->index = KWT_NO_REG;
		at++;
	} else if (rm == 5 && !mod) {
		to->from_rip = true;
	}
	if (rm == 5 && !mod) {
		to->base = KWT_NO_REG;
		disp_bytes = 4;
	}
	if ((to->modrm & 7) == 4 && len < 2)
		to->known = false;
	if (at + disp_bytes > len)
		to->known = false;
	else if (disp_bytes == 1)
		to->disp = (s8)byte[at];
	else if (disp_bytes)
		to->disp = (s32)(byte[at] | byte[at + 1] << 8 |
				 byte[at + 2] << 16 | (u32)byte[at + 3] << 24);
	to->len += at + disp_bytes;
}

/*
 * The number of immediate bytes after the operand of an instruction that may be
 * locked.
 */
static u32 immediate_bytes(const struct kwt_insn *insn)
{
	switch (insn->opcode) {
	case 0x80: case 0x82: case 0x83:
		return !insn->escape;
	case 0x81:
		if (insn->escape)
			return 0;
		return insn->narrow && !insn->wide ? 2 : 4;
	case 0xba:
		return insn->escape;
	default:
		return 0;
	}
}

/* Returns false when @bytes end before the opcode. */
bool kwt_insn_decode(struct kwt_insn *to, const u8 *bytes, u32 len, bool mode64)
{
	u32 at = 0;
	u8 rex = 0;

	*to = (struct kwt_insn){
		.modrm = KWT_UNREAD, .base = KWT_NO_REG, .index = KWT_NO_REG,
		.known = mode64,
	};
	while (at < len && take_prefix(to, bytes[at], &rex, mode64))
		at++;
	to->escape = at < len && bytes[at] == 0x0f;
	at += to->escape;
	if (at >= len)
		return false;
	to->opcode = bytes[at];
	to->wide = rex & 8;
	if (++at < len)
		to->modrm = bytes[at];
	to->len = at;
	if (to->known)
		decode_address(to, bytes + at, len - at, rex);
	to->len += immediate_bytes(to);
	/* A bit number in a register may address any word. */
	if (to->escape && (to->opcode == 0xab || to->opcode == 0xb3 ||
			   to->opcode == 0xbb))
		to->known = false;
	return true;
}

/*
 * Does the instruction read an operand from memory, or from the stack, and
 * store somewhere else? Returns true as well when there are too few bytes to
 * decide.
 */
bool kwt_insn_has_operand(const u8 *bytes, u32 len, bool mode64)
{
	struct kwt_insn insn;

	if (!kwt_insn_decode(&insn, bytes, len, mode64))
		return true;
	return insn.escape ? two_byte_has_operand(insn.opcode, insn.modrm) :
			     one_byte_has_operand(insn.opcode, insn.modrm,
						  mode64);
}

/*
 * Does KVM make its store without a notification? Returns true as well when
 * there are too few bytes to decide.
 */
bool kwt_insn_is_silent(const u8 *bytes, u32 len, bool mode64)
{
	struct kwt_insn insn;

	if (!kwt_insn_decode(&insn, bytes, len, mode64))
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

/* The operand's size in bytes, as its prefixes say. */
static u32 operand_bytes(const struct kwt_insn *insn)
{
	if (insn->wide)
		return 8;
	return insn->narrow ? 2 : 4;
}

/*
 * How many bytes does a locked instruction store at a time? Returns 0 if it is
 * not locked, and the largest number when there are too few bytes to decide.
 */
u32 kwt_insn_locked_bytes(const u8 *bytes, u32 len, bool mode64)
{
	struct kwt_insn insn;
	bool exchange;

	if (!kwt_insn_decode(&insn, bytes, len, mode64))
		return KWT_LOCK_BYTES;
	/* xchg is locked without a prefix, if its operand is in memory. */
	exchange = !insn.escape && (insn.opcode & 0xfe) == 0x86;
	if (!insn.lock && !(exchange && operand_in_memory(insn.modrm)))
		return 0;
	if (insn.escape && insn.opcode == 0xc7)	/* cmpxchg8b */
		return KWT_LOCK_BYTES;
	/*
	 * Of the two-byte opcodes, only these two store a byte; an even number
	 * does not mean that for others.
	 */
	if (insn.escape && insn.opcode != 0xb0 && insn.opcode != 0xc0)
		return operand_bytes(&insn);
	return insn.opcode & 1 ? operand_bytes(&insn) : 1;
}
