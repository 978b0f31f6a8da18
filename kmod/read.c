// SPDX-License-Identifier: GPL-2.0-only
/*
 * read(2): whole records, for those who do not want to map the ring. It is a
 * reader like any other and moves the same pos.
 */
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "kwt.h"

/* Copy what is published, at most @room records; returns how many. */
static int copy_records(struct kwt_ring *ring, char __user *buf, size_t room)
{
	const size_t bytes = sizeof(struct kvm_wtrack_record);
	struct kvm_wtrack_record record;
	int unread, n = 0;
	u64 pos;

	unread = kwt_ring_unread(ring, &pos);
	if (unread < 0)
		return unread;
	for (; n < unread && n < room && kwt_ring_published(ring, pos + n); n++) {
		record = ring->records[(pos + n) & ring->mask];
		if (copy_to_user(buf + n * bytes, &record, bytes))
			break;
	}
	if (!n)
		return unread && kwt_ring_published(ring, pos) ? -EFAULT : 0;
	/* Pairs with the acquire in kwt_ring_reserve(): the places are free again. */
	smp_store_release(&ring->consumer->pos, pos + n);
	/*
	 * A coalescing reader looks at the page next: see coalesce_claim(). And
	 * between the release and the look for those who wait, see sync.c.
	 */
	smp_mb();
	if (ring->synchronous)
		kwt_sync_wake(ring);
	return n;
}

static bool at_end(struct kwt_ring *ring)
{
	u64 pos;

	return kwt_ring_is_over(ring) && !kwt_ring_unread(ring, &pos);
}

/* Bytes, 0 at the end: nothing follows, and everything was read. */
ssize_t kwt_read(struct kwt_session *session, char __user *buf, size_t count,
		 bool nonblock)
{
	struct kwt_ring *ring = &session->ring;
	size_t room = count / sizeof(struct kvm_wtrack_record);
	int n;

	n = kwt_ring_check(session);
	if (n)
		return n;
	if (!room)
		return -EINVAL;
	for (;;) {
		if (mutex_lock_interruptible(&session->read_lock))
			return -EINTR;
		n = copy_records(ring, buf, room);
		mutex_unlock(&session->read_lock);
		if (n || at_end(ring))
			break;
		if (nonblock)
			return -EAGAIN;
		if (signal_pending(current) ||
		    wait_event_interruptible(session->waitq,
					     kwt_wake_arm(session)))
			return -EINTR;
	}
	return n < 0 ? n : n * sizeof(struct kvm_wtrack_record);
}
