// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 3 of 5: a record into a session's ring.
 *
 * Many producers, the vCPUs, reserve places with one cmpxchg of head and
 * publish each record by itself through its seq; there is no other producer
 * index, and none that user space could write. The reader's pos is taken for
 * what it is: a claim by somebody who can only hurt himself with it. Whatever
 * it says, a record goes to a place inside of the ring; when it says nonsense
 * the ring counts as full.
 *
 *	head	next place, and whether the ring is closed: one word, so that
 *		no record can get behind the RESYNC record that closes it
 *	pos	places released by the reader, in the page that it may write
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "trace.h"
#include "track.h"

static u64 head_pos(u64 head)
{
	return head & ~KWT_RING_CLOSED;
}

/* Records published or about to be. */
u64 kwt_ring_head(const struct kwt_ring *ring)
{
	return head_pos(READ_ONCE(ring->head));
}

static struct kvm_wtrack_record *record_at(const struct kwt_ring *ring, u64 pos)
{
	return &ring->records[pos & ring->mask];
}

/* Has the record at pos been published, and not been overwritten? */
bool kwt_ring_published(const struct kwt_ring *ring, u64 pos)
{
	/* Pairs with the store-release in publish(). */
	return smp_load_acquire(&record_at(ring, pos)->seq) == pos + 1;
}

/*
 * Reserve @nr places. A closed ring has a head that is far ahead of any pos
 * and so is full like any other.
 */
static bool reserve(struct kwt_ring *ring, u32 nr, u64 *pos)
{
	u32 room = ring->mask + 1 - KWT_RING_SPARE - nr;
	u64 head = READ_ONCE(ring->head);

	do {
		/*
		 * Pairs with the reader's store-release: it has read the
		 * places that it gives back.
		 */
		if (head - smp_load_acquire(&ring->consumer->pos) > room)
			return false;
	} while (!try_cmpxchg(&ring->head, &head, head + nr));

	*pos = head;
	return true;
}

static void publish(struct kvm_wtrack_record *record, u64 pos)
{
	/* Pairs with the reader's load-acquire of seq. */
	smp_store_release(&record->seq, pos + 1);
}

static void wake(struct kwt_ring *ring, bool urgent)
{
	/* Pairs with the barrier between going to sleep and looking again. */
	smp_mb();
	if (unlikely(READ_ONCE(ring->sleepers)))
		kwt_wake(ring, urgent);
}

static void fill_data(u8 *to, const u8 *from, u32 len)
{
	memset(to, 0, KVM_WTRACK_DATA_BYTES);
	switch (len) {
	case 8:
		memcpy(to, from, 8);
		break;
	case 4:
		memcpy(to, from, 4);
		break;
	default:
		memcpy(to, from, len);
	}
}

static void fill(struct kvm_wtrack_record *record,
		 const struct kwt_write *write, u32 offset, u8 flags)
{
	u32 len = min_t(u32, write->len - offset, KVM_WTRACK_DATA_BYTES);

	record->type = KVM_WTRACK_RECORD_WRITE;
	record->flags = write->flags | flags;
	record->vcpu = write->vcpu;
	record->len = len;
	record->total = write->len;
	record->gpa = write->gpa + offset;
	record->time_ns = write->time_ns;
	record->rip = 0;
	fill_data(record->data, write->data + offset, len);
}

static void write_parts(struct kwt_ring *ring, const struct kwt_write *write,
			u64 pos, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++, pos++) {
		struct kvm_wtrack_record *record = record_at(ring, pos);

		fill(record, write, i * KVM_WTRACK_DATA_BYTES,
		     i + 1 < nr ? KVM_WTRACK_RECORD_F_MORE : 0);
		publish(record, pos);
	}
}

/*
 * Publish a store. Returns false when there is no room for all of it; then
 * nothing was published. With @last, the caller has the claim of a coalescing
 * session on the gfn: one record, of the first bytes.
 */
bool kwt_ring_write(struct kwt_ring *ring, const struct kwt_write *write,
		    u64 *last)
{
	struct kvm_wtrack_record *record;
	u32 nr = 1;
	u64 pos;

	if (unlikely(write->len > KVM_WTRACK_DATA_BYTES) && !last)
		nr = DIV_ROUND_UP(write->len, KVM_WTRACK_DATA_BYTES);
	if (unlikely(!reserve(ring, nr, &pos)))
		return false;
	if (likely(nr == 1)) {
		record = record_at(ring, pos);
		fill(record, write, 0, last ? KVM_WTRACK_RECORD_F_PAGE : 0);
		/*
		 * Ends the claim before the reader can release the record:
		 * the store of seq below is a release.
		 */
		if (last)
			WRITE_ONCE(*last, pos + 1);
		publish(record, pos);
	} else {
		write_parts(ring, write, pos, nr);
	}
	trace_kvm_wtrack_ring(ring->id, pos + 1, write->gpa, write->len);
	wake(ring, false);
	return true;
}

static void control(struct kwt_ring *ring, u64 pos, u8 type, u64 gpa,
		    u64 nr_pages, u64 nr_tracked, u64 time_ns)
{
	struct kvm_wtrack_record *record = record_at(ring, pos);

	record->type = type;
	record->flags = 0;
	record->vcpu = 0;
	record->len = 0;
	record->total = 0;
	record->gpa = gpa;
	record->time_ns = time_ns;
	record->rip = 0;
	memset(record->data, 0, sizeof(record->data));
	record->region.nr_pages = nr_pages;
	record->region.nr_tracked = nr_tracked;
	WRITE_ONCE(ring->urgent, pos + 1);
	publish(record, pos);
	wake(ring, true);
}

/*
 * Close the ring behind a RESYNC record, for which a place is spare. Returns
 * false if it was closed before: the RESYNC record is there or about to be.
 */
bool kwt_ring_close(struct kwt_ring *ring, u64 time_ns)
{
	u64 head = READ_ONCE(ring->head);

	do {
		if (head & KWT_RING_CLOSED)
			return false;
	} while (!try_cmpxchg(&ring->head, &head, (head + 1) | KWT_RING_CLOSED));

	atomic64_inc(&ring->overflows);
	control(ring, head, KVM_WTRACK_RECORD_RESYNC, 0, 0, 0, time_ns);
	return true;
}

/*
 * Open a closed ring again, once the reader has released all of it up to the
 * RESYNC record: what is re-read must not be older than a record before it.
 * Returns false as long as it has not. Under the VM's lock.
 */
bool kwt_ring_reopen(struct kwt_ring *ring)
{
	u64 head = READ_ONCE(ring->head);
	u64 behind = ring->gone ? 1 : 0;

	if (!(head & KWT_RING_CLOSED))
		return true;
	if (head_pos(head) - READ_ONCE(ring->consumer->pos) > behind)
		return false;
	/*
	 * A full barrier between opening and the caller's sweep of the resync
	 * bits. Pairs with the one in kwt_resync_mark(): who sets a bit after
	 * the sweep finds the ring open and closes it again.
	 */
	while (!try_cmpxchg(&ring->head, &head, head_pos(head)))
		;
	return true;
}

/* Returns false when there is no room. Under the VM's lock. */
bool kwt_ring_region(struct kwt_ring *ring, u64 gfn, u64 nr_pages,
		     u64 nr_tracked, u64 time_ns)
{
	u64 pos;

	if (!reserve(ring, 1, &pos))
		return false;
	control(ring, pos, KVM_WTRACK_RECORD_REGION_REMOVED,
		gfn << KWT_PAGE_SHIFT, nr_pages, nr_tracked, time_ns);
	return true;
}

/* The last record, for which a place is spare. Under the VM's lock, once. */
void kwt_ring_gone(struct kwt_ring *ring, u64 time_ns)
{
	u64 head = READ_ONCE(ring->head);

	while (!try_cmpxchg(&ring->head, &head, head + 1))
		;
	WRITE_ONCE(ring->gone, true);
	control(ring, head_pos(head), KVM_WTRACK_RECORD_VM_GONE, 0, 0, 0,
		time_ns);
}

/*
 * Records that the reader has not released, published or about to be, and the
 * position of the first of them. -EIO if its pos is not in the ring.
 */
int kwt_ring_unread(const struct kwt_ring *ring, u64 *pos)
{
	u64 at = READ_ONCE(ring->consumer->pos);
	u64 unread = kwt_ring_head(ring) - at;

	if (unread > ring->mask + 1)
		return -EIO;
	*pos = at;
	return unread;
}
