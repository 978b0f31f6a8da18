/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reserving a place in a ring, publishing a record, waking the reader: the
 * steps of every record, inlined into the write hook.
 */
#ifndef KWT_RING_H
#define KWT_RING_H

#include <linux/lockdep.h>

#include "track.h"

static inline struct kvm_wtrack_record *
kwt_ring_at(const struct kwt_ring *ring, u64 pos)
{
	return &ring->records[pos & ring->mask];
}

/*
 * Reserve @nr places, at most ring->room. A closed ring has a head that is far
 * ahead of any pos and so is full like any other.
 */
static inline bool kwt_ring_reserve(struct kwt_ring *ring, u32 nr, u64 *pos)
{
	u64 head = READ_ONCE(ring->head), used, now;

	for (;;) {
		/*
		 * Pairs with the reader's exchange: it has read the
		 * places that it gives back.
		 */
		used = head - smp_load_acquire(&ring->consumer->pos);
		if (likely(used < ring->room - (nr - 1))) {
			if (likely(try_cmpxchg(&ring->head, &head, head + nr)))
				break;
			continue;
		}
		/*
		 * Full, or others have published and the reader has released
		 * since we looked at head.
		 */
		now = READ_ONCE(ring->head);
		if (now == head)
			return false;
		head = now;
	}

	*pos = head;
	return true;
}

static inline void kwt_ring_publish(struct kvm_wtrack_record *record, u64 pos)
{
	lockdep_assert_preemption_disabled();
	/* Pairs with the reader's load-acquire of seq. */
	smp_store_release(&record->seq, pos + 1);
}

static inline void kwt_ring_wake(struct kwt_ring *ring, bool urgent)
{
	/* Pairs with the barrier between going to sleep and looking again. */
	smp_mb();
	if (unlikely(READ_ONCE(ring->sleepers)))
		kwt_wake(ring, urgent);
}

/* All of a record but its seq. */
static inline void kwt_ring_fill(struct kvm_wtrack_record *record,
				 const struct kvm_wtrack_record *from)
{
	const size_t skip = offsetofend(struct kvm_wtrack_record, seq);

	memcpy((u8 *)record + skip, (const u8 *)from + skip,
	       sizeof(*record) - skip);
}

#endif /* KWT_RING_H */
