// SPDX-License-Identifier: GPL-2.0-only
/* Before 6.12: a store that KVM failed to emulate is tried again for ever. */
#include <linux/kvm_host.h>

int probe(struct kvm *kvm);
int probe(struct kvm *kvm)
{
	return kvm_mmu_unprotect_page(kvm, 0);
}
