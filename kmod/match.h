/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stage 2 of 5: which sessions track the gfn of this store? And stage 3 in the
 * usual case: one record.
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
 * What a record's fields from type to total hold for a store of one record, as
 * one word. Of a longer store the field len is set when it is cut into parts.
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
 * The usual case, on its own since every tracked store pays for it: eight
 * bytes of a vCPU that faulted on this CPU, one session in this chunk, without
 * a budget, room in its ring. It calls nothing but the clock, and that with
 * little to save. The bytes behind the eight keep what an older record of the
 * same session had there.
 *
 * The caller has disabled preemption; this, or what it calls, enables it. What
 * fences wait for begins here, or in kwt_match_all_preempt_enable().
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
