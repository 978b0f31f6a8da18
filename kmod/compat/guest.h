/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Looking at a guest from the thread of its vCPU, with preemption disabled:
 *
 *	kwt_guest_code_gpa	of the virtual address of code, or INVALID_GPA
 *	kwt_guest_read		from guest memory; false if it is not there now
 *	kwt_guest_is_64		does it run 64-bit code?
 *	kwt_guest_code		where the code is that it runs; false if that
 *				cannot be told
 *
 * KVM's own functions for it are for KVM's own modules on new kernels.
 */
#ifndef KWT_COMPAT_GUEST_H
#define KWT_COMPAT_GUEST_H

#include <linux/kvm_host.h>
#include <linux/static_call.h>
#include <linux/uaccess.h>

#include "fault.h"
#include "vmcs.h"

/* Code is fetched: a protection key may forbid to read it. */
static inline u64 kwt_guest_code_gpa(struct kvm_vcpu *vcpu, u64 address)
{
	return kwt_walk(vcpu, kwt_guest_walk(vcpu), address, PFERR_FETCH_MASK);
}

/* Within a page. */
static inline bool kwt_guest_read(struct kvm_vcpu *vcpu, u64 gpa, void *to,
				  u32 len)
{
	struct kvm_memory_slot *slot;
	unsigned long from;
	bool done = false;
	int idx;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	slot = __gfn_to_memslot(kvm_memslots(vcpu->kvm), gpa >> PAGE_SHIFT);
	if (slot && !(slot->flags & KVM_MEMSLOT_INVALID)) {
		from = __gfn_to_hva_memslot(slot, gpa >> PAGE_SHIFT) +
		       offset_in_page(gpa);
		done = !copy_from_user_nofault(to, (void __user *)from, len);
	}
	srcu_read_unlock(&vcpu->kvm->srcu, idx);
	return done;
}

/* Only 64-bit code is at such an address. Other code has segments with bases. */
static __always_inline bool kwt_guest_is_64(struct kvm_vcpu *vcpu, u64 rip)
{
	int db, l;

	if (likely(rip >> 32))
		return true;
	static_call(kvm_x86_get_cs_db_l_bits)(vcpu, &db, &l);
	return l;
}

/*
 * Where KVM does not tell the base of the code segment it is taken for 0, as it
 * is in 64-bit code, and in nearly all that runs with 32 bits.
 */
static inline bool kwt_guest_code(struct kvm_vcpu *vcpu, u64 *address)
{
	int db, l;

	static_call(kvm_x86_get_cs_db_l_bits)(vcpu, &db, &l);
#ifdef KWT_HAVE_LINEAR_RIP
	*address = kvm_get_linear_rip(vcpu);
	return true;
#else
	*address = kwt_rip_read(vcpu);
	if (!l && boot_cpu_has(X86_FEATURE_VMX)) {
		u64 base;

		if (kwt_vmread(GUEST_CS_BASE, &base)) {
			*address += base;
			return true;
		}
	}
	return db || l;
#endif
}

#endif /* KWT_COMPAT_GUEST_H */
