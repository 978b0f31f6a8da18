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

	if (!kwt_guest_read(vcpu, (gpa & ~7ULL) + 5, &access, sizeof(access)))
		return true;
	return (access & 0x91) == 0x90 || (access & 0x9d) == 0x89 ||
	       (access & 0x9d) == 0x81;
}

static u32 read_virtual(struct kvm_vcpu *vcpu, u64 address, u8 *to, u32 len)
{
	u32 here = min_t(u32, len, KWT_PAGE_SIZE - (address & ~PAGE_MASK));
	u64 gpa = kwt_guest_gpa(vcpu, address);

	if (gpa == INVALID_GPA || !kwt_guest_read(vcpu, gpa, to, here))
		return 0;
	return here;
}

static bool insn_has_operand(struct kvm_vcpu *vcpu)
{
	u8 insn[KWT_INSN_BYTES];
	bool mode64;
	u64 rip;
	u32 len;

	/* Which leaves 16-bit code on kernels from 6.18 on. */
	if (!kwt_guest_code(vcpu, &rip, &mode64))
		return false;
	len = read_virtual(vcpu, rip, insn, sizeof(insn));
	if (len && len < sizeof(insn))
		len += read_virtual(vcpu, rip + len, insn + len,
				    sizeof(insn) - len);
	return kwt_insn_has_operand(insn, len, mode64);
}

/* The store was suspect. KVM takes the short way only with nested paging. */
bool kwt_operand_at_risk(struct kvm_vcpu *vcpu, u64 gpa)
{
	u64 rsp = kwt_rsp_read(vcpu);

	if (((rsp - 1 - gpa) & ~PAGE_MASK) >= KWT_PUSH_BYTES &&
	    !is_descriptor(vcpu, gpa))
		return false;
	return insn_has_operand(vcpu);
}
