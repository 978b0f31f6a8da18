// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 3 of 5: publish a record in a session's ring, or put the gfn into the
 * resync set when the ring is full.
 *
 * The producers are the vCPUs. They reserve places with one cmpxchg of head,
 * and publish each record by its seq. There is no other producer index, and
 * none that user space can write. The reader's pos is not trusted, and a wrong
 * one harms only its reader: whatever its value, a record goes to a place
 * inside of the ring, and a value that makes no sense counts as a full ring.
 *
 *	head	next place, and whether the ring is closed: one word, so that
 *		no record can get behind the RESYNC record that closes it
 *	pos	places released by the reader, in the page that it may write
 *
 * Preemption is disabled from the reservation of a place until it is filled,
 * because no reader gets the records after it before, and a fence waits for it:
 * see fence.h.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "fence.h"
#include "ring.h"
#include "trace.h"
#include "track.h"

static u64 head_pos(u64 head)
{
	return head & ~KWT_RING_CLOSED;
}

/* The number of records that are published or reserved. */
u64 kwt_ring_head(const struct kwt_ring *ring)
{
	return head_pos(READ_ONCE(ring->head));
}

bool kwt_ring_closed(const struct kwt_ring *ring)
{
	return READ_ONCE(ring->head) & KWT_RING_CLOSED;
}

/* Has the record at pos been published, and not been overwritten? */
bool kwt_ring_published(const struct kwt_ring *ring, u64 pos)
{
	/* Pairs with the store-release in kwt_ring_publish(). */
	return smp_load_acquire(&kwt_ring_at(ring, pos)->seq) == pos + 1;
}

/*
 * Publish a store that is longer than one record, in parts. Returns the
 * sequence number of the last part, or 0 when there is no room for all parts or
 * the gfn is not observed; then nothing was published. @record has the fields
 * that are the same in all parts.
 */
u64 kwt_ring_put_parts(const struct kwt_span *span, u64 bit,
		       struct kvm_wtrack_record *record, const u8 *data,
		       u64 arming_nr)
{
	struct kwt_ring *ring = span->ring;
	u32 left = record->total;
	u32 nr = DIV_ROUND_UP(left, KVM_WTRACK_DATA_BYTES);
	u64 pos;

	if (nr > ring->room || !kwt_ring_reserve_any(span, bit, nr, &pos))
		return 0;
	record->flags |= kwt_stale_flag(span->chunk, arming_nr);
	for (; left; left -= record->len, pos++) {
		record->gpa += record->total - left ? record->len : 0;
		record->len = min_t(u32, left, KVM_WTRACK_DATA_BYTES);
		record->flags &= ~KVM_WTRACK_RECORD_F_MORE;
		if (left > record->len)
			record->flags |= KVM_WTRACK_RECORD_F_MORE;
		memset(record->data, 0, sizeof(record->data));
		memcpy(record->data, data + record->total - left, record->len);
		kwt_ring_fill(kwt_ring_at(ring, pos), record);
		kwt_ring_publish(kwt_ring_at(ring, pos), pos);
	}
	trace_kvm_wtrack_ring(ring->id, pos, record->gpa, record->total);
	kwt_ring_wake(ring, false);
	return pos;
}

/*
 * A fence waits for what happens from here to publish_end(), or for the hook
 * that the caller is in.
 */
static bool publish_begin(const struct kwt_ring *ring)
{
	preempt_disable();
	return kwt_flight_join(ring->vm);
}

static void publish_end(bool began)
{
	kwt_flight_leave(began);
	preempt_enable();
}

static void publish_control(struct kwt_ring *ring, u64 pos,
			    const struct kvm_wtrack_record *record)
{
	kwt_ring_fill(kwt_ring_at(ring, pos), record);
	WRITE_ONCE(ring->urgent, pos + 1);
	kwt_ring_publish(kwt_ring_at(ring, pos), pos);
	kwt_ring_wake(ring, true);
}

/*
 * Close the ring after a RESYNC record, for which a place is kept free. Returns
 * false if the ring was closed already: then its RESYNC record is published or
 * about to be.
 */
bool kwt_ring_close(struct kwt_ring *ring, u64 time_ns)
{
	const struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_RESYNC,
		.time_ns = time_ns,
	};
	u64 head = READ_ONCE(ring->head);
	bool closed = false, began;

	began = publish_begin(ring);
	while (!closed && !(head & KWT_RING_CLOSED))
		closed = try_cmpxchg(&ring->head, &head,
				     (head + 1) | KWT_RING_CLOSED);
	if (closed) {
		atomic64_inc(&ring->overflows);
		publish_control(ring, head, &record);
	}
	publish_end(began);
	return closed;
}

/*
 * Open a closed ring again, once the reader has released all of it up to the
 * RESYNC record: the contents that it reads then must not be older than a
 * record that it reads later. Returns false while it has not. The caller holds
 * the VM's lock.
 */
bool kwt_ring_reopen(struct kwt_ring *ring)
{
	u64 head = READ_ONCE(ring->head);
	u64 behind = kwt_ring_is_over(ring) ? 1 : 0;

	if (!(head & KWT_RING_CLOSED))
		return true;
	if (head_pos(head) - READ_ONCE(ring->consumer->pos) > behind)
		return false;
	/*
	 * The cmpxchg is a full barrier between opening and the caller's sweep
	 * of the resync bits. Pairs with the one in kwt_resync_mark(): a thread
	 * that sets a bit after the sweep finds the ring open and closes it
	 * again.
	 */
	while (!try_cmpxchg(&ring->head, &head, head_pos(head)))
		;
	return true;
}

/*
 * Publish a record REGION_REMOVED. Returns false when there is no room. The
 * caller holds the VM's lock.
 */
bool kwt_ring_region(struct kwt_ring *ring, u64 gfn, u64 nr_pages,
		     u64 nr_tracked, u64 time_ns)
{
	const struct kvm_wtrack_record record = {
		.type = KVM_WTRACK_RECORD_REGION_REMOVED,
		.gpa = gfn << KWT_PAGE_SHIFT,
		.time_ns = time_ns,
		.region = { .nr_pages = nr_pages, .nr_tracked = nr_tracked },
	};
	bool room, began;
	u64 pos;

	began = publish_begin(ring);
	room = kwt_ring_reserve(ring, 1, &pos);
	if (room)
		publish_control(ring, pos, &record);
	publish_end(began);
	return room;
}

/*
 * Publish a record of the guard. Returns false when there is no room, or when a
 * record CHANGED is about a gfn that is not observed. Stores after the place of
 * REARMED have records; of stores without one, the reader of REARMED finds all
 * in memory. See kwt_ring_reserve_for().
 */
bool kwt_ring_guard(struct kwt_span *span, u32 bit,
		    const struct kvm_wtrack_record *record)
{
	u32 action = record->guard.action;
	struct kvm_wtrack_record own = *record;
	struct kwt_ring *ring = span->ring;
	bool room, began;
	u64 pos;

	kwt_ring_withhold(ring, &own);
	began = publish_begin(ring);
	if (action == KVM_WTRACK_GUARD_CHANGED &&
	    !(record->flags & KVM_WTRACK_RECORD_F_ONCE))
		room = kwt_ring_reserve_for(span, bit, 1, &pos);
	else
		room = kwt_ring_reserve(ring, 1, &pos);
	if (action == KVM_WTRACK_GUARD_REARMED) {
		/*
		 * No record of a store to the page may precede REARMED or
		 * RESYNC.
		 */
		if (!room && kwt_ring_close(ring, record->time_ns))
			kwt_notice_overflow(ring);
		set_bit(bit, span->observed);
		/* Pairs with the barrier in kwt_span_observes(). */
		smp_mb__after_atomic();
	}
	if (room) {
		kwt_ring_fill(kwt_ring_at(ring, pos), &own);
		kwt_ring_publish(kwt_ring_at(ring, pos), pos);
		kwt_ring_wake(ring, false);
	}
	publish_end(began);
	return room;
}

/* Was the last record published? */
bool kwt_ring_is_over(const struct kwt_ring *ring)
{
	return READ_ONCE(ring->gone) || READ_ONCE(ring->ended);
}

/*
 * Publish the last record of a ring, for which a place is kept free. Called
 * once; the caller holds the VM's lock.
 */
static void publish_last(struct kwt_ring *ring, u8 type, bool *over, u64 time_ns)
{
	const struct kvm_wtrack_record record = {
		.type = type,
		.time_ns = time_ns,
	};
	u64 head = READ_ONCE(ring->head);
	bool began;

	began = publish_begin(ring);
	while (!try_cmpxchg(&ring->head, &head, head + 1))
		;
	WRITE_ONCE(*over, true);
	publish_control(ring, head_pos(head), &record);
	publish_end(began);
}

void kwt_ring_gone(struct kwt_ring *ring, u64 time_ns)
{
	publish_last(ring, KVM_WTRACK_RECORD_VM_GONE, &ring->gone, time_ns);
}

/*
 * Publish ENDED. Nothing is tracked any more, and no hook is running that found
 * a gfn tracked.
 */
void kwt_ring_end(struct kwt_ring *ring, u64 time_ns)
{
	publish_last(ring, KVM_WTRACK_RECORD_ENDED, &ring->ended, time_ns);
}

/*
 * Returns the number of records that the reader has not released, published or
 * about to be; *@pos becomes the position of the first. Returns -EIO if the
 * reader's pos is not in the ring.
 */
int kwt_ring_unread(const struct kwt_ring *ring, u64 *pos)
{
	u64 at = READ_ONCE(ring->consumer->pos);
	u64 head = kwt_ring_head(ring);

	if (at > head || head - at > ring->mask + 1)
		return -EIO;
	*pos = at;
	return head - at;
}

/*
 * The resync set: gfns of stores for which the ring had no room.
 *
 * It loses nothing, because the notification follows the store. A store is in
 * memory before its bit is set; the reader fetches the bit, then reads the
 * page. A store that is not in what it read sets the bit again later, or gets a
 * record.
 */

/*
 * Set a gfn's bit, and make sure that the reader will fetch it: a bit is set
 * only after a RESYNC record, which is unread or whose sweep is still to come.
 * If the reader has opened the ring in between, close it again.
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

/* As kwt_resync_mark(), for all gfns of a bitmap. */
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
		/* Pairs with the full barrier of kwt_ring_reopen(). */
		smp_mb__after_atomic();
	} while (!kwt_ring_closed(span->ring));
}

/* Mark the gfn of a store for which the ring had no room. */
void kwt_resync_write(struct kwt_span *span, u32 bit, u64 time_ns)
{
	atomic64_inc(&span->ring->resync_writes);
	kwt_resync_mark(span, bit, time_ns);
}

/*
 * Add a gfn to the last range, or to a new one. Returns false when there is no
 * room.
 */
static bool put_resync_gfn(struct kvm_wtrack_resync_range *range, u32 *used,
			   u32 room, u64 gfn, u32 what)
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

static u32 resync_what(const struct kwt_span *span, u32 bit)
{
	/*
	 * This look follows the clearing of the resync bit: a later arming sets
	 * that bit again.
	 */
	if (test_bit(bit, span->observed))
		return KVM_WTRACK_RESYNC_REREAD;
	/* Pairs with the barrier in kwt_span_forget(). */
	smp_rmb();
	if (!test_bit(bit, span->tracked))
		return KVM_WTRACK_RESYNC_REMOVED;
	return kwt_chunk_absent(span->chunk, bit) ? KVM_WTRACK_RESYNC_ABSENT :
						    KVM_WTRACK_RESYNC_DISARMED;
}

/*
 * Fetch and clear the bits of one span, which is freed if none is left. Bits
 * that do not fit stay set, and so do bits that may have been set since the
 * ring was closed again: they belong to the new RESYNC record, which follows
 * records that the reader has not seen yet. Returns how many of @room ranges
 * are used now. The caller holds the VM's lock.
 */
u32 kwt_resync_fetch(struct kwt_set *set, struct kwt_span *span,
		     struct kvm_wtrack_resync_range *range, u32 used, u32 room)
{
	u32 bit;

	for_each_set_bit(bit, span->resync, KWT_CHUNK_PAGES) {
		/* A full barrier before the reader's look at the page. */
		test_and_clear_bit(bit, span->resync);
		if (kwt_ring_closed(span->ring) ||
		    !put_resync_gfn(range, &used, room, kwt_span_gfn(span, bit),
				    resync_what(span, bit))) {
			set_bit(bit, span->resync);
			break;
		}
	}
	kwt_span_put(set, span);
	return used;
}
