// SPDX-License-Identifier: GPL-2.0-only
/*
 * What no kernel has either: a function of KVM that takes a pointer to something
 * else. To the compiler that is a warning, as is a function that changed.
 */
#include <linux/kvm_host.h>

void probe(struct kvm_vcpu *vcpu);
void probe(struct kvm_vcpu *vcpu)
{
	kvm_get_kvm(vcpu);
}
