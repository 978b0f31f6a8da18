/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's instruction pointer, as KVM has it. Since 7.3 it is not among
 * the general registers any more.
 */
#ifndef KWT_COMPAT_RIP_H
#define KWT_COMPAT_RIP_H

#include <linux/kvm_host.h>

#ifdef KWT_HAVE_ARCH_RIP
#define KWT_REG_RIP	VCPU_REG_RIP
#else
#define KWT_REG_RIP	VCPU_REGS_RIP
#endif

/* Only if it is known. */
static __always_inline u64 kwt_rip(const struct kvm_vcpu *vcpu)
{
#ifdef KWT_HAVE_ARCH_RIP
	return vcpu->arch.rip;
#else
	return vcpu->arch.regs[VCPU_REGS_RIP];
#endif
}

#endif /* KWT_COMPAT_RIP_H */
