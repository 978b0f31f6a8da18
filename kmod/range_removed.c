// SPDX-License-Identifier: GPL-2.0-only
/*
 * A memslot is deleted: what was tracked in it is not any more, or goes on to be
 * tracked without memory by a session with RING_F_STICKY. KVM calls under
 * its slots_lock, and the VMM waits for it in KVM_SET_USER_MEMORY_REGION: a
 * chunk of 1,024 gfns costs each session that has something in it a few
 * operations on bitmaps, however many of them it tracks.
 */
#include "guard.h"
#include "kwt.h"

/* A part of a chunk, as bits [from, to) of it. */
struct part {
	u32 from;
	u32 to;
	DECLARE_BITMAP(mask, KWT_CHUNK_PAGES);
};

/* What of [gfn, end) is in the span's chunk; the first of them is before @end. */
static void part_of(struct part *part, const struct kwt_span *span, u64 gfn,
		    u64 end)
{
	u64 first = kwt_span_gfn(span, 0);

	part->from = gfn > first ? gfn - first : 0;
	part->to = min_t(u64, end - first, KWT_CHUNK_PAGES);
	bitmap_zero(part->mask, KWT_CHUNK_PAGES);
	bitmap_set(part->mask, part->from, part->to - part->from);
}

/* How many gfns of it the session tracks, or drop them. */
typedef u32 (*visit_fn)(struct kwt_session *session, struct kwt_span *span,
			const struct part *part);

/* Those that the session tracks and that had memory until now. */
static void find_gone(unsigned long *gone, const struct kwt_span *span,
		      const struct part *part)
{
	bitmap_and(gone, span->tracked, part->mask, KWT_CHUNK_PAGES);
	if (span->chunk->absent)
		bitmap_andnot(gone, gone, span->chunk->absent->gfns,
			      KWT_CHUNK_PAGES);
}

/* Before anybody is told: the guard has nothing to say of what is gone. */
static u32 disarm(struct kwt_session *session, struct kwt_span *span,
		  const struct part *part)
{
	kwt_disarm_removed(session->set.space, span->chunk, part->mask);
	return 0;
}

static u32 count(struct kwt_session *session, struct kwt_span *span,
		 const struct part *part)
{
	DECLARE_BITMAP(gone, KWT_CHUNK_PAGES);

	find_gone(gone, span, part);
	return bitmap_weight(gone, KWT_CHUNK_PAGES);
}

/*
 * The session loses these. Nobody is left that has them, where no session is
 * sticky. A vCPU may change what is tracked elsewhere in the chunk, under the same
 * lock. Returns how many the session had; @gone is which.
 */
static u32 forget(struct kwt_set *set, struct kwt_span *span,
		  const struct part *part, unsigned long *gone)
{
	u16 *users = span->chunk->users;
	u32 bit, n;

	spin_lock(&set->space->arm_lock);
	find_gone(gone, span, part);
	n = bitmap_weight(gone, KWT_CHUNK_PAGES);
	bitmap_andnot(span->tracked, span->tracked, gone, KWT_CHUNK_PAGES);
	/* What is not observed, but tracked, is disarmed: see what_of(). */
	smp_mb();
	bitmap_andnot(span->observed, span->observed, gone, KWT_CHUNK_PAGES);
	if (!span->chunk->absent)
		memset(&users[part->from], 0,
		       (part->to - part->from) * sizeof(*users));
	else
		for_each_set_bit(bit, gone, KWT_CHUNK_PAGES)
			WRITE_ONCE(users[bit], users[bit] - 1);
	span->nr_tracked -= n;
	WRITE_ONCE(set->pages, set->pages - n);
	spin_unlock(&set->space->arm_lock);
	return n;
}

/*
 * A sticky session keeps these, see mark_absent(). Returns how many the session
 * had; @gone is which.
 */
static u32 keep(struct kwt_set *set, struct kwt_span *span,
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

/* When all sessions have been told. */
static u32 mark_absent(struct kwt_session *session, struct kwt_span *span,
		       const struct part *part)
{
	DECLARE_BITMAP(gone, KWT_CHUNK_PAGES);

	find_gone(gone, span, part);
	if (!bitmap_empty(gone, KWT_CHUNK_PAGES))
		kwt_absent_add(session->set.space, span->chunk, gone);
	return 0;
}

static u32 drop(struct kwt_session *session, struct kwt_span *span,
		const struct part *part, bool told)
{
	struct kwt_set *set = &session->set;
	DECLARE_BITMAP(gone, KWT_CHUNK_PAGES);
	u32 bit, n;

	if (session->ring.sticky)
		n = keep(set, span, part, gone);
	else
		n = forget(set, span, part, gone);
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
	return drop(session, span, part, true);
}

/* The reader hears of it from the resync set. */
static u32 drop_untold(struct kwt_session *session, struct kwt_span *span,
		       const struct part *part)
{
	return drop(session, span, part, false);
}

/* Each span of the session in [gfn, end), all of which is removed. */
static u64 visit_run(struct kwt_session *session, u64 gfn, u64 end, visit_fn fn)
{
	struct kwt_span *span = kwt_span_first(&session->set,
					       kwt_chunk_index(gfn));
	struct part part;
	u64 n = 0, index;

	while (span && kwt_span_gfn(span, 0) < end) {
		part_of(&part, span, gfn, end);
		n += fn(session, span, &part);
		index = span->chunk->index + 1;
		kwt_span_put(&session->set, span);
		span = kwt_span_first(&session->set, index);
		cond_resched();
	}
	return n;
}

/* Leaves out what another address space has at the same gfns. */
static u64 visit(struct kwt_vm *vm, struct kwt_session *session, u64 gfn,
		 u64 end, visit_fn fn)
{
	u64 n = 0, run_end;

	for (; gfn < end; gfn = run_end)
		if (kwt_removal_run(vm->kvm, gfn, end, &run_end))
			n += visit_run(session, gfn, run_end, fn);
	return n;
}

/*
 * KVM's removal hook. No vCPU writes to these pages any more: KVM has waited
 * for those that could still see the memslot.
 */
void kwt_range_removed(struct kwt_vm *vm, u64 gfn, u64 nr_pages)
{
	struct kwt_session *session;
	u64 n, end = gfn + nr_pages;
	bool told, sticky = false;

	mutex_lock(&vm->lock);
	list_for_each_entry(session, &vm->sessions, in_vm) {
		n = visit(vm, session, gfn, end, count);
		if (!n)
			continue;
		visit(vm, session, gfn, end, disarm);
		told = kwt_ring_region(&session->ring, gfn, nr_pages, n,
				       ktime_get_ns());
		atomic64_inc(&session->ring.regions);
		visit(vm, session, gfn, end, told ? drop_told : drop_untold);
		kwt_notice_region(session, gfn, nr_pages, n);
		sticky |= session->ring.sticky;
	}
	if (sticky)
		list_for_each_entry(session, &vm->sessions, in_vm)
			if (session->ring.sticky)
				visit(vm, session, gfn, end, mark_absent);
	/* VMMs often bring it back at once. */
	if (sticky)
		kwt_absent_look_soon(vm);
	mutex_unlock(&vm->lock);
}
