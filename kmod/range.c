// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operations on ranges of gfns, chunk by chunk: the VM's lock is given back
 * after each chunk, so that neither KVM's removal hook nor another session
 * waits for more than one, and a signal is heard.
 */
#include <linux/sched/signal.h>

#include "kwt.h"
#include "vcpu.h"

static void refuse(struct kvm_wtrack_change *change, u64 gfn, u64 nr, int err)
{
	if (!change->out_error) {
		change->out_error = -err;
		change->out_error_gfn = gfn;
	}
	change->out_failed += nr;
}

static void note(struct kvm_wtrack_change *change, u64 gfn, int r)
{
	if (r < 0) {
		refuse(change, gfn, 1, r);
		return;
	}
	change->out_done++;
	change->out_changed += r;
}

static u64 chunk_end(u64 gfn, u64 end)
{
	return min(end, (kwt_chunk_index(gfn) + 1) << KWT_CHUNK_SHIFT);
}

static u64 session_max_pages(const struct kwt_session *session)
{
	u64 max = READ_ONCE(kwt_max_pages);

	return session->max_pages ? min(max, session->max_pages) : max;
}

static int add_gfn(struct kwt_session *session, struct kwt_span *span, u64 gfn)
{
	if (!kwt_restrict_allows(session, gfn))
		return -EPERM;
	return kwt_set_add(&session->set, span, gfn);
}

/*
 * Add from @gfn up to the end of its chunk, or to one that cannot be armed just
 * now; returns where to go on.
 */
static u64 add_chunk(struct kwt_session *session,
		     struct kvm_wtrack_change *change, u64 gfn, u64 end)
{
	struct kwt_set *set = &session->set;
	struct kwt_span *span;

	end = chunk_end(gfn, end);
	if (!kwt_range_has_slot(session->vm->kvm, gfn, end)) {
		refuse(change, gfn, end - gfn, -ENOENT);
		return end;
	}
	span = kwt_span_get(set, kwt_chunk_index(gfn));
	if (!span) {
		refuse(change, gfn, end - gfn, -ENOMEM);
		return end;
	}
	set->max_pages = session_max_pages(session);
	set->max_users = READ_ONCE(kwt_max_users);
	for (; gfn < end; gfn++) {
		int r = add_gfn(session, span, gfn);

		if (r == -EAGAIN) {
			kwt_due_hasten(set->space, span->chunk, gfn, end);
			break;
		}
		note(change, gfn, r);
		/* KVM takes mmu_lock and flushes TLBs for each of them. */
		if (!(gfn % 64))
			cond_resched();
	}
	kwt_span_put(set, span);
	return gfn;
}

/* Remove likewise; skips what the session does not track at all. */
static u64 remove_chunk(struct kwt_session *session,
			struct kvm_wtrack_change *change, u64 gfn, u64 end)
{
	struct kwt_set *set = &session->set;
	struct kwt_span *span = kwt_span_first(set, kwt_chunk_index(gfn));
	u64 first = span ? kwt_span_gfn(span, 0) : U64_MAX;

	if (first > gfn && kwt_chunk_index(first) != kwt_chunk_index(gfn)) {
		end = min(end, first);
		refuse(change, gfn, end - gfn, -ENOENT);
		return end;
	}
	end = chunk_end(gfn, end);
	for (; gfn < end; gfn++)
		note(change, gfn, kwt_set_remove(set, span, gfn));
	kwt_span_put(set, span);
	return end;
}

/*
 * A guest may become confidential between ATTACH and its first vCPU. The guard
 * should know all vCPUs before anything is armed.
 */
static int vm_check(struct kwt_vm *vm, bool add)
{
	if (vm->gone)
		return -ESRCH;
	if (!add)
		return 0;
	if (kwt_kvm_is_confidential(vm->kvm))
		return -EOPNOTSUPP;
	return kwt_vcpus_update(&vm->space, vm->kvm);
}

/* @change was checked; its outputs are zero. -EINTR or -ESRCH on the way. */
int kwt_range_change(struct kwt_session *session,
		     struct kvm_wtrack_change *change, bool add)
{
	struct kwt_vm *vm = session->vm;
	u64 gfn = change->gfn, end = gfn + change->nr_pages, at;
	int r;

	while (gfn < end) {
		at = gfn;
		if (signal_pending(current) ||
		    mutex_lock_interruptible(&vm->lock))
			return -EINTR;
		r = vm_check(vm, add);
		if (r) {
			mutex_unlock(&vm->lock);
			return r;
		}
		if (add)
			gfn = add_chunk(session, change, gfn, end);
		else
			gfn = remove_chunk(session, change, gfn, end);
		mutex_unlock(&vm->lock);
		/* KVM handles a fault on this gfn, which may take a while. */
		if (add && gfn < chunk_end(at, end))
			schedule_timeout_interruptible(1);
		else
			cond_resched();
	}
	return 0;
}

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

/* What was fetched did not reach the caller: there will be another time. */
void kwt_range_resync_undo(struct kwt_session *session,
			   const struct kvm_wtrack_resync_range *ranges,
			   u32 used)
{
	u64 now = ktime_get_ns(), gfn;
	struct kwt_span *span;
	u32 i;

	mutex_lock(&session->vm->lock);
	for (i = 0; i < used; i++)
		for (gfn = ranges[i].gfn;
		     gfn < ranges[i].gfn + ranges[i].nr_pages; gfn++) {
			span = kwt_span_find(&session->set,
					     kwt_chunk_index(gfn));
			if (span)
				kwt_resync_mark(span, kwt_chunk_bit(gfn), now);
		}
	mutex_unlock(&session->vm->lock);
}

/* The tracked gfns of [gfn, end) in @span whose memslot is gone. */
static u32 next_removed(const struct kwt_vm *vm, const struct kwt_span *span,
			u64 gfn, u64 end, u32 bit)
{
	for_each_set_bit_from(bit, span->tracked, KWT_CHUNK_PAGES) {
		u64 at = kwt_span_gfn(span, bit);

		if (at >= gfn && at < end && kwt_removal_is_over(vm->kvm, at))
			return bit;
	}
	return KWT_CHUNK_PAGES;
}

static u64 count_removed(struct kwt_vm *vm, struct kwt_session *session,
			 u64 gfn, u64 end)
{
	struct kwt_span *span = kwt_span_first(&session->set,
					       kwt_chunk_index(gfn));
	u64 n = 0;
	u32 bit;

	while (span && kwt_span_gfn(span, 0) < end) {
		bit = next_removed(vm, span, gfn, end, 0);
		for (; bit < KWT_CHUNK_PAGES;
		     bit = next_removed(vm, span, gfn, end, bit + 1))
			n++;
		span = kwt_span_first(&session->set, span->chunk->index + 1);
		cond_resched();
	}
	return n;
}

/* With @told false, the reader hears of it from the resync set. */
static void drop_removed(struct kwt_vm *vm, struct kwt_session *session,
			 u64 gfn, u64 end, bool told)
{
	struct kwt_span *span = kwt_span_first(&session->set,
					       kwt_chunk_index(gfn));
	u64 index, now = ktime_get_ns();
	u32 bit;

	while (span && kwt_span_gfn(span, 0) < end) {
		bit = next_removed(vm, span, gfn, end, 0);
		for (; bit < KWT_CHUNK_PAGES;
		     bit = next_removed(vm, span, gfn, end, bit + 1)) {
			kwt_set_drop(&session->set, span, bit, true);
			if (told)
				clear_bit(bit, span->resync);
			else
				kwt_resync_mark(span, bit, now);
		}
		index = span->chunk->index + 1;
		kwt_span_put(&session->set, span);
		span = kwt_span_first(&session->set, index);
		cond_resched();
	}
}

/*
 * KVM's removal hook. No vCPU writes to these pages any more: KVM has waited
 * for those that could still see the memslot.
 */
void kwt_range_removed(struct kwt_vm *vm, u64 gfn, u64 nr_pages)
{
	struct kwt_session *session;
	u64 n, end = gfn + nr_pages;
	bool told;

	mutex_lock(&vm->lock);
	list_for_each_entry(session, &vm->sessions, in_vm) {
		n = count_removed(vm, session, gfn, end);
		if (!n)
			continue;
		told = kwt_ring_region(&session->ring, gfn, nr_pages, n,
				       ktime_get_ns());
		atomic64_inc(&session->ring.regions);
		drop_removed(vm, session, gfn, end, told);
		kwt_notice_region(session, gfn, nr_pages, n);
	}
	mutex_unlock(&vm->lock);
}

/* All of it, when the session ends. */
void kwt_range_drop(struct kwt_session *session)
{
	struct kwt_vm *vm = session->vm;
	bool more;

	do {
		mutex_lock(&vm->lock);
		more = kwt_set_clear_first(&session->set, !vm->gone);
		mutex_unlock(&vm->lock);
		cond_resched();
	} while (more);
}
