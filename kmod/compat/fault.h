/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KVM tells of a fault, and what can be read of how it will go on:
 *
 *	kwt_tp_fault, kwt_tp_entry	KVM's tracepoints
 *	kwt_fault_writes	was it a write?
 *	kwt_fault_holes		was it on an entry that KVM has for a hole?
 *	kwt_fault_walks		did the processor store by itself, as when it walks
 *				guest page tables?
 *	kwt_fault_gpa		the guest physical address
 *	kwt_fault_direct	is that what KVM was told?
 *	kwt_fault_event		was an event being delivered?
 *	kwt_fault_nested	is it a guest of this guest?
 *	kwt_fault_hopeless	has KVM failed to emulate it before?
 *	kwt_rip_read		the instruction pointer, in a fault
 *	kwt_rsp_read		the stack pointer, likewise
 *	kwt_rip_is_known	has KVM read it since the guest was left?
 *	kwt_fault_went_on	was an instruction emulated since?
 *
 * The declarations of the tracepoints are not among the installed headers. Both
 * pass the vCPU first on all kernels; then come the address and the error code,
 * or what does not matter here.
 */
#ifndef KWT_COMPAT_FAULT_H
#define KWT_COMPAT_FAULT_H

#include <linux/kvm_host.h>
#include <linux/static_call.h>
#include <linux/tracepoint.h>
#include <linux/uaccess.h>

#include "rip.h"

extern struct tracepoint __tracepoint_kvm_page_fault;
extern struct tracepoint __tracepoint_kvm_entry;
#define kwt_tp_fault	(&__tracepoint_kvm_page_fault)
#define kwt_tp_entry	(&__tracepoint_kvm_entry)

/*
 * Faults on the same instruction and address in a row, without a notification,
 * that show a store which cannot be emulated. Before 6.12 KVM lets the guest
 * try again for ever, and once or twice also when it could emulate the store;
 * a lost race of a locked compare and exchange looks the same.
 */
#define KWT_HOPELESS_FAULTS	16

static inline bool kwt_rip_is_known(const struct kvm_vcpu *vcpu)
{
	return test_bit(KWT_REG_RIP,
			(const unsigned long *)&vcpu->arch.regs_avail);
}

/*
 * Since a fault at @rip, which was read there. With an exception a part of the
 * store may be in memory. In the vCPU's thread, or when none runs it.
 */
static __always_inline bool kwt_fault_went_on(const struct kvm_vcpu *vcpu,
					      u64 rip)
{
	return kwt_rip_is_known(vcpu) &&
	       (kwt_rip(vcpu) != rip || vcpu->arch.exception.injected ||
		vcpu->arch.exception.pending);
}

/* In the vCPU's thread. Intel keeps it in the VMCS until somebody asks. */
static inline u64 kwt_rip_read(struct kvm_vcpu *vcpu)
{
	if (unlikely(!kwt_rip_is_known(vcpu)))
		static_call(kvm_x86_cache_reg)(vcpu, KWT_REG_RIP);
	return kwt_rip(vcpu);
}

static inline u64 kwt_rsp_read(struct kvm_vcpu *vcpu)
{
	if (unlikely(!test_bit(VCPU_REGS_RSP, (const unsigned long *)
					      &vcpu->arch.regs_avail)))
		static_call(kvm_x86_cache_reg)(vcpu, VCPU_REGS_RSP);
	return vcpu->arch.regs[VCPU_REGS_RSP];
}

/* The same bit in AMD's error code, Intel's and that of an ordinary fault. */
static inline bool kwt_fault_writes(u64 error_code)
{
	return error_code & BIT_ULL(1);
}

/* Three levels are what a guest without paging has in its place. */
static inline bool kwt_paging_is_nested(const struct kvm_vcpu *vcpu)
{
	return vcpu->arch.root_mmu.root_role.direct &&
	       vcpu->arch.root_mmu.root_role.level > 3;
}

/*
 * KVM's entry for a hole has a reserved bit set, and so says the error code. With
 * EPT the entry is misconfigured: that is no fault, and the bit says whether the
 * page may be read.
 */
static inline bool kwt_fault_holes(const struct kvm_vcpu *vcpu, u64 error_code)
{
	if (likely(!(error_code & BIT_ULL(3))))
		return false;
	return !boot_cpu_has(X86_FEATURE_VMX) || !kwt_paging_is_nested(vcpu);
}

/*
 * AMD: "guest page walk". Intel: all but an access to the translation (bit 8) of
 * a linear address that is valid (bit 7), which was not asynchronous to the
 * instruction (bit 16). Others are accesses to page tables, and stores of trace
 * output and the like; the instruction has nothing to do with them. Without
 * nested paging there are none of these, and the code is an ordinary one.
 */
static inline bool kwt_fault_walks(const struct kvm_vcpu *vcpu, u64 error_code)
{
	const u64 operand = BIT_ULL(7) | BIT_ULL(8);

	if (!boot_cpu_has(X86_FEATURE_VMX))
		return error_code & BIT_ULL(33);
	return (error_code & (operand | BIT_ULL(16))) != operand &&
	       kwt_paging_is_nested(vcpu);
}

static inline bool kwt_fault_direct(const struct kvm_vcpu *vcpu)
{
	return vcpu->arch.mmu->root_role.direct;
}

#ifdef KWT_HAVE_PAGEWALK
#define kwt_pagewalk		kvm_pagewalk
#define kwt_fault_walk(vcpu)	((vcpu)->arch.mmu->w)
#define kwt_guest_walk(vcpu)	(&(vcpu)->arch.gva_walk)
#else
#define kwt_pagewalk		kvm_mmu
#define kwt_fault_walk(vcpu)	((vcpu)->arch.mmu)
#define kwt_guest_walk(vcpu)	((vcpu)->arch.walk_mmu)
#endif

/*
 * The guest physical address that @address is mapped to, or INVALID_GPA. KVM's
 * walk refuses what the guest's protection refuses for that @access: a user's
 * access to supervisor pages, a supervisor's access to user pages with SMAP, a
 * supervisor's fetch from them with SMEP, reads of a page whose protection key
 * allows to execute it alone. The guest's access has passed that protection, as
 * a user's or as a supervisor's, so the walk is made as both. One of the two
 * finds every page that is present, whatever CR0.WP, CR4 and EFLAGS.AC are, and
 * a walk that KVM refuses leaves no trace in the guest.
 *
 * The guest's page tables may be paged out: then there is no answer. The walk
 * takes no lock, and has to be told that it must not sleep.
 */
static inline u64 kwt_walk(struct kvm_vcpu *vcpu, struct kwt_pagewalk *walk,
			   u64 address, u64 access)
{
	u64 gpa;
	int idx;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	pagefault_disable();
	gpa = walk->gva_to_gpa(vcpu, walk, address, access | PFERR_USER_MASK,
			       NULL);
	if (gpa == INVALID_GPA)
		gpa = walk->gva_to_gpa(vcpu, walk, address, access, NULL);
	pagefault_enable();
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return gpa;
}

/*
 * Without nested paging, and for guests of the guest, KVM is told a virtual
 * address. INVALID_GPA when it cannot be resolved now.
 */
static inline u64 kwt_fault_gpa(struct kvm_vcpu *vcpu, u64 address)
{
	if (kwt_fault_direct(vcpu))
		return address;
	return kwt_walk(vcpu, kwt_fault_walk(vcpu), address, 0);
}

static inline bool kwt_fault_event(const struct kvm_vcpu *vcpu)
{
	return vcpu->arch.exception.injected || vcpu->arch.interrupt.injected ||
	       vcpu->arch.nmi_injected;
}

static inline bool kwt_fault_nested(const struct kvm_vcpu *vcpu)
{
	return vcpu->arch.hflags & HF_GUEST_MASK;
}

/*
 * From 6.12 on KVM remembers what it could not emulate, lets the guest try
 * again once, and gives up the second time.
 */
static inline bool kwt_fault_hopeless(const struct kvm_vcpu *vcpu, u64 address,
				      u64 rip, u32 repeats)
{
#ifdef KWT_HAVE_UNPROTECT_PAGE
	return repeats >= KWT_HOPELESS_FAULTS;
#else
	return vcpu->arch.last_retry_eip == rip &&
	       vcpu->arch.last_retry_addr == address;
#endif
}

#endif /* KWT_COMPAT_FAULT_H */
