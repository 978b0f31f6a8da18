// SPDX-License-Identifier: GPL-2.0-only
/*
 * vCPUs that wait for the reader of a synchronous session.
 *
 * The write hook publishes the record, ends what fences wait for, enables
 * preemption, and sleeps here. It holds none of this module's locks then. It is
 * deep in KVM_RUN: KVM holds vcpu->mutex, kvm->srcu and the srcu of its page
 * tracking, as in a page fault that waits for memory. Whoever waits for one of
 * these, such as whoever changes a memslot, waits for the vCPU. So the time has
 * a bound, KWT_MAX_SYNC_NS, which is one for all that a vCPU waits within one such
 * section of KVM's, that is, between two entries of the guest: for all sessions
 * that track the page, and for each element of a string instruction, of which KVM
 * emulates up to 1,024 in a row.
 *
 * A reader that has let a vCPU wait for all of its time is late, and nobody waits
 * for it any more until it is in step: until a store comes when it has released
 * all records of before. Records that no vCPU waits for say so.
 *
 * Who waits, and who ends it:
 *
 *	the vCPU	says that it waits, in sync->waiters and consumer->waiters,
 *			then looks whether it has to
 *	the reader	releases, then looks at consumer->waiters, and calls RELEASE
 *	RELEASE		looks at consumer->pos, and wakes those in sync->waiters
 *
 * Nothing is read from consumer->waiters here: it is the reader's to spoil.
 */
#include <linux/hrtimer.h>
#include <linux/kvm_host.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "ring.h"
#include "vcpu.h"

/* The kernel may take so much longer, to wake for several timers at once. */
#define SLACK_NS	(50 * NSEC_PER_USEC)

static bool record_is_released(const struct kwt_ring *ring, u64 seq)
{
	return READ_ONCE(ring->consumer->pos) >= seq;
}

/* Nothing of it needs to be waited for any more. */
static bool wait_is_over(const struct kwt_sync_wait *wait)
{
	const struct kwt_ring *ring = wait->ring;

	return record_is_released(ring, wait->seq) ||
	       READ_ONCE(ring->sync.late) || READ_ONCE(ring->sync.closed);
}

/*
 * Before a record is published. Two vCPUs may find at the same time that the
 * reader is in step, and it may be late again at once: both are true.
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

/* Until KVM has to get out of its read side. In the vCPU's thread. */
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
 * A record is about to be published in the ring of a synchronous session: the
 * flag that says that the vCPU will not wait for it, or 0. In the vCPU's thread,
 * preemption disabled; @vcpu may be NULL.
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
 * Preemption is still disabled: from here on the rings stay, whatever becomes of
 * their sessions.
 *
 * KVM does not handle the fault any more, it has made the store. Nobody who arms
 * the page waits for this vCPU: that may be the reader whom it waits for.
 */
void kwt_sync_begin(struct kwt_vcpu *vcpu)
{
	struct kwt_sync_waits *waits = vcpu->waits;
	u32 i, nr = 0;

	/* But not one that is about to be freed: it is closed. */
	for (i = 0; i < waits->nr; i++)
		if (kwt_ring_get(waits->wait[i].ring))
			waits->wait[nr++] = waits->wait[i];
	waits->nr = nr;
	/* What KVM may have stored without telling is told at the next entry. */
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

/* Those that have nothing to wait for in this ring any more look again. */
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
 * How many vCPUs wait, and in how many of their threads a signal is pending: such
 * a thread leaves KVM_RUN, and its process stops if that is what the signal is
 * for, before the guest's next instruction.
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

/* When the first of the readers that are waited for is late, or NOBODY. */
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
 * The time of one waiter is over, and with it that of the others in the ring. It
 * does not wait for this reader again, whatever becomes of @late: that is for the
 * next store, and the reader and another vCPU have a hand in it.
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

/* Until all readers have released theirs or are late, or the thread is killed. */
static void wait_for_readers(struct kwt_sync_waits *waits)
{
	ktime_t expires;
	u64 end;

	for (;;) {
		/*
		 * A full barrier between saying that we wait and looking: pairs with
		 * the reader's exchange of consumer->pos, behind which it looks
		 * whether somebody waits. Who wakes us has changed what wait_is_over()
		 * looks at before, and finds us here or in the list.
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
 * It is seen in all rings at once that the vCPU waits, and its times in them begin
 * together: all of them take no longer than the longest. May sleep; drops the
 * references to the rings.
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

/* Nobody waits any more, for good: the session is closed, or its VM is gone. */
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
