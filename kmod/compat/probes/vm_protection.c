// SPDX-License-Identifier: GPL-2.0-only
/* Since 6.10 a VM says what of it is protected from the host. */
#include <linux/kvm_host.h>

int probe(struct kvm *kvm);
int probe(struct kvm *kvm)
{
	return kvm->arch.has_private_mem || kvm->arch.has_protected_state;
}
