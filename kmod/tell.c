// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guard does to a gfn, and the records of that for the sessions that
 * track it. Both happen in one step under the space's arm_lock, so that the
 * records have the order of the actions.
 *
 * Nothing here allocates, sleeps, or uses KVM.
 */
#include <linux/ktime.h>

#include "fence.h"
#include "guard.h"
#include "ring.h"
#include "trace.h"

/*
 * Publish to one session that a store without a notification may have been
 * made.
 */
void kwt_tell_changed(struct kwt_span *span, u32 bit,
		      const struct kvm_wtrack_record *record)
{
	if (!kwt_span_observes(span, bit))
		return;
	if (!kwt_ring_guard(span, bit, record)) {
		/* There was no room, or the gfn was disarmed just now. */
		if (!kwt_span_observes(span, bit))
			return;
		kwt_resync_mark(span, bit, record->time_ns);
	}
	atomic64_inc(&span->ring->unreported);
}

/*
 * Publish to one session with RING_F_ONCE that a store was made, which is the
 * first one. See put_first(), match.c.
 */
static void tell_first_changed(struct kwt_span *span, u32 bit,
			       const struct kvm_wtrack_record *record)
{
	struct kvm_wtrack_record own = *record;

	if (!test_and_clear_bit(bit, span->observed))
		return;
	own.flags |= KVM_WTRACK_RECORD_F_ONCE;
	if (!kwt_ring_guard(span, bit, &own))
		kwt_resync_mark(span, bit, record->time_ns);
	atomic64_inc(&span->ring->unreported);
}

/*
 * Publish that a store without a notification was made to the gfn. A reader
 * whose session does not observe the gfn now reads the page later anyway. The
 * caller has disabled preemption.
 *
 * The gfn is not disarmed here, even if no session observes it any more.
 * Interrupts are disabled on the way into the guest, and a vCPU may wait for
 * the caller with interrupts disabled; a processor that holds arm_lock or KVM's
 * mmu_lock may wait until such a vCPU takes an IPI. The next store that is
 * notified disarms the gfn, see disarm_if_unwanted() in match.c.
 */
void kwt_guard_changed(struct kwt_chunk *chunk,
		       const struct kvm_wtrack_record *record)
{
	u32 bit = kwt_chunk_bit(record->gpa >> KWT_PAGE_SHIFT);
	struct kwt_span *span;

	hlist_for_each_entry_rcu(span, &chunk->spans, in_chunk,
				 rcu_read_lock_sched_held()) {
		if (span->ring->once)
			tell_first_changed(span, bit, record);
		else
			kwt_tell_changed(span, bit, record);
	}
}

static bool is_observed(const struct kwt_chunk *chunk, u32 bit)
{
	const struct kwt_span *span;

	hlist_for_each_entry_rcu(span, &chunk->spans, in_chunk,
				 rcu_read_lock_sched_held())
		if (test_bit(bit, span->observed))
			return true;
	return false;
}

/*
 * Disarm a gfn that no session observes: the sessions that track it have
 * RING_F_ONCE and have had a record of a store, and each of them arms the gfn
 * when it wants to. The caller has disabled preemption.
 */
void kwt_disarm_unobserved(struct kwt_space *space, struct kwt_chunk *chunk,
			   u32 bit)
{
	spin_lock(&space->arm_lock);
	if (test_bit(bit, chunk->armed) && !is_observed(chunk, bit)) {
		clear_bit(bit, chunk->armed);
		kwt_untrack(space, (chunk->index << KWT_CHUNK_SHIFT) + bit);
	}
	spin_unlock(&space->arm_lock);
}

static void tell_disarmed(struct kwt_span *span, u32 bit,
			  const struct kvm_wtrack_record *record)
{
	struct kvm_wtrack_record own = *record;
	struct kwt_ring *ring = span->ring;

	/*
	 * With RING_F_ONCE, the store that the guard is about to let pass is
	 * the first one, unless there was an earlier one.
	 */
	if (ring->once) {
		if (!test_and_clear_bit(bit, span->observed))
			return;
		own.flags |= KVM_WTRACK_RECORD_F_ONCE;
	}
	/* A session with RING_F_STOP does not track the gfn any more. */
	if (ring->stop)
		own.guard.action = KVM_WTRACK_GUARD_STOPPED;
	atomic64_inc(&ring->disarms);
	if (record->guard.cause == KVM_WTRACK_CAUSE_BUDGET)
		atomic64_inc(&ring->over_budget);
	if (ring->stop)
		kwt_span_forget(span, bit);
	else
		clear_bit(bit, span->observed);
	if (!kwt_ring_guard(span, bit, &own))
		kwt_resync_mark(span, bit, record->time_ns);
}

/*
 * Publish a record to all sessions that track the gfn. The caller holds
 * arm_lock and has disabled preemption.
 */
static void tell_all_disarmed(struct kwt_chunk *chunk, u32 bit,
			      const struct kvm_wtrack_record *record)
{
	struct kwt_span *span;

	hlist_for_each_entry_rcu(span, &chunk->spans, in_chunk,
				 rcu_read_lock_sched_held())
		if (test_bit(bit, span->tracked))
			tell_disarmed(span, bit, record);
}

static bool is_spent(const struct kwt_span *span, u32 bit)
{
	const u32 budget = READ_ONCE(span->ring->budget);
	const u16 *spent = READ_ONCE(span->spent);

	return budget && spent && READ_ONCE(spent[bit]) >= budget;
}

/*
 * Have all sessions that observe the gfn used up a budget? The caller holds
 * arm_lock, under which sessions join.
 */
static bool budgets_are_spent(struct kwt_chunk *chunk, u32 bit)
{
	struct kwt_span *span;

	hlist_for_each_entry_rcu(span, &chunk->spans, in_chunk,
				 rcu_read_lock_sched_held())
		if (test_bit(bit, span->observed) && !is_spent(span, bit))
			return false;
	return true;
}

/*
 * Do all sessions that want no emulation have a period, which then decides when
 * to arm the gfn again?
 */
static bool natives_have_periods(const struct kwt_chunk *chunk, u32 bit)
{
	const struct kwt_span *span;

	hlist_for_each_entry_rcu(span, &chunk->spans, in_chunk,
				 rcu_read_lock_sched_held())
		if (kwt_span_is_native(span, bit) &&
		    !READ_ONCE(span->ring->period_ns))
			return false;
	return true;
}

/*
 * Disarm the gfn, unless another vCPU already did, or the cause is BUDGET and a
 * session has joined that has not used up a budget. @record has the cause, the
 * position and the action DISARMED. It is published under the lock, so that it
 * precedes the record of the next arming. The caller has disabled preemption.
 */
void kwt_guard_trip(struct kwt_space *space, struct kwt_chunk *chunk,
		    const struct kvm_wtrack_record *record)
{
	u64 gfn = record->gpa >> KWT_PAGE_SHIFT;
	u32 bit = kwt_chunk_bit(gfn), cause = record->guard.cause;
	bool began;

	spin_lock(&space->arm_lock);
	if (!test_bit(bit, chunk->armed) ||
	    (cause == KVM_WTRACK_CAUSE_BUDGET &&
	     !budgets_are_spent(chunk, bit))) {
		spin_unlock(&space->arm_lock);
		return;
	}
	clear_bit(bit, chunk->armed);
	kwt_untrack(space, gfn);
	if (chunk->guard && (cause == KVM_WTRACK_CAUSE_BUDGET ||
			     (cause == KVM_WTRACK_CAUSE_NATIVE &&
			      natives_have_periods(chunk, bit))))
		chunk->guard[bit] |= KWT_GUARD_BUDGET;
	if (list_empty(&chunk->in_tripped))
		list_add_tail(&chunk->in_tripped, &space->tripped);
	/*
	 * A fence waits for these records: REMOVE with F_FENCE promises that no
	 * record of the page follows.
	 */
	began = kwt_flight_join(space->id);
	tell_all_disarmed(chunk, bit, record);
	kwt_flight_leave(began);
	spin_unlock(&space->arm_lock);
	trace_kvm_wtrack_guard(space->id, gfn, cause, record->vcpu,
			       record->rip);
	kwt_rearm_soon(space, record);
}

static void tell_rearmed(struct kwt_span *span, u32 bit, u32 cause, u64 now)
{
	const struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.flags = KVM_WTRACK_RECORD_F_PAGE,
		.gpa = kwt_span_gfn(span, bit) << KWT_PAGE_SHIFT,
		.time_ns = now,
		.guard = { .action = KVM_WTRACK_GUARD_REARMED, .cause = cause },
	};

	atomic64_inc(&span->ring->rearms);
	if (!kwt_ring_guard(span, bit, &record))
		kwt_resync_mark(span, bit, now);
}

/*
 * The session whose call armed the gfn observes it from here on, without a
 * record, because its caller reads the page now.
 */
static void observe_gfn(struct kwt_span *span, u32 bit)
{
	set_bit(bit, span->observed);
	/* Pairs with the barrier in kwt_span_observes(). */
	smp_mb__after_atomic();
}

/*
 * A gfn was armed: publish REARMED to the sessions that wait for it, which are
 * all of them if the gfn was absent. Returns whether there was one apart from
 * that of @caller. The caller holds arm_lock and the VM's lock.
 */
bool kwt_arm_tell(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit,
		  const struct kwt_span *caller)
{
	bool absent = kwt_chunk_absent(chunk, bit), told = false;
	u32 cause = absent ? KVM_WTRACK_CAUSE_MEMORY : KVM_WTRACK_CAUSE_NONE;
	u64 now = ktime_get_ns();
	struct kwt_span *span;

	hlist_for_each_entry(span, &chunk->spans, in_chunk) {
		if (!test_bit(bit, span->tracked))
			continue;
		if (absent) {
			span->ring->set->absent--;
			kwt_span_begin_anew(span, bit);
		}
		if (span == caller) {
			observe_gfn(span, bit);
		} else if (absent || kwt_span_waits(span, bit)) {
			tell_rearmed(span, bit, cause, now);
			told = true;
		}
	}
	if (absent)
		kwt_absent_end(space, chunk, bit);
	return told;
}
