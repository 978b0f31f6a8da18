// SPDX-License-Identifier: GPL-2.0-only
/* Since 6.8 a VM has a type. */
#include <linux/kvm_host.h>

int probe(struct kvm *kvm);
int probe(struct kvm *kvm)
{
	return kvm->arch.vm_type == KVM_X86_DEFAULT_VM;
}
