/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is tracked, and the ring: plain data structures, with no KVM in them.
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
 * Readers are the write hooks and the guard's probes, with preemption disabled:
 * an RCU read side. Everything is changed under the VM's lock (struct kwt_vm),
 * marked (L) below, but for the resync bits and the ring, which the write hooks
 * change as well, and what KVM has been told: that is under the space's
 * arm_lock, marked (A), which the guard takes in the vCPU's thread.
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
 * 1,024 gfns a chunk: one tracked page costs 2.7 KiB, a densely tracked
 * gigabyte 0.06 % of it (2 bytes of count and 4 bits for each gfn, and some 180
 * bytes of links for each 4 MiB). What the guard has to remember of a page, 2
 * bytes, is there for chunks in which it had to act; what a budget has to, 2
 * bytes as well, for sessions with one.
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
 * @looked: number of the last look for memory at them; (L)
 * @gfns: (A) and (L) to change. All have users with RING_F_STICKY, none is armed
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
 * @guard: what the guard remembers of each gfn, see guard.h; (A), and (L) to
 *	set. There before it is needed, for sessions with a budget
 * @absent: where a session with RING_F_STICKY tracks something, otherwise NULL;
 *	(A), and (L) to set
 * @armed: gfns that KVM protects for us; (A). A gfn with users that is not
 *	armed is absent, or was disarmed by the guard, or all its users have
 *	RING_F_ONCE and were told of a store
 * @arming_nr: number of the last arming of a gfn in it, or of the last session
 *	that began to observe one; (A), read by the write hook
 * @users: sessions by gfn; (A), and (L) to become more, read under RCU
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
 * @slot: at most half of them taken, so that every probe meets an empty one
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
 * @vcpus: those that the guard can watch; (L), read under RCU
 * @id: of the VM, never used again; constant
 * @natives: sessions that want no store emulated; (L), read by the probes
 * @bytes: memory held by the table and the chunks; (L)
 * @arm_lock: (A)
 * @arming: the gfn that is being armed, or KWT_NO_GFN; (A), read by the probes
 * @era: of faults, see kwt_arm(); (L), read by the probes
 * @era_over: faults of eras before it are handled; (L)
 * @era_end: the grace period of KVM's that ends @era; (L)
 * @synchronous: the VM has had a synchronous session: each of @vcpus has room for
 *	what it waits for; (L)
 * @known: the guard sees each fault of those that have a place in @vcpus; (L)
 * @known_end: the grace period of KVM's after which it is so; (L)
 * @arming_nr: number of the last arming; (A), read by the probes
 * @newest_grace: the newest grace period of KVM's that was begun; (L)
 * @graced: there was one; (L)
 * @forbidden: KVM must not emulate what this guest does: no gfn is armed any
 *	more, and what is armed is disarmed; set once, in a vCPU's thread
 * @tripped: chunks with a gfn that the guard has disarmed; (A)
 * @absent: chunks with gfns that have no memory, those first that were not looked
 *	at for longest; (L)
 * @nr_absent: how many; (L), read by the probes
 * @absent_look: number of the last look at all of them; (L)
 * @absent_generation: of KVM's memslots at that time; (L), read by the probes
 */
struct kwt_space {
	struct kwt_table __rcu *table;
	struct kwt_vcpus __rcu *vcpus;
	u64 id;
	u32 natives;
	size_t bytes;
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
 *	period; (L) to set, once, read under RCU;
 *	changed by the write hooks, and by two of them at a time it may be
 *	counted once
 * @period_end: when @spent begins anew; likewise
 * @whole: its records have all of a store, one for one, without RING_F_ONCE, and
 *	nobody waits; constant
 * @plain: and nothing is counted; (L) to set, read under RCU
 * @nr_tracked: bits set in @tracked; (A)
 * @tracked: (A), and (L) to set, read under RCU
 * @observed: of @tracked, the gfns whose stores are recorded now, all of which
 *	are armed: not what the guard has disarmed, between its records; (A),
 *	read under RCU. A write hook looks at it between ring->head and its
 *	place: kwt_ring_reserve_for(). With RING_F_ONCE whoever tells of the
 *	first store clears the bit, and nobody else does that
 * @resync: set by the write hooks, cleared under (L), both atomically. With
 *	the tracked bit: re-read the page. Without: it was removed.
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
 * @pages: tracked now; (A), and (L) to become more
 * @absent: of these, without memory; (L)
 * @max_pages: that may be; (L)
 * @max_users: of a gfn, all sessions together; (L)
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

/* In ring->head: closed by an overflow, only control records may follow. */
#define KWT_RING_CLOSED		(1ULL << 63)
/* Kept free for RESYNC, and for VM_GONE or ENDED. */
#define KWT_RING_SPARE		2
/* A span's last[]: a write hook is about to publish a record for this gfn. */
#define KWT_CLAIMED		U64_MAX

/*
 * What a vCPU waits in synchronous sessions between two entries of the guest, all
 * together: it is within a read side of KVM's meanwhile.
 */
#define KWT_MAX_SYNC_US		100000
#define KWT_MAX_SYNC_NS		(KWT_MAX_SYNC_US * 1000ULL)
/* Synchronous sessions on one VM. */
#define KWT_MAX_SYNCS		8

/**
 * struct kwt_sync - vCPUs that wait for the reader of a synchronous session
 * @ns: how long one does at most; changed by the reader
 * @late: the reader has taken longer, and is not in step again: nobody waits;
 *	changed by the vCPUs
 * @closed: nobody waits any more; set once
 * @lock: protects @waiters, @nr, and consumer->waiters to set
 * @waiters: struct kwt_sync_wait, see sync.h
 * @nr: of @waiters
 * @waits: how often a vCPU has waited
 * @timeouts: of these, how often the reader was late
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
 * @consumer: mapped writable by the reader, so anything may stand in it
 * @id: of the session, for tracepoints; constant
 * @vm: of the VM, for fences; constant
 * @flags: KVM_WTRACK_RING_F_*, as it was made; constant
 * @mask: number of records - 1; constant
 * @room: records for the write hooks, the others are spare; constant
 * @coalesce: at most one unread record for each gfn; constant
 * @stop: what the guard disarms is not tracked any more; constant
 * @native: no store to its pages is emulated; constant
 * @no_data: records do not tell what was stored; constant
 * @no_rip: records do not tell where the guest was; constant
 * @sticky: gfns outlive their memslots; constant
 * @once: one store to each gfn, until the session arms it again; constant
 * @synchronous: vCPUs wait until their records are released; constant
 * @counts: new spans have room to count notifications in; (L)
 * @budget: notifications for each gfn and period, 0 without; (L) to set, read
 *	under RCU
 * @period_ns: of the budget; (L) to set, read under RCU
 * @set: the session's; constant
 * @head: next sequence number - 1, with KWT_RING_CLOSED; cmpxchg only
 * @urgent: sequence number of the newest control record
 * @sleepers: not 0 while a reader may sleep, see wake.c
 * @gone: VM_GONE was published
 * @ended: ENDED was published, or would have been if there was a ring
 * @merged: writes that found an unread record of their gfn
 * @resync_writes: writes that went to the resync set
 * @overflows: how often the ring was closed
 * @regions: REGION_REMOVED published or put into the resync set
 * @disarms: of gfns tracked by this session, by the guard
 * @over_budget: of these, because of the budget
 * @rearms: of gfns tracked by this session
 * @unreported: stores that KVM made without a notification
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

/* absent.c, under the VM's lock */
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

/* arm.c: what KVM does when a gfn gets its first user or loses its last */
int kwt_arm(struct kwt_space *space, struct kwt_chunk *chunk, u64 gfn,
	    const struct kwt_span *caller);
int kwt_rearm(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit);
void kwt_disarm(struct kwt_space *space, struct kwt_chunk *chunk, u64 gfn);
void kwt_due_hasten(struct kwt_space *space, struct kwt_chunk *chunk,
		    u64 gfn, u64 end);

/* tell.c: what to do about a gfn that must not stay armed */
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

/* wake.c: what a ring has its session do */
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

/* Tracked by somebody, and not armed. */
static inline bool kwt_chunk_disarmed(const struct kwt_chunk *chunk, u32 bit)
{
	return READ_ONCE(chunk->users[bit]) && !test_bit(bit, chunk->armed);
}

/* Tracked by somebody, and without memory. Under arm_lock or the VM's lock. */
static inline bool kwt_chunk_absent(const struct kwt_chunk *chunk, u32 bit)
{
	return chunk->absent && test_bit(bit, chunk->absent->gfns);
}

/*
 * Does the session wait for the gfn to be armed, as long as it is not? One with
 * RING_F_ONCE arms it by itself.
 */
static inline bool kwt_span_waits(const struct kwt_span *span, u32 bit)
{
	return !span->ring->once && test_bit(bit, span->tracked);
}

/* Under the VM's lock. The guard takes gfns away from sessions that stop. */
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
 * Does the session want no store to the gfn emulated? One with RING_F_ONCE does
 * also after it was told of a store.
 */
static inline bool kwt_span_is_native(const struct kwt_span *span, u32 bit)
{
	return span->ring->native && test_bit(bit, span->tracked);
}

/* A record of an earlier time does not stand for what comes now. */
static inline void kwt_span_begin_anew(struct kwt_span *span, u32 bit)
{
	if (span->last)
		WRITE_ONCE(span->last[bit], 0);
	if (span->spent)
		WRITE_ONCE(span->spent[bit], 0);
}

/*
 * A session begins to observe a gfn of the chunk: records of faults that began
 * before say that the page has to be read again, see kwt_stale_flag(). Under
 * arm_lock and the VM's lock, before the bit in @observed is set.
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
 * The first slot that may have the chunk, for the write hook. A plain load and
 * not rcu_dereference(), whose volatile access keeps the compiler from using
 * an address with an offset in it; a pointer is loaded in one piece, and the
 * compiler is kept from loading it again.
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
