// SPDX-License-Identifier: GPL-2.0-only
/* Since 6.8 a VM has a type, since 6.10 it says what is protected. */
#include <linux/kvm_host.h>

int probe(struct kvm *kvm);
int probe(struct kvm *kvm)
{
	return kvm->arch.vm_type + kvm->arch.has_private_mem +
	       kvm->arch.has_protected_state + KVM_X86_DEFAULT_VM;
}
