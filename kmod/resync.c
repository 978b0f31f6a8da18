// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 3 of 5, when the ring is full: the gfn goes into the resync set.
 *
 * Exact, because notification follows the store. A store whose bit is set is
 * in memory before; the reader fetches the bit, then reads the page. A store
 * that is not in what it read sets the bit again, or gets a record, later.
 */
#include "trace.h"
#include "track.h"

/*
 * Set a gfn's bit, and make sure that the reader will hear of it: a bit is set
 * only behind a RESYNC record, and that record is unread or the sweep after it
 * is still to come. If the reader has opened the ring in between, once more.
 */
void kwt_resync_mark(struct kwt_span *span, u32 bit, u64 time_ns)
{
	trace_kvm_wtrack_resync(span->ring->id, kwt_span_gfn(span, bit));
	do {
		if (kwt_ring_close(span->ring, time_ns))
			kwt_notice_overflow(span->ring);
		set_bit(bit, span->resync);
		/* Pairs with the full barrier of kwt_ring_reopen(). */
		smp_mb__after_atomic();
	} while (!kwt_ring_closed(span->ring));
}

/* The same for all gfns of a bitmap. */
void kwt_resync_mark_all(struct kwt_span *span, const unsigned long *bits,
			 u64 time_ns)
{
	u32 i;

	do {
		if (kwt_ring_close(span->ring, time_ns))
			kwt_notice_overflow(span->ring);
		for (i = 0; i < BITS_TO_LONGS(KWT_CHUNK_PAGES); i++)
			if (bits[i])
				atomic_long_or(bits[i], (atomic_long_t *)
							&span->resync[i]);
		/* As above. */
		smp_mb__after_atomic();
	} while (!kwt_ring_closed(span->ring));
}

/* A store that found no room. */
void kwt_resync_write(struct kwt_span *span, u32 bit, u64 time_ns)
{
	atomic64_inc(&span->ring->resync_writes);
	kwt_resync_mark(span, bit, time_ns);
}

/* Extend the last range, or start one; false when there is no room. */
static bool put_gfn(struct kvm_wtrack_resync_range *range, u32 *used, u32 room,
		    u64 gfn, u32 what)
{
	struct kvm_wtrack_resync_range *last = range + *used - 1;

	if (*used && last->gfn + last->nr_pages == gfn && last->what == what) {
		last->nr_pages++;
		return true;
	}
	if (*used == room)
		return false;
	last++;
	last->gfn = gfn;
	last->nr_pages = 1;
	last->what = what;
	last->__reserved = 0;
	(*used)++;
	return true;
}

static u32 what_of(const struct kwt_span *span, u32 bit)
{
	/* Looked at after its bit was cleared: the re-arm sets it again. */
	if (test_bit(bit, span->observed))
		return KVM_WTRACK_RESYNC_REREAD;
	/* Pairs with the barrier in kwt_set_forget(). */
	smp_rmb();
	if (!test_bit(bit, span->tracked))
		return KVM_WTRACK_RESYNC_REMOVED;
	return kwt_chunk_absent(span->chunk, bit) ? KVM_WTRACK_RESYNC_ABSENT :
						    KVM_WTRACK_RESYNC_DISARMED;
}

/*
 * Fetch and clear the bits of one span, which is freed if none is left. What
 * does not fit stays set, and so does all that may have been set since the ring
 * was closed again: it is for the new RESYNC record, behind records that the
 * reader has yet to see. Returns how many of @room ranges are used now. Under
 * the VM's lock.
 */
u32 kwt_resync_fetch(struct kwt_set *set, struct kwt_span *span,
		     struct kvm_wtrack_resync_range *range, u32 used, u32 room)
{
	u32 bit;

	for_each_set_bit(bit, span->resync, KWT_CHUNK_PAGES) {
		/* Before the caller's look at the page: a full barrier. */
		test_and_clear_bit(bit, span->resync);
		if (kwt_ring_closed(span->ring) ||
		    !put_gfn(range, &used, room, kwt_span_gfn(span, bit),
			     what_of(span, bit))) {
			set_bit(bit, span->resync);
			break;
		}
	}
	kwt_span_put(set, span);
	return used;
}
