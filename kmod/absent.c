// SPDX-License-Identifier: GPL-2.0-only
/*
 * Gfns that sessions with RING_F_STICKY track although there is no memory: their
 * memslot was deleted, or is still to come. They have users, count among the pages
 * of their sessions, and are armed when there is memory: see rearm.c.
 *
 * A session's set counts those that it tracks. All under the VM's lock.
 */
#include <linux/slab.h>

#include "track.h"

/* Spaces with such gfns: KVM's probes look at them when there are any. */
atomic64_t kwt_absent_spaces;

/* Find or make; false without memory. Before the session tracks something. */
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

/* One more chunk that has such gfns, or one less. */
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
	/* It is to be looked at, also if it was before. */
	absent->looked = 0;
	if (list_empty(&absent->in_space))
		count_chunk(space, 1);
	list_move(&absent->in_space, &space->absent);
}

/*
 * Gfns with users that are not armed. The caller has counted them in the sets of
 * all that track them.
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

/* One gfn, of which the session is the only user. */
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

/* It is armed, or nobody tracks it. Under arm_lock. */
void kwt_absent_end(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit)
{
	struct kwt_absent *absent = chunk->absent;

	clear_bit(bit, absent->gfns);
	if (!bitmap_empty(absent->gfns, KWT_CHUNK_PAGES))
		return;
	list_del_init(&absent->in_space);
	count_chunk(space, -1);
}
