// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one session tracks: add, remove and query of its gfns. A session counts
 * once in a gfn's users. The first user arms the gfn in KVM, the last one
 * disarms it; KVM itself never sees a second count of ours, and none that goes
 * below zero. All under the VM's lock.
 *
 * What says whether a gfn is tracked is changed under arm_lock as well, since
 * the guard takes gfns away from a session that stops. So under the VM's lock
 * alone a gfn that is not tracked stays so, and one that is may cease to be.
 */
#include <linux/sched.h>

#include "track.h"

/* A session that stops gives gfns back at any time. Under the VM's lock. */
u64 kwt_set_pages(const struct kwt_set *set)
{
	return READ_ONCE(set->pages);
}

/* Under arm_lock. The caller of the ioctl reads the page afterwards. */
static bool observe_if_armed(struct kwt_space *space, struct kwt_span *span,
			     u32 bit)
{
	if (!test_bit(bit, span->chunk->armed))
		return false;
	if (test_bit(bit, span->observed))
		return true;
	kwt_chunk_number(space, span->chunk);
	set_bit(bit, span->observed);
	/* Pairs with the barrier in kwt_span_observes(). */
	smp_mb__after_atomic();
	return true;
}

/*
 * One more user of the gfn. From here on the guard's records are for this
 * session, too. Returns whether the gfn is armed.
 */
static bool join_gfn(struct kwt_space *space, struct kwt_span *span, u32 bit)
{
	struct kwt_chunk *chunk = span->chunk;
	bool armed;

	spin_lock(&space->arm_lock);
	set_bit(bit, span->tracked);
	WRITE_ONCE(chunk->users[bit], chunk->users[bit] + 1);
	armed = observe_if_armed(space, span, bit);
	span->nr_tracked++;
	WRITE_ONCE(span->ring->set->pages, span->ring->set->pages + 1);
	if (kwt_chunk_absent(chunk, bit))
		span->ring->set->absent++;
	spin_unlock(&space->arm_lock);
	return armed;
}

/* Unless the guard did. */
static void leave_gfn(struct kwt_set *set, struct kwt_span *span, u32 bit)
{
	spin_lock(&set->space->arm_lock);
	if (test_bit(bit, span->tracked))
		kwt_span_forget(span, bit);
	spin_unlock(&set->space->arm_lock);
}

static int check_add(const struct kwt_set *set, const struct kwt_span *span,
		     u32 bit)
{
	if (kwt_set_pages(set) >= set->max_pages)
		return -ENOSPC;
	return READ_ONCE(span->chunk->users[bit]) >= set->max_users ?
	       -EOVERFLOW : 0;
}

/*
 * Of a session that is told of one store. What it observes is armed. Nobody else
 * arms it for this session, unless it is absent; if others wait for it as well,
 * they are told.
 */
static int rearm_once(struct kwt_space *space, struct kwt_span *span, u64 gfn)
{
	u32 bit = kwt_chunk_bit(gfn);
	/* Whether there is memory again, its reader learns from the record. */
	const struct kwt_span *caller =
		kwt_chunk_absent(span->chunk, bit) ? NULL : span;
	bool done;

	kwt_span_begin_anew(span, bit);
	spin_lock(&space->arm_lock);
	/* If it stops as well, the guard may just have taken the gfn away. */
	done = !test_bit(bit, span->tracked) ||
	       observe_if_armed(space, span, bit);
	spin_unlock(&space->arm_lock);
	return done ? 0 : kwt_arm(space, span->chunk, gfn, caller);
}

static int rearm_gfn(struct kwt_space *space, struct kwt_span *span, u64 gfn)
{
	u32 bit = kwt_chunk_bit(gfn);
	int r;

	if (test_bit(bit, span->observed))
		return 0;
	if (span->ring->once)
		r = rearm_once(space, span, gfn);
	else
		r = kwt_rearm(space, span->chunk, bit);
	/* It waits for memory, or will, since its memslot is about to go. */
	if (span->ring->sticky && r && r != -EAGAIN)
		return 0;
	return r ?: 1;
}

/*
 * Have the session observe a gfn that it tracks. Returns 1, 0 if it does, or an
 * error; -EAGAIN: a little later. @span may be NULL.
 */
int kwt_set_rearm(struct kwt_set *set, struct kwt_span *span, u64 gfn)
{
	if (!span || !test_bit(kwt_chunk_bit(gfn), span->tracked))
		return -ENOENT;
	return rearm_gfn(set->space, span, gfn);
}

/*
 * Track a gfn. Returns 1, 0 if the session tracked it before, or an error;
 * -EAGAIN: a little later.
 *
 * The bit and the count stand before KVM is armed: the first store that KVM
 * reports must find them. What the guard has disarmed is armed at once, since
 * the caller will rely on being told of all stores from now on.
 */
int kwt_set_add(struct kwt_set *set, struct kwt_span *span, u64 gfn)
{
	u32 bit = kwt_chunk_bit(gfn);
	int r;

	if (test_bit(bit, span->tracked)) {
		r = rearm_gfn(set->space, span, gfn);
		return r < 0 ? r : 0;
	}
	r = check_add(set, span, bit);
	if (r)
		return r;
	kwt_span_begin_anew(span, bit);
	if (!join_gfn(set->space, span, bit))
		r = kwt_arm(set->space, span->chunk, gfn, span);
	if (!r)
		return 1;
	leave_gfn(set, span, bit);
	return r;
}

/*
 * The same for a sticky session, and a gfn that has no memory which could be
 * tracked. Nothing is armed. -EAGAIN: others have yet to be told that its memslot
 * goes, and may have no use for it then.
 */
int kwt_set_add_absent(struct kwt_set *set, struct kwt_span *span, u64 gfn)
{
	u32 bit = kwt_chunk_bit(gfn);
	int r;

	if (test_bit(bit, span->tracked))
		return 0;
	r = check_add(set, span, bit);
	if (r)
		return r;
	kwt_span_begin_anew(span, bit);
	/* If it is armed, its memslot is about to go, which will be told. */
	if (join_gfn(set->space, span, bit) ||
	    kwt_chunk_absent(span->chunk, bit))
		return 1;
	if (READ_ONCE(span->chunk->users[bit]) > 1) {
		leave_gfn(set, span, bit);
		return -EAGAIN;
	}
	kwt_absent_add_gfn(set, span, bit);
	return 1;
}

/*
 * Give up a gfn that is tracked. With @disarm false, KVM's count is left: it
 * goes with the memslots of a VM that is gone.
 *
 * KVM stops protecting the gfn before the last user is gone: at no instant may
 * KVM protect a gfn which the guard takes for untracked.
 */
void kwt_set_drop(struct kwt_set *set, struct kwt_span *span, u32 bit,
		  bool disarm)
{
	/* If it is less by now, the guard has disarmed the gfn. */
	if (READ_ONCE(span->chunk->users[bit]) == 1 && disarm)
		kwt_disarm(set->space, span->chunk, kwt_span_gfn(span, bit));
	leave_gfn(set, span, bit);
	/* Of those that are left, none may have wanted it any more. */
	if (!disarm || !test_bit(bit, span->chunk->armed))
		return;
	preempt_disable();
	kwt_disarm_unobserved(set->space, span->chunk, bit);
	preempt_enable();
}

/* Returns 1, or -ENOENT for a gfn that this session does not track. */
int kwt_set_remove(struct kwt_set *set, struct kwt_span *span, u64 gfn)
{
	u32 bit = kwt_chunk_bit(gfn);

	if (!test_bit(bit, span->tracked))
		return -ENOENT;
	kwt_set_drop(set, span, bit, true);
	clear_bit(bit, span->resync);
	return 1;
}

/* All of it, for good; what is tracked stays in the set. */
void kwt_set_disarm(struct kwt_set *set)
{
	struct kwt_span *span = kwt_span_first(set, 0);
	u32 bit;

	while (span) {
		for_each_set_bit(bit, span->tracked, KWT_CHUNK_PAGES)
			kwt_disarm(set->space, span->chunk,
				   kwt_span_gfn(span, bit));
		cond_resched();
		span = kwt_span_first(set, span->chunk->index + 1);
	}
}

/* Empty and free the first span. Returns false when there is none. */
bool kwt_set_clear_first(struct kwt_set *set, bool disarm)
{
	struct kwt_span *span = kwt_span_first(set, 0);
	u32 bit;

	if (!span)
		return false;
	for_each_set_bit(bit, span->tracked, KWT_CHUNK_PAGES)
		kwt_set_drop(set, span, bit, disarm);
	for_each_set_bit(bit, span->resync, KWT_CHUNK_PAGES)
		clear_bit(bit, span->resync);
	kwt_span_put(set, span);
	return true;
}

/*
 * Nothing at or behind *@index is tracked any more, one span at a time; what is in
 * the resync set stays there. Returns false at the end.
 */
bool kwt_set_untrack_next(struct kwt_set *set, u64 *index, bool disarm)
{
	struct kwt_span *span = kwt_span_first(set, *index);
	u32 bit;

	if (!span)
		return false;
	*index = span->chunk->index + 1;
	for_each_set_bit(bit, span->tracked, KWT_CHUNK_PAGES)
		kwt_set_drop(set, span, bit, disarm);
	kwt_span_put(set, span);
	return true;
}

/* KVM_WTRACK_GFN_* of one gfn. */
u32 kwt_set_state(const struct kwt_set *set, u64 gfn)
{
	struct kwt_span *span = kwt_span_find(set, kwt_chunk_index(gfn));
	u32 bit = kwt_chunk_bit(gfn), state = 0;

	if (!span)
		return 0;
	spin_lock(&set->space->arm_lock);
	if (test_bit(bit, span->tracked))
		state |= KVM_WTRACK_GFN_TRACKED;
	if (test_bit(bit, span->tracked) && kwt_chunk_absent(span->chunk, bit))
		state |= KVM_WTRACK_GFN_ABSENT;
	else if (test_bit(bit, span->tracked) && !test_bit(bit, span->observed))
		state |= KVM_WTRACK_GFN_DISARMED;
	spin_unlock(&set->space->arm_lock);
	if (test_bit(bit, span->resync))
		state |= KVM_WTRACK_GFN_RESYNC;
	return state;
}

/*
 * The tracked ranges in the span at or behind *@gfn, at most @room of them.
 * Sets *@gfn to where to go on, U64_MAX at the end. A range that goes on in the
 * next span comes in two; the caller joins them.
 */
u32 kwt_set_query(const struct kwt_set *set, u64 *gfn,
		  struct kvm_wtrack_range *range, u32 room)
{
	struct kwt_span *span = kwt_span_first(set, kwt_chunk_index(*gfn));
	u32 n = 0, start, end;

	if (!span) {
		*gfn = U64_MAX;
		return 0;
	}
	start = kwt_span_gfn(span, 0) < *gfn ? kwt_chunk_bit(*gfn) : 0;
	for (; n < room; n++, start = end) {
		start = find_next_bit(span->tracked, KWT_CHUNK_PAGES, start);
		if (start >= KWT_CHUNK_PAGES)
			break;
		end = find_next_zero_bit(span->tracked, KWT_CHUNK_PAGES, start);
		range[n].gfn = kwt_span_gfn(span, start);
		range[n].nr_pages = end - start;
	}
	*gfn = kwt_span_gfn(span, min_t(u32, start, KWT_CHUNK_PAGES));
	return n;
}
