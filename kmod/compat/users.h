/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many references there are to a VM. Patches on KVM's list of 2026 move the
 * count into a structure and make kvm_get_kvm() and kvm_put_kvm() inline.
 */
#ifndef KWT_COMPAT_USERS_H
#define KWT_COMPAT_USERS_H

#include <linux/kvm_host.h>

static inline unsigned int kwt_kvm_users(const struct kvm *kvm)
{
#ifdef KWT_HAVE_KVM_RC
	return refcount_read(&kvm->rc.users_count);
#else
	return refcount_read(&kvm->users_count);
#endif
}

#endif /* KWT_COMPAT_USERS_H */
