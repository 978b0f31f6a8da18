// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gfns that sessions with RING_F_STICKY track without memory: their memslot was
 * deleted, or does not exist yet. They have users, they count as pages of their
 * sessions, and rearm.c arms them when there is memory.
 *
 * Each set counts the absent gfns that it tracks. All callers hold the VM's
 * lock.
 */
#include <linux/slab.h>

#include "track.h"

/*
 * Number of spaces with absent gfns. The probe of what KVM maps looks at it
 * first.
 */
atomic64_t kwt_absent_spaces;

/*
 * Find or make the bitmap of a chunk, before a sticky session tracks something
 * in the chunk. Returns false without memory.
 */
bool kwt_absent_make(struct kwt_space *space, struct kwt_chunk *chunk)
{
	struct kwt_absent *absent;

	if (chunk->absent)
		return true;
	absent = kzalloc(sizeof(*absent), GFP_KERNEL_ACCOUNT);
	if (!absent)
		return false;
	INIT_LIST_HEAD(&absent->in_space);
	absent->chunk = chunk;
	spin_lock(&space->arm_lock);
	chunk->absent = absent;
	spin_unlock(&space->arm_lock);
	space->bytes += sizeof(*absent);
	return true;
}

/* One more chunk has absent gfns, or one less: @change is 1 or -1. */
static void count_chunk(struct kwt_space *space, int change)
{
	bool had = space->nr_absent;

	WRITE_ONCE(space->nr_absent, space->nr_absent + change);
	if (had && !space->nr_absent)
		atomic64_dec(&kwt_absent_spaces);
	else if (!had)
		atomic64_inc(&kwt_absent_spaces);
}

static void list_absent(struct kwt_space *space, struct kwt_absent *absent)
{
	/* Have the worker look at it, also if it did so before. */
	absent->looked = 0;
	if (list_empty(&absent->in_space))
		count_chunk(space, 1);
	list_move(&absent->in_space, &space->absent);
}

/*
 * Make @gfns absent, which have users and are not armed. The caller has counted
 * them in the sets of all sessions that track them.
 */
void kwt_absent_add(struct kwt_space *space, struct kwt_chunk *chunk,
		    const unsigned long *gfns)
{
	u32 bit;

	spin_lock(&space->arm_lock);
	bitmap_or(chunk->absent->gfns, chunk->absent->gfns, gfns,
		  KWT_CHUNK_PAGES);
	if (chunk->guard)
		for_each_set_bit(bit, gfns, KWT_CHUNK_PAGES)
			chunk->guard[bit] = 0;
	spin_unlock(&space->arm_lock);
	list_absent(space, chunk->absent);
}

/* Make one gfn absent, whose only user is the session. */
void kwt_absent_add_gfn(struct kwt_set *set, struct kwt_span *span, u32 bit)
{
	struct kwt_absent *absent = span->chunk->absent;
	struct kwt_space *space = set->space;

	spin_lock(&space->arm_lock);
	set_bit(bit, absent->gfns);
	spin_unlock(&space->arm_lock);
	set->absent++;
	list_absent(space, absent);
}

/*
 * The gfn is armed, or no session tracks it any more. The caller holds
 * arm_lock.
 */
void kwt_absent_end(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit)
{
	struct kwt_absent *absent = chunk->absent;

	clear_bit(bit, absent->gfns);
	if (!bitmap_empty(absent->gfns, KWT_CHUNK_PAGES))
		return;
	list_del_init(&absent->in_space);
	count_chunk(space, -1);
}
