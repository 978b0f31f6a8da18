// SPDX-License-Identifier: GPL-2.0-only
/*
 * The worker that arms gfns which the guard has disarmed, and absent gfns when
 * there is memory.
 *
 * The records follow the arming: stores that were not seen are in memory when
 * the reader reads the page, and KVM notifies of later stores.
 */
#include <linux/ktime.h>
#include <linux/memcontrol.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include "guard.h"
#include "kwt.h"
#include "trace.h"
#include "vcpu.h"

/*
 * Find the disarmed gfns that a session waits for. The caller holds the VM's
 * lock; those of sessions that stop may become fewer meanwhile.
 */
static void find_disarmed(const struct kwt_chunk *chunk, unsigned long *bits)
{
	const struct kwt_span *span;

	bitmap_zero(bits, KWT_CHUNK_PAGES);
	hlist_for_each_entry(span, &chunk->spans, in_chunk)
		if (!span->ring->once)
			bitmap_or(bits, bits, span->tracked, KWT_CHUNK_PAGES);
	bitmap_andnot(bits, bits, chunk->armed, KWT_CHUNK_PAGES);
	if (chunk->absent)
		bitmap_andnot(bits, bits, chunk->absent->gfns, KWT_CHUNK_PAGES);
}

static void put_spans(struct kwt_chunk *chunk)
{
	struct kwt_span *span;
	struct hlist_node *next;

	/* The chunk itself stays, because it is still in the list. */
	hlist_for_each_entry_safe(span, next, &chunk->spans, in_chunk)
		kwt_span_put(span->ring->set, span);
}

/*
 * Arm the gfns of a chunk that are due. Returns the shortest wait of the
 * others, in ticks. The caller holds the VM's lock.
 */
static int rearm_disarmed(struct kwt_space *space, struct kwt_chunk *chunk)
{
	DECLARE_BITMAP(disarmed, KWT_CHUNK_PAGES);
	int ticks, next = INT_MAX;
	u32 bit;

	find_disarmed(chunk, disarmed);
	/* Without this memory the gfns are due at once. */
	if (!bitmap_empty(disarmed, KWT_CHUNK_PAGES))
		(void)kwt_chunk_guard(space, chunk);
	for_each_set_bit(bit, disarmed, KWT_CHUNK_PAGES) {
		ticks = kwt_due_wait(space, chunk, bit);
		/* After arm_lock was held, sessions that stop have left. */
		if (ticks <= 0)
			/*
			 * The error is -EAGAIN, or its memslot is being
			 * deleted.
			 */
			ticks = kwt_rearm(space, chunk, bit) ? 1 : INT_MAX;
		if (kwt_chunk_is_waited_for(chunk, bit))
			next = min(next, ticks);
		cond_resched();
	}
	put_spans(chunk);
	return next;
}

/* Put the chunk if nothing in it is disarmed any more. */
static void unlist_chunk(struct kwt_space *space, struct kwt_chunk *chunk)
{
	DECLARE_BITMAP(disarmed, KWT_CHUNK_PAGES);
	bool done;

	spin_lock(&space->arm_lock);
	find_disarmed(chunk, disarmed);
	done = bitmap_empty(disarmed, KWT_CHUNK_PAGES);
	if (done)
		list_del_init(&chunk->in_tripped);
	else
		list_move_tail(&chunk->in_tripped, &space->tripped);
	spin_unlock(&space->arm_lock);
	if (done)
		kwt_chunk_put(space, chunk);
}

/* Only the worker takes chunks out of the list, so they stay meanwhile. */
static struct kwt_chunk *take_first_tripped(struct kwt_space *space,
					    struct list_head *chunks)
{
	spin_lock(&space->arm_lock);
	if (list_empty(chunks))
		list_splice_init(&space->tripped, chunks);
	spin_unlock(&space->arm_lock);
	return list_first_entry_or_null(chunks, struct kwt_chunk, in_tripped);
}

/*
 * The memory cgroup that is charged for the guard's state of a chunk. The
 * caller holds the VM's lock.
 */
static struct mem_cgroup *chunk_payer(const struct kwt_chunk *chunk)
{
	struct kwt_span *span = hlist_entry_safe(chunk->spans.first,
						 struct kwt_span, in_chunk);

	return span ? container_of(span->ring, struct kwt_session, ring)->payer :
		      NULL;
}

/*
 * Charge what rearm_disarmed() allocates, because a worker has no memory cgroup
 * of its own. The caller holds the VM's lock.
 */
static int rearm_charged(struct kwt_space *space, struct kwt_chunk *chunk)
{
	struct mem_cgroup *old = set_active_memcg(chunk_payer(chunk));
	int next = rearm_disarmed(space, chunk);

	set_active_memcg(old);
	return next;
}

/*
 * Arm the absent gfns in [gfn, end) of the chunk, all of which has memory.
 * Returns false when some of them cannot be armed now.
 */
static bool arm_absent(struct kwt_space *space, struct kwt_chunk *chunk,
		       u64 gfn, u64 end)
{
	bool done = true;

	for (; gfn < end; gfn++) {
		if (!kwt_chunk_absent(chunk, kwt_chunk_bit(gfn)))
			continue;
		/* After other errors its memslot is being deleted again. */
		if (kwt_rearm(space, chunk, kwt_chunk_bit(gfn)) == -EAGAIN)
			done = false;
		cond_resched();
	}
	return done;
}

static bool look_at_absent(struct kwt_vm *vm, struct kwt_chunk *chunk)
{
	u64 gfn = chunk->index << KWT_CHUNK_SHIFT, run_end;
	u64 end = gfn + KWT_CHUNK_PAGES;
	bool done = true;

	for (; gfn < end; gfn = run_end)
		if (!kwt_slot_run(vm->kvm, gfn, end, &run_end) &&
		    !arm_absent(&vm->space, chunk, gfn, run_end))
			done = false;
	return done;
}

/* Returns a chunk that was not looked at this time; such chunks come first. */
static struct kwt_absent *next_absent(struct kwt_space *space)
{
	struct kwt_absent *absent;

	absent = list_first_entry_or_null(&space->absent, struct kwt_absent,
					  in_space);
	return absent && absent->looked != space->absent_look ? absent : NULL;
}

/*
 * Look whether absent gfns have memory: all of them if the memslots have
 * changed, otherwise those that are new or could not be armed the last time. A
 * VMM that changes memslots all the time does not keep the worker here, because
 * gfns that become absent meanwhile wait for the next time. Returns the ticks
 * until the next time. The caller holds the VM's lock, which is released after
 * each chunk.
 */
static int look_for_memory(struct kwt_vm *vm)
{
	struct kwt_space *space = &vm->space;
	u64 generation = kwt_slots_stamp(vm->kvm);
	u32 left = space->nr_absent;
	struct kwt_absent *absent;
	LIST_HEAD(again);
	int next = INT_MAX;

	if (generation != space->absent_generation || !space->absent_look) {
		WRITE_ONCE(space->absent_generation, generation);
		space->absent_look++;
	}
	while (!vm->gone && left-- && (absent = next_absent(space))) {
		absent->looked = space->absent_look;
		list_move_tail(&absent->in_space, &space->absent);
		if (!look_at_absent(vm, absent->chunk)) {
			absent->looked = 0;
			list_move_tail(&absent->in_space, &again);
			next = 1;
		}
		mutex_unlock(&vm->lock);
		cond_resched();
		mutex_lock(&vm->lock);
	}
	list_splice(&again, &space->absent);
	/* KVM's memslots may have gone with the VM. */
	if (vm->gone)
		return INT_MAX;
	if (next_absent(space) || kwt_slots_stamp(vm->kvm) != generation)
		return 1;
	return next;
}

static void update_vcpus(struct kwt_vm *vm)
{
	mutex_lock(&vm->lock);
	if (!vm->gone)
		/* If memory is short, the next run tries again. */
		(void)kwt_vcpus_update(&vm->space, vm->kvm);
	mutex_unlock(&vm->lock);
}

static void rearm_work(struct work_struct *work)
{
	struct kwt_vm *vm = container_of(to_delayed_work(work), struct kwt_vm,
					 rearm);
	struct kwt_space *space = &vm->space;
	struct kwt_chunk *chunk;
	int next = INT_MAX;
	LIST_HEAD(chunks);

	WRITE_ONCE(vm->rearm_soon, false);
	/* If memory is short, the next run tries again. */
	if (kwt_probe_walks(vm))
		next = 1;
	update_vcpus(vm);
	mutex_lock(&vm->lock);
	if (!vm->gone)
		kwt_hole_disarm_mapped(vm);
	if (!vm->gone && space->nr_absent)
		next = min(next, look_for_memory(vm));
	mutex_unlock(&vm->lock);

	for (chunk = take_first_tripped(space, &chunks); chunk;
	     chunk = list_first_entry_or_null(&chunks, struct kwt_chunk,
					      in_tripped)) {
		mutex_lock(&vm->lock);
		if (!vm->gone)
			next = min(next, rearm_charged(space, chunk));
		unlist_chunk(space, chunk);
		mutex_unlock(&vm->lock);
		cond_resched();
	}
	kwt_notice_guard(vm);
	/* If it is wanted earlier, it is queued already. */
	if (next != INT_MAX)
		queue_delayed_work(kwt_wq, &vm->rearm, msecs_to_jiffies(
				   max(next, 1) * KWT_GUARD_TICK_MS));
}

void kwt_rearm_init(struct kwt_vm *vm)
{
	spin_lock_init(&vm->mapped_lock);
	INIT_DELAYED_WORK(&vm->rearm, rearm_work);
}

/* Neither a session nor a probe of the VM is left. */
void kwt_rearm_exit(struct kwt_vm *vm)
{
	struct kwt_chunk *chunk;
	LIST_HEAD(chunks);

	cancel_delayed_work_sync(&vm->rearm);
	while ((chunk = take_first_tripped(&vm->space, &chunks)))
		unlist_chunk(&vm->space, chunk);
}
