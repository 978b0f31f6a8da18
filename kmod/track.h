/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is tracked, and the ring: data structures that use nothing of KVM.
 *
 *	kwt_space	one for each VM: user counts by gfn, in chunks, found
 *			through a hash table that the write hook reads locklessly
 *	kwt_set		one for each session: its tracked and resync bits, in
 *			spans, each of which belongs to one chunk
 *	kwt_ring	one for each session: the records on their way to user
 *			space
 *
 *	kwt_vcpu	one for each vCPU: the store that it is making
 *
 * The write hooks and the guard's probes read these structures with preemption
 * disabled, which is an RCU read side. Fields marked (L) below change under the
 * VM's lock (struct kwt_vm). Fields marked (A), which say what KVM protects,
 * change under the space's arm_lock, which the guard takes in the vCPU's
 * thread. The write hooks also change the resync bits and the ring, without a
 * lock.
 */
#ifndef KWT_TRACK_H
#define KWT_TRACK_H

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/cache.h>
#include <linux/list.h>
#include <linux/rbtree.h>
#include <linux/rculist.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <linux/kvm_wtrack.h>

/* A guest page is 4 KiB, whatever the host maps it with. */
#define KWT_PAGE_SHIFT		12
#define KWT_PAGE_SIZE		(1UL << KWT_PAGE_SHIFT)

/*
 * A chunk has 1,024 gfns: one tracked page costs 2.7 KiB, a densely tracked
 * gigabyte 0.06 % of it (2 bytes of count and 4 bits for each gfn, and some 180
 * bytes of links for each 4 MiB). The guard's state takes 2 bytes for each
 * page, in chunks in which the guard had to act; the counters of a budget take
 * 2 bytes as well, in sessions with one.
 */
#define KWT_CHUNK_SHIFT		10
#define KWT_CHUNK_PAGES		(1U << KWT_CHUNK_SHIFT)
#define KWT_CHUNK_MASK		(KWT_CHUNK_PAGES - 1)

/* Not a valid gfn: guest physical addresses have 52 bits. */
#define KWT_NO_GFN		U64_MAX

/* x86 has no more physical address bits, in a guest or elsewhere. */
#define KWT_GPA_BITS		52

struct kvm_vcpu;
struct kwt_ring;
struct kwt_vcpus;

/**
 * struct kwt_absent - gfns of a chunk that are tracked without memory
 * @in_space: in space->absent while there are any; (L)
 * @chunk: constant
 * @looked: number of the last look for memory; (L)
 * @gfns: each has only users with RING_F_STICKY, and none is armed; (A) and (L)
 *	to change
 */
struct kwt_absent {
	struct list_head in_space;
	struct kwt_chunk *chunk;
	u64 looked;
	DECLARE_BITMAP(gfns, KWT_CHUNK_PAGES);
};

/**
 * struct kwt_chunk - the user counts of KWT_CHUNK_PAGES gfns of a VM
 * @index: gfn >> KWT_CHUNK_SHIFT, constant while the chunk can be found
 * @spans: of the sessions that track something here; (L), read under RCU
 * @in_tripped: in space->tripped while the guard has disarmed a gfn in it; (A)
 * @rcu: to free it, when it is in no list
 * @guard: the guard's state of each gfn, see guard.h; (A), and (L) to set.
 *	Allocated in advance for sessions with a budget
 * @absent: set where a session with RING_F_STICKY tracks something, otherwise
 *	NULL; (A), and (L) to set
 * @armed: gfns that KVM protects for this module; (A). A gfn with users that is
 *	not armed is absent, or was disarmed by the guard, or all its users have
 *	RING_F_ONCE and have had a record of a store
 * @arming_nr: number of the last arming of a gfn in it, or of the last session
 *	that began to observe one; (A), read by the write hook
 * @users: number of sessions by gfn; (A), and (L) to increase, read under RCU
 */
struct kwt_chunk {
	u64 index;
	struct hlist_head spans;
	u64 arming_nr;
	union {
		struct list_head in_tripped;
		struct rcu_head rcu;
	};
	u16 *guard;
	struct kwt_absent *absent;
	DECLARE_BITMAP(armed, KWT_CHUNK_PAGES);
	u16 users[KWT_CHUNK_PAGES];
};

/**
 * struct kwt_table - open-addressing hash table of chunks
 * @rcu: to free it
 * @mask: number of slots - 1
 * @live: slots with a chunk; (L)
 * @taken: slots with a chunk or the mark of a deleted one; (L)
 * @slot: at most half of them are taken, so that every search meets an empty
 *	one
 */
struct kwt_table {
	struct rcu_head rcu;
	u64 mask;
	u32 live;
	u32 taken;
	struct kwt_chunk __rcu *slot[];
};

/**
 * struct kwt_space - what is tracked on one VM
 * @table: never NULL between init and exit; (L), read under RCU
 * @vcpus: vCPUs that the guard can watch; (L), read under RCU
 * @id: of the VM, never used again; constant
 * @natives: number of sessions that want no store emulated; (L), read by the
 *	probes
 * @bytes: memory held by the table and the chunks; (L)
 * @pages: number of gfns with users; (A), and (L) to increase
 * @arm_lock: (A)
 * @arming: the gfn that is being armed, or KWT_NO_GFN; (A), read by the probes
 * @era: of faults, see kwt_arm(); (L), read by the probes
 * @era_over: KVM has handled the faults of earlier eras; (L)
 * @era_end: the grace period of KVM's read side that ends @era; (L)
 * @synchronous: the VM has had a synchronous session: each of @vcpus has room for
 *	what it waits for; (L)
 * @known: the guard sees each fault of vCPUs that have a place in @vcpus; (L)
 * @known_end: the grace period of KVM's read side after which @known is true;
 *	(L)
 * @arming_nr: number of the last arming; (A), read by the probes
 * @newest_grace: the newest grace period of KVM's read side that was begun; (L)
 * @graced: @newest_grace is valid; (L)
 * @forbidden: KVM must not emulate stores of this guest: no gfn is armed any
 *	more, and armed gfns are disarmed; set once, in a vCPU's thread
 * @tripped: chunks with a gfn that the guard has disarmed; (A)
 * @absent: chunks with absent gfns, in the order of the last look at them; (L)
 * @nr_absent: number of chunks in @absent; (L), read by the probes
 * @absent_look: number of the last look at all chunks in @absent; (L)
 * @absent_generation: generation of KVM's memslots at that look; (L), read by
 *	the probes
 * @stray_writes: stores of vCPUs that have no place in @vcpus, counted as
 *	kwt_vcpu.writes are
 */
struct kwt_space {
	struct kwt_table __rcu *table;
	struct kwt_vcpus __rcu *vcpus;
	u64 id;
	u32 natives;
	size_t bytes;
	u64 pages;
	spinlock_t arm_lock;
	u64 arming;
	u64 era;
	u64 era_over;
	unsigned long era_end;
	bool synchronous;
	bool known;
	unsigned long known_end;
	u64 arming_nr;
	unsigned long newest_grace;
	bool graced;
	bool forbidden;
	struct list_head tripped;
	struct list_head absent;
	u32 nr_absent;
	u64 absent_look;
	u64 absent_generation;
	atomic64_t stray_writes;
};

/**
 * struct kwt_span - one session's part of a chunk
 * @in_chunk: in chunk->spans; (L), read under RCU
 * @in_set: in set->spans, by chunk->index; (L)
 * @rcu: to free it, when it is in no set
 * @chunk: constant
 * @ring: the session's, constant
 * @last: coalescing sessions: for each gfn the sequence number of its newest
 *	record, or KWT_CLAIMED; changed by the write hooks, atomically
 * @spent: sessions that have had a budget: notifications of each gfn in this
 *	period; (L) to set, once, read under RCU. The write hooks change it
 *	without a lock, and may count two notifications as one
 * @period_end: when @spent begins anew; changed as @spent is
 * @whole: each store has a record of its own with all of its data, without
 *	RING_F_ONCE, and no vCPU waits; constant
 * @plain: @whole, and no notification is counted; (L) to set, read under RCU
 * @nr_tracked: bits set in @tracked; (A)
 * @tracked: (A), and (L) to set, read under RCU
 * @observed: those gfns of @tracked whose stores are recorded now, all of which
 *	are armed. A gfn is not observed between the guard's records DISARMED
 *	and REARMED; (A), read under RCU. A write hook reads it between
 *	ring->head and the reservation: kwt_ring_reserve_for(). With RING_F_ONCE
 *	the thread that publishes the first store clears the bit, and no other
 *	does
 * @resync: set by the write hooks, cleared under (L), both atomically. With the
 *	tracked bit, the reader has to read the page; without it, the page was
 *	removed
 */
struct kwt_span {
	struct hlist_node in_chunk;
	union {
		struct rb_node in_set;
		struct rcu_head rcu;
	};
	struct kwt_chunk *chunk;
	struct kwt_ring *ring;
	u64 *last;
	u16 *spent;
	u64 period_end;
	bool whole;
	bool plain;
	u32 nr_tracked;
	DECLARE_BITMAP(tracked, KWT_CHUNK_PAGES);
	DECLARE_BITMAP(observed, KWT_CHUNK_PAGES);
	DECLARE_BITMAP(resync, KWT_CHUNK_PAGES);
};

/**
 * struct kwt_set - what one session tracks
 * @space: of the VM, constant
 * @ring: of the session, constant
 * @spans: by index; (L)
 * @pages: number of pages tracked now; (A), and (L) to increase
 * @absent: those of @pages without memory; (L)
 * @max_pages: limit of @pages; (L)
 * @max_users: limit of sessions that track one gfn; (L)
 * @bytes: memory held by the spans; (L)
 */
struct kwt_set {
	struct kwt_space *space;
	struct kwt_ring *ring;
	struct rb_root spans;
	u64 pages;
	u64 absent;
	u64 max_pages;
	u32 max_users;
	size_t bytes;
};

/*
 * A bit of ring->head: an overflow has closed the ring, and only control
 * records may follow.
 */
#define KWT_RING_CLOSED		(1ULL << 63)
/* Places that are kept free for RESYNC, and for VM_GONE or ENDED. */
#define KWT_RING_SPARE		2
/*
 * A value of span->last[]: a write hook is about to publish a record for this
 * gfn.
 */
#define KWT_CLAIMED		U64_MAX

/*
 * How long a vCPU waits in all synchronous sessions together between two
 * entries of the guest: it is within a read side of KVM meanwhile.
 */
#define KWT_MAX_SYNC_US		100000
#define KWT_MAX_SYNC_NS		(KWT_MAX_SYNC_US * 1000ULL)
/* The most synchronous sessions on one VM. */
#define KWT_MAX_SYNCS		8

/**
 * struct kwt_sync - vCPUs that wait for the reader of a synchronous session
 * @ns: how long a vCPU waits at most; changed by the reader
 * @late: the reader has taken longer and is not in step again, so no vCPU
 *	waits; changed by the vCPUs
 * @closed: no vCPU waits any more; set once
 * @lock: protects @waiters, @nr, and stores to consumer->waiters
 * @waiters: struct kwt_sync_wait, see sync.h
 * @nr: number of @waiters
 * @waits: how often a vCPU has waited
 * @timeouts: those of @waits that ended because the reader was late
 */
struct kwt_sync {
	u64 ns;
	bool late;
	bool closed;
	spinlock_t lock;
	struct list_head waiters;
	u32 nr;
	atomic64_t waits;
	atomic64_t timeouts;
};

/**
 * struct kwt_ring - records on their way to user space
 * @records: mapped read-only by the reader; constant once made
 * @consumer: mapped writable by the reader, so it may have any contents
 * @id: of the session, for tracepoints; constant
 * @vm: of the VM, for fences; constant
 * @flags: KVM_WTRACK_RING_F_* of RING; constant
 * @mask: number of records - 1; constant
 * @room: number of records for the write hooks; the others are kept free;
 *	constant
 * @coalesce: at most one unread record for each gfn; constant
 * @stop: a gfn that the guard disarms is not tracked any more; constant
 * @native: no store to its pages is emulated; constant
 * @no_data: records do not have the stored bytes; constant
 * @no_rip: records do not have the instruction pointer; constant
 * @sticky: gfns outlive their memslots; constant
 * @once: only the first store to each gfn has a record, until the session arms
 *	it again; constant
 * @synchronous: vCPUs wait until their records are released; constant
 * @counts: new spans have room to count notifications in; (L)
 * @budget: notifications for each gfn and period, 0 for no budget; (L) to set,
 *	read under RCU
 * @period_ns: of the budget; (L) to set, read under RCU
 * @set: the session's; constant
 * @head: next sequence number - 1, and the bit KWT_RING_CLOSED; changed by
 *	cmpxchg only
 * @urgent: sequence number of the newest control record
 * @sleepers: not 0 while a reader may sleep, see wake.c
 * @gone: VM_GONE was published
 * @ended: ENDED was published, or the session was ended without a ring
 * @merged: writes that found an unread record of their gfn
 * @resync_writes: writes that went to the resync set
 * @overflows: how often the ring was closed
 * @regions: removals of memslots that were published or put into the resync set
 * @disarms: how often the guard disarmed a gfn that this session tracks
 * @over_budget: those of @disarms because of the budget
 * @rearms: how often a gfn that this session tracks was armed again
 * @unreported: records of stores that KVM made without a notification
 * @sync: vCPUs that wait
 */
struct kwt_ring {
	struct kvm_wtrack_record *records;
	struct kvm_wtrack_consumer *consumer;
	u64 id;
	u64 vm;
	u32 flags;
	u64 mask;
	u64 room;
	bool coalesce;
	bool stop;
	bool native;
	bool no_data;
	bool no_rip;
	bool sticky;
	bool once;
	bool synchronous;
	bool counts;
	u32 budget;
	u64 period_ns;
	struct kwt_set *set;

	u64 head ____cacheline_aligned_in_smp;
	u64 urgent;
	u32 sleepers;
	bool gone;
	bool ended;
	atomic64_t merged;
	atomic64_t resync_writes;
	atomic64_t overflows;
	atomic64_t regions;
	atomic64_t disarms;
	atomic64_t over_budget;
	atomic64_t rearms;
	atomic64_t unreported;
	struct kwt_sync sync;
};

/* space.c */
int kwt_caches_create(void);
void kwt_caches_destroy(void);
int kwt_space_init(struct kwt_space *space);
void kwt_space_exit(struct kwt_space *space);
struct kwt_chunk *kwt_table_find(const struct kwt_table *table, u64 index);
struct kwt_chunk *kwt_chunk_find(struct kwt_space *space, u64 index);
struct kwt_chunk *kwt_chunk_get(struct kwt_space *space, u64 index);
void kwt_chunk_put(struct kwt_space *space, struct kwt_chunk *chunk);
u32 kwt_space_users(struct kwt_space *space, u64 gfn);
bool kwt_chunk_guard(struct kwt_space *space, struct kwt_chunk *chunk);
struct kwt_span *kwt_span_first(const struct kwt_set *set, u64 index);
struct kwt_span *kwt_span_find(const struct kwt_set *set, u64 index);
struct kwt_span *kwt_span_get(struct kwt_set *set, u64 index);
void kwt_span_put(struct kwt_set *set, struct kwt_span *span);
void kwt_span_forget(struct kwt_span *span, u32 bit);
int kwt_span_make_spent(struct kwt_set *set, struct kwt_span *span);
int kwt_span_tune(struct kwt_set *set, struct kwt_span *span);

/* absent.c; the caller holds the VM's lock */
extern atomic64_t kwt_absent_spaces;
bool kwt_absent_make(struct kwt_space *space, struct kwt_chunk *chunk);
void kwt_absent_add(struct kwt_space *space, struct kwt_chunk *chunk,
		    const unsigned long *gfns);
void kwt_absent_add_gfn(struct kwt_set *set, struct kwt_span *span, u32 bit);
void kwt_absent_end(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit);

/* set.c */
int kwt_set_add(struct kwt_set *set, struct kwt_span *span, u64 gfn);
int kwt_set_add_absent(struct kwt_set *set, struct kwt_span *span, u64 gfn);
int kwt_set_rearm(struct kwt_set *set, struct kwt_span *span, u64 gfn);
int kwt_set_remove(struct kwt_set *set, struct kwt_span *span, u64 gfn);
u64 kwt_set_pages(const struct kwt_set *set);
u32 kwt_set_state(const struct kwt_set *set, u64 gfn);
u32 kwt_set_query(const struct kwt_set *set, u64 *gfn,
		  struct kvm_wtrack_range *range, u32 room);
void kwt_set_drop(struct kwt_set *set, struct kwt_span *span, u32 bit,
		  bool disarm);
void kwt_set_disarm(struct kwt_set *set);
bool kwt_set_clear_first(struct kwt_set *set, bool disarm);
bool kwt_set_untrack_next(struct kwt_set *set, u64 *index, bool disarm);

/* arm.c: arm and disarm gfns in KVM */
int kwt_arm(struct kwt_space *space, struct kwt_chunk *chunk, u64 gfn,
	    const struct kwt_span *caller);
int kwt_rearm(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit);
void kwt_disarm(struct kwt_space *space, struct kwt_chunk *chunk, u64 gfn);
void kwt_due_hasten(struct kwt_space *space, struct kwt_chunk *chunk,
		    u64 gfn, u64 end);

/* tell.c: disarm gfns that must not stay armed */
void kwt_guard_trip(struct kwt_space *space, struct kwt_chunk *chunk,
		    const struct kvm_wtrack_record *record);
void kwt_disarm_unobserved(struct kwt_space *space, struct kwt_chunk *chunk,
			   u32 bit);

/* match.c, match.h */
void kwt_match_all_preempt_enable(u64 gpa, const u8 *data, u32 len,
				  struct kwt_chunk *chunk,
				  struct kwt_space *space);
void kwt_match_probe_preempt_enable(u64 gpa, const u8 *data, u32 len,
				    struct kwt_space *space);

/* ring.c, ring.h */
u64 kwt_ring_put_parts(const struct kwt_span *span, u64 bit,
		       struct kvm_wtrack_record *record, const u8 *data,
		       u64 arming_nr);
bool kwt_ring_close(struct kwt_ring *ring, u64 time_ns);
bool kwt_ring_reopen(struct kwt_ring *ring);
bool kwt_ring_region(struct kwt_ring *ring, u64 gfn, u64 nr_pages,
		     u64 nr_tracked, u64 time_ns);
void kwt_ring_gone(struct kwt_ring *ring, u64 time_ns);
void kwt_ring_end(struct kwt_ring *ring, u64 time_ns);
bool kwt_ring_is_over(const struct kwt_ring *ring);
bool kwt_ring_guard(struct kwt_span *span, u32 bit,
		    const struct kvm_wtrack_record *record);
bool kwt_ring_closed(const struct kwt_ring *ring);
u64 kwt_ring_head(const struct kwt_ring *ring);
int kwt_ring_unread(const struct kwt_ring *ring, u64 *pos);
bool kwt_ring_published(const struct kwt_ring *ring, u64 pos);
void kwt_resync_mark(struct kwt_span *span, u32 bit, u64 time_ns);
void kwt_resync_mark_all(struct kwt_span *span, const unsigned long *bits,
			 u64 time_ns);
void kwt_resync_write(struct kwt_span *span, u32 bit, u64 time_ns);
u32 kwt_resync_fetch(struct kwt_set *set, struct kwt_span *span,
		     struct kvm_wtrack_resync_range *range, u32 used, u32 room);

/* sync.c */
void kwt_sync_init(struct kwt_ring *ring);
void kwt_sync_wake(struct kwt_ring *ring);
void kwt_sync_look(struct kwt_ring *ring, u32 *waiters, u32 *signalled);
void kwt_sync_close(struct kwt_ring *ring);

/* wake.c: what a ring needs of its session */
void kwt_wake(struct kwt_ring *ring, bool urgent);
void kwt_notice_overflow(struct kwt_ring *ring);
bool kwt_ring_get(struct kwt_ring *ring);
void kwt_ring_put(struct kwt_ring *ring);

static inline u64 kwt_chunk_index(u64 gfn)
{
	return gfn >> KWT_CHUNK_SHIFT;
}

static inline u64 kwt_chunk_bit(u64 gfn)
{
	return gfn & KWT_CHUNK_MASK;
}

/* The gfn has one user fewer. The caller holds arm_lock. */
static inline void kwt_users_drop(struct kwt_space *space,
				  struct kwt_chunk *chunk, u32 bit)
{
	u16 *users = &chunk->users[bit];

	WRITE_ONCE(*users, *users - 1);
	if (!*users)
		WRITE_ONCE(space->pages, space->pages - 1);
}

/* Is the gfn tracked and not armed? */
static inline bool kwt_chunk_disarmed(const struct kwt_chunk *chunk, u32 bit)
{
	return READ_ONCE(chunk->users[bit]) && !test_bit(bit, chunk->armed);
}

/*
 * Is the gfn tracked without memory? The caller holds arm_lock or the VM's
 * lock.
 */
static inline bool kwt_chunk_absent(const struct kwt_chunk *chunk, u32 bit)
{
	return chunk->absent && test_bit(bit, chunk->absent->gfns);
}

/*
 * Does the session wait until the gfn is armed, while it is not? A session with
 * RING_F_ONCE does not: it calls REARM.
 */
static inline bool kwt_span_waits(const struct kwt_span *span, u32 bit)
{
	return !span->ring->once && test_bit(bit, span->tracked);
}

/*
 * Does a session wait until the gfn is armed? The caller holds the VM's lock.
 * The guard may take the gfn away from sessions with RING_F_STOP.
 */
static inline bool kwt_chunk_is_waited_for(const struct kwt_chunk *chunk,
					   u32 bit)
{
	const struct kwt_span *span;

	if (kwt_chunk_absent(chunk, bit))
		return true;
	hlist_for_each_entry(span, &chunk->spans, in_chunk)
		if (kwt_span_waits(span, bit))
			return true;
	return false;
}

/*
 * Does the session want no store to the gfn emulated? With RING_F_ONCE this
 * holds also after its record of a store.
 */
static inline bool kwt_span_is_native(const struct kwt_span *span, u32 bit)
{
	return span->ring->native && test_bit(bit, span->tracked);
}

/*
 * Forget earlier records and notifications of the gfn, which do not count for
 * later stores.
 */
static inline void kwt_span_begin_anew(struct kwt_span *span, u32 bit)
{
	if (span->last)
		WRITE_ONCE(span->last[bit], 0);
	if (span->spent)
		WRITE_ONCE(span->spent[bit], 0);
}

/*
 * A session begins to observe a gfn of the chunk: number this, so that records
 * of faults that began before say that the page has to be read again, see
 * kwt_stale_flag(). The caller holds arm_lock and the VM's lock, and sets the
 * bit in @observed afterwards.
 */
static inline void kwt_chunk_number(struct kwt_space *space,
				    struct kwt_chunk *chunk)
{
	WRITE_ONCE(chunk->arming_nr, space->arming_nr + 1);
	WRITE_ONCE(space->arming_nr, space->arming_nr + 1);
}

static inline u64 kwt_span_gfn(const struct kwt_span *span, u32 bit)
{
	return (span->chunk->index << KWT_CHUNK_SHIFT) + bit;
}

/*
 * A constant of 31 bits fits the instruction, and an index has 30: the bits
 * from the 24th on depend on all of an index that is a multiple of anything up
 * to 2^24, which is how sparsely tracked chunks lie. A session could choose chunks that
 * collide; it slows its VM down more by what it tracks.
 */
static inline u64 kwt_table_hash(const struct kwt_table *table, u64 index)
{
	return (index * 0x61C88647) >> 24 & table->mask;
}

/*
 * Returns the first slot that may have the chunk, for the write hook. It is a
 * plain load and not rcu_dereference(), whose volatile access prevents an
 * addressing mode with an offset. The pointer is loaded in one piece, and
 * OPTIMIZER_HIDE_VAR() keeps the compiler from loading it again.
 */
static inline struct kwt_chunk *kwt_table_first(const struct kwt_table *table,
						u64 index)
{
	struct kwt_chunk *chunk;

	chunk = data_race((__force struct kwt_chunk *)
			  table->slot[kwt_table_hash(table, index)]);
	OPTIMIZER_HIDE_VAR(chunk);
	return chunk;
}

#endif /* KWT_TRACK_H */
