// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this module asks KVM to protect: arm and disarm a gfn.
 */
#include "guard.h"
#include "kwt.h"
#include "vcpu.h"

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
 * Begin a grace period of KVM's read side that nobody waits for. KVM must not
 * destroy its srcu before it is over. Under the VM's lock.
 */
static unsigned long begin_grace(struct kwt_space *space)
{
	space->newest_grace =
		start_poll_synchronize_srcu(&space_kvm(space)->srcu);
	space->graced = true;
	return space->newest_grace;
}

/*
 * Is every grace period over that was begun? A later one is not over before an
 * earlier one. Under the VM's lock, or nobody begins one any more.
 */
bool kwt_grace_is_over(struct kwt_space *space)
{
	return !space->graced ||
	       poll_state_synchronize_srcu(&space_kvm(space)->srcu,
					   space->newest_grace);
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
		space->era_end = begin_grace(space);
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
		space->settle_end = begin_grace(space);
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
	if (unlikely(READ_ONCE(space->forbidden)))
		r = -EOPNOTSUPP;
	else if (!kwt_vcpus_store_to(space, gfn, space->era_over))
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

/*
 * Gfns whose memslot is gone: nobody arms or disarms them from here on. KVM has
 * dropped its counts of them, or they are given back here, not too many at a
 * time: vCPUs may wait for the lock. Under the VM's lock.
 */
void kwt_disarm_removed(struct kwt_space *space, struct kwt_chunk *chunk,
			const unsigned long *gone)
{
	u32 bit, n = 0;

	spin_lock(&space->arm_lock);
	if (KWT_REMOVAL_KEEPS_COUNTS)
		for_each_set_bit(bit, gone, KWT_CHUNK_PAGES) {
			if (!test_and_clear_bit(bit, chunk->armed))
				continue;
			kwt_untrack(space, (chunk->index << KWT_CHUNK_SHIFT) +
					   bit);
			if (++n % 64)
				continue;
			spin_unlock(&space->arm_lock);
			cond_resched();
			spin_lock(&space->arm_lock);
		}
	bitmap_andnot(chunk->armed, chunk->armed, gone, KWT_CHUNK_PAGES);
	spin_unlock(&space->arm_lock);
}
