// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is tracked on one VM: 16-bit user counts by gfn, in chunks that exist
 * only where something is tracked, and that a hash table finds; and the
 * sessions' parts of these chunks, the spans.
 *
 * It is a hash table and not a radix tree because the write hook pays for the
 * look-up at each emulated store of the VM: a miss costs a multiplication and
 * one load here, whatever the guest's size.
 */
#include <linux/ktime.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "track.h"

#define TABLE_MIN_SLOTS	8

static struct kmem_cache *chunk_cache;

/* The mark in slots whose chunk is gone; no gfn has this index. */
static struct kwt_chunk deleted = { .index = U64_MAX };

static struct kwt_table *space_table(const struct kwt_space *space)
{
	/* All callers hold the VM's lock or are alone with the space. */
	return rcu_dereference_protected(space->table, 1);
}

/* The caller holds the VM's lock. */
static struct kwt_chunk *table_slot(const struct kwt_table *table, u64 i)
{
	return rcu_dereference_protected(table->slot[i], 1);
}

/*
 * Find a chunk. The mark of a deleted chunk has an index that no gfn has, so it
 * needs no test. The caller has disabled preemption, which is the RCU read
 * side, or holds the VM's lock.
 */
struct kwt_chunk *kwt_table_find(const struct kwt_table *table, u64 index)
{
	u64 i = kwt_table_hash(table, index);
	struct kwt_chunk *chunk;

	for (;; i = (i + 1) & table->mask) {
		chunk = rcu_dereference_check(table->slot[i], 1);
		if (!chunk || chunk->index == index)
			return chunk;
	}
}

static size_t table_bytes(u32 slots)
{
	return sizeof(struct kwt_table) + slots * sizeof(struct kwt_chunk *);
}

static struct kwt_table *table_alloc(u32 slots)
{
	struct kwt_table *table;

	table = kvzalloc(table_bytes(slots), GFP_KERNEL_ACCOUNT);
	if (!table)
		return NULL;
	table->mask = slots - 1;
	return table;
}

static void table_free_rcu(struct rcu_head *rcu)
{
	kvfree(container_of(rcu, struct kwt_table, rcu));
}

/*
 * Insert into a free slot or that of a deleted chunk. Readers see the whole
 * chunk or none.
 */
static void table_insert(struct kwt_table *table, struct kwt_chunk *chunk)
{
	u64 i = kwt_table_hash(table, chunk->index);
	struct kwt_chunk *old;

	for (;; i = (i + 1) & table->mask) {
		old = table_slot(table, i);
		if (!old || old == &deleted)
			break;
	}
	if (!old)
		table->taken++;
	table->live++;
	rcu_assign_pointer(table->slot[i], chunk);
}

/*
 * Replace the table by one of the right size, without the marks of deleted
 * chunks. Readers use the old one until their grace period is over. An eighth
 * more than twice the need delays the next replacement when chunks come and go.
 */
static int space_rehash(struct kwt_space *space, u32 live)
{
	u32 slots = roundup_pow_of_two(max_t(u32, TABLE_MIN_SLOTS,
					     2 * live + live / 8));
	struct kwt_table *old = space_table(space), *table;
	u32 i;

	table = table_alloc(slots);
	if (!table)
		return -ENOMEM;
	for (i = 0; i <= old->mask; i++) {
		struct kwt_chunk *chunk = table_slot(old, i);

		if (chunk && chunk != &deleted)
			table_insert(table, chunk);
	}
	space->bytes += table_bytes(slots) - table_bytes(old->mask + 1);
	rcu_assign_pointer(space->table, table);
	call_rcu(&old->rcu, table_free_rcu);
	return 0;
}

int kwt_space_init(struct kwt_space *space)
{
	struct kwt_table *table = table_alloc(TABLE_MIN_SLOTS);

	if (!table)
		return -ENOMEM;
	RCU_INIT_POINTER(space->table, table);
	space->bytes = table_bytes(TABLE_MIN_SLOTS);
	spin_lock_init(&space->arm_lock);
	space->arming = KWT_NO_GFN;
	INIT_LIST_HEAD(&space->tripped);
	INIT_LIST_HEAD(&space->absent);
	return 0;
}

/* No write hook runs any more, and no set is left. */
void kwt_space_exit(struct kwt_space *space)
{
	kvfree(space_table(space));
	RCU_INIT_POINTER(space->table, NULL);
}

struct kwt_chunk *kwt_chunk_find(struct kwt_space *space, u64 index)
{
	return kwt_table_find(space_table(space), index);
}

/*
 * Find or make a chunk. The caller puts it again if it gets no span. Returns
 * NULL without memory.
 */
struct kwt_chunk *kwt_chunk_get(struct kwt_space *space, u64 index)
{
	struct kwt_chunk *chunk = kwt_chunk_find(space, index);
	struct kwt_table *table = space_table(space);

	if (chunk)
		return chunk;
	if (2 * (table->taken + 1) > table->mask + 1 &&
	    space_rehash(space, table->live + 1))
		return NULL;
	chunk = kmem_cache_zalloc(chunk_cache, GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return NULL;
	chunk->index = index;
	INIT_LIST_HEAD(&chunk->in_tripped);
	space->bytes += sizeof(*chunk);
	table_insert(space_table(space), chunk);
	return chunk;
}

static size_t guard_bytes(void)
{
	return KWT_CHUNK_PAGES * sizeof(u16);
}

/* Find or make the guard's state of a chunk. Returns false without memory. */
bool kwt_chunk_guard(struct kwt_space *space, struct kwt_chunk *chunk)
{
	u16 *guard;

	if (chunk->guard)
		return true;
	guard = kzalloc(guard_bytes(), GFP_KERNEL_ACCOUNT);
	if (!guard)
		return false;
	spin_lock(&space->arm_lock);
	chunk->guard = guard;
	spin_unlock(&space->arm_lock);
	space->bytes += guard_bytes();
	return true;
}

static void chunk_free_rcu(struct rcu_head *rcu)
{
	struct kwt_chunk *chunk = container_of(rcu, struct kwt_chunk, rcu);

	kfree(chunk->guard);
	kfree(chunk->absent);
	kmem_cache_free(chunk_cache, chunk);
}

/*
 * Free the chunk if no session has a span in it any more. Without users nothing
 * in it is armed, so the guard does not find it now. A chunk in the worker's
 * list stays until the worker puts it.
 */
void kwt_chunk_put(struct kwt_space *space, struct kwt_chunk *chunk)
{
	struct kwt_table *table = space_table(space);
	u64 i = kwt_table_hash(table, chunk->index);

	if (!hlist_empty(&chunk->spans) || !list_empty(&chunk->in_tripped))
		return;
	while (table_slot(table, i) != chunk)
		i = (i + 1) & table->mask;
	rcu_assign_pointer(table->slot[i], &deleted);
	table->live--;
	space->bytes -= sizeof(*chunk) + (chunk->guard ? guard_bytes() : 0) +
			(chunk->absent ? sizeof(*chunk->absent) : 0);
	call_rcu(&chunk->rcu, chunk_free_rcu);

	/*
	 * Shrink the table. If there is no memory for a smaller one, a later
	 * call tries again.
	 */
	if (table->mask + 1 > TABLE_MIN_SLOTS && 8 * table->live <= table->mask)
		(void)space_rehash(space, table->live);
}

/* The number of sessions that track the gfn. */
u32 kwt_space_users(struct kwt_space *space, u64 gfn)
{
	struct kwt_chunk *chunk = kwt_chunk_find(space, kwt_chunk_index(gfn));

	return chunk ? READ_ONCE(chunk->users[kwt_chunk_bit(gfn)]) : 0;
}

/*
 * The spans of a session: each has its tracked and resync bits in one chunk,
 * and exists while one of them is set. All callers hold the VM's lock.
 */

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

/* The first span at or after a chunk index, or NULL. */
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

/*
 * Find or make a span. The caller puts it again if it sets no bit. Returns NULL
 * without memory.
 */
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
 * Free the span if it has no bit left. A write hook may still set a resync bit
 * in a span whose gfns were just removed; that bit has no meaning any more.
 */
void kwt_span_put(struct kwt_set *set, struct kwt_span *span)
{
	struct kwt_chunk *chunk = span->chunk;
	bool used;

	/*
	 * Wait for the guard, which may be publishing that it took the last gfn
	 * away.
	 */
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

/*
 * Make the session no user of the gfn. Before the last user is gone, the gfn
 * was disarmed. The caller holds arm_lock, and either holds the VM's lock or
 * has disabled preemption.
 */
void kwt_span_forget(struct kwt_span *span, u32 bit)
{
	struct kwt_set *set = span->ring->set;

	lockdep_assert_held(&set->space->arm_lock);
	kwt_users_drop(set->space, span->chunk, bit);
	clear_bit(bit, span->tracked);
	/*
	 * A gfn that is tracked and not observed counts as disarmed: see
	 * resync_what().
	 */
	smp_mb__after_atomic();
	clear_bit(bit, span->observed);
	span->nr_tracked--;
	WRITE_ONCE(set->pages, set->pages - 1);
	/* A gfn that the guard takes away was armed, so it is not absent. */
	if (!kwt_chunk_absent(span->chunk, bit))
		return;
	set->absent--;
	if (!span->chunk->users[bit])
		kwt_absent_end(set->space, span->chunk, bit);
}

/* Allocate the counters of notifications of each gfn. */
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
	/* Pairs with the address dependency of readers of the counters. */
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

static int span_cache_create(void)
{
	span_cache = kmem_cache_create("kvm_wtrack_span",
				       sizeof(struct kwt_span), 0,
				       SLAB_ACCOUNT, NULL);
	return span_cache ? 0 : -ENOMEM;
}

static void span_cache_destroy(void)
{
	kmem_cache_destroy(span_cache);
}

int kwt_caches_create(void)
{
	chunk_cache = kmem_cache_create("kvm_wtrack_chunk",
					sizeof(struct kwt_chunk), 0,
					SLAB_ACCOUNT, NULL);
	if (!chunk_cache)
		return -ENOMEM;
	if (span_cache_create()) {
		kmem_cache_destroy(chunk_cache);
		return -ENOMEM;
	}
	return 0;
}

/* Called after the last call_rcu(): wait for its callbacks. */
void kwt_caches_destroy(void)
{
	rcu_barrier();
	span_cache_destroy();
	kmem_cache_destroy(chunk_cache);
}
