/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reserving a place in a ring, publishing a record, waking the reader: the
 * steps of every record, inlined into the write hook.
 */
#ifndef KWT_RING_H
#define KWT_RING_H

#include <linux/lockdep.h>
#include <linux/string.h>

#include "track.h"

static inline struct kvm_wtrack_record *
kwt_ring_at(const struct kwt_ring *ring, u64 pos)
{
	return &ring->records[pos & ring->mask];
}

/*
 * Reserve @nr places, at most ring->room. A closed ring has a head that is far
 * ahead of any pos and so is full like any other. With @observed, only if that
 * bit is set: see kwt_ring_reserve_for().
 */
static __always_inline bool __kwt_ring_reserve(struct kwt_ring *ring,
					       const unsigned long *observed,
					       u64 bit, u32 nr, u64 *pos)
{
	u64 head, used;

	for (;;) {
		/* Pairs with the cmpxchg that takes a place for the guard. */
		head = smp_load_acquire(&ring->head);
		if (observed && unlikely(!test_bit(bit, observed)))
			return false;
		/*
		 * Pairs with the reader's exchange: it has read the
		 * places that it gives back.
		 */
		used = head - smp_load_acquire(&ring->consumer->pos);
		*pos = head;
		if (likely(used < ring->room - (nr - 1))) {
			if (likely(try_cmpxchg(&ring->head, &head, head + nr)))
				return true;
			continue;
		}
		/*
		 * Full, or others have published and the reader has released
		 * since we looked at head.
		 */
		if (READ_ONCE(ring->head) == *pos)
			return false;
	}
}

static inline bool kwt_ring_reserve(struct kwt_ring *ring, u32 nr, u64 *pos)
{
	return __kwt_ring_reserve(ring, NULL, 0, nr, pos);
}

/*
 * A store of a fault that began before arming @nr + 1: was the page disarmed, and
 * armed again, since? Then what it stored may have been overwritten by what
 * nobody has seen, and the record says that the page has to be read again.
 *
 * After a place was reserved, whose cmpxchg pairs with that of the record
 * REARMED: a place behind that one finds the number of that arming here. The same
 * holds for a page that was removed and added, whose caller reads it after ADD.
 */
static __always_inline u32 kwt_stale_flag(const struct kwt_chunk *chunk, u64 nr)
{
	return unlikely(READ_ONCE(chunk->arming_nr) > nr) ?
	       KVM_WTRACK_RECORD_F_PAGE : 0;
}

/*
 * Is a store to be recorded, which is in memory? One to a page that the guard
 * has disarmed is not: the page is read again when it is armed. KVM goes on with
 * a string instruction for up to 1,024 elements after its page was disarmed,
 * and notifies of each.
 */
static __always_inline bool kwt_span_observes(const struct kwt_span *span,
					      u64 bit)
{
	if (likely(test_bit(bit, span->observed)))
		return true;
	if (!test_bit(bit, span->tracked))
		return false;
	/*
	 * Between the store and the second look. Pairs with the barrier behind
	 * the bit's being set, kwt_ring_guard(): if we miss it, whoever reads
	 * the page after the record REARMED sees the store.
	 */
	smp_mb();
	return test_bit(bit, span->observed);
}

/*
 * For a record of this gfn, while it is observed. No such place is between
 * those of the guard's records DISARMED and REARMED: the guard clears the bit,
 * then takes the place for DISARMED; it takes the one for REARMED, then sets
 * the bit. Whoever finds the bit set has a head of before or of behind both, and
 * loses the cmpxchg if the guard has taken a place since.
 */
static __always_inline bool kwt_ring_reserve_for(const struct kwt_span *span,
						 u64 bit, u32 nr, u64 *pos)
{
	return __kwt_ring_reserve(span->ring, span->observed, bit, nr, pos);
}

/*
 * With RING_F_ONCE the caller has cleared the bit, and so is the only one that has
 * something to tell of the gfn. That the guard has nothing to tell either follows
 * from the same: see tell_disarmed().
 */
static inline bool kwt_ring_reserve_any(const struct kwt_span *span, u64 bit,
					u32 nr, u64 *pos)
{
	if (span->ring->once)
		return kwt_ring_reserve(span->ring, nr, pos);
	return kwt_ring_reserve_for(span, bit, nr, pos);
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

/*
 * What the session has no right to see. Before the record is in the ring, whose
 * places the reader can look at while they are filled.
 */
static inline void kwt_ring_withhold(const struct kwt_ring *ring,
				     struct kvm_wtrack_record *record)
{
	if (ring->no_rip) {
		record->rip = 0;
		record->flags &= ~KVM_WTRACK_RECORD_F_RIP;
	}
	if (ring->no_data && record->type == KVM_WTRACK_RECORD_WRITE) {
		record->len = 0;
		record->flags |= KVM_WTRACK_RECORD_F_NO_DATA |
				 KVM_WTRACK_RECORD_F_PAGE;
	}
}

#endif /* KWT_RING_H */
