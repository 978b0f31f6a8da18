// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 2 of 5: which sessions track the gfn of this store?
 *
 * Runs in the vCPU's thread with preemption disabled, which is the RCU read
 * side for chunks and spans.
 */
#include "track.h"

/*
 * Coalescing: may this store go without a record, because one of the same gfn
 * is unread? Returns true when the caller has the claim to publish one.
 *
 * The reader releases a record, then reads the page. The store that brought
 * us here is in memory; if the release is not seen yet after the barrier, the
 * reader's look at the page comes later and sees the store.
 */
static bool coalesce_claim(const struct kwt_ring *ring, u64 *last)
{
	u64 seq;

	/* Pairs with the full barrier behind the reader's release. */
	smp_mb();
	seq = READ_ONCE(*last);
	if (seq > READ_ONCE(ring->consumer->pos))
		return false;
	/*
	 * Whoever is faster publishes a record after this, and so after our
	 * store: it stands for both.
	 */
	return cmpxchg(last, seq, KWT_CLAIMED) == seq;
}

static void span_write(struct kwt_span *span, u32 bit,
		       const struct kwt_write *write)
{
	struct kwt_ring *ring = span->ring;
	u64 *last = NULL;

	if (unlikely(span->last)) {
		last = &span->last[bit];
		if (!coalesce_claim(ring, last)) {
			atomic64_inc(&ring->merged);
			return;
		}
	}
	if (likely(kwt_ring_write(ring, write, last)))
		return;
	if (last)
		WRITE_ONCE(*last, 0);
	kwt_resync_write(span, bit, write->time_ns);
}

void kwt_match(struct kwt_chunk *chunk, struct kwt_write *write)
{
	u32 bit = kwt_chunk_bit(write->gpa >> KWT_PAGE_SHIFT);
	struct kwt_span *span;

	hlist_for_each_entry_rcu(span, &chunk->spans, in_chunk,
				 rcu_read_lock_sched_held())
		if (test_bit(bit, span->tracked))
			span_write(span, bit, write);
}
