// SPDX-License-Identifier: GPL-2.0-only
/*
 * What one session tracks: add, remove and query of its gfns. A session counts
 * once in a gfn's users. The first user arms the gfn in KVM, the last one
 * disarms it; KVM itself never sees a second count of ours, and none that goes
 * below zero. All under the VM's lock.
 */
#include "track.h"

/*
 * One more user of the gfn. From here on the guard's records are for this
 * session, too. Returns whether the gfn is armed.
 */
static bool join(struct kwt_space *space, struct kwt_span *span, u32 bit)
{
	struct kwt_chunk *chunk = span->chunk;
	bool armed;

	spin_lock(&space->arm_lock);
	set_bit(bit, span->tracked);
	WRITE_ONCE(chunk->users[bit], chunk->users[bit] + 1);
	armed = test_bit(bit, chunk->armed);
	if (armed || chunk->users[bit] == 1)
		set_bit(bit, span->observed);
	spin_unlock(&space->arm_lock);
	return armed;
}

static void leave(struct kwt_span *span, u32 bit)
{
	u16 *users = &span->chunk->users[bit];

	WRITE_ONCE(*users, *users - 1);
	clear_bit(bit, span->observed);
	clear_bit(bit, span->tracked);
}

static int may_add(const struct kwt_set *set, const struct kwt_span *span,
		   u32 bit)
{
	if (set->pages >= set->max_pages)
		return -ENOSPC;
	return span->chunk->users[bit] >= set->max_users ? -EOVERFLOW : 0;
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
	int r = 0;

	if (kwt_chunk_disarmed(span->chunk, bit))
		r = kwt_rearm(set->space, span->chunk, bit);
	if (r)
		return r;
	if (test_bit(bit, span->tracked))
		return 0;
	r = may_add(set, span, bit);
	if (r)
		return r;

	/* A record of an earlier time does not stand for what comes now. */
	if (span->last)
		WRITE_ONCE(span->last[bit], 0);
	if (span->spent)
		WRITE_ONCE(span->spent[bit], 0);
	if (!join(set->space, span, bit))
		/* Disarmed just before we joined: that record was not for us. */
		r = span->chunk->users[bit] > 1 ? -EAGAIN :
		    kwt_arm(set->space, span->chunk, gfn, false);
	if (r) {
		leave(span, bit);
		return r;
	}
	span->nr_tracked++;
	set->pages++;
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
	if (span->chunk->users[bit] == 1 && disarm)
		kwt_disarm(set->space, span->chunk, kwt_span_gfn(span, bit));
	leave(span, bit);
	span->nr_tracked--;
	set->pages--;
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

/* KVM_WTRACK_GFN_* of one gfn. */
u32 kwt_set_state(const struct kwt_set *set, u64 gfn)
{
	struct kwt_span *span = kwt_span_find(set, kwt_chunk_index(gfn));
	u32 bit = kwt_chunk_bit(gfn), state = 0;

	if (!span)
		return 0;
	if (test_bit(bit, span->tracked))
		state |= KVM_WTRACK_GFN_TRACKED;
	if (test_bit(bit, span->tracked) && !test_bit(bit, span->observed))
		state |= KVM_WTRACK_GFN_DISARMED;
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
