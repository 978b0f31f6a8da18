/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of every record: reserve a place in a ring, publish the record,
 * wake the reader. They are inlined into the write hook.
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
 * Reserve @nr places, at most ring->room. The head of a closed ring is far
 * ahead of any pos, so that the ring counts as full. With @span, a place is
 * reserved only while the session observes gfn @bit: see kwt_ring_reserve_for().
 * The parameter is not span->observed, which the compiler would compare with NULL
 * where it knows that @span is not NULL.
 */
static __always_inline bool __kwt_ring_reserve(struct kwt_ring *ring,
					       const struct kwt_span *span,
					       u64 bit, u32 nr, u64 *pos)
{
	u64 head, used;

	for (;;) {
		/*
		 * Pairs with the cmpxchg that reserves a place for a record of
		 * the guard.
		 */
		head = smp_load_acquire(&ring->head);
		if (span && unlikely(!test_bit(bit, span->observed)))
			return false;
		/*
		 * Pairs with the reader's exchange: the reader has read the
		 * places that it releases.
		 */
		used = head - smp_load_acquire(&ring->consumer->pos);
		*pos = head;
		if (likely(used < ring->room - (nr - 1))) {
			if (likely(try_cmpxchg(&ring->head, &head, head + nr)))
				return true;
			continue;
		}
		/*
		 * The ring is full; or other vCPUs have published and the
		 * reader has released since head was read.
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
 * Was the page armed again since arming @nr, before which the fault of this
 * store began? Then a store without a record may have overwritten what it
 * stored, and the record says that the page has to be read again.
 *
 * Called after a place was reserved. The cmpxchg pairs with that of the record
 * REARMED: a record with a later place finds the number of that arming here.
 * The same holds for a page that was removed and added, which the caller of ADD
 * reads afterwards.
 */
static __always_inline u32 kwt_stale_flag(const struct kwt_chunk *chunk, u64 nr)
{
	return unlikely(READ_ONCE(chunk->arming_nr) > nr) ?
	       KVM_WTRACK_RECORD_F_PAGE : 0;
}

/*
 * Does a store that is in memory need a record? A store to a page that the
 * guard has disarmed does not: the page is read again when it is armed. KVM
 * continues a string instruction for up to 1,024 elements after its page was
 * disarmed, and notifies of each.
 */
static __always_inline bool kwt_span_observes(const struct kwt_span *span,
					      u64 bit)
{
	if (likely(test_bit(bit, span->observed)))
		return true;
	if (!test_bit(bit, span->tracked))
		return false;
	/*
	 * A full barrier between the store and the second look. Pairs with the
	 * barrier after the bit is set in kwt_ring_guard(): if this look misses
	 * the bit, a reader that reads the page after the record REARMED sees
	 * the store.
	 */
	smp_mb();
	return test_bit(bit, span->observed);
}

/*
 * Reserve places for a record of this gfn, while the gfn is observed. No such
 * place is between those of the guard's records DISARMED and REARMED: the guard
 * clears the bit, then reserves the place for DISARMED; it reserves the place
 * for REARMED, then sets the bit. A caller that finds the bit set has read a
 * head from before or after both, and its cmpxchg fails if the guard has
 * reserved a place since.
 */
static __always_inline bool kwt_ring_reserve_for(const struct kwt_span *span,
						 u64 bit, u32 nr, u64 *pos)
{
	return __kwt_ring_reserve(span->ring, span, bit, nr, pos);
}

/*
 * With RING_F_ONCE the caller has cleared the bit, and so is the only one that
 * publishes a record of the gfn. The guard does not publish one either, because
 * it would have to clear the bit: see tell_disarmed().
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
	/*
	 * Pairs with the barrier in kwt_wake_arm(), between arming and the last
	 * look.
	 */
	smp_mb();
	if (unlikely(READ_ONCE(ring->sleepers)))
		kwt_wake(ring, urgent);
}

/* Copy a record except its seq. */
static inline void kwt_ring_fill(struct kvm_wtrack_record *record,
				 const struct kvm_wtrack_record *from)
{
	const size_t skip = offsetofend(struct kvm_wtrack_record, seq);

	memcpy((u8 *)record + skip, (const u8 *)from + skip,
	       sizeof(*record) - skip);
}

/*
 * Remove what the session has no right to see. Done before the record is in the
 * ring, because the reader can look at places while they are filled.
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
