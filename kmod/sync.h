/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Synchronous sessions: a vCPU that has stored to one of their pages goes on when
 * the reader has released the record, or after a time.
 */
#ifndef KWT_SYNC_H
#define KWT_SYNC_H

#include "track.h"

struct kwt_vcpu;

/**
 * struct kwt_sync_wait - what a vCPU is about to wait for
 * @ring: of a synchronous session; with a reference from kwt_sync_begin() on
 * @seq: sequence number of the record
 */
struct kwt_sync_wait {
	struct kwt_ring *ring;
	u64 seq;
};

/**
 * struct kwt_sync_waits - all that a vCPU waits for after one store
 * @nr: in @wait; a VM has no more synchronous sessions than fit
 * @wait: of one session each
 */
struct kwt_sync_waits {
	u32 nr;
	struct kwt_sync_wait wait[KWT_MAX_SYNCS];
};

u32 kwt_sync_flag(struct kwt_ring *ring, struct kwt_vcpu *vcpu);
void kwt_sync_begin(struct kwt_vcpu *vcpu);
void kwt_sync_wait(struct kwt_vcpu *vcpu);

/* The record was published. Preemption is disabled, which keeps the ring. */
static inline void kwt_sync_note(struct kwt_sync_waits *waits,
				 struct kwt_ring *ring, u64 seq)
{
	if (waits->nr < KWT_MAX_SYNCS)
		waits->wait[waits->nr++] = (struct kwt_sync_wait) { ring, seq };
}

#endif /* KWT_SYNC_H */
