// SPDX-License-Identifier: GPL-2.0-only
/* 7.3: the instruction pointer is not among the registers any more. */
#include <linux/kvm_host.h>

unsigned long probe(struct kvm_vcpu *vcpu);
unsigned long probe(struct kvm_vcpu *vcpu)
{
	return vcpu->arch.rip + VCPU_REG_RIP;
}
