// SPDX-License-Identifier: GPL-2.0-only
/*
 * A session's spans: its tracked and resync bits in one chunk each. They exist
 * as long as a bit in them is set, all of them under the VM's lock.
 */
#include <linux/ktime.h>
#include <linux/rculist.h>
#include <linux/slab.h>

#include "track.h"

static struct kmem_cache *span_cache;

#define LAST_BYTES	(KWT_CHUNK_PAGES * sizeof(u64))
#define SPENT_BYTES	(KWT_CHUNK_PAGES * sizeof(u16))

static size_t span_bytes(const struct kwt_span *span)
{
	return sizeof(*span) + (span->last ? LAST_BYTES : 0) +
	       (span->spent ? SPENT_BYTES : 0);
}

static struct kwt_span *to_span(struct rb_node *node)
{
	return rb_entry(node, struct kwt_span, in_set);
}

/* The first span at or behind a chunk index. */
struct kwt_span *kwt_span_first(const struct kwt_set *set, u64 index)
{
	struct rb_node *node = set->spans.rb_node;
	struct kwt_span *best = NULL;

	while (node) {
		struct kwt_span *span = to_span(node);

		if (span->chunk->index < index) {
			node = node->rb_right;
		} else {
			best = span;
			node = node->rb_left;
		}
	}
	return best;
}

struct kwt_span *kwt_span_find(const struct kwt_set *set, u64 index)
{
	struct kwt_span *span = kwt_span_first(set, index);

	return span && span->chunk->index == index ? span : NULL;
}

static void span_link(struct kwt_set *set, struct kwt_span *span)
{
	struct rb_node **link = &set->spans.rb_node, *parent = NULL;

	while (*link) {
		parent = *link;
		if (span->chunk->index < to_span(parent)->chunk->index)
			link = &parent->rb_left;
		else
			link = &parent->rb_right;
	}
	rb_link_node(&span->in_set, parent, link);
	rb_insert_color(&span->in_set, &set->spans);
	hlist_add_head_rcu(&span->in_chunk, &span->chunk->spans);
	set->bytes += span_bytes(span);
}

static void span_free(struct kwt_span *span)
{
	kvfree(span->last);
	kvfree(span->spent);
	kmem_cache_free(span_cache, span);
}

static struct kwt_span *span_alloc(struct kwt_ring *ring)
{
	struct kwt_span *span = kmem_cache_zalloc(span_cache,
						  GFP_KERNEL_ACCOUNT);

	if (!span)
		return NULL;
	span->ring = ring;
	span->whole = !ring->coalesce && !ring->once && !ring->no_data &&
		      !ring->no_rip && !ring->synchronous;
	span->plain = span->whole && !ring->budget;
	if (ring->coalesce)
		span->last = kvzalloc(LAST_BYTES, GFP_KERNEL_ACCOUNT);
	if (ring->counts)
		span->spent = kvzalloc(SPENT_BYTES, GFP_KERNEL_ACCOUNT);
	if ((ring->coalesce && !span->last) ||
	    (ring->counts && !span->spent)) {
		span_free(span);
		return NULL;
	}
	return span;
}

static void span_free_rcu(struct rcu_head *rcu)
{
	span_free(container_of(rcu, struct kwt_span, rcu));
}

/* Find or make. A span without bits has to be put again. */
struct kwt_span *kwt_span_get(struct kwt_set *set, u64 index)
{
	struct kwt_span *span = kwt_span_find(set, index);

	if (span)
		return span;
	span = span_alloc(set->ring);
	if (!span)
		return NULL;
	span->chunk = kwt_chunk_get(set->space, index);
	if (!span->chunk) {
		span_free(span);
		return NULL;
	}
	if ((span->spent && !kwt_chunk_guard(set->space, span->chunk)) ||
	    (set->ring->sticky && !kwt_absent_make(set->space, span->chunk))) {
		kwt_chunk_put(set->space, span->chunk);
		span_free(span);
		return NULL;
	}
	span_link(set, span);
	return span;
}

/*
 * Free it if it has no bit left. A write hook may still set a resync bit in a
 * span whose gfns were just removed; nobody is interested in it any more.
 */
void kwt_span_put(struct kwt_set *set, struct kwt_span *span)
{
	struct kwt_chunk *chunk = span->chunk;
	bool used;

	/* The guard may be about to say that it took the last gfn away. */
	spin_lock(&set->space->arm_lock);
	used = span->nr_tracked || !bitmap_empty(span->resync, KWT_CHUNK_PAGES);
	spin_unlock(&set->space->arm_lock);
	if (used)
		return;
	rb_erase(&span->in_set, &set->spans);
	hlist_del_rcu(&span->in_chunk);
	set->bytes -= span_bytes(span);
	call_rcu(&span->rcu, span_free_rcu);
	kwt_chunk_put(set->space, chunk);
}

/* Room to count the notifications of each gfn. Under the VM's lock. */
int kwt_span_make_spent(struct kwt_set *set, struct kwt_span *span)
{
	u16 *spent;

	if (span->spent)
		return 0;
	spent = kvzalloc(SPENT_BYTES, GFP_KERNEL_ACCOUNT);
	if (!spent)
		return -ENOMEM;
	if (!kwt_chunk_guard(set->space, span->chunk)) {
		kvfree(spent);
		return -ENOMEM;
	}
	/* Pairs with the dependency of those who look at what it points to. */
	smp_store_release(&span->spent, spent);
	set->bytes += SPENT_BYTES;
	return 0;
}

/*
 * The ring's budget has changed. The new one applies from now on, but a period that
 * has begun runs to its end, at most one new period later: if it began anew, a
 * session could have its budget as often as it asks. The caller holds the VM's lock.
 */
int kwt_span_tune(struct kwt_set *set, struct kwt_span *span)
{
	const struct kwt_ring *ring = set->ring;
	u64 end = ktime_get_ns() + ring->period_ns;

	WRITE_ONCE(span->plain, span->whole && !ring->budget);
	if (READ_ONCE(span->period_end) > end)
		WRITE_ONCE(span->period_end, end);
	return 0;
}

int kwt_span_cache_create(void)
{
	span_cache = kmem_cache_create("kvm_wtrack_span",
				       sizeof(struct kwt_span), 0,
				       SLAB_ACCOUNT, NULL);
	return span_cache ? 0 : -ENOMEM;
}

void kwt_span_cache_destroy(void)
{
	kmem_cache_destroy(span_cache);
}
