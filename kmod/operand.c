// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decide whether a store is one of those in operand.h, by the guest's code and
 * registers. Runs in the vCPU's thread with preemption disabled, so memory that
 * is paged out is not read, and the answer is "yes" then.
 */
#include <linux/cache.h>

#include "compat/guest.h"
#include "operand.h"
#include "track.h"

/*
 * Is it a descriptor that the CPU would mark: a present segment that is not
 * marked as accessed, or a free TSS?
 */
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

static u32 read_guest_code(struct kvm_vcpu *vcpu, u64 address, u8 *to, u32 len)
{
	u32 here = min_t(u32, len, KWT_PAGE_SIZE - (address & ~PAGE_MASK));
	u64 gpa = kwt_guest_code_gpa(vcpu, address);

	if (gpa == INVALID_GPA || !kwt_guest_read(vcpu, gpa, to, here))
		return 0;
	return here;
}

/* Returns how many bytes of the instruction could be read. */
static u32 read_guest_insn(struct kvm_vcpu *vcpu, u64 rip, u8 *insn)
{
	u32 len = read_guest_code(vcpu, rip, insn, KWT_INSN_BYTES);

	if (len && len < KWT_INSN_BYTES)
		len += read_guest_code(vcpu, rip + len, insn + len,
				       KWT_INSN_BYTES - len);
	return len;
}

/*
 * KVM emulates a locked store that crosses a page without the lock. On a host
 * that detects split locks it does so also for one that crosses a cache line.
 */
u32 kwt_lock_line __ro_after_init = KWT_PAGE_SIZE;

void __init kwt_operand_init(void)
{
	if (boot_cpu_has(X86_FEATURE_SPLIT_LOCK_DETECT))
		kwt_lock_line = cache_line_size();
}

/* Is the operand of the instruction at @rip where the store faulted? */
static bool operand_begins_at(struct kvm_vcpu *vcpu, const struct kwt_insn *insn,
			      u64 rip, u64 address)
{
	u64 at = insn->disp;

	if (!insn->known)
		return false;
	/* Reading the stack pointer makes KVM read all registers. */
	(void)kwt_rsp_read(vcpu);
	if (insn->base != KWT_NO_REG)
		at += vcpu->arch.regs[insn->base];
	if (insn->index != KWT_NO_REG)
		at += vcpu->arch.regs[insn->index] << insn->scale;
	if (insn->from_rip)
		at += rip + insn->len;
	return !((at ^ address) & (kwt_lock_line - 1));
}

static u32 lock_risk(struct kvm_vcpu *vcpu, u64 address, u64 rip,
		     const u8 *bytes, u32 len, bool mode64)
{
	u32 stored = kwt_insn_locked_bytes(bytes, len, mode64);
	u32 offset = address & (kwt_lock_line - 1);
	struct kwt_insn insn;

	if (stored <= 1)
		return KVM_WTRACK_CAUSE_NONE;
	if (offset + stored <= kwt_lock_line &&
	    (offset || (kwt_insn_decode(&insn, bytes, len, mode64) &&
			operand_begins_at(vcpu, &insn, rip, address))))
		return KVM_WTRACK_CAUSE_NONE;
	return KVM_WTRACK_CAUSE_SPLIT_LOCK;
}

/* The risk of a split lock alone, for an address that may be virtual. */
u32 kwt_operand_lock_risk(struct kvm_vcpu *vcpu, u64 address)
{
	bool mode64 = kwt_guest_is_64(vcpu, kwt_rip_read(vcpu));
	u8 insn[KWT_INSN_BYTES];
	u64 rip;

	if (!kwt_guest_code(vcpu, &rip))
		return KVM_WTRACK_CAUSE_SPLIT_LOCK;
	return lock_risk(vcpu, address, rip, insn,
			 read_guest_insn(vcpu, rip, insn), mode64);
}

/*
 * Returns the cause to disarm the page of a suspect store, or
 * KVM_WTRACK_CAUSE_NONE. KVM takes the fault's address for the operand's only
 * with nested paging. Code that cannot be found, such as 16-bit code on kernels
 * from 6.18 on, counts as risky.
 */
u32 kwt_operand_risk(struct kvm_vcpu *vcpu, u64 gpa)
{
	bool mode64 = kwt_guest_is_64(vcpu, kwt_rip_read(vcpu));
	u64 rsp = kwt_rsp_read(vcpu), rip;
	bool by_the_way, silent, lock;
	u8 insn[KWT_INSN_BYTES];
	u32 len;

	by_the_way = !mode64 || ((rsp - 1 - gpa) & ~PAGE_MASK) < KWT_PUSH_BYTES ||
		     is_descriptor(vcpu, gpa);
	silent = kwt_store_crosses(gpa) &&
		 (!mode64 || (gpa & ~PAGE_MASK) > PAGE_SIZE - KWT_SILENT_BYTES);
	lock = kwt_lock_suspect(gpa);
	if (!by_the_way && !silent && !lock)
		return KVM_WTRACK_CAUSE_NONE;
	if (!kwt_guest_code(vcpu, &rip))
		return KVM_WTRACK_CAUSE_OPERAND;
	len = read_guest_insn(vcpu, rip, insn);
	if (by_the_way && kwt_insn_has_operand(insn, len, mode64))
		return KVM_WTRACK_CAUSE_OPERAND;
	if (silent && kwt_insn_is_silent(insn, len, mode64))
		return KVM_WTRACK_CAUSE_UNREPORTED;
	if (lock)
		return lock_risk(vcpu, gpa, rip, insn, len, mode64);
	return KVM_WTRACK_CAUSE_NONE;
}
