// SPDX-License-Identifier: GPL-2.0-only
/* Until 7.2. KVM 7.3 keeps to itself why AVIC is not used. */
#include <linux/kvm_host.h>

int probe(struct kvm *kvm);
int probe(struct kvm *kvm)
{
	return kvm->arch.apicv_inhibit_reasons & BIT(APICV_INHIBIT_REASON_SEV);
}
