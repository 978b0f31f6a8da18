// SPDX-License-Identifier: GPL-2.0-only
/*
 * A store that may be one of those in operand.h: look at the guest. In the
 * vCPU's thread, with preemption disabled: what is paged out is not read, and
 * the answer is "yes".
 */
#include "compat/guest.h"
#include "operand.h"
#include "track.h"

/* Present, a segment that is not marked as accessed, or a TSS that is free. */
static bool is_descriptor(struct kvm_vcpu *vcpu, u64 gpa)
{
	u8 access;

	if ((gpa & 6) != 4)
		return false;
	if (!kwt_guest_read(vcpu, (gpa & ~7ULL) + 5, &access, sizeof(access)))
		return true;
	return (access & 0x91) == 0x90 || (access & 0x9d) == 0x89 ||
	       (access & 0x9d) == 0x81;
}

static u32 read_code(struct kvm_vcpu *vcpu, u64 address, u8 *to, u32 len)
{
	u32 here = min_t(u32, len, KWT_PAGE_SIZE - (address & ~PAGE_MASK));
	u64 gpa = kwt_guest_code_gpa(vcpu, address);

	if (gpa == INVALID_GPA || !kwt_guest_read(vcpu, gpa, to, here))
		return 0;
	return here;
}

/* How many bytes could be read. */
static u32 read_insn(struct kvm_vcpu *vcpu, u64 rip, u8 *insn)
{
	u32 len = read_code(vcpu, rip, insn, KWT_INSN_BYTES);

	if (len && len < KWT_INSN_BYTES)
		len += read_code(vcpu, rip + len, insn + len,
				 KWT_INSN_BYTES - len);
	return len;
}

/*
 * The store was suspect: the cause to disarm its page, or none. KVM takes the
 * short way only with nested paging.
 */
u32 kwt_operand_risk(struct kvm_vcpu *vcpu, u64 gpa)
{
	u64 rsp = kwt_rsp_read(vcpu), rip;
	u8 insn[KWT_INSN_BYTES];
	bool mode64, by_the_way;
	u32 len;

	by_the_way = ((rsp - 1 - gpa) & ~PAGE_MASK) < KWT_PUSH_BYTES ||
		     is_descriptor(vcpu, gpa);
	if (!by_the_way && !kwt_store_crosses(gpa))
		return KVM_WTRACK_CAUSE_NONE;
	/* Which leaves 16-bit code on kernels from 6.18 on. */
	if (!kwt_guest_code(vcpu, &rip, &mode64))
		return KVM_WTRACK_CAUSE_NONE;
	if (mode64 && !by_the_way &&
	    (gpa & ~PAGE_MASK) <= PAGE_SIZE - KWT_SILENT_BYTES)
		return KVM_WTRACK_CAUSE_NONE;
	len = read_insn(vcpu, rip, insn);
	if (by_the_way && kwt_insn_has_operand(insn, len, mode64))
		return KVM_WTRACK_CAUSE_OPERAND;
	if (kwt_store_crosses(gpa) && kwt_insn_is_silent(insn, len, mode64))
		return KVM_WTRACK_CAUSE_UNREPORTED;
	return KVM_WTRACK_CAUSE_NONE;
}
