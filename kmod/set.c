// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one session tracks: add, remove and query of its gfns. A session counts
 * once in a gfn's users. The first user arms the gfn in KVM, the last one
 * disarms it, so that KVM has at most one count of this module for each gfn.
 * All callers hold the VM's lock.
 *
 * The tracked bits change under arm_lock as well, since the guard takes gfns
 * away from a session with RING_F_STOP. So under the VM's lock alone, a gfn
 * that is not tracked stays untracked, and one that is tracked may cease to be.
 */
#include <linux/sched.h>

#include "track.h"

/*
 * The number of tracked pages. The guard may reduce it at any time if the
 * session has RING_F_STOP. The caller holds the VM's lock.
 */
u64 kwt_set_pages(const struct kwt_set *set)
{
	return READ_ONCE(set->pages);
}

/*
 * Have the session observe the gfn if it is armed. The caller of the ioctl
 * reads the page afterwards. The caller holds arm_lock.
 */
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
 * Make the session a user of the gfn. From here on it gets the guard's records
 * as well. Returns whether the gfn is armed.
 */
static bool join_gfn(struct kwt_space *space, struct kwt_span *span, u32 bit)
{
	struct kwt_chunk *chunk = span->chunk;
	bool armed;

	spin_lock(&space->arm_lock);
	set_bit(bit, span->tracked);
	if (!chunk->users[bit])
		WRITE_ONCE(space->pages, space->pages + 1);
	WRITE_ONCE(chunk->users[bit], chunk->users[bit] + 1);
	armed = observe_if_armed(space, span, bit);
	span->nr_tracked++;
	WRITE_ONCE(span->ring->set->pages, span->ring->set->pages + 1);
	if (kwt_chunk_absent(chunk, bit))
		span->ring->set->absent++;
	spin_unlock(&space->arm_lock);
	return armed;
}

/* Make the session no user of the gfn, unless the guard already did. */
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
 * Arm a gfn again for a session with RING_F_ONCE. A gfn that it observes is
 * armed. Nothing else arms the gfn for this session, unless it is absent. Other
 * sessions that wait for the gfn get a record.
 */
static int rearm_once(struct kwt_space *space, struct kwt_span *span, u64 gfn)
{
	u32 bit = kwt_chunk_bit(gfn);
	/* The reader learns from the record whether there is memory again. */
	const struct kwt_span *caller =
		kwt_chunk_absent(span->chunk, bit) ? NULL : span;
	bool done;

	kwt_span_begin_anew(span, bit);
	spin_lock(&space->arm_lock);
	/*
	 * With RING_F_STOP as well, the guard may just have taken the gfn away.
	 */
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
	/* The gfn is absent, or will be, since its memslot is being deleted. */
	if (span->ring->sticky && r && r != -EAGAIN)
		return 0;
	return r ?: 1;
}

/*
 * Have the session observe a gfn that it tracks. Returns 1, or 0 if it observed
 * the gfn already, or an error; after -EAGAIN try again a little later. @span
 * may be NULL.
 */
int kwt_set_rearm(struct kwt_set *set, struct kwt_span *span, u64 gfn)
{
	if (!span || !test_bit(kwt_chunk_bit(gfn), span->tracked))
		return -ENOENT;
	return rearm_gfn(set->space, span, gfn);
}

/*
 * Track a gfn. Returns 1, or 0 if the session tracked it before, or an error;
 * after -EAGAIN try again a little later.
 *
 * The bit and the count are set before KVM is armed: the first store that KVM
 * reports must find them. A gfn that the guard has disarmed is armed at once,
 * since the caller relies on records of all stores from now on.
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
 * As kwt_set_add(), for a sticky session and a gfn without memory that could be
 * tracked. Nothing is armed. Returns -EAGAIN when other sessions do not have
 * the record of the memslot's removal yet, which may end their use of the gfn.
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
	/*
	 * If it is armed, its memslot is being deleted, and the record of that
	 * follows.
	 */
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
 * Drop a tracked gfn. With @disarm false, KVM's count stays: it goes with the
 * memslots of a VM that is gone.
 *
 * KVM stops protecting the gfn before the last user is gone: at no instant may
 * KVM protect a gfn that the guard considers untracked.
 */
void kwt_set_drop(struct kwt_set *set, struct kwt_span *span, u32 bit,
		  bool disarm)
{
	/* If there are fewer users by now, the guard has disarmed the gfn. */
	if (READ_ONCE(span->chunk->users[bit]) == 1 && disarm)
		kwt_disarm(set->space, span->chunk, kwt_span_gfn(span, bit));
	leave_gfn(set, span, bit);
	/* Perhaps none of the remaining sessions observes the gfn any more. */
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

/* Disarm all gfns for good. They stay in the set. */
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
 * Untrack the gfns of the first span at or after *@index, which becomes the
 * index to continue at. The resync set stays. Returns false at the end.
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
 * Find the tracked ranges in the first span at or after *@gfn, at most @room of
 * them. *@gfn becomes the gfn to continue at, or U64_MAX at the end. A range
 * that continues in the next span is returned in two parts, which the caller
 * joins.
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
