// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls on ranges of gfns, and the removal of memslots. The calls go chunk by
 * chunk and release the VM's lock after each chunk, so that KVM's removal hook
 * and other sessions wait for one chunk at most, and a signal ends the call.
 */
#include <linux/sched/signal.h>

#include "guard.h"
#include "kwt.h"
#include "vcpu.h"

static void refuse_gfns(struct kvm_wtrack_change *change, u64 gfn, u64 nr,
			int err)
{
	if (!change->out_error) {
		change->out_error = -err;
		change->out_error_gfn = gfn;
	}
	change->out_failed += nr;
}

/*
 * Does the error @r mean that the guest has no memory there which can be
 * tracked? The caller holds the VM's lock.
 */
static bool is_hole(const struct kwt_session *session, int r)
{
	return r == -ENOENT || (r == -EOPNOTSUPP &&
				!READ_ONCE(session->vm->space.forbidden));
}

static void note_result(struct kvm_wtrack_change *change, u64 gfn, int r)
{
	if (r < 0) {
		refuse_gfns(change, gfn, 1, r);
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
	const u64 max = READ_ONCE(kwt_max_pages);
	const u64 limit = session->limits.max_pages;

	return limit ? min(max, limit) : max;
}

/* Does ADD with these flags take gfns without memory that could be tracked? */
static bool takes_absent(const struct kwt_session *session, u32 flags)
{
	return session->ring.sticky && !(flags & KVM_WTRACK_ADD_F_SKIP_HOLES);
}

/*
 * Has @gfn no memory that could be tracked? *@end becomes the end of the run of
 * gfns with the same answer.
 */
static bool has_no_memory(const struct kwt_session *session, u64 gfn, u64 *end)
{
	return kwt_slot_run(session->vm->kvm, gfn, *end, end);
}

/*
 * Add one gfn. @flags are those of ADD. With @absent it has no memory, and a
 * sticky session adds it as absent.
 */
static int add_gfn(struct kwt_session *session, struct kwt_span *span, u64 gfn,
		   u32 flags, bool absent)
{
	u64 end = gfn + 1;
	int r;

	if (!kwt_restrict_allows(session, gfn))
		return -EPERM;
	if (absent)
		return kwt_set_add_absent(&session->set, span, gfn);
	r = kwt_set_add(&session->set, span, gfn);
	if (!takes_absent(session, flags))
		return r;
	/* Its memslot was deleted since, or another one was created. */
	if (is_hole(session, r) && has_no_memory(session, gfn, &end))
		return kwt_set_add_absent(&session->set, span, gfn);
	/* A memslot that was created since can be armed by the next try. */
	return r == -ENOENT ? -EAGAIN : r;
}

/*
 * Skip gfns that would be one page too many for the session, up to its next
 * tracked chunk.
 */
static u64 skip_full(struct kwt_session *session, u64 gfn, u64 end)
{
	const struct kwt_set *set = &session->set;
	struct kwt_span *span;

	if (kwt_set_pages(set) < set->max_pages)
		return gfn;
	span = kwt_span_first(set, kwt_chunk_index(gfn));
	return span ? clamp(kwt_span_gfn(span, 0), gfn, end) : end;
}

/*
 * Skip a run of gfns that cannot be added, however long it is: gfns that the
 * session's limits forbid, that have no memslot or one that cannot be tracked,
 * and all gfns when the session has its maximum of pages. Returns the gfn to
 * continue at.
 */
static u64 skip_refused(struct kwt_session *session,
			struct kvm_wtrack_change *change, u64 gfn, u64 end,
			u32 flags)
{
	u64 next = kwt_restrict_next(session, gfn, end);
	int r = -EPERM;

	if (next == gfn) {
		r = kwt_slot_run(session->vm->kvm, gfn, end, &next);
		if (!r || takes_absent(session, flags)) {
			r = -ENOSPC;
			next = skip_full(session, gfn, next);
		}
	}
	if (next == gfn)
		return gfn;
	if (flags & KVM_WTRACK_ADD_F_SKIP_HOLES && is_hole(session, r))
		change->out_skipped += next - gfn;
	else
		refuse_gfns(change, gfn, next - gfn, r);
	return next;
}

/*
 * Add from @gfn to the end of its chunk, or up to a gfn that cannot be armed
 * now. Returns the gfn to continue at. @flags are those of ADD.
 */
static u64 add_chunk(struct kwt_session *session,
		     struct kvm_wtrack_change *change, u64 gfn, u64 end,
		     u32 flags)
{
	const bool skip = flags & KVM_WTRACK_ADD_F_SKIP_HOLES;
	struct kwt_set *set = &session->set;
	bool hastened = false, absent;
	struct kwt_span *span;
	u64 next;

	set->max_pages = session_max_pages(session);
	set->max_users = READ_ONCE(kwt_max_users);
	next = skip_refused(session, change, gfn, end, flags);
	if (next > gfn)
		return next;
	end = chunk_end(gfn, end);
	absent = takes_absent(session, flags) &&
		 has_no_memory(session, gfn, &end);
	span = kwt_span_get(set, kwt_chunk_index(gfn));
	if (!span) {
		refuse_gfns(change, gfn, end - gfn, -ENOMEM);
		return end;
	}
	for (; gfn < end; gfn++) {
		int r = add_gfn(session, span, gfn, flags, absent);

		if (r == -EAGAIN && !hastened) {
			kwt_due_hasten(set->space, span->chunk, gfn, end);
			hastened = true;
		}
		if (r == -EAGAIN && !(flags & KVM_WTRACK_ADD_F_NOWAIT))
			break;
		if (skip && is_hole(session, r))
			change->out_skipped++;
		else
			note_result(change, gfn, r);
		/* KVM takes mmu_lock and flushes TLBs for each gfn. */
		if (!(gfn % 64))
			cond_resched();
	}
	kwt_span_put(set, span);
	return gfn;
}

/*
 * Skip a run of gfns in chunks where the session tracks nothing. Returns the
 * gfn to continue at.
 */
static u64 skip_untracked(struct kwt_session *session,
			  struct kvm_wtrack_change *change, u64 gfn, u64 end)
{
	struct kwt_span *span = kwt_span_first(&session->set,
					       kwt_chunk_index(gfn));
	u64 first = span ? kwt_span_gfn(span, 0) : U64_MAX;

	if (first <= gfn || kwt_chunk_index(first) == kwt_chunk_index(gfn))
		return gfn;
	end = min(end, first);
	refuse_gfns(change, gfn, end - gfn, -ENOENT);
	return end;
}

/* Arm tracked gfns again. Stops and returns as add_chunk() does. */
static u64 rearm_chunk(struct kwt_session *session,
		       struct kvm_wtrack_change *change, u64 gfn, u64 end,
		       bool nowait)
{
	struct kwt_set *set = &session->set;
	struct kwt_span *span;
	u64 next = skip_untracked(session, change, gfn, end);

	if (next > gfn)
		return next;
	end = chunk_end(gfn, end);
	span = kwt_span_find(set, kwt_chunk_index(gfn));
	for (; gfn < end; gfn++) {
		int r = kwt_set_rearm(set, span, gfn);

		if (r == -EAGAIN && !nowait)
			break;
		note_result(change, gfn, r);
		/* As in add_chunk(). */
		if (!(gfn % 64))
			cond_resched();
	}
	return gfn;
}

static u64 remove_chunk(struct kwt_session *session,
			struct kvm_wtrack_change *change, u64 gfn, u64 end)
{
	struct kwt_set *set = &session->set;
	struct kwt_span *span;
	u64 next = skip_untracked(session, change, gfn, end);

	if (next > gfn)
		return next;
	end = chunk_end(gfn, end);
	span = kwt_span_find(set, kwt_chunk_index(gfn));
	for (; gfn < end; gfn++)
		note_result(change, gfn, kwt_set_remove(set, span, gfn));
	kwt_span_put(set, span);
	return end;
}

/*
 * Returns an error if no gfn may be armed; it is then the result for each gfn.
 * A guest may become confidential between ATTACH and its first vCPU; then the
 * VM is given up. The guard must know all vCPUs before a gfn is armed.
 */
static int check_before_arming(struct kwt_vm *vm)
{
	if (kwt_kvm_is_confidential(vm->kvm)) {
		kwt_vm_forbid(vm);
		return -EOPNOTSUPP;
	}
	return kwt_vcpus_update(&vm->space, vm->kvm);
}

/*
 * Work from @gfn to the end of its chunk at most. Returns the gfn to continue
 * at.
 */
static u64 change_chunk(struct kwt_session *session,
			struct kvm_wtrack_change *change, u64 gfn, u64 end,
			enum kwt_range_op op, u32 flags)
{
	int r;

	if (op == KWT_RANGE_REMOVE)
		return remove_chunk(session, change, gfn, end);
	r = check_before_arming(session->vm);
	if (r) {
		refuse_gfns(change, gfn, end - gfn, r);
		return end;
	}
	if (op == KWT_RANGE_REARM)
		return rearm_chunk(session, change, gfn, end,
				   flags & KVM_WTRACK_REARM_F_NOWAIT);
	return add_chunk(session, change, gfn, end, flags);
}

/* The caller holds the VM's lock. */
static int may_change(const struct kwt_session *session, enum kwt_range_op op)
{
	if (session->ended)
		return -ESHUTDOWN;
	if (session->vm->gone)
		return -ESRCH;
	if (op == KWT_RANGE_REARM)
		return 0;
	return session->limits.rights & KVM_WTRACK_RIGHT_CHANGE ? 0 : -EPERM;
}

/*
 * Apply one change, which was checked and whose outputs are zero. @flags are
 * those of the ioctl. Returns 0, or -EINTR, -EPERM, -ESHUTDOWN or -ESRCH when
 * it ends before the range is complete.
 */
int kwt_range_change(struct kwt_session *session,
		     struct kvm_wtrack_change *change, enum kwt_range_op op,
		     u32 flags)
{
	struct kwt_vm *vm = session->vm;
	u64 gfn = change->gfn, end = gfn + change->nr_pages, at;
	bool arms = op != KWT_RANGE_REMOVE;
	int r = arms ? kwt_probe_walks(vm) : 0;

	if (r) {
		refuse_gfns(change, gfn, end - gfn, r);
		return 0;
	}
	while (gfn < end) {
		at = gfn;
		if (signal_pending(current) ||
		    mutex_lock_interruptible(&vm->lock))
			return -EINTR;
		r = may_change(session, op);
		if (r) {
			mutex_unlock(&vm->lock);
			return r;
		}
		/* Nothing is added while RESTRICT checks what is tracked. */
		if (op == KWT_RANGE_ADD && session->restricting)
			gfn = at;
		else
			gfn = change_chunk(session, change, gfn, end, op,
					   flags);
		mutex_unlock(&vm->lock);
		/* KVM handles a fault on this gfn, which may take some time. */
		if (arms && gfn < chunk_end(at, end))
			schedule_timeout_interruptible(1);
		else
			cond_resched();
	}
	return 0;
}

/* Drop all gfns and the resync set of a session that is closed. */
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

/*
 * Untrack all gfns of a session that an administrator ends, and leave its
 * resync set to its reader. The caller holds a reference to the VM.
 */
void kwt_range_untrack(struct kwt_session *session)
{
	struct kwt_vm *vm = session->vm;
	u64 index = 0;
	bool more;

	do {
		mutex_lock(&vm->lock);
		more = kwt_set_untrack_next(&session->set, &index, !vm->gone);
		mutex_unlock(&vm->lock);
		cond_resched();
	} while (more);
}

/*
 * QUERY and RESYNC: the tracked ranges and the resync set, chunk by chunk.
 */

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

/*
 * Find the tracked ranges from *@gfn on. *@gfn becomes the gfn to continue at,
 * or U64_MAX at the end.
 */
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
 * Fetch and clear the resync set. Not interruptible, because what was cleared
 * has to reach the caller. *@more is set if the end of the set was not reached:
 * there was no room, or the ring was closed again meanwhile, and the rest of the
 * set belongs to the new RESYNC record.
 */
int kwt_range_resync(struct kwt_session *session,
		     struct kvm_wtrack_resync_range *ranges, u32 room,
		     u32 *used, bool *more)
{
	struct kwt_ring *ring = &session->ring;
	struct kwt_set *set = &session->set;
	struct kwt_vm *vm = session->vm;
	struct kwt_span *span;
	u64 index = 0;

	*used = 0;
	*more = false;
	mutex_lock(&vm->lock);
	if (!kwt_ring_reopen(ring)) {
		mutex_unlock(&vm->lock);
		return -EBUSY;
	}
	while ((span = kwt_span_first(set, index))) {
		if (kwt_ring_closed(ring)) {
			*more = true;
			break;
		}
		index = span->chunk->index + 1;
		*used = kwt_resync_fetch(set, span, ranges, *used, room);
		/*
		 * The span may have bits left. Only under the lock can another
		 * RESYNC open the ring again, so look before it is released:
		 * no span is fetched twice in one call.
		 */
		if (*used == room || kwt_ring_closed(ring)) {
			*more = true;
			break;
		}
		mutex_unlock(&vm->lock);
		cond_resched();
		mutex_lock(&vm->lock);
	}
	session->resync_left = *more;
	mutex_unlock(&vm->lock);
	return 0;
}

/*
 * Mark the part of a range that is in the chunk of @gfn again. Returns the gfn
 * to continue at.
 */
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

/* Put back what was fetched and did not reach the caller. */
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

/*
 * The deletion of a memslot: sessions lose the gfns that they track in it, or
 * keep them without memory if they have RING_F_STICKY. KVM calls under its
 * slots_lock, and the VMM waits in KVM_SET_USER_MEMORY_REGION: a chunk of 1,024
 * gfns costs each session that tracks something in it a few operations on
 * bitmaps, however many gfns it tracks.
 */

/* A part of a chunk: its bits [from, to). */
struct part {
	u32 from;
	u32 to;
	DECLARE_BITMAP(mask, KWT_CHUNK_PAGES);
};

/*
 * Set @part to the part of [gfn, end) in the span's chunk, whose first gfn is
 * before @end.
 */
static void set_part(struct part *part, const struct kwt_span *span, u64 gfn,
		     u64 end)
{
	u64 first = kwt_span_gfn(span, 0);

	part->from = gfn > first ? gfn - first : 0;
	part->to = min_t(u64, end - first, KWT_CHUNK_PAGES);
	bitmap_zero(part->mask, KWT_CHUNK_PAGES);
	bitmap_set(part->mask, part->from, part->to - part->from);
}

/*
 * A function for each span in the removed range. Returns a number of gfns,
 * which visit_removed() sums.
 */
typedef u32 (*visit_fn)(struct kwt_session *session, struct kwt_span *span,
			const struct part *part);

/* Find the gfns that the session tracks and that had memory until now. */
static void find_gone(unsigned long *gone, const struct kwt_span *span,
		      const struct part *part)
{
	bitmap_and(gone, span->tracked, part->mask, KWT_CHUNK_PAGES);
	if (span->chunk->absent)
		bitmap_andnot(gone, gone, span->chunk->absent->gfns,
			      KWT_CHUNK_PAGES);
}

/*
 * Disarm before records are published: the guard publishes nothing of removed
 * gfns.
 */
static u32 disarm_removed(struct kwt_session *session, struct kwt_span *span,
			  const struct part *part)
{
	kwt_disarm_removed(session->set.space, span->chunk, part->mask);
	return 0;
}

static u32 count_removed(struct kwt_session *session, struct kwt_span *span,
			 const struct part *part)
{
	DECLARE_BITMAP(gone, KWT_CHUNK_PAGES);

	find_gone(gone, span, part);
	return bitmap_weight(gone, KWT_CHUNK_PAGES);
}

/*
 * No session tracks the removed gfns any more; the first one that loses them drops the
 * users of all. The caller holds arm_lock.
 */
static void drop_all_users(struct kwt_space *space, u16 *users,
			   const struct part *part)
{
	u32 bit, n = 0;

	for (bit = part->from; bit < part->to; bit++)
		n += users[bit] != 0;
	WRITE_ONCE(space->pages, space->pages - n);
	memset(&users[part->from], 0, (part->to - part->from) * sizeof(*users));
}

/*
 * The session loses the removed gfns; @gone becomes which. If no session is
 * sticky, no user is left. The lock is needed because a vCPU may change what is
 * tracked elsewhere in the chunk. Returns how many the session lost.
 */
static u32 forget_removed(struct kwt_set *set, struct kwt_span *span,
			  const struct part *part, unsigned long *gone)
{
	struct kwt_space *space = set->space;
	u32 bit, n;

	spin_lock(&space->arm_lock);
	find_gone(gone, span, part);
	n = bitmap_weight(gone, KWT_CHUNK_PAGES);
	bitmap_andnot(span->tracked, span->tracked, gone, KWT_CHUNK_PAGES);
	/*
	 * A gfn that is tracked and not observed counts as disarmed: see
	 * resync_what().
	 */
	smp_mb();
	bitmap_andnot(span->observed, span->observed, gone, KWT_CHUNK_PAGES);
	if (!span->chunk->absent)
		drop_all_users(space, span->chunk->users, part);
	else
		for_each_set_bit(bit, gone, KWT_CHUNK_PAGES)
			kwt_users_drop(space, span->chunk, bit);
	span->nr_tracked -= n;
	WRITE_ONCE(set->pages, set->pages - n);
	spin_unlock(&space->arm_lock);
	return n;
}

/*
 * A sticky session keeps the removed gfns, see mark_absent(); @gone becomes
 * which. Returns how many.
 */
static u32 keep_removed(struct kwt_set *set, struct kwt_span *span,
			const struct part *part, unsigned long *gone)
{
	u32 n;

	spin_lock(&set->space->arm_lock);
	find_gone(gone, span, part);
	n = bitmap_weight(gone, KWT_CHUNK_PAGES);
	bitmap_andnot(span->observed, span->observed, gone, KWT_CHUNK_PAGES);
	set->absent += n;
	spin_unlock(&set->space->arm_lock);
	return n;
}

/* Make the removed gfns absent, after all sessions have their records. */
static u32 mark_absent(struct kwt_session *session, struct kwt_span *span,
		       const struct part *part)
{
	DECLARE_BITMAP(gone, KWT_CHUNK_PAGES);

	find_gone(gone, span, part);
	if (!bitmap_empty(gone, KWT_CHUNK_PAGES))
		kwt_absent_add(session->set.space, span->chunk, gone);
	return 0;
}

static u32 drop_removed(struct kwt_session *session, struct kwt_span *span,
			const struct part *part, bool told)
{
	struct kwt_set *set = &session->set;
	DECLARE_BITMAP(gone, KWT_CHUNK_PAGES);
	u32 bit, n;

	if (session->ring.sticky)
		n = keep_removed(set, span, part, gone);
	else
		n = forget_removed(set, span, part, gone);
	if (n && !told)
		kwt_resync_mark_all(span, gone, ktime_get_ns());
	if (!told)
		return n;
	bitmap_and(gone, gone, span->resync, KWT_CHUNK_PAGES);
	for_each_set_bit(bit, gone, KWT_CHUNK_PAGES)
		clear_bit(bit, span->resync);
	return n;
}

static u32 drop_told(struct kwt_session *session, struct kwt_span *span,
		     const struct part *part)
{
	return drop_removed(session, span, part, true);
}

/* The ring had no room: the resync set reports the removed gfns. */
static u32 drop_untold(struct kwt_session *session, struct kwt_span *span,
		       const struct part *part)
{
	return drop_removed(session, span, part, false);
}

/*
 * Call @fn for each span of the session in [gfn, end), all of which is removed.
 */
static u64 visit_removed_run(struct kwt_session *session, u64 gfn, u64 end,
			     visit_fn fn)
{
	struct kwt_span *span = kwt_span_first(&session->set,
					       kwt_chunk_index(gfn));
	struct part part;
	u64 n = 0, index;

	while (span && kwt_span_gfn(span, 0) < end) {
		set_part(&part, span, gfn, end);
		n += fn(session, span, &part);
		index = span->chunk->index + 1;
		kwt_span_put(&session->set, span);
		span = kwt_span_first(&session->set, index);
		cond_resched();
	}
	return n;
}

/*
 * Call @fn for each span in the removed range, without gfns of another address
 * space (SMM) that has the same numbers.
 */
static u64 visit_removed(struct kwt_vm *vm, struct kwt_session *session, u64 gfn,
			 u64 end, visit_fn fn)
{
	u64 n = 0, run_end;

	for (; gfn < end; gfn = run_end)
		if (kwt_removal_run(vm->kvm, gfn, end, &run_end))
			n += visit_removed_run(session, gfn, run_end, fn);
	return n;
}

/*
 * KVM's removal hook. No vCPU writes to these pages any more: KVM has waited
 * for vCPUs that could still see the memslot.
 */
void kwt_range_removed(struct kwt_vm *vm, u64 gfn, u64 nr_pages)
{
	struct kwt_session *session;
	u64 n, end = gfn + nr_pages;
	bool told, sticky = false;

	mutex_lock(&vm->lock);
	list_for_each_entry(session, &vm->sessions, in_vm) {
		n = visit_removed(vm, session, gfn, end, count_removed);
		if (!n)
			continue;
		visit_removed(vm, session, gfn, end, disarm_removed);
		told = kwt_ring_region(&session->ring, gfn, nr_pages, n,
				       ktime_get_ns());
		atomic64_inc(&session->ring.regions);
		visit_removed(vm, session, gfn, end,
			      told ? drop_told : drop_untold);
		kwt_notice_region(session, gfn, nr_pages, n);
		sticky |= session->ring.sticky;
	}
	if (sticky)
		list_for_each_entry(session, &vm->sessions, in_vm)
			if (session->ring.sticky)
				visit_removed(vm, session, gfn, end,
					      mark_absent);
	/* VMMs often create the memslot again at once. */
	if (sticky)
		kwt_absent_look_soon(vm);
	mutex_unlock(&vm->lock);
}
