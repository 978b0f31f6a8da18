// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waking readers that sleep, and other things that a ring needs of its session.
 * ring.c and this file know each other: together they bring a record to a
 * reader.
 *
 * ring->sleepers says what a write hook has to do after it has published a
 * record:
 *
 *	AWAKE	nothing: no reader sleeps, or one is about to be woken
 *	ARMED	wake, if the watermark is reached; otherwise start the timer of
 *		the latency, once
 *	TIMED	wake, if the watermark is reached; the timer runs
 *
 * A reader sets ARMED, looks at the ring once more, then sleeps. Waking takes
 * the wait queue's lock, so an irq_work does it: the hook may queue one with
 * preemption disabled on any kind of kernel, and does so once for each sleep.
 */
#include <linux/ktime.h>

#include "kwt.h"
#include "sync.h"

enum { AWAKE, ARMED, TIMED };

static struct kwt_session *ring_session(struct kwt_ring *ring)
{
	return container_of(ring, struct kwt_session, ring);
}

static bool enough_to_wake(struct kwt_session *session, bool urgent)
{
	u32 watermark = READ_ONCE(session->watermark);
	u64 pos;

	if (urgent || watermark <= 1 || kwt_sync_is_awaited(&session->ring))
		return true;
	/* On an error wake the reader, which then gets it. */
	return (u32)kwt_ring_unread(&session->ring, &pos) >= watermark;
}

static void start_timer(struct kwt_session *session, u64 ns)
{
	if (cmpxchg(&session->ring.sleepers, ARMED, TIMED) == ARMED)
		hrtimer_start(&session->timer, ns_to_ktime(ns),
			      HRTIMER_MODE_REL);
}

/*
 * The time until the oldest unread record has the age of the latency, or 0 if
 * it has.
 */
static u64 latency_left(struct kwt_session *session)
{
	const struct kwt_ring *ring = &session->ring;
	u64 latency_ns = READ_ONCE(session->latency_ns);
	u64 pos, now = ktime_get_ns(), end = now + latency_ns;

	if (kwt_ring_unread(ring, &pos) > 0 && kwt_ring_published(ring, pos))
		end = ring->records[pos & ring->mask].time_ns + latency_ns;
	return end > now ? end - now : 0;
}

/*
 * Wake a reader or start its timer. Called after a record was published and
 * sleepers were found.
 */
void kwt_wake(struct kwt_ring *ring, bool urgent)
{
	struct kwt_session *session = ring_session(ring);

	if (!enough_to_wake(session, urgent))
		start_timer(session, latency_left(session));
	else if (xchg(&ring->sleepers, AWAKE) != AWAKE)
		irq_work_queue(&session->wake_work);
}

static void wake_up_readers(struct irq_work *work)
{
	struct kwt_session *session =
		container_of(work, struct kwt_session, wake_work);

	atomic64_inc(&session->wakeups);
	wake_up_interruptible_poll(&session->waitq, EPOLLIN | EPOLLRDNORM |
				   (kwt_ring_is_over(&session->ring) ?
				    EPOLLHUP : 0));
}

static enum hrtimer_restart latency_over(struct hrtimer *timer)
{
	struct kwt_session *session =
		container_of(timer, struct kwt_session, timer);

	if (xchg(&session->ring.sleepers, AWAKE) != AWAKE)
		wake_up_readers(&session->wake_work);
	return HRTIMER_NORESTART;
}

/*
 * The oldest unread record is published: are there enough records to wake the
 * reader, or is the oldest one old enough?
 */
static bool ripe_to_wake(struct kwt_session *session, u64 pos)
{
	struct kwt_ring *ring = &session->ring;
	u64 left;

	if (enough_to_wake(session, READ_ONCE(ring->urgent) > pos))
		return true;
	left = latency_left(session);
	if (left)
		start_timer(session, left);
	return !left;
}

/*
 * Called before a reader sleeps: have the next record wake it. Returns whether
 * there is something to read already. Also used by poll(2), whose caller may
 * not return.
 */
bool kwt_wake_arm(struct kwt_session *session)
{
	struct kwt_ring *ring = &session->ring;
	u64 pos;
	int unread;

	WRITE_ONCE(ring->sleepers, ARMED);
	/*
	 * Pairs with the barrier in kwt_ring_wake(), between publishing and the
	 * look for sleepers.
	 */
	smp_mb();
	unread = kwt_ring_unread(ring, &pos);
	if (unread < 0)
		return true;
	return unread && kwt_ring_published(ring, pos) &&
	       ripe_to_wake(session, pos);
}

/*
 * Change when readers are woken. Readers that sleep by the old values are
 * woken, and sleep by the new ones. A write hook may read one old and one new
 * value.
 */
void kwt_wake_tune(struct kwt_session *session, u32 watermark, u64 latency_ns)
{
	WRITE_ONCE(session->latency_ns, latency_ns);
	WRITE_ONCE(session->watermark, watermark);
	/* Pairs with the barrier in kwt_wake_arm(). */
	smp_mb();
	if (xchg(&session->ring.sleepers, AWAKE) != AWAKE)
		irq_work_queue(&session->wake_work);
}

/*
 * Queue the notice of an overflow. Called by write hooks, which cannot
 * allocate.
 */
void kwt_notice_overflow(struct kwt_ring *ring)
{
	queue_work(kwt_wq, &ring_session(ring)->notice_work);
}

/*
 * Take a reference to the session for a vCPU that waits. It waits in a hook,
 * for which unregistering from KVM waits, and the module is not unloaded
 * before: rcu_barrier() in kwt_exit() waits for the work that dropping the last
 * reference queues. Returns false if the session is about to be freed.
 */
bool kwt_ring_get(struct kwt_ring *ring)
{
	return refcount_inc_not_zero(&ring_session(ring)->refs);
}

void kwt_ring_put(struct kwt_ring *ring)
{
	kwt_session_put(ring_session(ring));
}

void kwt_wake_init(struct kwt_session *session)
{
	init_waitqueue_head(&session->waitq);
	init_irq_work(&session->wake_work, wake_up_readers);
	kwt_hrtimer_setup(&session->timer, latency_over);
}

/* Neither a hook nor a reader is left. */
void kwt_wake_exit(struct kwt_session *session)
{
	irq_work_sync(&session->wake_work);
	hrtimer_cancel(&session->timer);
}
