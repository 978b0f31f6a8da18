// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guard does to a gfn, and what the sessions that track it are told
 * of it. It is one step: both happen under the space's arm_lock, so that the
 * records come in the order of what was done.
 *
 * Nothing here allocates or sleeps, or knows of KVM.
 */
#include <linux/ktime.h>

#include "fence.h"
#include "guard.h"
#include "ring.h"
#include "trace.h"

/* A store may have been made to the gfn that nobody was told of. */
void kwt_tell_changed(struct kwt_span *span, u32 bit,
		      const struct kvm_wtrack_record *record)
{
	if (!kwt_span_observes(span, bit))
		return;
	if (!kwt_ring_guard(span, bit, record)) {
		/* There was no room, or it was disarmed just now. */
		if (!kwt_span_observes(span, bit))
			return;
		kwt_resync_mark(span, bit, record->time_ns);
	}
	atomic64_inc(&span->ring->unreported);
}

/* RING_F_ONCE: it was made, and is the first one, as in put_first(), match.c. */
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
 * A store was made to the gfn that nobody was told of. If the gfn is not
 * observed now, the reader is about to read it anyway. Under RCU.
 *
 * The gfn is not disarmed here, even if nobody observes it any more. Interrupts
 * are disabled on the way into the guest, and a vCPU may wait for the caller with
 * interrupts disabled; a processor that holds arm_lock or KVM's mmu_lock may wait
 * for such a vCPU to take an IPI. The next store that is notified disarms the gfn,
 * see disarm_if_unwanted() in match.c.
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
 * KVM need not protect a gfn that no session observes: those that track it have
 * RING_F_ONCE, were told of a store, and each of them has the gfn armed when it
 * wants to. Under RCU, preemption disabled.
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
	 * With RING_F_ONCE the store that the guard is about to let pass is the
	 * first one, unless there was one before.
	 */
	if (ring->once) {
		if (!test_and_clear_bit(bit, span->observed))
			return;
		own.flags |= KVM_WTRACK_RECORD_F_ONCE;
	}
	/* A session that does not want the gfn back is rid of it by now. */
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

/* All sessions that track the gfn. Under arm_lock and RCU. */
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
 * Do all sessions that observe the gfn have a budget, and have they used it up?
 * Under arm_lock, under which sessions join.
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

/* Is it for the sessions that want no emulation to say when to arm it again? */
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
 * Disarm the gfn, unless another vCPU was faster, or it was for budgets and a
 * session has joined that has one to spend, or none. @record says why and where,
 * and has the action DISARMED: it is told under the lock, so that it comes
 * before the record of the next arming. Under RCU, preemption disabled.
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
	/* A page that is removed with the fence has no such record later. */
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
 * The session that has the gfn armed knows, and reads the page now: stores are
 * recorded from here on, and not before. One of an earlier arming would have no
 * later number.
 */
static void observe_gfn(struct kwt_span *span, u32 bit)
{
	set_bit(bit, span->observed);
	/* Pairs with the barrier in kwt_span_observes(). */
	smp_mb__after_atomic();
}

/*
 * A gfn was armed: tell the sessions that wait for it, as all do when there is
 * memory again. Returns whether there was one, beside that of @caller. Under
 * arm_lock and the VM's lock.
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
