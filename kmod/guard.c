// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guard: what KVM cannot emulate must not hit an armed page.
 *
 * A fault on an armed gfn that KVM would not get out of, see probe.c, disarms
 * the gfn on the spot: KVM then maps the page writable, and the store runs
 * natively. What it stores is not seen, which all sessions are told; rearm.c
 * arms the gfn again later, and has them re-read the page.
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

/* The chunk of a gfn that somebody tracks, or NULL. */
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

/* Does a session track the page that wants no store to it emulated? Under RCU. */
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

/* KVM would not get out of this fault on @gpa, if that is armed. */
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
	/* It stores by itself now, and KVM does not. */
	if (state)
		WRITE_ONCE(state->told, KWT_TOLD);
}

/*
 * The same, and what the fault is on was found out just now. An arming of it that
 * has not looked at this vCPU yet will find it here, and wait; one that has looked
 * has given the gfn its user before.
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

/* In one page: @gpa may be INVALID_GPA. */
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
 * notification: re-read the page. Also when KVM found an exception, since a
 * part of the store may be in memory. Of a virtual address the page next to it
 * is known, which such a store may have reached; otherwise see operand.h. Under
 * RCU, with KWT_TELLING.
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
 * A store may have been made to this page: one session asks, and is told. Under
 * the VM's lock.
 */
void kwt_guard_maybe_changed(struct kwt_span *span,
			     const struct kwt_vcpu *state, u64 gpa)
{
	struct kvm_wtrack_record record;

	fill_changed(&record, state->vcpu, gpa, READ_ONCE(state->rip));
	kwt_tell_changed(span, kwt_chunk_bit(gpa >> KWT_PAGE_SHIFT), &record);
}

/*
 * KVM emulated sgdt or sidt, which stores without a notification, and not
 * because of a fault: see compat/vmcs.h.
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
