// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guard: what KVM cannot emulate must not hit an armed page.
 *
 * Before KVM handles a write fault of a vCPU, it comes through here, in the
 * vCPU's thread. A fault on an armed gfn that KVM would not get out of disarms
 * the gfn on the spot: KVM then maps the page writable, and the store runs
 * natively. What it stores is not seen, which all sessions are told; rearm.c
 * arms the gfn again later, and has them re-read the page.
 *
 * When KVM enters the guest again, a fault on an armed gfn that brought no
 * notification, but let the guest get on, was a store that KVM made without
 * telling anybody. The page stays armed and is to be re-read.
 *
 * Nothing here allocates or sleeps.
 */
#include <linux/ktime.h>

#include "compat/fault.h"
#include "guard.h"
#include "kwt.h"
#include "ring.h"
#include "trace.h"
#include "vcpu.h"

/* Tell all sessions that track the gfn. Under RCU. */
static void tell(struct kwt_chunk *chunk,
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

/* KVM's count of the gfn, if it has one of ours. */
static bool take(struct kwt_space *space, struct kwt_chunk *chunk, u64 gfn,
		 bool budget)
{
	u32 bit = kwt_chunk_bit(gfn);
	bool armed;

	spin_lock(&space->arm_lock);
	armed = test_bit(bit, chunk->armed);
	if (armed) {
		clear_bit(bit, chunk->armed);
		kwt_untrack(space, gfn);
		if (budget && chunk->guard)
			chunk->guard[bit] |= KWT_GUARD_BUDGET;
		if (list_empty(&chunk->in_tripped))
			list_add_tail(&chunk->in_tripped, &space->tripped);
	}
	spin_unlock(&space->arm_lock);
	return armed;
}

/*
 * Disarm the gfn, unless another vCPU was faster. @record says why and where,
 * and has the action DISARMED. Under RCU, preemption disabled.
 */
void kwt_guard_trip(struct kwt_space *space, struct kwt_chunk *chunk,
		    const struct kvm_wtrack_record *record)
{
	u64 gfn = record->gpa >> KWT_PAGE_SHIFT;
	u32 cause = record->guard.cause;

	if (!take(space, chunk, gfn, cause == KVM_WTRACK_CAUSE_BUDGET))
		return;
	trace_kvm_wtrack_guard(space->id, gfn, cause, record->vcpu,
			       record->rip);
	tell(chunk, record);
	kwt_rearm_soon(space, record);
}

/* The chunk of a gfn that somebody tracks, or NULL. */
static struct kwt_chunk *find(const struct kwt_space *space, u64 gfn)
{
	struct kwt_chunk *chunk;

	chunk = kwt_table_find(rcu_dereference_sched(space->table),
			       kwt_chunk_index(gfn));
	if (!chunk || !READ_ONCE(chunk->users[kwt_chunk_bit(gfn)]))
		return NULL;
	return chunk;
}

static void fill(struct kvm_wtrack_record *record, struct kvm_vcpu *vcpu,
		 u64 gpa, u32 action, u32 cause)
{
	memset(record, 0, sizeof(*record));
	record->type = KVM_WTRACK_RECORD_GUARD;
	record->flags = KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP;
	record->vcpu = vcpu->vcpu_idx;
	record->gpa = gpa;
	record->time_ns = ktime_get_ns();
	record->rip = kwt_rip(vcpu);
	record->guard.action = action;
	record->guard.cause = cause;
}

/* Will KVM not get out of this write to an armed page? */
static u32 trouble(struct kvm_vcpu *vcpu, const struct kwt_vcpu *state,
		   u64 error_code)
{
	if (kwt_fault_walks(error_code))
		return KVM_WTRACK_CAUSE_PAGE_WALK;
	if (kwt_fault_event(vcpu))
		return KVM_WTRACK_CAUSE_EVENT;
	if (kwt_fault_nested(vcpu))
		return KVM_WTRACK_CAUSE_NESTED;
	if (!state)
		return KVM_WTRACK_CAUSE_NEW_VCPU;
	if (kwt_fault_hopeless(vcpu, state->address, state->rip,
			       state->repeats))
		return KVM_WTRACK_CAUSE_UNEMULATED;
	return KVM_WTRACK_CAUSE_NONE;
}

static void remember(struct kwt_vcpu *state, u64 address, u64 rip)
{
	if (!state->told && state->rip == rip && state->address == address)
		state->repeats++;
	else
		state->repeats = 0;
	state->address = address;
	state->rip = rip;
	state->told = false;
	state->waiting = true;
}

/*
 * A vCPU faulted. Where KVM was told a virtual address the gfn is looked up
 * only when something is wrong: guests without nested paging fault often, and
 * seldom on a tracked page.
 */
void kwt_guard_fault(struct kwt_space *space, struct kvm_vcpu *vcpu,
		     u64 address, u64 error_code)
{
	struct kwt_vcpu *state = kwt_vcpu_of(space, vcpu);
	bool direct = kwt_fault_direct(vcpu);
	struct kvm_wtrack_record record;
	struct kwt_chunk *chunk = NULL;
	u64 gpa = address;
	u32 cause;

	if (direct) {
		chunk = find(space, gpa >> KWT_PAGE_SHIFT);
		if (!chunk)
			return;
	}
	if (state) {
		kwt_vcpu_set_here(space, state);
		remember(state, address, kwt_rip_read(vcpu));
	}
	cause = trouble(vcpu, state, error_code);
	if (likely(!cause))
		return;
	if (!direct) {
		gpa = kwt_fault_gpa(vcpu, address);
		chunk = find(space, gpa >> KWT_PAGE_SHIFT);
	}
	if (!chunk)
		return;
	kwt_rip_read(vcpu);
	fill(&record, vcpu, gpa, KVM_WTRACK_GUARD_DISARMED, cause);
	kwt_guard_trip(space, chunk, &record);
	/* It stores by itself now, and KVM does not. */
	if (state)
		state->waiting = false;
}

/*
 * KVM emulated an instruction that faulted on an armed page, and there was no
 * notification: re-read the page. Also when KVM found an exception, since a
 * part of the store may be in memory.
 */
static void unreported(struct kwt_space *space, struct kvm_vcpu *vcpu,
		       const struct kwt_vcpu *state)
{
	struct kvm_wtrack_record record;
	struct kwt_chunk *chunk;
	u64 gpa;

	gpa = kwt_fault_gpa(vcpu, state->address);
	chunk = find(space, gpa >> KWT_PAGE_SHIFT);
	if (!chunk)
		return;
	fill(&record, vcpu, gpa, KVM_WTRACK_GUARD_CHANGED,
	     KVM_WTRACK_CAUSE_UNREPORTED);
	record.flags |= KVM_WTRACK_RECORD_F_PAGE;
	record.rip = state->rip;
	trace_kvm_wtrack_guard(space->id, gpa >> KWT_PAGE_SHIFT,
			       record.guard.cause, record.vcpu, record.rip);
	tell(chunk, &record);
}

/* KVM is about to enter the guest. */
void kwt_guard_entry(struct kwt_space *space, struct kvm_vcpu *vcpu)
{
	struct kwt_vcpu *state = kwt_vcpu_of(space, vcpu);

	if (!state || !state->waiting)
		return;
	state->waiting = false;
	/* Nobody has asked for it: nothing was emulated. */
	if (state->told || !kwt_rip_is_known(vcpu))
		return;
	if (kwt_rip(vcpu) != state->rip || vcpu->arch.exception.injected)
		unreported(space, vcpu, state);
}
