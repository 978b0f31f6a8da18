// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is tracked, and what has to be read again: chunk by chunk, as range.c
 * says.
 */
#include <linux/sched/signal.h>

#include "kwt.h"

static u32 join_ranges(struct kvm_wtrack_range *ranges, u32 used, u32 new)
{
	struct kvm_wtrack_range *last = ranges + used - 1;

	if (!used || !new || last->gfn + last->nr_pages != ranges[used].gfn)
		return used + new;
	last->nr_pages += ranges[used].nr_pages;
	memmove(ranges + used, ranges + used + 1,
		(new - 1) * sizeof(*ranges));
	return used + new - 1;
}

/* What is tracked from *@gfn on; sets it to where to go on, or U64_MAX. */
int kwt_range_query(struct kwt_session *session, u64 *gfn,
		    struct kvm_wtrack_range *ranges, u32 room, u32 *used)
{
	struct kwt_vm *vm = session->vm;
	u32 new;

	*used = 0;
	while (*used < room && *gfn != U64_MAX) {
		if (signal_pending(current) ||
		    mutex_lock_interruptible(&vm->lock))
			return -EINTR;
		new = 0;
		if (vm->gone)
			*gfn = U64_MAX;
		else
			new = kwt_set_query(&session->set, gfn, ranges + *used,
					    room - *used);
		mutex_unlock(&vm->lock);
		*used = join_ranges(ranges, *used, new);
		cond_resched();
	}
	return 0;
}

/*
 * Fetch and clear the resync set. Not interruptible: what was cleared has to
 * reach the caller.
 */
int kwt_range_resync(struct kwt_session *session,
		     struct kvm_wtrack_resync_range *ranges, u32 room,
		     u32 *used, bool *more)
{
	struct kwt_set *set = &session->set;
	struct kwt_vm *vm = session->vm;
	struct kwt_span *span;
	u64 index = 0;

	*used = 0;
	*more = false;
	mutex_lock(&vm->lock);
	if (!kwt_ring_reopen(&session->ring)) {
		mutex_unlock(&vm->lock);
		return -EBUSY;
	}
	while ((span = kwt_span_first(set, index))) {
		if (*used == room) {
			*more = true;
			break;
		}
		index = span->chunk->index + 1;
		*used = kwt_resync_fetch(set, span, ranges, *used, room);
		if (*used == room)
			index--;
		mutex_unlock(&vm->lock);
		cond_resched();
		mutex_lock(&vm->lock);
		if (kwt_ring_closed(&session->ring))
			break;
	}
	session->resync_left = *more;
	mutex_unlock(&vm->lock);
	return 0;
}

/* Of one range, what is in the chunk of @gfn; returns where to go on. */
static u64 undo_chunk(struct kwt_session *session, u64 gfn, u64 end)
{
	struct kwt_vm *vm = session->vm;
	struct kwt_span *span;

	end = min(end, (kwt_chunk_index(gfn) + 1) << KWT_CHUNK_SHIFT);
	mutex_lock(&vm->lock);
	span = kwt_span_find(&session->set, kwt_chunk_index(gfn));
	for (; span && gfn < end; gfn++)
		kwt_resync_mark(span, kwt_chunk_bit(gfn), ktime_get_ns());
	mutex_unlock(&vm->lock);
	cond_resched();
	return end;
}

/* What was fetched did not reach the caller: there will be another time. */
void kwt_range_resync_undo(struct kwt_session *session,
			   const struct kvm_wtrack_resync_range *ranges,
			   u32 used)
{
	u64 gfn, end;
	u32 i;

	for (i = 0; i < used; i++) {
		gfn = ranges[i].gfn;
		end = gfn + ranges[i].nr_pages;
		while (gfn < end)
			gfn = undo_chunk(session, gfn, end);
	}
}
