// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPUs of a VM, and grace periods of KVM's read side, in which vCPUs
 * handle faults. There is a place for each vCPU of the VM and for some later
 * ones, because a place cannot be allocated in a vCPU's first fault. Places are
 * made by ATTACH, by ADD, and by the worker that arms pages again.
 */
#include <linux/slab.h>

#include "guard.h"
#include "kwt.h"
#include "payer.h"
#include "vcpu.h"

/* Number of places for later vCPUs. */
#define KWT_SPARE_VCPUS	16

DEFINE_PER_CPU(struct kwt_here, kwt_here);

static struct kwt_vm *space_vm(const struct kwt_space *space)
{
	return container_of(space, struct kwt_vm, space);
}

/*
 * Does this thread run vCPU number @i? A vCPU whose code KVM interprets, such
 * as real mode on Intel without EPT, may store before it enters the guest for
 * the first time, when no probe has seen it.
 */
static bool vcpu_is_mine(const struct kwt_space *space, struct kwt_vcpu *vcpu,
			 u32 i)
{
	if (!READ_ONCE(vcpu->vcpu))
		WRITE_ONCE(vcpu->vcpu, kvm_get_vcpu(space_vm(space)->kvm, i));
	return vcpu->vcpu && kwt_vcpu_is_mine(vcpu);
}

/*
 * A probe sees the vCPU for the first time, in the vCPU's thread. A guest may
 * have become confidential since pages were added, but not after it has vCPUs.
 */
void kwt_vcpu_meet(struct kwt_space *space, struct kwt_vcpu *state,
		   struct kvm_vcpu *vcpu)
{
	if (kwt_kvm_is_confidential(vcpu->kvm))
		kwt_vm_forbid(space_vm(space));
	WRITE_ONCE(state->vcpu, vcpu);
	state->met = true;
}

/*
 * Find the vCPU that this thread runs among all. Returns NULL if it has no
 * place yet. The caller has disabled preemption.
 */
struct kwt_vcpu *kwt_vcpu_search(const struct kwt_space *space)
{
	const struct kwt_vcpus *vcpus = rcu_dereference_sched(space->vcpus);
	u32 i;

	for (i = 0; vcpus && i < vcpus->nr; i++) {
		struct kwt_vcpu *vcpu = vcpus->vcpu[i];

		if (!vcpu_is_mine(space, vcpu, i))
			continue;
		kwt_vcpu_set_here(space, vcpu);
		return vcpu;
	}
	return NULL;
}

/*
 * Does KVM handle a fault on this gfn that began in @era or later? The caller
 * holds the VM's lock.
 *
 * A fault without nested paging that KVM can handle has no gfn here, and needs
 * none: KVM looks up the operands of the instruction again, and makes no
 * mistake when the page is armed meanwhile.
 */
bool kwt_vcpus_store_to(const struct kwt_space *space, u64 gfn, u64 era)
{
	const struct kwt_vcpus *vcpus =
		rcu_dereference_protected(space->vcpus, 1);
	u32 i;

	for (i = 0; vcpus && i < vcpus->nr; i++) {
		const struct kwt_vcpu *vcpu = vcpus->vcpu[i];
		u64 at;

		/* Pairs with the release in kwt_vcpu_fault(). */
		if (!smp_load_acquire(&vcpu->waiting) ||
		    READ_ONCE(vcpu->era) < era)
			continue;
		at = READ_ONCE(vcpu->gfn);
		if (at == gfn || at == KWT_ANY_GFN)
			return true;
	}
	return false;
}

/*
 * Does the guard see each fault that KVM handles now? That is so when each vCPU
 * has a place and the faults from before it had one are over: KVM handles them
 * within its read side. The caller holds the VM's lock, has given the gfn that
 * may be armed a user, and has executed a barrier since.
 */
bool kwt_vcpus_known(struct kwt_space *space, struct kvm *kvm)
{
	const struct kwt_vcpus *vcpus =
		rcu_dereference_protected(space->vcpus, 1);

	if (!space->known)
		space->known = poll_state_synchronize_srcu(&kvm->srcu,
							   space->known_end);
	return space->known && vcpus && atomic_read(&kvm->online_vcpus) <=
					(int)vcpus->nr;
}

/*
 * Begin a grace period of KVM's read side without waiting for it. KVM must not
 * destroy its srcu before it is over. The caller holds the VM's lock.
 */
unsigned long kwt_grace_begin(struct kwt_space *space)
{
	space->newest_grace =
		start_poll_synchronize_srcu(&space_vm(space)->kvm->srcu);
	space->graced = true;
	return space->newest_grace;
}

/*
 * Is every grace period over that was begun? A later one does not end before an
 * earlier one. The caller holds the VM's lock, or no other thread begins one
 * any more.
 */
bool kwt_grace_is_over(struct kwt_space *space)
{
	return !space->graced ||
	       poll_state_synchronize_srcu(&space_vm(space)->kvm->srcu,
					   space->newest_grace);
}

/*
 * Returns how many stores to tracked pages the VM has made, each counted once. The
 * caller holds the VM's lock.
 */
u64 kwt_vcpus_writes(const struct kwt_space *space)
{
	const struct kwt_vcpus *vcpus =
		rcu_dereference_protected(space->vcpus, 1);
	u64 sum = atomic64_read(&space->stray_writes);
	u32 i;

	for (i = 0; vcpus && i < vcpus->nr; i++)
		sum += READ_ONCE(vcpus->vcpu[i]->writes);
	return sum;
}

static struct kwt_vcpus *vcpus_alloc(u32 nr, const struct kwt_vcpus *old)
{
	struct kwt_vcpus *new = kzalloc(struct_size(new, vcpu, nr),
					GFP_KERNEL_ACCOUNT);

	if (new && old) {
		new->nr = old->nr;
		memcpy(new->vcpu, old->vcpu, old->nr * sizeof(*old->vcpu));
	}
	return new;
}

static int vcpu_make_wait(struct kwt_space *space, struct kwt_vcpu *vcpu)
{
	struct kwt_sync_waits *waits;

	if (vcpu->waits)
		return 0;
	waits = kzalloc(sizeof(*waits), GFP_KERNEL_ACCOUNT);
	if (!waits)
		return -ENOMEM;
	space->bytes += sizeof(*waits);
	/* Pairs with the acquire in kwt_sync_flag(). */
	smp_store_release(&vcpu->waits, waits);
	return 0;
}

static void vcpu_free(struct kwt_vcpu *vcpu)
{
	kfree(vcpu->waits);
	kfree(vcpu);
}

static struct kwt_vcpu *vcpu_make(struct kwt_space *space)
{
	struct kwt_vcpu *vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);

	if (vcpu && space->synchronous && vcpu_make_wait(space, vcpu)) {
		vcpu_free(vcpu);
		return NULL;
	}
	return vcpu;
}

/* Places that were made before memory ran out stay. */
static int vcpus_grow(struct kwt_space *space, struct kvm *kvm)
{
	struct kwt_vcpus *old = rcu_dereference_protected(space->vcpus, 1);
	u32 online = atomic_read(&kvm->online_vcpus), had = old ? old->nr : 0;
	u32 nr = online + KWT_SPARE_VCPUS;
	struct kwt_vcpus *new;

	if (had >= online + KWT_SPARE_VCPUS / 2)
		return 0;
	new = vcpus_alloc(nr, old);
	if (!new)
		return -ENOMEM;
	for (; new->nr < nr; new->nr++) {
		struct kwt_vcpu **vcpu = &new->vcpu[new->nr];

		*vcpu = vcpu_make(space);
		if (!*vcpu)
			break;
	}
	space->bytes += (new->nr - had) * (sizeof(**new->vcpu) +
					   sizeof(*new->vcpu));
	nr = new->nr;
	rcu_assign_pointer(space->vcpus, new);
	if (nr > had) {
		space->known = false;
		space->known_end = kwt_grace_begin(space);
	}
	if (old)
		kfree_rcu(old, rcu);
	return nr < online ? -ENOMEM : 0;
}

/*
 * Make places for new vCPUs. The VM's owner is charged, not the process that
 * adds a page. The caller holds the VM's lock.
 */
int kwt_vcpus_update(struct kwt_space *space, struct kvm *kvm)
{
	struct kwt_payer payer;
	int r;

	kwt_payer_begin(&payer, kvm);
	r = vcpus_grow(space, kvm);
	kwt_payer_end(&payer);
	return r;
}

static int vcpus_make_wait(struct kwt_space *space)
{
	struct kwt_vcpus *vcpus = rcu_dereference_protected(space->vcpus, 1);
	int r = 0;
	u32 i;

	for (i = 0; vcpus && i < vcpus->nr && !r; i++)
		r = vcpu_make_wait(space, vcpus->vcpu[i]);
	return r;
}

/*
 * The VM gets a synchronous session: from now on each of its vCPUs, also a
 * later one, has room for what it waits for. Room that was made before memory
 * ran out stays. The VM's owner is charged. The caller holds the VM's lock.
 */
int kwt_vcpus_synchronous(struct kwt_space *space, struct kvm *kvm)
{
	struct kwt_payer payer;
	int r;

	space->synchronous = true;
	kwt_payer_begin(&payer, kvm);
	r = vcpus_make_wait(space);
	kwt_payer_end(&payer);
	return r;
}

/* Neither a probe nor a hook can use them any more. */
void kwt_vcpus_free(struct kwt_space *space)
{
	struct kwt_vcpus *vcpus = rcu_dereference_protected(space->vcpus, 1);
	u32 i;

	for (i = 0; vcpus && i < vcpus->nr; i++)
		vcpu_free(vcpus->vcpu[i]);
	kfree(vcpus);
	RCU_INIT_POINTER(space->vcpus, NULL);
}
