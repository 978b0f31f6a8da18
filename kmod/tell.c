// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guard does to a gfn, and what the sessions that track it are told
 * of it. It is one step: both happen under the space's arm_lock, so that the
 * records come in the order of what was done.
 *
 * Nothing here allocates or sleeps, or knows of KVM.
 */
#include <linux/ktime.h>

#include "guard.h"
#include "ring.h"
#include "trace.h"

/* Tell all sessions that track the gfn. Under RCU. */
void kwt_guard_tell(struct kwt_chunk *chunk,
		    const struct kvm_wtrack_record *record)
{
	u32 bit = kwt_chunk_bit(record->gpa >> KWT_PAGE_SHIFT);
	struct kvm_wtrack_record own = *record;
	struct kwt_span *span;

	hlist_for_each_entry_rcu(span, &chunk->spans, in_chunk,
				 rcu_read_lock_sched_held()) {
		struct kwt_ring *ring = span->ring;

		if (!test_bit(bit, span->tracked))
			continue;
		if (record->guard.action == KVM_WTRACK_GUARD_DISARMED) {
			own.guard.action = ring->stop ?
					   KVM_WTRACK_GUARD_STOPPED :
					   KVM_WTRACK_GUARD_DISARMED;
			atomic64_inc(&ring->disarms);
			if (record->guard.cause == KVM_WTRACK_CAUSE_BUDGET)
				atomic64_inc(&ring->over_budget);
		} else {
			atomic64_inc(&ring->unreported);
		}
		if (!kwt_ring_guard(ring, &own))
			kwt_resync_mark(span, bit, record->time_ns);
	}
}

/*
 * Disarm the gfn, unless another vCPU was faster. @record says why and where,
 * and has the action DISARMED: it is told under the lock, so that it comes
 * before the record of the next arming. Under RCU, preemption disabled.
 */
void kwt_guard_trip(struct kwt_space *space, struct kwt_chunk *chunk,
		    const struct kvm_wtrack_record *record)
{
	u64 gfn = record->gpa >> KWT_PAGE_SHIFT;
	u32 bit = kwt_chunk_bit(gfn), cause = record->guard.cause;

	spin_lock(&space->arm_lock);
	if (!test_bit(bit, chunk->armed)) {
		spin_unlock(&space->arm_lock);
		return;
	}
	clear_bit(bit, chunk->armed);
	kwt_untrack(space, gfn);
	if (cause == KVM_WTRACK_CAUSE_BUDGET && chunk->guard)
		chunk->guard[bit] |= KWT_GUARD_BUDGET;
	if (list_empty(&chunk->in_tripped))
		list_add_tail(&chunk->in_tripped, &space->tripped);
	kwt_guard_tell(chunk, record);
	spin_unlock(&space->arm_lock);
	trace_kvm_wtrack_guard(space->id, gfn, cause, record->vcpu,
			       record->rip);
	kwt_rearm_soon(space, record);
}

static void tell_rearmed(struct kwt_span *span, u32 bit, u64 now)
{
	const struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_GUARD,
		.flags = KVM_WTRACK_RECORD_F_PAGE,
		.gpa = kwt_span_gfn(span, bit) << KWT_PAGE_SHIFT,
		.time_ns = now,
		.guard = { .action = KVM_WTRACK_GUARD_REARMED },
	};

	atomic64_inc(&span->ring->rearms);
	if (!kwt_ring_guard(span->ring, &record))
		kwt_resync_mark(span, bit, now);
}

/* A gfn was armed again: tell the sessions. Under arm_lock and the VM's lock. */
void kwt_rearm_tell(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit)
{
	u64 now = ktime_get_ns();
	struct kwt_span *span;

	hlist_for_each_entry(span, &chunk->spans, in_chunk)
		if (test_bit(bit, span->tracked))
			tell_rearmed(span, bit, now);
}
