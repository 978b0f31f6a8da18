// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arming and disarming: what KVM protects for this module.
 *
 * The invariant, at every instant: the guard sees each gfn that KVM may protect
 * for this module. The guard sees a gfn that has a user (kwt_chunk.users), and
 * KVM protects the gfns that are marked as armed (kwt_chunk.armed). So
 *
 *	a gfn gets its first user before it is armed, and is disarmed before its
 *	last user is gone;
 *	it is marked as armed after KVM has taken the count, and the mark is
 *	removed before KVM drops the count, both under arm_lock;
 *	it is not armed during a fault that the guard has let pass because the
 *	gfn had no user then, nor during one that the guard has not seen.
 *
 * A gfn with users is not armed
 *
 *	when the guard has disarmed it: its chunk is in space->tripped, and the
 *	worker arms it again;
 *	when all its users have RING_F_ONCE and have had a record of a store: it
 *	waits until one of them has it armed by REARM;
 *	when it is absent (absent.c): there is no memory that KVM could protect,
 *	all its users have RING_F_STICKY, and the worker arms it when memory
 *	comes, also for those that have had a record of a store before. It
 *	becomes absent in one step with the record of its memslot's removal, and
 *	armed in one step with the record of its arming. Nothing else ends its
 *	absence, so the guard never finds it armed.
 *
 * Conversely, all stores to a gfn that is marked as armed reach the write hook.
 * KVM may map a page writable in spite of its count if it had an entry for a
 * hole there, see walk.c: such a gfn is disarmed when the guest touches it, or
 * by a worker when KVM says that it has mapped it. Stores that KVM makes
 * without calling the hook get a record GUARD; those in SMM may get none.
 */
#include <linux/ktime.h>
#include <linux/math64.h>

#include "guard.h"
#include "kwt.h"
#include "trace.h"
#include "vcpu.h"

/*
 * The times at which gfns are armed again.
 *
 * A gfn that is disarmed for the first time in a while waits for the shortest
 * back-off. Each time that it is disarmed again soon after its arming, it waits
 * twice as long, up to the longest back-off. A gfn that was over its budget
 * waits for the period.
 */

/* The time in ticks since the host's start, modulo KWT_GUARD_TICKS. */
static u32 due_now(void)
{
	return div_u64(ktime_get_ns(), NSEC_PER_MSEC * KWT_GUARD_TICK_MS) &
	       KWT_GUARD_TICK_MASK;
}

/* Ticks from @a to @b, negative when @b is before @a. */
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

/*
 * Wait until the period is over: before that, the next store would disarm it.
 */
static u32 budget_ticks(const struct kwt_chunk *chunk, u32 bit)
{
	struct kwt_span *span;
	u64 ns = 0;

	hlist_for_each_entry(span, &chunk->spans, in_chunk)
		if (kwt_span_waits(span, bit) || kwt_span_is_native(span, bit))
			ns = max(ns, READ_ONCE(span->ring->period_ns));
	return ms_to_ticks(div_u64(ns, NSEC_PER_MSEC)) + 1;
}

/*
 * The next back-off. The level rises while the gfn is disarmed again soon after
 * it was armed.
 */
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

/*
 * Decide when to arm a gfn that was just found disarmed. The caller holds
 * arm_lock.
 */
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

/*
 * Returns the ticks until it is time to arm the gfn, or 0 or less when it is.
 */
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

/*
 * Note the time of the arming, for backoff_ticks(). The caller holds arm_lock.
 */
static void due_armed(const struct kwt_chunk *chunk, u32 bit)
{
	u16 *guard;

	if (!chunk->guard)
		return;
	guard = &chunk->guard[bit];
	*guard = (*guard & ~(KWT_GUARD_WAITS | KWT_GUARD_BUDGET |
			     KWT_GUARD_TICK_MASK)) | due_now();
}

/*
 * A caller wants the gfn armed earlier: have it armed at the next tick. The
 * caller holds arm_lock.
 */
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
 * ADD of [gfn, end) of the chunk has met -EAGAIN: all disarmed gfns there
 * become due together. The caller holds the VM's lock.
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
 * Drop KVM's count of the gfn. Does not sleep. Interrupts must be enabled,
 * unlike on a vCPU's way into the guest: the holders of the locks may wait
 * until an IPI is taken.
 */
void kwt_untrack(struct kwt_space *space, u64 gfn)
{
	lockdep_assert_held(&space->arm_lock);
	lockdep_assert_irqs_enabled();
	kwt_track_remove_gfn(space_kvm(space), gfn);
}

/*
 * KVM has the count: mark the gfn and publish records to the sessions that
 * track it. The caller holds arm_lock.
 *
 * The notification of a store from before the last disarming may still be under
 * way: its vCPU may be scheduled away, or wait for a page, without a time
 * limit. Its record then follows this arming, when the memory may already hold
 * newer bytes of a store without a record. So each arming has a number, and a
 * record of a fault that is older says that the page has to be read again, see
 * kwt_stale_flag().
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
 * Begin a grace period of KVM's read side that ends the era, or end the era
 * when it is over. KVM has handled the faults of an era that is over, even if
 * the vCPU has not entered the guest since.
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
 * Arm a gfn: KVM's count, the mark and the records change in one step, because
 * the guard may find the gfn armed, and disarm it, right after that.
 *
 * Returns -EAGAIN when KVM may be handling a fault on the gfn that the guard
 * has let pass, or has not seen: KVM must not find the gfn armed half-way. All
 * sessions that wait for the gfn get a record, except the one of @caller, which
 * reads the page after its call; @caller is NULL for the worker. The caller
 * holds the VM's lock.
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
 * Arm a gfn that the guard has disarmed, or that was absent, and publish
 * records to the sessions. Spans that are left without a bit stay until the
 * worker puts them. Returns -EAGAIN as kwt_arm() does, and -ENOENT or another
 * error when there is no memslot or it is about to go; the removal hook then
 * publishes records. The caller holds the VM's lock, which also keeps
 * chunk->guard.
 */
int kwt_rearm(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit)
{
	u64 gfn = (chunk->index << KWT_CHUNK_SHIFT) + bit;
	int r;

	/*
	 * Wait for a vCPU that is disarming it: it publishes records to all
	 * sessions and removes those that stop, under arm_lock.
	 */
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
 * The memslot of these gfns is gone: unmark them, so that nothing disarms them
 * from here on. KVM has dropped its counts of them, or they are dropped here,
 * 64 at a time, because vCPUs may wait for the lock. The caller holds the VM's
 * lock.
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
 * Queue the worker after a gfn was disarmed. It is queued once until it runs:
 * otherwise each call would postpone it, and it might never run.
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

/* Queue the worker because gfns became absent or the memslots have changed. */
void kwt_absent_look_soon(struct kwt_vm *vm)
{
	if (!xchg(&vm->rearm_soon, true))
		mod_delayed_work(kwt_wq, &vm->rearm, 1);
}

/*
 * Queue the worker if the memslots have changed and the VM has absent gfns.
 * Takes no lock.
 */
void kwt_absent_notice(struct kwt_vm *vm)
{
	if (READ_ONCE(vm->space.nr_absent) &&
	    READ_ONCE(vm->space.absent_generation) !=
	    kwt_slots_stamp(vm->kvm))
		kwt_absent_look_soon(vm);
}
