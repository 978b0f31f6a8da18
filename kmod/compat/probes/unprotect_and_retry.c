// SPDX-License-Identifier: GPL-2.0-only
/* 6.12: a store that KVM failed to emulate is tried by the guest once more. */
#include <linux/kvm_host.h>

bool probe(struct kvm_vcpu *vcpu);
bool probe(struct kvm_vcpu *vcpu)
{
	return kvm_mmu_unprotect_gfn_and_retry(vcpu, 0);
}
