// SPDX-License-Identifier: GPL-2.0-only
/* REGIONS: the memslots, as far as the session's limits permit. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "ioctl.h"

/* The first gfn that no guest can have. */
#define GFN_LIMIT	(1ULL << (KWT_GPA_BITS - KWT_PAGE_SHIFT))

/* The output of the call. */
struct output {
	struct kvm_wtrack_region *regions;
	u32 room;
	u32 used;
	u64 next;
	u64 generation;
};

static u32 region_flags(const struct kvm_memory_slot *slot)
{
	u32 flags = 0;

	if (slot->flags & KVM_MEM_READONLY)
		flags |= KVM_WTRACK_REGION_F_READONLY;
	if (slot->flags & KVM_MEM_LOG_DIRTY_PAGES)
		flags |= KVM_WTRACK_REGION_F_DIRTY_LOG;
	if (kwt_slot_is_private(slot))
		flags |= KVM_WTRACK_REGION_F_PRIVATE;
	if (slot->id >= KVM_USER_MEM_SLOTS)
		flags |= KVM_WTRACK_REGION_F_KVM;
	return flags;
}

/*
 * Output the region at @gfn, which the session may have, if there is one.
 * Returns the gfn to continue at.
 */
static u64 put_next_region(struct kwt_session *session, struct output *out,
			   u64 gfn)
{
	const struct kvm_memory_slot *slot;
	u64 end;

	slot = kwt_slot_at(session->vm->kvm, gfn, GFN_LIMIT);
	if (!slot)
		return GFN_LIMIT;
	if (slot->base_gfn > gfn)
		return slot->base_gfn;
	end = slot->base_gfn + slot->npages;
	/* The memslot is being deleted. */
	if (slot->flags & KVM_MEMSLOT_INVALID)
		return end;
	end = kwt_restrict_end(session, gfn, end);
	out->regions[out->used++] = (struct kvm_wtrack_region) {
		.gfn = gfn,
		.nr_pages = end - gfn,
		.flags = region_flags(slot),
	};
	return end;
}

/*
 * There are at most as many steps as memslots and ranges. A call with few
 * results stops after KWT_MAX_RANGES steps, and the next one continues.
 */
static void put_all_regions(struct kwt_session *session, struct output *out)
{
	u32 steps = 0;

	while (out->used < out->room && steps++ < KWT_MAX_RANGES &&
	       out->next < GFN_LIMIT) {
		out->next = kwt_restrict_next(session, out->next, GFN_LIMIT);
		if (out->next < GFN_LIMIT)
			out->next = put_next_region(session, out, out->next);
	}
	if (out->next >= GFN_LIMIT)
		out->next = U64_MAX;
}

/*
 * KVM may replace the memslots between the look at their generation and the
 * look at them: then try again. That happens twice at most, since KVM waits for
 * this read side before it replaces them once more.
 */
static void put_regions(struct kwt_session *session, struct output *out)
{
	struct kvm *kvm = session->vm->kvm;
	int idx = srcu_read_lock(&kvm->srcu);
	const u64 first = out->next;

	do {
		out->used = 0;
		out->next = first;
		out->generation = kwt_slots_generation(kvm);
		put_all_regions(session, out);
		/* Pairs with KVM's release of new memslots. */
		smp_rmb();
	} while (kwt_slots_generation(kvm) != out->generation);
	srcu_read_unlock(&kvm->srcu, idx);
}

static int find_regions(struct kwt_session *session, struct output *out)
{
	struct kwt_vm *vm = session->vm;
	int r = 0;

	if (mutex_lock_interruptible(&vm->lock))
		return -EINTR;
	if (session->ended)
		r = -ESHUTDOWN;
	else if (vm->gone)
		r = -ESRCH;
	else
		put_regions(session, out);
	mutex_unlock(&vm->lock);
	return r;
}

int kwt_ioctl_regions(struct kwt_session *session, union kwt_arg *arg)
{
	struct kvm_wtrack_regions *regions = &arg->regions;
	struct output out = { .next = regions->gfn };
	int r;

	out.room = regions->nr_regions;
	out.regions = kwt_output_alloc(regions->regions, &out.room,
				       sizeof(*out.regions));
	if (IS_ERR(out.regions))
		return PTR_ERR(out.regions);
	r = find_regions(session, &out);
	if (!r && copy_to_user(u64_to_user_ptr(regions->regions), out.regions,
			       out.used * sizeof(*out.regions)))
		r = -EFAULT;
	kvfree(out.regions);
	regions->out_nr_regions = out.used;
	regions->out_next_gfn = out.next;
	regions->out_generation = out.generation;
	return r;
}
