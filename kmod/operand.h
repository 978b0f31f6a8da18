/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that KVM would emulate with the wrong operand.
 *
 * With nested paging KVM knows the guest physical address that a store faulted
 * on, and takes it for that of any operand with the same offset in its page.
 * That is wrong where the store does not go to the operand: a call through
 * memory pushes to the stack, and loading a segment marks its descriptor. The
 * guest would then use the contents of the tracked page as the operand.
 *
 * The guard also looks for instructions whose stores KVM does not report: if
 * such a store crosses into a second page, only the first one is known from the
 * fault.
 *
 * And it looks for locked instructions that cross into a second page, or into a
 * second cache line where the host does not permit that: KVM emulates them
 * without the lock.
 */
#ifndef KWT_OPERAND_H
#define KWT_OPERAND_H

#include <linux/types.h>

struct kvm_vcpu;

#define KWT_INSN_BYTES	15

/* The longest store that a call makes to the stack. */
#define KWT_PUSH_BYTES	16

/*
 * Bytes that sgdt and sidt store, and fxsave, which KVM reports only in 64-bit
 * code.
 */
#define KWT_SILENT_BYTES	10
#define KWT_SILENT_MAX		512

/* The longest locked store that KVM emulates. */
#define KWT_LOCK_BYTES		8

/**
 * struct kwt_insn - an instruction, down to its operand in memory
 * @opcode: the last byte of it
 * @escape: the opcode has two bytes, of which the first is 0x0f
 * @modrm: the byte after the opcode, or KWT_UNREAD, which counts as the worst
 *	case
 * @lock: there is a lock prefix
 * @wide: there is a prefix for 64-bit operands
 * @narrow: there is a prefix for 16-bit operands
 * @base: the base register of the operand's address, or KWT_NO_REG
 * @index: the register that is added, shifted left by @scale, or KWT_NO_REG
 * @scale: shift of @index, in bits
 * @disp: the displacement that is added
 * @from_rip: the address of the next instruction is added
 * @len: bytes of the whole instruction, if it is one that may be locked
 * @known: @base to @len are valid, and the segment's base is 0; only in 64-bit
 *	code
 */
struct kwt_insn {
	u8 opcode;
	bool escape;
	int modrm;
	bool lock;
	bool wide;
	bool narrow;
	int base;
	int index;
	u32 scale;
	s64 disp;
	bool from_rip;
	u32 len;
	bool known;
};

#define KWT_UNREAD	-1
#define KWT_NO_REG	-1

bool kwt_insn_decode(struct kwt_insn *to, const u8 *bytes, u32 len, bool mode64);
bool kwt_insn_has_operand(const u8 *insn, u32 len, bool mode64);
bool kwt_insn_is_silent(const u8 *insn, u32 len, bool mode64);
u32 kwt_insn_locked_bytes(const u8 *insn, u32 len, bool mode64);

extern u32 kwt_lock_line;
void kwt_operand_init(void);
u32 kwt_operand_risk(struct kvm_vcpu *vcpu, u64 gpa);
u32 kwt_operand_lock_risk(struct kvm_vcpu *vcpu, u64 address);

static __always_inline bool kwt_store_crosses(u64 gpa)
{
	return (gpa & 0xfff) > 0x1000 - KWT_SILENT_BYTES ||
	       ((gpa & 0xfff) > 0x1000 - KWT_SILENT_MAX && !(gpa & 15));
}

/*
 * May a locked store at @address cross from one page or line into the next? It
 * faults on the last bytes of the first, or on the beginning of the second.
 */
static __always_inline bool kwt_lock_suspect(u64 address)
{
	u32 mask = kwt_lock_line - 1;

	return (((u32)address - 1) & mask) > mask - KWT_LOCK_BYTES;
}

/*
 * Could this be one of these stores? They go to just below the stack pointer,
 * to the upper half of a possible descriptor, or to the end of a page. In code
 * that is not 64-bit the base of the stack segment need not be page-aligned.
 * @mode64 may be false when the caller is not sure.
 */
static __always_inline bool kwt_operand_suspect(u64 gpa, u64 rsp, bool mode64)
{
	return ((rsp - 1 - gpa) & 0xfff) < KWT_PUSH_BYTES || (gpa & 6) == 4 ||
	       kwt_store_crosses(gpa) || kwt_lock_suspect(gpa) || !mode64;
}

#endif /* KWT_OPERAND_H */
