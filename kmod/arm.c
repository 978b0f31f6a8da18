// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arming and disarming: what KVM protects for this module.
 *
 * The invariant, at every instant: a gfn that KVM may protect for us is visible
 * to the guard. The guard sees a gfn that has a user (kwt_chunk.users), and KVM
 * protects those that are marked as armed (kwt_chunk.armed). So
 *
 *	a gfn gets its first user before it is armed, and is disarmed before its
 *	last user is gone;
 *	it is marked as armed after KVM has taken the count, and is not marked
 *	any more before KVM gives the count back, both under arm_lock;
 *	it is not armed under a fault that the guard has let pass because the
 *	gfn had no user then, nor under one that the guard has not seen.
 *
 * A gfn with users is not armed
 *
 *	when the guard has disarmed it: its chunk is in space->tripped, and the
 *	worker arms it again;
 *	when all its users have RING_F_ONCE and were told of a store: it waits for
 *	one of them to have it armed;
 *	when it is absent (absent.c): there is no memory that KVM could protect, all
 *	its users have RING_F_STICKY, and the worker arms it when memory comes, also
 *	for those that were told of a store before. It is absent from when the
 *	removal of its memslot was told, and until the arming is, both in the same
 *	step. Nothing but that ends it, so the guard never comes upon it.
 *
 * And the other way round: all stores to a gfn that is marked as armed come to
 * the write hook. KVM may map a page writable in spite of its count if it had an
 * entry for a hole there, see walk.c: such a gfn is disarmed when the guest
 * touches it, or by a worker when KVM says that it has mapped it. Stores that KVM
 * makes without calling the hook are told of by GUARD, those in SMM may not be.
 */
#include <linux/ktime.h>
#include <linux/math64.h>

#include "guard.h"
#include "kwt.h"
#include "trace.h"
#include "vcpu.h"

/*
 * When is a gfn armed again?
 *
 * One that is disarmed for the first time in a while waits for the shortest
 * back-off. Each time that it is disarmed again soon after, it waits twice as
 * long, up to the longest. One that was over its budget waits for the period.
 */

/* In ticks from the host's start. */
static u32 due_now(void)
{
	return div_u64(ktime_get_ns(), NSEC_PER_MSEC * KWT_GUARD_TICK_MS) &
	       KWT_GUARD_TICK_MASK;
}

/* From a to b, negative when b is before a. */
static int ticks_between(u32 a, u32 b)
{
	int ticks = (b - a) & KWT_GUARD_TICK_MASK;

	return ticks < (int)KWT_GUARD_TICKS / 2 ? ticks :
						  ticks - (int)KWT_GUARD_TICKS;
}

static u32 ms_to_ticks(u32 ms)
{
	return DIV_ROUND_UP(min(ms, KWT_GUARD_MAX_MS), KWT_GUARD_TICK_MS);
}

/* Not before the period is over: the next store would disarm it at once. */
static u32 budget_ticks(const struct kwt_chunk *chunk, u32 bit)
{
	struct kwt_span *span;
	u64 ns = 0;

	hlist_for_each_entry(span, &chunk->spans, in_chunk)
		if (kwt_span_waits(span, bit) || kwt_span_is_native(span, bit))
			ns = max(ns, READ_ONCE(span->ring->period_ns));
	return ms_to_ticks(div_u64(ns, NSEC_PER_MSEC)) + 1;
}

/* The level counts while the gfn is disarmed again soon after it was armed. */
static u32 backoff_ticks(u16 *guard, u32 now)
{
	u32 shortest = ms_to_ticks(READ_ONCE(kwt_guard_min_ms));
	u32 longest = ms_to_ticks(READ_ONCE(kwt_guard_max_ms));
	u32 level = *guard >> KWT_GUARD_LEVEL_SHIFT;
	u32 ticks = min(shortest << level, longest);
	int peace = ticks_between(*guard & KWT_GUARD_TICK_MASK, now);

	if (level && (peace < 0 || peace > min(2 * (int)ticks, 255))) {
		level = 0;
		ticks = min(shortest, longest);
	}
	if (shortest << level < longest && level < 15)
		level++;
	*guard = level << KWT_GUARD_LEVEL_SHIFT;
	return ticks;
}

/* A gfn that was just found disarmed: when to arm it. Under arm_lock. */
static void set_due(const struct kwt_chunk *chunk, u32 bit, u32 now)
{
	u16 *guard = &chunk->guard[bit];
	u32 ticks;

	if (*guard & KWT_GUARD_BUDGET)
		ticks = budget_ticks(chunk, bit);
	else
		ticks = backoff_ticks(guard, now);
	*guard = (*guard & ~KWT_GUARD_TICK_MASK) | KWT_GUARD_WAITS |
		 ((now + ticks) & KWT_GUARD_TICK_MASK);
}

/* Ticks until it is time to arm the gfn; 0 and less when it is. */
int kwt_due_wait(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit)
{
	u32 now = due_now();
	int ticks = 0;

	spin_lock(&space->arm_lock);
	if (chunk->guard) {
		if (!(chunk->guard[bit] & KWT_GUARD_WAITS))
			set_due(chunk, bit, now);
		ticks = ticks_between(now, chunk->guard[bit] &
					   KWT_GUARD_TICK_MASK);
	}
	spin_unlock(&space->arm_lock);
	return ticks;
}

/* Since when it is in peace. Under arm_lock. */
static void due_armed(const struct kwt_chunk *chunk, u32 bit)
{
	u16 *guard;

	if (!chunk->guard)
		return;
	guard = &chunk->guard[bit];
	*guard = (*guard & ~(KWT_GUARD_WAITS | KWT_GUARD_BUDGET |
			     KWT_GUARD_TICK_MASK)) | due_now();
}

/* The gfn is wanted before its time: that is the next tick. Under arm_lock. */
static void hasten_gfn(const struct kwt_chunk *chunk, u32 bit, u32 now)
{
	u16 *guard = &chunk->guard[bit];

	if (*guard & KWT_GUARD_WAITS &&
	    ticks_between(now, *guard & KWT_GUARD_TICK_MASK) <= 1)
		return;
	*guard = (*guard & ~KWT_GUARD_TICK_MASK) | KWT_GUARD_WAITS |
		 ((now + 1) & KWT_GUARD_TICK_MASK);
}

/*
 * Somebody adds [gfn, end) of the chunk, and had to be told -EAGAIN: all that
 * is disarmed there becomes due together. Under the VM's lock.
 */
void kwt_due_hasten(struct kwt_space *space, struct kwt_chunk *chunk,
		    u64 gfn, u64 end)
{
	u32 now = due_now();

	spin_lock(&space->arm_lock);
	for (; chunk->guard && gfn < end; gfn++)
		if (kwt_chunk_disarmed(chunk, kwt_chunk_bit(gfn)))
			hasten_gfn(chunk, kwt_chunk_bit(gfn), now);
	spin_unlock(&space->arm_lock);
}

static struct kwt_vm *space_vm(struct kwt_space *space)
{
	return container_of(space, struct kwt_vm, space);
}

static struct kvm *space_kvm(struct kwt_space *space)
{
	return space_vm(space)->kvm;
}

/*
 * Give KVM's count of the gfn back. Does not sleep. Not with interrupts disabled, as
 * on a vCPU's way into the guest: who has the locks may wait for an IPI to be taken.
 */
void kwt_untrack(struct kwt_space *space, u64 gfn)
{
	lockdep_assert_held(&space->arm_lock);
	lockdep_assert_irqs_enabled();
	kwt_track_remove_gfn(space_kvm(space), gfn);
}

/*
 * Under arm_lock: KVM has the count, and the sessions that track the gfn are told.
 *
 * A store of the time when it was armed before may still be under way to its
 * notification: its vCPU may be scheduled away, or wait for a page, for as long
 * as it likes. Its record will come behind this arming, when the memory may
 * already hold something newer that nobody has seen. So the arming has a number,
 * and a record of a fault that is older says that the page has to be read again,
 * see kwt_stale_flag().
 */
static void mark_armed(struct kwt_space *space, struct kwt_chunk *chunk,
		       u64 gfn, const struct kwt_span *caller)
{
	u32 bit = kwt_chunk_bit(gfn);

	kwt_chunk_number(space, chunk);
	set_bit(bit, chunk->armed);
	if (kwt_arm_tell(space, chunk, bit, caller))
		due_armed(chunk, bit);
	else if (chunk->guard)
		chunk->guard[bit] = 0;
}

/*
 * Have a grace period of KVM's read side end the era. Faults of an era that is
 * over are handled, even if the vCPU has not come back to the guest.
 */
static void end_era(struct kwt_space *space)
{
	struct srcu_struct *srcu = &space_kvm(space)->srcu;

	if (space->era == space->era_over) {
		WRITE_ONCE(space->era, space->era + 1);
		space->era_end = kwt_grace_begin(space);
	} else if (poll_state_synchronize_srcu(srcu, space->era_end)) {
		space->era_over = space->era;
	}
}

/*
 * KVM's count, what we know of it, and the records that tell of it change
 * together: the guard may find the gfn armed, and disarm it, as soon as it is.
 *
 * -EAGAIN when KVM may be handling a fault on it that the guard has let pass, or
 * has not seen: KVM must not find the gfn armed half-way. Under the VM's lock.
 * All sessions that wait for it are told, but not the one of @caller, which
 * knows, and need not wait for it; NULL for the worker.
 */
int kwt_arm(struct kwt_space *space, struct kwt_chunk *chunk, u64 gfn,
	    const struct kwt_span *caller)
{
	struct kvm *kvm = space_kvm(space);
	int r = -EAGAIN;

	KWT_ASSERT(chunk->users[kwt_chunk_bit(gfn)]);
	spin_lock(&space->arm_lock);
	WRITE_ONCE(space->arming, gfn);
	/* Pairs with the barriers in is_concerned() and kwt_guard_locate(). */
	smp_mb();
	if (unlikely(READ_ONCE(space->forbidden)))
		r = -EOPNOTSUPP;
	else if (kwt_vcpus_known(space, kvm) &&
		 !kwt_vcpus_store_to(space, gfn, space->era_over))
		r = kwt_track_add_gfn(kvm, gfn);
	if (!r)
		mark_armed(space, chunk, gfn, caller);
	/* Pairs with the acquire in is_armed(), walk.c. */
	smp_store_release(&space->arming, KWT_NO_GFN);
	spin_unlock(&space->arm_lock);
	if (r == -EAGAIN)
		end_era(space);
	return r;
}

/*
 * Arm a gfn that the guard has disarmed, or that was absent, and tell the sessions.
 * Under the VM's lock, which also keeps chunk->guard. Spans that are left without a
 * bit stay until the worker comes. -EAGAIN: as from kwt_arm(); -ENOENT and so on:
 * there is no memslot, or it is about to go, which will be told.
 */
int kwt_rearm(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit)
{
	u64 gfn = (chunk->index << KWT_CHUNK_SHIFT) + bit;
	int r;

	/* Whoever disarmed it has told all sessions, and those that stop left. */
	spin_lock(&space->arm_lock);
	spin_unlock(&space->arm_lock);
	if (!kwt_chunk_is_waited_for(chunk, bit))
		return 0;
	r = kwt_arm(space, chunk, gfn, NULL);
	if (!r)
		trace_kvm_wtrack_rearm(space->id, gfn);
	return r;
}

/*
 * Remove KVM's write protection for @gfn unless the guard already removed it, and
 * may then have taken the gfn away from its last user, which stops. Otherwise the gfn
 * still has a user. The caller holds the VM's lock.
 */
void kwt_disarm(struct kwt_space *space, struct kwt_chunk *chunk, u64 gfn)
{
	u32 bit = kwt_chunk_bit(gfn);

	spin_lock(&space->arm_lock);
	if (test_and_clear_bit(bit, chunk->armed)) {
		KWT_ASSERT(chunk->users[bit]);
		kwt_untrack(space, gfn);
	}
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

/*
 * By whoever disarmed a gfn. Once for all that come before the worker does: it
 * would never, if each of them put it off.
 */
void kwt_rearm_soon(struct kwt_space *space,
		    const struct kvm_wtrack_record *record)
{
	struct kwt_vm *vm = space_vm(space);

	WRITE_ONCE(vm->last_gpa, record->gpa);
	WRITE_ONCE(vm->last_cause, record->guard.cause);
	atomic64_inc(&vm->disarms);
	if (!xchg(&vm->rearm_soon, true))
		mod_delayed_work(kwt_wq, &vm->rearm, 1);
}

/* Something was made absent, or the memslots have changed. */
void kwt_absent_look_soon(struct kwt_vm *vm)
{
	if (!xchg(&vm->rearm_soon, true))
		mod_delayed_work(kwt_wq, &vm->rearm, 1);
}

/* Without a lock. */
void kwt_absent_notice(struct kwt_vm *vm)
{
	if (READ_ONCE(vm->space.nr_absent) &&
	    READ_ONCE(vm->space.absent_generation) !=
	    kwt_slots_stamp(vm->kvm))
		kwt_absent_look_soon(vm);
}
