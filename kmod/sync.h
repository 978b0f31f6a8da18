/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Synchronous sessions: a vCPU that has stored to one of their pages continues
 * when the reader has released the record, or after a time limit.
 */
#ifndef KWT_SYNC_H
#define KWT_SYNC_H

#include <linux/list.h>

#include "track.h"

struct kwt_vcpu;
struct task_struct;

/**
 * struct kwt_sync_wait - a record that a vCPU waits for, or is about to
 * @ring: of a synchronous session; with a reference from kwt_sync_begin() on
 * @seq: sequence number of the record
 * @end: when the reader is late
 * @in_vain: the reader was late
 * @in_ring: in sync->waiters while it waits; sync->lock
 * @task: the vCPU's thread, which exists while it is in sync->waiters
 */
struct kwt_sync_wait {
	struct kwt_ring *ring;
	u64 seq;
	u64 end;
	bool in_vain;
	struct list_head in_ring;
	struct task_struct *task;
};

/**
 * struct kwt_sync_waits - all that a vCPU waits for after one store
 * @nr: entries in @wait; a VM has no more synchronous sessions than fit
 * @wait: one entry for each session
 */
struct kwt_sync_waits {
	u32 nr;
	struct kwt_sync_wait wait[KWT_MAX_SYNCS];
};

u32 kwt_sync_flag(struct kwt_ring *ring, struct kwt_vcpu *vcpu);
void kwt_sync_begin(struct kwt_vcpu *vcpu);
void kwt_sync_wait(struct kwt_vcpu *vcpu);

/*
 * Note that a record was published. Preemption is disabled, which keeps the
 * ring.
 */
static inline void kwt_sync_note(struct kwt_sync_waits *waits,
				 struct kwt_ring *ring, u64 seq)
{
	struct kwt_sync_wait *wait = &waits->wait[waits->nr];

	if (waits->nr == KWT_MAX_SYNCS)
		return;
	wait->ring = ring;
	wait->seq = seq;
	waits->nr++;
}

/*
 * Does a vCPU wait for the reader when it has published a record? Then the
 * reader is woken regardless of the watermark, because no other record of that
 * vCPU follows.
 */
static inline bool kwt_sync_is_awaited(const struct kwt_ring *ring)
{
	return ring->synchronous && !READ_ONCE(ring->sync.late);
}

#endif /* KWT_SYNC_H */
