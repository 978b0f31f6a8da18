// SPDX-License-Identifier: GPL-2.0-only
/*
 * What all kernels have, with the headers of the other probes. If this does not
 * compile, none of them does, whatever the kernel has.
 */
#include <linux/hrtimer.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <asm/kvm_page_track.h>

struct mm_struct *probe(struct kvm *kvm, struct kvm_vcpu *vcpu);
struct mm_struct *probe(struct kvm *kvm, struct kvm_vcpu *vcpu)
{
	return vcpu->kvm == kvm ? kvm->mm : NULL;
}
