/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which vCPU wrote? Before 6.6 the write hook is told. Later KVM can be asked,
 * where it exports that to everybody; it takes a call at each store, so it is
 * done only while a session wants to know.
 */
#ifndef KWT_COMPAT_VCPU_H
#define KWT_COMPAT_VCPU_H

#include <linux/kvm_host.h>

#include <linux/kvm_wtrack.h>

/* Sessions that want it; ring_map.c. */
extern atomic_t kwt_vcpu_wanted;

#if !defined(KWT_HAVE_WRITE_TRACK_GFN) || defined(KWT_HAVE_RUNNING_VCPU)
#define KWT_KNOWS_VCPU	1
#else
#define KWT_KNOWS_VCPU	0
#endif

/* Does it take a call to know? */
static __always_inline bool kwt_vcpu_asked(void)
{
#if defined(KWT_HAVE_WRITE_TRACK_GFN) && defined(KWT_HAVE_RUNNING_VCPU)
	return unlikely(atomic_read(&kwt_vcpu_wanted));
#else
	return false;
#endif
}

/*
 * The fields flags and vcpu of a record, where they are in the word that begins
 * with its type. @vcpu is what the hook was given, if it was.
 */
static __always_inline u64 kwt_vcpu_bits(struct kvm_vcpu *vcpu)
{
	if (!vcpu)
		return 0;
	return KVM_WTRACK_RECORD_F_VCPU << 8 | (u64)vcpu->vcpu_idx << 16;
}

/* The vCPU, from KVM if need be and if somebody wants to know. */
static __always_inline struct kvm_vcpu *kwt_vcpu_ask(struct kvm_vcpu *vcpu)
{
#if defined(KWT_HAVE_WRITE_TRACK_GFN) && defined(KWT_HAVE_RUNNING_VCPU)
	if (kwt_vcpu_asked())
		return kvm_get_running_vcpu();
#endif
	return vcpu;
}

#endif /* KWT_COMPAT_VCPU_H */
