// SPDX-License-Identifier: GPL-2.0-only
/* 7.3: the walker of guest page tables is apart from the MMU. */
#include <linux/kvm_host.h>

u64 probe(struct kvm_vcpu *vcpu, struct kvm_mmu *mmu);
u64 probe(struct kvm_vcpu *vcpu, struct kvm_mmu *mmu)
{
	return mmu->w->gva_to_gpa(vcpu, mmu->w, 0, 0, NULL);
}
