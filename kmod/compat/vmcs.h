/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What KVM keeps to itself of an exit of an Intel guest, from the VMCS itself:
 *
 *	kwt_fault_enclave	was the guest in an SGX enclave?
 *	kwt_store_untold	did it execute sgdt or sidt, by an exit of its own?
 *
 * In the vCPU's thread, inside of KVM_RUN and with preemption disabled: the
 * VMCS of the last exit is this processor's current one then. Where there is
 * none, because KVM runs on another hypervisor that has it in memory, reading
 * fails and the answer is "no".
 */
#ifndef KWT_COMPAT_VMCS_H
#define KWT_COMPAT_VMCS_H

#include <linux/kvm_host.h>

#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/vmx.h>

#include "rip.h"

/*
 * A host that reboots turns VMX off while vCPUs run: the instruction is undefined
 * then, which KVM takes care of for its own, and we for ours.
 */
static inline bool kwt_vmread(unsigned long field, u64 *value)
{
	bool failed = true;

	asm volatile("1:	vmread %[field], %[value]\n"
		     "	setbe %[failed]\n"
		     "2:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : [failed] "+q" (failed), [value] "=&r" (*value)
		     : [field] "r" (field) : "cc");
	return !failed;
}

/*
 * KVM cannot emulate anything there and queues #UD at once. All enclaves are
 * user space, and hosts without SGX have no guests with it.
 */
static __always_inline bool kwt_fault_enclave(void)
{
	u64 reason;

	return boot_cpu_has(X86_FEATURE_SGX) &&
	       kwt_vmread(VM_EXIT_REASON, &reason) && reason & BIT(27);
}

/*
 * KVM offers UMIP on processors without it, and then emulates what CR4.UMIP
 * forbids to users for the kernel, too. That is an exit, but no fault.
 */
static __always_inline bool kwt_may_store_untold(const struct kvm_vcpu *vcpu)
{
	return boot_cpu_has(X86_FEATURE_VMX) &&
	       !boot_cpu_has(X86_FEATURE_UMIP) &&
	       vcpu->arch.cr4 & X86_CR4_UMIP;
}

/* A general register; the stack pointer is known when KVM has emulated. */
static inline u64 kwt_vmx_reg(const struct kvm_vcpu *vcpu, u32 reg)
{
	return vcpu->arch.regs[reg];
}

/*
 * Such an instruction, and where it stored: Intel's manual, volume 3, "Information
 * for VM exits due to instruction execution". Of a displacement from the
 * instruction pointer the qualification has the sum. KVM has gone to the next
 * instruction, unless the guest is about to have an exception.
 */
static inline bool kwt_store_untold(const struct kvm_vcpu *vcpu, u64 *address,
				    u64 *rip)
{
	u64 reason, info, len, at, base;

	if (!kwt_vmread(VM_EXIT_REASON, &reason) ||
	    (u16)reason != EXIT_REASON_GDTR_IDTR ||
	    !kwt_vmread(VMX_INSTRUCTION_INFO, &info) ||
	    !kwt_vmread(VM_EXIT_INSTRUCTION_LEN, &len) ||
	    !kwt_vmread(EXIT_QUALIFICATION, &at))
		return false;
	*rip = kwt_rip(vcpu);
	if (!vcpu->arch.exception.injected)
		*rip -= len;
	/* 2 and 3 are lgdt and lidt. */
	if (info >> 28 & 2)
		return false;
	if (!(info & BIT(27)))
		at += kwt_vmx_reg(vcpu, info >> 23 & 15);
	if (!(info & BIT(22)))
		at += kwt_vmx_reg(vcpu, info >> 18 & 15) << (info & 3);
	if ((info >> 7 & 7) == 0)
		at = (u16)at;
	else if ((info >> 7 & 7) == 1)
		at = (u32)at;
	/*
	 * The segments' bases follow each other, es first. With addresses of 64
	 * bits only fs and gs have one, the fifth and the sixth.
	 */
	if (((info >> 7 & 7) != 2 || (info >> 15 & 7) >= 4) &&
	    kwt_vmread(GUEST_ES_BASE + 2 * (info >> 15 & 7), &base))
		at += base;
	*address = at;
	return true;
}

#endif /* KWT_COMPAT_VMCS_H */
