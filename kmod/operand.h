/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions that KVM would emulate with the wrong operand.
 *
 * With nested paging KVM knows the guest physical address that a store faulted
 * on, and takes it for that of any operand with the same offset in its page.
 * That is wrong where the store is not to the operand, but is made by the way:
 * a call through memory pushes to the stack, loading a segment marks its
 * descriptor. Then the guest would go on with what is in the tracked page.
 *
 * And those whose stores KVM does not report: if they cross into a second page,
 * only the first one is known from the fault.
 */
#ifndef KWT_OPERAND_H
#define KWT_OPERAND_H

#include <linux/types.h>

struct kvm_vcpu;

#define KWT_INSN_BYTES	15

/* The longest store that a call makes to the stack. */
#define KWT_PUSH_BYTES	16

/* What sgdt and sidt store, and fxsave, which is silent but in 64-bit code. */
#define KWT_SILENT_BYTES	10
#define KWT_SILENT_MAX		512

bool kwt_insn_has_operand(const u8 *insn, u32 len, bool mode64);
bool kwt_insn_is_silent(const u8 *insn, u32 len, bool mode64);
u32 kwt_operand_risk(struct kvm_vcpu *vcpu, u64 gpa);

static __always_inline bool kwt_store_crosses(u64 gpa)
{
	return (gpa & 0xfff) > 0x1000 - KWT_SILENT_BYTES ||
	       ((gpa & 0xfff) > 0x1000 - KWT_SILENT_MAX && !(gpa & 15));
}

/*
 * Can this be such a store at all? To just below the stack pointer, to the
 * upper half of what could be a descriptor, or to the end of a page.
 */
static __always_inline bool kwt_operand_suspect(u64 gpa, u64 rsp)
{
	return ((rsp - 1 - gpa) & 0xfff) < KWT_PUSH_BYTES || (gpa & 6) == 4 ||
	       kwt_store_crosses(gpa);
}

#endif /* KWT_OPERAND_H */
