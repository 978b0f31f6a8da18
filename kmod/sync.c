// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPUs that wait for the reader of a synchronous session.
 *
 * The write hook publishes the record, ends what fences wait for, enables
 * preemption, and sleeps here. It holds none of this module's locks then. It is
 * deep in KVM_RUN: KVM holds vcpu->mutex, kvm->srcu and the srcu of its page
 * tracking, as in a page fault that waits for memory. A thread that waits for
 * one of these, for example to change a memslot, waits for the vCPU. So the
 * time has a bound, KWT_MAX_SYNC_NS. It covers all that a vCPU waits within one
 * such section of KVM, that is, between two entries of the guest: for all
 * sessions that track the page, and for each element of a string instruction,
 * of which KVM emulates up to 1,024 in a row.
 *
 * A reader that has let a vCPU wait for all of its time is late. No vCPU waits
 * for it until it is in step, that is, until a store comes when it has released
 * all earlier records. Records for which no vCPU waits have the flag F_ASYNC.
 *
 * The wait and its end:
 *
 *	the vCPU	says that it waits, in sync->waiters and consumer->waiters,
 *			then looks whether it has to
 *	the reader	releases, then looks at consumer->waiters, and calls RELEASE
 *	RELEASE		looks at consumer->pos, and wakes those in sync->waiters
 *
 * The module never reads consumer->waiters, because the reader can write to it.
 */
#include <linux/hrtimer.h>
#include <linux/kvm_host.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "ring.h"
#include "vcpu.h"

/* The kernel may wake so much later, to serve several timers at once. */
#define SLACK_NS	(50 * NSEC_PER_USEC)

static bool record_is_released(const struct kwt_ring *ring, u64 seq)
{
	return READ_ONCE(ring->consumer->pos) >= seq;
}

/* Is there no reason to wait any more? */
static bool wait_is_over(const struct kwt_sync_wait *wait)
{
	const struct kwt_ring *ring = wait->ring;

	return record_is_released(ring, wait->seq) ||
	       READ_ONCE(ring->sync.late) || READ_ONCE(ring->sync.closed);
}

/*
 * Is the reader late? Called before a record is published. Two vCPUs may find
 * at the same time that the reader is in step, and it may be late again at
 * once: both answers are right.
 */
static bool reader_is_late(struct kwt_ring *ring)
{
	if (likely(!READ_ONCE(ring->sync.late)))
		return false;
	if (READ_ONCE(ring->consumer->pos) < kwt_ring_head(ring))
		return true;
	WRITE_ONCE(ring->sync.late, false);
	return false;
}

/* The time until KVM has to leave its read side. Runs in the vCPU's thread. */
static u64 wait_time_left(struct kwt_vcpu *vcpu)
{
	u64 exits = vcpu->vcpu->stat.exits;

	if (vcpu->waited_exits != exits) {
		vcpu->waited_exits = exits;
		vcpu->waited_ns = 0;
	}
	return vcpu->waited_ns < KWT_MAX_SYNC_NS ?
	       KWT_MAX_SYNC_NS - vcpu->waited_ns : 0;
}

/*
 * A record is about to be published in the ring of a synchronous session.
 * Returns the flag that says that the vCPU will not wait for it, or 0. Runs in
 * the vCPU's thread with preemption disabled; @vcpu may be NULL.
 */
u32 kwt_sync_flag(struct kwt_ring *ring, struct kwt_vcpu *vcpu)
{
	/* Pairs with the release in vcpu_make_wait(). */
	if (likely(vcpu && smp_load_acquire(&vcpu->waits) &&
		   wait_time_left(vcpu) && !reader_is_late(ring)))
		return 0;
	return KVM_WTRACK_RECORD_F_ASYNC;
}

/*
 * Take references, so that the rings stay whatever happens to their sessions.
 * Preemption is still disabled.
 *
 * KVM has made the store and does not handle the fault any more. So a thread
 * that arms the page need not wait for this vCPU, and must not, since it may be
 * the reader for which the vCPU waits.
 */
void kwt_sync_begin(struct kwt_vcpu *vcpu)
{
	struct kwt_sync_waits *waits = vcpu->waits;
	u32 i, nr = 0;

	/* Leave out a session that is about to be freed: it is closed. */
	for (i = 0; i < waits->nr; i++)
		if (kwt_ring_get(waits->wait[i].ring))
			waits->wait[nr++] = waits->wait[i];
	waits->nr = nr;
	/* A store without a notification gets its record at the next entry. */
	if (READ_ONCE(vcpu->told) == KWT_TOLD)
		/* Pairs with the acquire in kwt_vcpus_store_to(). */
		smp_store_release(&vcpu->waiting, false);
}

static void waiter_add(struct kwt_sync_wait *wait)
{
	struct kwt_ring *ring = wait->ring;
	struct kwt_sync *sync = &ring->sync;

	wait->task = current;
	spin_lock(&sync->lock);
	list_add_tail(&wait->in_ring, &sync->waiters);
	WRITE_ONCE(ring->consumer->waiters, ++sync->nr);
	spin_unlock(&sync->lock);
	atomic64_inc(&sync->waits);
}

static void waiter_remove(struct kwt_sync_wait *wait)
{
	struct kwt_ring *ring = wait->ring;
	struct kwt_sync *sync = &ring->sync;

	spin_lock(&sync->lock);
	list_del(&wait->in_ring);
	WRITE_ONCE(ring->consumer->waiters, --sync->nr);
	spin_unlock(&sync->lock);
}

/* Wake the vCPUs that have no reason to wait for this ring any more. */
void kwt_sync_wake(struct kwt_ring *ring)
{
	struct kwt_sync *sync = &ring->sync;
	struct kwt_sync_wait *wait;

	spin_lock(&sync->lock);
	list_for_each_entry(wait, &sync->waiters, in_ring)
		if (wait_is_over(wait))
			wake_up_process(wait->task);
	spin_unlock(&sync->lock);
}

/*
 * Count the vCPUs that wait, and those of them in whose thread a signal is
 * pending: such a thread leaves KVM_RUN before the guest's next instruction,
 * and its process stops if the signal says so.
 */
void kwt_sync_look(struct kwt_ring *ring, u32 *waiters, u32 *signalled)
{
	struct kwt_sync *sync = &ring->sync;
	struct kwt_sync_wait *wait;

	*waiters = 0;
	*signalled = 0;
	spin_lock(&sync->lock);
	list_for_each_entry(wait, &sync->waiters, in_ring) {
		if (wait_is_over(wait))
			continue;
		++*waiters;
		*signalled += task_sigpending(wait->task);
	}
	spin_unlock(&sync->lock);
}

/* When the first reader for which the vCPU waits is late, or NOBODY. */
#define NOBODY	U64_MAX

static u64 next_deadline(const struct kwt_sync_waits *waits)
{
	u64 end = NOBODY;
	u32 i;

	for (i = 0; i < waits->nr; i++)
		if (!waits->wait[i].in_vain && !wait_is_over(&waits->wait[i]))
			end = min_t(u64, end, waits->wait[i].end);
	return end;
}

/*
 * The time of this waiter is over, and so is that of the others in the ring.
 * The vCPU does not wait for this reader again for this store, whatever @late
 * becomes: @late is for the next store, and the reader and other vCPUs change
 * it.
 */
static void readers_are_late(struct kwt_sync_waits *waits, u64 now)
{
	u32 i;

	for (i = 0; i < waits->nr; i++) {
		struct kwt_sync_wait *wait = &waits->wait[i];

		if (wait->end > now || wait->in_vain || wait_is_over(wait))
			continue;
		wait->in_vain = true;
		atomic64_inc(&wait->ring->sync.timeouts);
		WRITE_ONCE(wait->ring->sync.late, true);
		kwt_sync_wake(wait->ring);
	}
}

/*
 * Wait until each reader has released its record or is late, or the thread is
 * killed.
 */
static void wait_for_readers(struct kwt_sync_waits *waits)
{
	ktime_t expires;
	u64 end;

	for (;;) {
		/*
		 * A full barrier between the note that this vCPU waits and the
		 * look at the ring. Pairs with the reader's exchange of
		 * consumer->pos, after which it looks whether a vCPU waits. A
		 * thread that wakes this one has changed what wait_is_over()
		 * reads before, and finds this thread in the list.
		 */
		set_current_state(TASK_KILLABLE);
		end = next_deadline(waits);
		if (end == NOBODY || fatal_signal_pending(current))
			break;
		expires = ns_to_ktime(end);
		if (!schedule_hrtimeout_range(&expires, SLACK_NS,
					      HRTIMER_MODE_ABS))
			readers_are_late(waits, end);
	}
	__set_current_state(TASK_RUNNING);
}

/*
 * All rings show at once that the vCPU waits, and its times in them begin
 * together, so that all of them take no longer than the longest. May sleep.
 * Drops the references to the rings.
 */
void kwt_sync_wait(struct kwt_vcpu *vcpu)
{
	struct kwt_sync_waits *waits = vcpu->waits;
	u64 start = ktime_get_ns(), left = wait_time_left(vcpu);
	u32 i, nr = 0;

	might_sleep();
	for (i = 0; i < waits->nr; i++) {
		struct kwt_sync_wait *wait = &waits->wait[i];

		if (wait_is_over(wait)) {
			kwt_ring_put(wait->ring);
			continue;
		}
		waits->wait[nr] = *wait;
		wait = &waits->wait[nr++];
		wait->end = start +
			    min_t(u64, READ_ONCE(wait->ring->sync.ns), left);
		wait->in_vain = false;
		waiter_add(wait);
	}
	waits->nr = nr;
	if (nr)
		wait_for_readers(waits);
	for (i = 0; i < nr; i++) {
		waiter_remove(&waits->wait[i]);
		kwt_ring_put(waits->wait[i].ring);
	}
	waits->nr = 0;
	vcpu->waited_ns += ktime_get_ns() - start;
}

/*
 * No vCPU waits for this ring any more: the session is closed or ended, or its
 * VM is gone.
 */
void kwt_sync_close(struct kwt_ring *ring)
{
	WRITE_ONCE(ring->sync.closed, true);
	kwt_sync_wake(ring);
}

void kwt_sync_init(struct kwt_ring *ring)
{
	spin_lock_init(&ring->sync.lock);
	INIT_LIST_HEAD(&ring->sync.waiters);
}
