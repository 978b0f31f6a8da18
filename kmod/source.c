// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 1 of 5: KVM calls, in the vCPU's thread, after the store is in guest
 * memory and before the vCPU executes its next instruction.
 *
 * Also what this module asks of KVM: to be called, and for which gfns.
 */
#include <linux/kthread.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>

#include "guard.h"
#include "kwt.h"
#include "match.h"
#include "vcpu.h"

static struct kwt_vm *node_vm(struct kvm_page_track_notifier_node *node)
{
	return container_of(node, struct kwt_vm, node);
}

/* Out of line, so that on_write() saves no registers; arguments stay put. */
static noinline void write_hit(u64 gpa, const u8 *data, u32 len,
			       struct kwt_chunk *chunk,
			       struct kwt_space *space)
{
	kwt_match(gpa, data, len, chunk, space);
}

/*
 * KVM calls this for each store that it emulates for the VM, tracked or not.
 * The first slot of the hash table answers nearly always; nothing is called on
 * the way of a store that nobody tracks, so that it saves no registers.
 */
KWT_WRITE_HOOK(on_write)
{
	struct kwt_space *space = &node_vm(node)->space;
	u64 gfn = gpa >> KWT_PAGE_SHIFT;
	u64 index = kwt_chunk_index(gfn), bit = kwt_chunk_bit(gfn);
	struct kwt_table *table;
	struct kwt_chunk *chunk;

	/* The RCU read side of all that is found through the table. */
	preempt_disable();
	table = rcu_dereference_sched(space->table);
	chunk = kwt_table_first(table, index);
	if (likely(!chunk))
		goto out;
	if (unlikely(chunk->index != index))
		return kwt_match_probe(gpa, new, bytes, space);
	/* Two bytes cannot be torn, and are looked at once. */
	if (data_race(chunk->users[bit]))
		return write_hit(gpa, new, bytes, chunk, space);
out:
	preempt_enable();
}

static void region_removed(struct kvm_page_track_notifier_node *node,
			   gfn_t gfn, unsigned long nr_pages)
{
	kwt_range_removed(node_vm(node), gfn, nr_pages);
}

KWT_REMOVAL_HOOK(on_removal, region_removed)

static struct kvm *space_kvm(struct kwt_space *space)
{
	return container_of(space, struct kwt_vm, space)->kvm;
}

/* KVM's count of the gfn: give it back. Does not sleep. */
void kwt_untrack(struct kwt_space *space, u64 gfn)
{
	lockdep_assert_held(&space->arm_lock);
	kwt_track_remove_gfn(space_kvm(space), gfn);
}

/* Under arm_lock: the gfn is armed, and whoever tracks it hears of it here. */
static void armed(struct kwt_space *space, struct kwt_chunk *chunk, u64 gfn,
		  bool again)
{
	u32 bit = kwt_chunk_bit(gfn);

	set_bit(bit, chunk->armed);
	if (again) {
		kwt_rearm_tell(space, chunk, bit);
		kwt_due_armed(chunk, bit);
	} else if (chunk->guard) {
		chunk->guard[bit] = 0;
	}
}

/*
 * Have a grace period of KVM's read side end the era. Faults of an era that is
 * over are handled, even if the vCPU has not come back to the guest. Nobody
 * waits here: a vCPU may be long about a page that has to be brought in.
 */
static void end_era(struct kwt_space *space)
{
	struct srcu_struct *srcu = &space_kvm(space)->srcu;

	if (space->era == space->era_over) {
		WRITE_ONCE(space->era, space->era + 1);
		space->era_end = start_poll_synchronize_srcu(srcu);
	} else if (poll_state_synchronize_srcu(srcu, space->era_end)) {
		space->era_over = space->era;
	}
}

/*
 * Have all stores that began before a tick come to their notification? A vCPU
 * may be scheduled away between its store and the hook. The record of a store
 * that is older than what others stored unseen since must not follow REARMED:
 * the reader would put it over what it has read again. KVM emulates within its
 * read side, so a grace period that began later answers it. Nobody waits here,
 * but for the next time there is one under way.
 */
bool kwt_settled(struct kwt_space *space, u64 tick, u64 now)
{
	struct srcu_struct *srcu = &space_kvm(space)->srcu;

	if (space->settling &&
	    poll_state_synchronize_srcu(srcu, space->settle_end)) {
		space->settled = space->settling;
		space->settling = 0;
	}
	if (space->settled >= tick)
		return true;
	if (!space->settling && now >= tick) {
		space->settling = now;
		space->settle_end = start_poll_synchronize_srcu(srcu);
	}
	return false;
}

/*
 * KVM's count, what we know of it, and the records that tell of it change
 * together: the guard may find the gfn armed, and disarm it, as soon as it is.
 *
 * -EAGAIN when KVM is just handling a fault on it that the guard has let pass:
 * it must not find the gfn armed half-way. Under the VM's lock; @again: it was
 * disarmed by the guard.
 */
int kwt_arm(struct kwt_space *space, struct kwt_chunk *chunk, u64 gfn,
	    bool again)
{
	int r = -EAGAIN;

	spin_lock(&space->arm_lock);
	WRITE_ONCE(space->arming, gfn);
	/* Pairs with the barrier in is_concerned(), probe.c. */
	smp_mb();
	if (!kwt_vcpus_store_to(space, gfn, space->era_over))
		r = kwt_track_add_gfn(space_kvm(space), gfn);
	if (!r)
		armed(space, chunk, gfn, again);
	WRITE_ONCE(space->arming, KWT_NO_GFN);
	spin_unlock(&space->arm_lock);
	if (r == -EAGAIN)
		end_era(space);
	return r;
}

/* Unless the guard did. Under the VM's lock. */
void kwt_disarm(struct kwt_space *space, struct kwt_chunk *chunk, u64 gfn)
{
	spin_lock(&space->arm_lock);
	if (test_and_clear_bit(kwt_chunk_bit(gfn), chunk->armed))
		kwt_untrack(space, gfn);
	spin_unlock(&space->arm_lock);
}

struct registration {
	struct work_struct work;
	struct kwt_vm *vm;
	struct mem_cgroup *payer;
	int r;
};

/*
 * A worker has no mm of its own and may borrow the VMM's. KVM may allocate 2
 * bytes for each page of the guest here: for them, who attaches is charged.
 */
static void register_in_worker(struct work_struct *work)
{
	struct registration *reg = container_of(work, struct registration, work);
	struct mem_cgroup *old = set_active_memcg(reg->payer);
	struct kvm *kvm = reg->vm->kvm;

	kthread_use_mm(kvm->mm);
	reg->r = kwt_track_register(kvm, &reg->vm->node);
	kthread_unuse_mm(kvm->mm);
	set_active_memcg(old);
}

/*
 * From 6.6 on KVM takes a registration only from the VMM's own mm. The caller
 * holds a user of kvm->mm.
 */
int kwt_source_register(struct kwt_vm *vm)
{
	struct registration reg = { .vm = vm };

	vm->node.track_write = on_write;
	kwt_set_removal_hook(&vm->node, on_removal);
	if (current->mm == vm->kvm->mm)
		return kwt_track_register(vm->kvm, &vm->node);

	reg.payer = get_mem_cgroup_from_mm(current->mm);
	INIT_WORK_ONSTACK(&reg.work, register_in_worker);
	queue_work(kwt_wq, &reg.work);
	flush_work(&reg.work);
	destroy_work_on_stack(&reg.work);
	mem_cgroup_put(reg.payer);
	return reg.r;
}

/* Waits for hooks that run. The caller holds a reference to the VM. */
void kwt_source_unregister(struct kwt_vm *vm)
{
	kwt_track_unregister(vm->kvm, &vm->node);
}
