/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage 2 of 5: find the sessions that track the gfn of this store. Also stage
 * 3 in the usual case: publish one record.
 *
 * Part of the function that KVM calls. Runs in the vCPU's thread with
 * preemption disabled, which is the RCU read side for table, chunks and spans.
 */
#ifndef KWT_MATCH_H
#define KWT_MATCH_H

#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "fence.h"
#include "ring.h"
#include "trace.h"
#include "vcpu.h"

/*
 * The fields of a record from type to total, as one word, for a store that fits
 * one record. The field len of a longer store is set when it is cut into parts.
 */
static __always_inline u64 kwt_record_head(u32 len, u64 vcpu)
{
	u64 here = min_t(u32, len, KVM_WTRACK_DATA_BYTES);

	return KVM_WTRACK_RECORD_WRITE | here << 8 | (u64)len << 48 | vcpu;
}

static __always_inline u64 *kwt_record_word(struct kvm_wtrack_record *record)
{
	BUILD_BUG_ON(offsetof(struct kvm_wtrack_record, type) != 8 ||
		     offsetof(struct kvm_wtrack_record, len) != 9 ||
		     offsetof(struct kvm_wtrack_record, flags) != 10 ||
		     offsetof(struct kvm_wtrack_record, vcpu) != 12 ||
		     offsetof(struct kvm_wtrack_record, total) != 14 ||
		     offsetof(struct kvm_wtrack_record, gpa) != 16);
	return (u64 *)&record->type;
}

/*
 * The usual case has a function of its own, since every tracked store pays for
 * it: eight bytes, from a vCPU that faulted on this CPU, one session in this
 * chunk, which has no budget and has room in its ring. It calls only the clock.
 * The bytes after the eight keep the contents of an older record of the same
 * session.
 *
 * The caller has disabled preemption. This function, or the one that it calls,
 * enables it. What fences wait for begins here, or in
 * kwt_match_all_preempt_enable().
 */
static __always_inline void
kwt_match_preempt_enable(u64 gpa, const u8 *data, u32 len,
			 struct kwt_chunk *chunk, struct kwt_space *space)
{
	u64 bit = kwt_chunk_bit(gpa >> KWT_PAGE_SHIFT);
	struct kwt_vcpu *vcpu = kwt_vcpu_here(space);
	struct kvm_wtrack_record *record;
	struct kwt_span *span;
	struct kwt_ring *ring;
	u64 pos;

	span = hlist_entry_safe(rcu_dereference_sched(hlist_first_rcu(&chunk->spans)),
				struct kwt_span, in_chunk);
	if (unlikely(len != 8 || !vcpu || !span ||
		     READ_ONCE(span->in_chunk.next) ||
		     !READ_ONCE(span->plain) ||
		     trace_kvm_wtrack_match_enabled() ||
		     trace_kvm_wtrack_ring_enabled()))
		return kwt_match_all_preempt_enable(gpa, data, len, chunk, space);
	ring = span->ring;
	kwt_flight_begin(space->id);
	if (unlikely(!kwt_ring_reserve_for(span, bit, 1, &pos)))
		return kwt_match_all_preempt_enable(gpa, data, len, chunk, space);
	kwt_vcpu_tell(vcpu, gpa);
	kwt_vcpu_count(vcpu);
	record = kwt_ring_at(ring, pos);
	*kwt_record_word(record) =
		kwt_record_head(8, kwt_vcpu_bits(vcpu)) |
		(u64)kwt_stale_flag(chunk, vcpu->arming_nr) <<
			KWT_RECORD_FLAGS_SHIFT;
	record->gpa = gpa;
	record->rip = kwt_vcpu_rip(vcpu);
	memcpy(record->data, data, 8);
	record->time_ns = ktime_get_ns();
	kwt_ring_publish(record, pos);
	kwt_ring_wake(ring, false);
	kwt_flight_end();
	preempt_enable();
}

#endif /* KWT_MATCH_H */
