/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KVM's external write tracking, in the spelling of 6.6 and later:
 *
 *	kwt_track_exists	does this KVM have it?
 *	kwt_track_register	may sleep; current->mm must be the VMM's
 *	kwt_track_add_gfn	-ENOENT without a memslot, -EOPNOTSUPP for one
 *				that cannot be tracked
 *	kwt_track_remove_gfn	no error when the memslot is gone meanwhile
 *	KWT_WRITE_HOOK		the head of the function for node.track_write
 *	kwt_set_removal_hook	calls it with (vm node, gfn, nr_pages)
 *	kwt_removal_run		in that hook: is this gfn's memslot gone, and how
 *				many behind each other have the same answer?
 *	KWT_REMOVAL_KEEPS_COUNTS	and have our counts to be given back?
 *	kwt_slot_run		may gfns be tracked, and how many behind each
 *				other have the same answer?
 *	kwt_slot_at		the memslot of a gfn, or the first one behind it
 *	kwt_slot_is_private	may it have pages that only the guest can read?
 *	kwt_slots_generation	changes whenever a memslot does
 *	kwt_slots_stamp		have the memslots changed, or are they about to?
 *
 * Before 6.6, KVM calls the hook ahead of the commit, for MOVE as well, while
 * the memslot is still there but marked as invalid: our counts have to be given
 * back, since the memslot stays if the change fails. From 6.6 on the memslot is
 * gone, and its counts with it; what remains to be told apart is the deletion
 * of a memslot in the other address space (SMM) that covers the same gfns.
 */
#ifndef KWT_COMPAT_PAGE_TRACK_H
#define KWT_COMPAT_PAGE_TRACK_H

#include <linux/kvm_host.h>
#include <asm/kvm_page_track.h>

/*
 * Weak: a kernel without CONFIG_KVM_EXTERNAL_WRITE_TRACKING loads a module that
 * was built for another one as well, which can say then what is missing.
 * Before 6.6 KVM has these functions in any case.
 */
#pragma weak kvm_page_track_register_notifier
#pragma weak kvm_page_track_unregister_notifier
#pragma weak kvm_write_track_add_gfn
#pragma weak kvm_write_track_remove_gfn

#define KWT_NO_OPTION	"kvm-wtrack: KVM of this kernel was built without CONFIG_KVM_EXTERNAL_WRITE_TRACKING\n"

static inline bool kwt_track_exists(void)
{
	return kvm_page_track_register_notifier;
}

typedef void (*kwt_removal_fn)(struct kvm_page_track_notifier_node *node,
			       gfn_t gfn, unsigned long nr_pages);

static inline bool kwt_slot_is_private(const struct kvm_memory_slot *slot)
{
#ifdef KVM_MEM_GUEST_MEMFD
	return slot->flags & KVM_MEM_GUEST_MEMFD;
#else
	return false;
#endif
}

/* Under kvm->srcu: may this memslot's pages be tracked? */
static inline int kwt_slot_check(const struct kvm_memory_slot *slot)
{
	if (!slot || slot->flags & KVM_MEMSLOT_INVALID)
		return -ENOENT;
	if (slot->id >= KVM_USER_MEM_SLOTS || slot->flags & KVM_MEM_READONLY)
		return -EOPNOTSUPP;
	return kwt_slot_is_private(slot) ? -EOPNOTSUPP : 0;
}

#ifdef KWT_HAVE_WRITE_TRACK_GFN

#define KWT_WRITE_HOOK(name)						\
	static void name(gpa_t gpa, const u8 *new, int bytes,		\
			 struct kvm_page_track_notifier_node *node)

static inline int kwt_track_register(struct kvm *kvm,
				     struct kvm_page_track_notifier_node *node)
{
	/*
	 * KVM walks the memslots here under slots_arch_lock alone; lockdep
	 * wants srcu as well, and it is what keeps them.
	 */
	int idx = srcu_read_lock(&kvm->srcu);
	int r = kvm_page_track_register_notifier(kvm, node);

	srcu_read_unlock(&kvm->srcu, idx);
	return r;
}

static inline void
kwt_track_unregister(struct kvm *kvm, struct kvm_page_track_notifier_node *node)
{
	kvm_page_track_unregister_notifier(kvm, node);
}

/* References to the VM that a registered node holds by itself. */
#define KWT_NODE_KVM_REFS	1

static inline int kwt_track_add_gfn(struct kvm *kvm, gfn_t gfn)
{
	int idx = srcu_read_lock(&kvm->srcu);
	int r = kwt_slot_check(__gfn_to_memslot(kvm_memslots(kvm), gfn));

	if (!r)
		r = kvm_write_track_add_gfn(kvm, gfn);
	srcu_read_unlock(&kvm->srcu, idx);
	return r;
}

static inline void kwt_track_remove_gfn(struct kvm *kvm, gfn_t gfn)
{
	/* -EINVAL when the memslot is gone and our hook is about to run. */
	(void)kvm_write_track_remove_gfn(kvm, gfn);
}

#define KWT_REMOVAL_HOOK(name, fn)					\
	static void name(gfn_t gfn, unsigned long nr_pages,		\
			 struct kvm_page_track_notifier_node *node)	\
	{								\
		fn(node, gfn, nr_pages);				\
	}

#define kwt_set_removal_hook(node, hook)				\
	((node)->track_remove_region = (hook))

#define KWT_REMOVAL_KEEPS_COUNTS	0

/* slots_lock is held. */
static inline bool kwt_removal_run(struct kvm *kvm, gfn_t start, gfn_t end,
				   gfn_t *run_end)
{
	struct kvm_memslot_iter iter;

	*run_end = end;
	kvm_for_each_memslot_in_gfn_range(&iter, kvm_memslots(kvm), start, end) {
		const struct kvm_memory_slot *slot = iter.slot;

		if (slot->base_gfn > start) {
			*run_end = slot->base_gfn;
			return true;
		}
		*run_end = min(end, slot->base_gfn + slot->npages);
		return false;
	}
	return true;
}

static inline const unsigned short *
kwt_slot_counts(const struct kvm_memory_slot *slot)
{
	return slot->arch.gfn_write_track;
}

#else /* !KWT_HAVE_WRITE_TRACK_GFN */

#define KWT_WRITE_HOOK(name)						\
	static void name(struct kvm_vcpu *vcpu, gpa_t gpa,		\
			 const u8 *new, int bytes,			\
			 struct kvm_page_track_notifier_node *node)

static inline int kwt_track_register(struct kvm *kvm,
				     struct kvm_page_track_notifier_node *node)
{
	/* KVM does not ask here; the same rule on all kernels. */
	if (kvm->mm != current->mm)
		return -ESRCH;
	kvm_page_track_register_notifier(kvm, node);
	return 0;
}

static inline void
kwt_track_unregister(struct kvm *kvm, struct kvm_page_track_notifier_node *node)
{
	kvm_page_track_unregister_notifier(kvm, node);
}

#define KWT_NODE_KVM_REFS	0

static inline int kwt_track_add_gfn(struct kvm *kvm, gfn_t gfn)
{
	int idx = srcu_read_lock(&kvm->srcu);
	struct kvm_memory_slot *slot =
		__gfn_to_memslot(kvm_memslots(kvm), gfn);
	int r = kwt_slot_check(slot);

	/*
	 * Without the option KVM has counts when it has shadow page tables;
	 * where there are none it would warn.
	 */
	if (!r && !slot->arch.gfn_track[KVM_PAGE_TRACK_WRITE]) {
		pr_err_once(KWT_NO_OPTION);
		r = -EOPNOTSUPP;
	}
	if (!r) {
		write_lock(&kvm->mmu_lock);
		kvm_slot_page_track_add_page(kvm, slot, gfn,
					     KVM_PAGE_TRACK_WRITE);
		write_unlock(&kvm->mmu_lock);
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return r;
}

static inline void kwt_track_remove_gfn(struct kvm *kvm, gfn_t gfn)
{
	int idx = srcu_read_lock(&kvm->srcu);
	struct kvm_memory_slot *slot =
		__gfn_to_memslot(kvm_memslots(kvm), gfn);

	if (slot) {
		write_lock(&kvm->mmu_lock);
		kvm_slot_page_track_remove_page(kvm, slot, gfn,
						KVM_PAGE_TRACK_WRITE);
		write_unlock(&kvm->mmu_lock);
	}
	srcu_read_unlock(&kvm->srcu, idx);
}

#define KWT_REMOVAL_HOOK(name, fn)					\
	static void name(struct kvm *kvm, struct kvm_memory_slot *slot,	\
			 struct kvm_page_track_notifier_node *node)	\
	{								\
		if (!slot->as_id)					\
			fn(node, slot->base_gfn, slot->npages);		\
	}

#define kwt_set_removal_hook(node, hook)				\
	((node)->track_flush_slot = (hook))

#define KWT_REMOVAL_KEEPS_COUNTS	1

static inline bool kwt_removal_run(struct kvm *kvm, gfn_t start, gfn_t end,
				   gfn_t *run_end)
{
	*run_end = end;
	return true;
}

static inline const unsigned short *
kwt_slot_counts(const struct kvm_memory_slot *slot)
{
	return slot->arch.gfn_track[KVM_PAGE_TRACK_WRITE];
}

#endif /* !KWT_HAVE_WRITE_TRACK_GFN */

/* Within KVM's read side and under its mmu_lock. */
static inline bool kwt_track_has_count(struct kvm *kvm, gfn_t gfn)
{
	const struct kvm_memory_slot *slot =
		__gfn_to_memslot(kvm_memslots(kvm), gfn);
	const unsigned short *counts = slot ? kwt_slot_counts(slot) : NULL;

	return counts && READ_ONCE(counts[gfn - slot->base_gfn]);
}

/*
 * 0, -ENOENT or -EOPNOTSUPP for @start, and for all gfns from there to *@run_end,
 * which is @end at most.
 */
static inline int kwt_slot_run(struct kvm *kvm, gfn_t start, gfn_t end,
			       gfn_t *run_end)
{
	int idx = srcu_read_lock(&kvm->srcu), r = -ENOENT;
	struct kvm_memslot_iter iter;

	*run_end = end;
	kvm_for_each_memslot_in_gfn_range(&iter, kvm_memslots(kvm), start, end) {
		const struct kvm_memory_slot *slot = iter.slot;

		if (slot->base_gfn > start) {
			*run_end = slot->base_gfn;
		} else {
			*run_end = min(end, slot->base_gfn + slot->npages);
			r = kwt_slot_check(slot);
		}
		break;
	}
	srcu_read_unlock(&kvm->srcu, idx);
	return r;
}

/* Under kvm->srcu: the memslot that ends behind @gfn, the lowest, or NULL. */
static inline const struct kvm_memory_slot *
kwt_slot_at(struct kvm *kvm, gfn_t gfn, gfn_t end)
{
	struct kvm_memslot_iter iter;

	kvm_for_each_memslot_in_gfn_range(&iter, kvm_memslots(kvm), gfn, end)
		return iter.slot;
	return NULL;
}

/*
 * Under kvm->srcu. While KVM waits for those who may still see what was before a
 * change, the memslots are those of after it already, but have no number of their
 * own: the number of before, and a bit. Two numbers follow each other with a gap,
 * or the next one is that of the same memslots.
 */
static inline u64 kwt_slots_generation(struct kvm *kvm)
{
	u64 generation = READ_ONCE(kvm_memslots(kvm)->generation);

	if (generation & KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS)
		return (generation & ~KVM_MEMSLOT_GEN_UPDATE_IN_PROGRESS) + 1;
	return generation;
}

/*
 * It is another one after each change of a memslot, and while one is made. The
 * memslots of both kinds are a part of struct kvm.
 */
static inline u64 kwt_slots_stamp(const struct kvm *kvm)
{
	return READ_ONCE(rcu_access_pointer(kvm->memslots[0])->generation);
}

/* Address bits that a guest with so many of them must leave zero. */
static inline u64 kwt_reserved_bits(int maxphyaddr)
{
	return maxphyaddr >= 64 ? 0 : GENMASK_ULL(63, maxphyaddr);
}

/*
 * What is asked below has to be all that this kernel knows. Its other headers say
 * that it knows of more than the probes found: 6.8 came with VM types, 6.10 with
 * those of SEV, and without what 6.10 has AVIC tells of SEV.
 */
#if defined(KVM_X86_DEFAULT_VM) && !defined(KWT_HAVE_VM_TYPE)
#error "kvm-wtrack: this kernel has VM types, and the build did not find them"
#endif
#if defined(KVM_X86_SEV_VM) && !defined(KWT_HAVE_VM_PROTECTION)
#error "kvm-wtrack: this kernel tells confidential guests, and the build did not find how"
#endif
#if !defined(KWT_HAVE_VM_PROTECTION) && !defined(KWT_HAVE_APICV_INHIBIT_SEV)
#error "kvm-wtrack: how does this kernel tell confidential guests?"
#endif

/*
 * Is the guest's memory out of KVM's reach? What KVM would emulate for such a
 * guest corrupts it or never ends.
 */
static inline bool kwt_kvm_is_confidential(struct kvm *kvm)
{
	struct kvm_vcpu *vcpu;
	unsigned long i;

#ifdef KWT_HAVE_VM_TYPE
	if (kvm->arch.vm_type != KVM_X86_DEFAULT_VM)
		return true;
#endif
#ifdef KWT_HAVE_VM_PROTECTION
	if (kvm->arch.has_private_mem || kvm->arch.has_protected_state)
		return true;
#endif
	/*
	 * Guests made by the older KVM_SEV_INIT have no type of their own. They
	 * inhibit AVIC, where it is enabled and KVM tells why it is not used;
	 * the state of their vCPUs may be protected; and of the address bits
	 * that are reserved in a guest, the one that says "encrypted" is not.
	 */
#ifdef KWT_HAVE_APICV_INHIBIT_SEV
	if (READ_ONCE(kvm->arch.apicv_inhibit_reasons) &
	    BIT(APICV_INHIBIT_REASON_SEV))
		return true;
#endif
	kvm_for_each_vcpu(i, vcpu, kvm)
		if (vcpu->arch.guest_state_protected ||
		    READ_ONCE(vcpu->arch.reserved_gpa_bits) !=
		    kwt_reserved_bits(vcpu->arch.maxphyaddr))
			return true;
	return false;
}

#endif /* KWT_COMPAT_PAGE_TRACK_H */
