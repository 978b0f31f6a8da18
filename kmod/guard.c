// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guard: a store that KVM cannot emulate must not hit an armed page.
 *
 * When KVM could not handle a fault on an armed gfn without harm, see probe.c,
 * the guard disarms the gfn before KVM handles the fault: KVM then maps the
 * page writable, and the store runs natively. This module does not see the
 * store, and all sessions get a record DISARMED. rearm.c arms the gfn again
 * later, and the record REARMED has the readers read the page again.
 *
 * Nothing here allocates or sleeps.
 */
#include <linux/ktime.h>

#include "compat/fault.h"
#include "compat/vmcs.h"
#include "guard.h"
#include "kwt.h"
#include "operand.h"
#include "trace.h"
#include "vcpu.h"

/* The chunk of a gfn that a session tracks, or NULL. */
static struct kwt_chunk *find_tracked_chunk(const struct kwt_space *space,
					    u64 gfn)
{
	struct kwt_chunk *chunk;

	chunk = kwt_table_find(rcu_dereference_sched(space->table),
			       kwt_chunk_index(gfn));
	if (!chunk || !READ_ONCE(chunk->users[kwt_chunk_bit(gfn)]))
		return NULL;
	return chunk;
}

bool kwt_guard_is_tracked(const struct kwt_space *space, u64 gpa)
{
	return find_tracked_chunk(space, gpa >> KWT_PAGE_SHIFT);
}

/*
 * Does a session track the page that wants no store to it emulated? The caller
 * has disabled preemption.
 */
bool kwt_guard_is_native(const struct kwt_space *space, u64 gpa)
{
	u64 gfn = gpa >> KWT_PAGE_SHIFT;
	const struct kwt_chunk *chunk = find_tracked_chunk(space, gfn);
	const struct kwt_span *span;

	if (!chunk)
		return false;
	hlist_for_each_entry_rcu(span, &chunk->spans, in_chunk,
				 rcu_read_lock_sched_held())
		if (kwt_span_is_native(span, kwt_chunk_bit(gfn)))
			return true;
	return false;
}

static void fill_record(struct kvm_wtrack_record *record, struct kvm_vcpu *vcpu,
			u64 gpa, u32 action, u32 cause)
{
	memset(record, 0, sizeof(*record));
	record->type = KVM_WTRACK_RECORD_GUARD;
	record->flags = KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP |
			kwt_vcpu_mode(vcpu);
	record->vcpu = vcpu->vcpu_id;
	record->gpa = gpa;
	record->time_ns = ktime_get_ns();
	record->rip = kwt_rip(vcpu);
	record->guard.action = action;
	record->guard.cause = cause;
}

/*
 * KVM could not handle this fault on @gpa without harm: disarm the page if it
 * is armed.
 */
void kwt_guard_rescue(struct kwt_space *space, struct kvm_vcpu *vcpu,
		      struct kwt_vcpu *state, u64 gpa, u32 cause)
{
	struct kvm_wtrack_record record;
	struct kwt_chunk *chunk;

	chunk = find_tracked_chunk(space, gpa >> KWT_PAGE_SHIFT);
	if (!chunk)
		return;
	kwt_rip_read(vcpu);
	fill_record(&record, vcpu, gpa, KVM_WTRACK_GUARD_DISARMED, cause);
	kwt_guard_trip(space, chunk, &record);
	/*
	 * The vCPU makes the store itself now, so KVM has nothing to notify of.
	 */
	if (state)
		WRITE_ONCE(state->told, KWT_TOLD);
}

/*
 * As kwt_guard_rescue(), when the gfn of the fault has just been found.
 * kwt_arm() of this gfn that has not looked at this vCPU yet finds the gfn in
 * @state and waits; if it has looked, it has given the gfn its user before.
 */
void kwt_guard_locate(struct kwt_space *space, struct kvm_vcpu *vcpu,
		      struct kwt_vcpu *state, u64 gpa, u32 cause)
{
	WRITE_ONCE(state->gfn, gpa >> KWT_PAGE_SHIFT);
	/* Pairs with the barrier in kwt_arm(). */
	smp_mb();
	kwt_guard_rescue(space, vcpu, state, gpa, cause);
}

static void fill_changed(struct kvm_wtrack_record *record,
			 struct kvm_vcpu *vcpu, u64 gpa, u64 rip)
{
	fill_record(record, vcpu, gpa, KVM_WTRACK_GUARD_CHANGED,
		    KVM_WTRACK_CAUSE_UNREPORTED);
	/* The mode may have changed since the store was made. */
	record->flags = KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP |
			KVM_WTRACK_RECORD_F_PAGE;
	record->rip = rip;
}

/* Publish records CHANGED for one page; @gpa may be INVALID_GPA. */
static void tell_page_changed(struct kwt_space *space, struct kvm_vcpu *vcpu,
			      u64 gpa, u64 rip)
{
	struct kvm_wtrack_record record;
	struct kwt_chunk *chunk = find_tracked_chunk(space,
						     gpa >> KWT_PAGE_SHIFT);

	if (!chunk)
		return;
	fill_changed(&record, vcpu, gpa, rip);
	trace_kvm_wtrack_guard(space->id, gpa >> KWT_PAGE_SHIFT,
			       record.guard.cause, record.vcpu, rip);
	kwt_guard_changed(chunk, &record);
}

/*
 * KVM emulated an instruction that faulted on an armed page, and there was no
 * notification: readers have to read the page again. This holds also when KVM
 * met an exception, since a part of the store may be in memory. For a fault on
 * a virtual address, the next page that such a store may have reached is known;
 * for others see operand.h. The caller has disabled preemption and has set
 * state->told to KWT_TELLING.
 */
void kwt_guard_unreported(struct kwt_space *space,
			  const struct kwt_vcpu *state)
{
	u64 gpa[KWT_STORE_PAGES];
	u32 i, nr = kwt_vcpu_pages(state, gpa);

	for (i = 0; i < nr; i++)
		tell_page_changed(space, state->vcpu, gpa[i], state->rip);
}

/*
 * A store may have been made to this page: publish a record CHANGED to the
 * session that called FENCE. The caller holds the VM's lock.
 */
void kwt_guard_maybe_changed(struct kwt_span *span,
			     const struct kwt_vcpu *state, u64 gpa)
{
	struct kvm_wtrack_record record;

	fill_changed(&record, state->vcpu, gpa, READ_ONCE(state->rip));
	kwt_tell_changed(span, kwt_chunk_bit(gpa >> KWT_PAGE_SHIFT), &record);
}

/*
 * KVM emulated sgdt or sidt, which stores without a notification and was not
 * emulated because of a fault: see compat/vmcs.h.
 */
void kwt_guard_untold(struct kwt_space *space, struct kvm_vcpu *vcpu)
{
	struct kwt_pagewalk *walk = kwt_guest_walk(vcpu);
	u64 address, last, rip;

	if (!kwt_store_untold(vcpu, &address, &rip))
		return;
	last = address + KWT_SILENT_BYTES - 1;
	tell_page_changed(space, vcpu, kwt_walk(vcpu, walk, address, 0), rip);
	if ((address ^ last) & PAGE_MASK)
		tell_page_changed(space, vcpu, kwt_walk(vcpu, walk, last, 0), rip);
}
