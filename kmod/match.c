// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 2 of 5, the general case: any store, and any number of sessions of any
 * kind. The usual case is in match.h. Also the budgets, which count
 * notifications here.
 */
#include <linux/ktime.h>
#include <linux/string.h>

#include "match.h"
#include "trace.h"

static __always_inline bool put_word(struct kwt_span *span, u64 bit, u64 head,
				     u64 gpa, u64 rip, u64 time_ns, u64 word,
				     u64 arming_nr)
{
	struct kwt_ring *ring = span->ring;
	struct kvm_wtrack_record *record;
	u64 pos;

	if (unlikely(!kwt_ring_reserve_for(span, bit, 1, &pos)))
		return false;
	record = kwt_ring_at(ring, pos);
	*kwt_record_word(record) =
		head | (u64)kwt_stale_flag(span->chunk, arming_nr) <<
		       KWT_RECORD_FLAGS_SHIFT;
	record->gpa = gpa;
	record->rip = rip;
	record->time_ns = time_ns;
	memcpy(record->data, &word, 8);
	kwt_ring_publish(record, pos);
	trace_kvm_wtrack_ring(ring->id, pos + 1, gpa, sizeof(word));
	kwt_ring_wake(ring, false);
	return true;
}

/*
 * Coalescing: does this store need no record, because one of the same gfn is
 * unread? Returns true when the caller has the claim to publish one.
 *
 * The reader releases a record, then reads the page. This store is in memory
 * already. If the release is not visible after the barrier, the reader reads
 * the page later and sees the store.
 */
static bool coalesce_claim(const struct kwt_ring *ring, u64 *last)
{
	u64 seq;

	/* Pairs with the reader's exchange of consumer->pos. */
	smp_mb();
	seq = READ_ONCE(*last);
	if (seq > READ_ONCE(ring->consumer->pos))
		return false;
	/*
	 * If another vCPU gets the claim, it publishes its record after this,
	 * and so after this store: the record stands for both.
	 */
	return cmpxchg(last, seq, KWT_CLAIMED) == seq;
}

/*
 * The caller has the claim: publish one record for the page, with the first
 * bytes of the store. This function and the ones below return the sequence
 * number of their last record, or 0 if there is none.
 */
static u64 coalesce_put(struct kwt_span *span, u64 bit,
			const struct kvm_wtrack_record *record)
{
	struct kwt_ring *ring = span->ring;
	struct kvm_wtrack_record *to;
	u64 *last = &span->last[bit];
	u64 pos;

	if (!kwt_ring_reserve_any(span, bit, 1, &pos)) {
		/*
		 * The caller marks the page in the resync set, which covers
		 * stores that got no record because of the claim; or they came
		 * before the page was disarmed.
		 */
		WRITE_ONCE(*last, 0);
		return 0;
	}
	to = kwt_ring_at(ring, pos);
	kwt_ring_fill(to, record);
	to->flags |= KVM_WTRACK_RECORD_F_PAGE;
	/*
	 * This store precedes the reader's release, because publishing is a
	 * store-release.
	 */
	WRITE_ONCE(*last, pos + 1);
	kwt_ring_publish(to, pos);
	trace_kvm_wtrack_ring(ring->id, pos + 1, record->gpa, record->total);
	kwt_ring_wake(ring, false);
	return pos + 1;
}

/* Publish a store that fits one record, or coalesce it. */
static u64 put_record(struct kwt_span *span, u64 bit,
		      const struct kvm_wtrack_record *record,
		      u64 arming_nr)
{
	struct kwt_ring *ring = span->ring;
	struct kvm_wtrack_record *to;
	u64 pos;

	if (span->last) {
		if (coalesce_claim(ring, &span->last[bit]))
			return coalesce_put(span, bit, record);
		atomic64_inc(&ring->merged);
		/*
		 * The number of an older record; no caller needs the exact one.
		 */
		return 1;
	}
	if (!kwt_ring_reserve_any(span, bit, 1, &pos))
		return 0;
	to = kwt_ring_at(ring, pos);
	kwt_ring_fill(to, record);
	to->flags |= kwt_stale_flag(span->chunk, arming_nr);
	kwt_ring_publish(to, pos);
	trace_kvm_wtrack_ring(ring->id, pos + 1, record->gpa, record->total);
	kwt_ring_wake(ring, false);
	return pos + 1;
}

/* Any store, any kind of session. */
static noinline u64 put_any(struct kwt_span *span, u64 bit, u64 head, u64 gpa,
			    u64 rip, u64 time_ns, const u8 *data,
			    u64 arming_nr)
{
	struct kvm_wtrack_record record = {
		.gpa = gpa, .rip = rip, .time_ns = time_ns,
	};

	*kwt_record_word(&record) = head;
	kwt_ring_withhold(span->ring, &record);
	if (record.total > KVM_WTRACK_DATA_BYTES && record.len && !span->last)
		return kwt_ring_put_parts(span, bit, &record, data,
					  arming_nr);
	memcpy(record.data, data, record.len);
	return put_record(span, bit, &record, arming_nr);
}

/*
 * Publish the first store to a gfn since a session with RING_F_ONCE armed it.
 * The session does not observe the gfn from here on. The thread that clears the
 * bit publishes the record: this function, or the guard. Returns 0 if the guard
 * did.
 *
 * Clearing the bit is a full barrier. If another thread cleared it first, the
 * reader arms the gfn after that, and finds this store in the page.
 */
static noinline u64 put_first(struct kwt_span *span, u64 bit, u64 head,
			      u64 gpa, u64 rip, u64 time_ns, const u8 *data,
			      u64 arming_nr)
{
	const u64 once = (u64)KVM_WTRACK_RECORD_F_ONCE << KWT_RECORD_FLAGS_SHIFT;
	u64 seq;

	if (!test_and_clear_bit(bit, span->observed))
		return 0;
	seq = put_any(span, bit, head | once, gpa, rip, time_ns, data,
		      arming_nr);
	if (seq)
		return seq;
	kwt_resync_write(span, bit, time_ns);
	/* The number of the record RESYNC, or one close to it. */
	return kwt_ring_head(span->ring);
}

/*
 * Count a notification. Returns true when it uses up the budget of this period.
 * Two vCPUs may begin the period at the same time, or count as one, so that the
 * page may get a few more notifications.
 */
static noinline bool spend_budget(struct kwt_span *span, u64 bit, u64 now)
{
	u32 budget = READ_ONCE(span->ring->budget), n;
	u16 *spent = READ_ONCE(span->spent);

	/* The session had a budget before, or gets one now. */
	if (!budget || !spent)
		return false;
	if (now >= READ_ONCE(span->period_end)) {
		WRITE_ONCE(span->period_end,
			   now + READ_ONCE(span->ring->period_ns));
		memset(spent, 0, KWT_CHUNK_PAGES * sizeof(*spent));
	}
	spent += bit;
	n = min_t(u32, READ_ONCE(*spent) + 1, U16_MAX);
	WRITE_ONCE(*spent, n);
	return n >= budget;
}

/*
 * The result of a store: a session got a record or a resync bit; one of these
 * sessions wants the next store as well; one of them has used up its budget; one of
 * them does not observe the gfn any more; the vCPU waits for the reader of one of
 * them.
 */
enum { TOLD = 1, WANTS_MORE = 2, OVER_BUDGET = 4, HAS_ENOUGH = 8, WAITS = 16 };

/*
 * Publish a store to a synchronous session. Other sessions do not pay for this,
 * because the span of a synchronous session is not whole. Returns flags of the
 * above, or 0 if the session got no record.
 */
static noinline u32 put_waited(struct kwt_span *span, u64 bit, u64 head,
			       u64 gpa, u64 rip, u64 time_ns, const u8 *data,
			       struct kwt_vcpu *vcpu, u64 arming_nr)
{
	const u32 async = kwt_sync_flag(span->ring, vcpu);
	const bool once = span->ring->once;
	u64 seq;

	head |= (u64)async << KWT_RECORD_FLAGS_SHIFT;
	if (once)
		seq = put_first(span, bit, head, gpa, rip, time_ns, data,
				arming_nr);
	else
		seq = put_any(span, bit, head, gpa, rip, time_ns, data,
			      arming_nr);
	if (!seq) {
		/* As in match_spans(). */
		if (once || !kwt_span_observes(span, bit))
			return 0;
		kwt_resync_write(span, bit, time_ns);
		/* The number of the record RESYNC, or one close to it. */
		seq = kwt_ring_head(span->ring);
	}
	if (!async)
		kwt_sync_note(vcpu->waits, span->ring, seq);
	return TOLD | (once ? HAS_ENOUGH : 0) | (async ? 0 : WAITS);
}

static __always_inline u32 match_spans(struct kwt_chunk *chunk, u64 gpa,
				       const u8 *data, u32 len,
				       struct kwt_vcpu *vcpu, u64 vcpu_bits,
				       u64 rip, u64 arming_nr)
{
	u64 bit = kwt_chunk_bit(gpa >> KWT_PAGE_SHIFT);
	u64 word = 0;
	u64 head = kwt_record_head(len, vcpu_bits);
	u64 now = ktime_get_ns();
	struct kwt_span *span;
	u32 what = 0, told;
	bool done;

	if (len == 8)
		memcpy(&word, data, 8);
	hlist_for_each_entry_rcu(span, &chunk->spans, in_chunk,
				 rcu_read_lock_sched_held()) {
		if (!kwt_span_observes(span, bit))
			continue;
		if (len == 8 && likely(span->whole)) {
			done = put_word(span, bit, head, gpa, rip, now, word,
					arming_nr);
		} else if (unlikely(span->ring->synchronous)) {
			told = put_waited(span, bit, head, gpa, rip, now, data,
					  vcpu, arming_nr);
			if (!told)
				continue;
			what |= told;
			if (told & HAS_ENOUGH)
				continue;
			done = true;
		} else if (span->ring->once) {
			if (put_first(span, bit, head, gpa, rip, now, data,
				      arming_nr))
				what |= TOLD | HAS_ENOUGH;
			continue;
		} else {
			done = put_any(span, bit, head, gpa, rip, now, data,
				       arming_nr);
		}
		if (unlikely(!done)) {
			/* There was no room, or it was disarmed just now. */
			if (!kwt_span_observes(span, bit))
				continue;
			kwt_resync_write(span, bit, now);
		}
		what |= TOLD;
		if (likely(!READ_ONCE(span->spent)) ||
		    !spend_budget(span, bit, now))
			what |= WANTS_MORE;
		else
			what |= OVER_BUDGET;
	}
	return what;
}

/*
 * Disarm a gfn that is over its budget. The guard's record has the position of
 * the last store.
 */
static noinline void disarm_over_budget(struct kwt_space *space,
					struct kwt_chunk *chunk, u64 gpa, u64 vcpu,
					u64 rip)
{
	struct kvm_wtrack_record record = {
		.gpa = gpa,
		.rip = rip,
		.time_ns = ktime_get_ns(),
	};

	*kwt_record_word(&record) = KVM_WTRACK_RECORD_GUARD | vcpu;
	record.guard.action = KVM_WTRACK_GUARD_DISARMED;
	record.guard.cause = KVM_WTRACK_CAUSE_BUDGET;
	kwt_guard_trip(space, chunk, &record);
}

/*
 * Disarm the gfn if no session observes it any more, or, for a while, if all
 * sessions that observe it have used up their budgets. A session may join
 * meanwhile: kwt_guard_trip() checks again.
 */
static noinline void disarm_if_unwanted(struct kwt_space *space,
					struct kwt_chunk *chunk, u64 gpa, u64 vcpu,
					u64 rip, u32 what)
{
	u32 bit = kwt_chunk_bit(gpa >> KWT_PAGE_SHIFT);

	/*
	 * No session observed it if none got a record: see kwt_guard_changed().
	 */
	if ((what & HAS_ENOUGH || !what) && test_bit(bit, chunk->armed))
		kwt_disarm_unobserved(space, chunk, bit);
	if ((what & (OVER_BUDGET | WANTS_MORE)) == OVER_BUDGET)
		disarm_over_budget(space, chunk, gpa, vcpu, rip);
}

/*
 * Count a store that a session got a record of, once. A vCPU without a place gets
 * one soon, see vcpu.c.
 */
static __always_inline void count_store(struct kwt_space *space,
					struct kwt_vcpu *vcpu, u32 what)
{
	if (unlikely(!(what & TOLD)))
		return;
	if (likely(vcpu))
		kwt_vcpu_count(vcpu);
	else
		atomic64_inc(&space->stray_writes);
}

/*
 * The caller has disabled preemption. This function enables it, and may sleep
 * then.
 */
void kwt_match_all_preempt_enable(u64 gpa, const u8 *data, u32 len,
				  struct kwt_chunk *chunk,
				  struct kwt_space *space)
{
	struct kwt_vcpu *vcpu = kwt_vcpu_here(space) ?: kwt_vcpu_search(space);
	u64 bits = 0, rip = 0, arming_nr = 0;
	u32 what;

	/*
	 * Begin this before the store counts as reported. The caller may have
	 * begun it already.
	 */
	(void)kwt_flight_join(space->id);
	if (likely(vcpu)) {
		bits = kwt_vcpu_bits(vcpu);
		rip = kwt_vcpu_rip(vcpu);
		arming_nr = vcpu->arming_nr;
		kwt_vcpu_tell(vcpu, gpa);
	}
	trace_kvm_wtrack_match(gpa, len);
	/*
	 * Both calls are the same, but the compiler makes use of the constant.
	 */
	if (likely(len == 8))
		what = match_spans(chunk, gpa, data, 8, vcpu, bits, rip,
				   arming_nr);
	else
		what = match_spans(chunk, gpa, data, len, vcpu, bits, rip,
				   arming_nr);
	count_store(space, vcpu, what);
	if (unlikely(what != (TOLD | WANTS_MORE)))
		disarm_if_unwanted(space, chunk, gpa, bits, rip, what);
	/* The next store of this vCPU is newer, also if it does not fault. */
	if (likely(vcpu))
		vcpu->arming_nr = READ_ONCE(space->arming_nr);
	kwt_flight_end();
	if (likely(!(what & WAITS))) {
		preempt_enable();
		return;
	}
	kwt_sync_begin(vcpu);
	preempt_enable();
	/*
	 * From here on the vCPU waits for readers, and holds nothing that
	 * others wait for.
	 */
	kwt_sync_wait(vcpu);
	/*
	 * A reader may have armed the page meanwhile: stores from here on are
	 * newer.
	 */
	vcpu->arming_nr = READ_ONCE(space->arming_nr);
}

/*
 * As kwt_match_all_preempt_enable(), for a chunk that was not in the first slot
 * of the table.
 */
void kwt_match_probe_preempt_enable(u64 gpa, const u8 *data, u32 len,
				    struct kwt_space *space)
{
	u64 gfn = gpa >> KWT_PAGE_SHIFT;
	struct kwt_chunk *chunk;

	chunk = kwt_table_find(rcu_dereference_sched(space->table),
			       kwt_chunk_index(gfn));
	if (chunk && READ_ONCE(chunk->users[kwt_chunk_bit(gfn)]))
		kwt_match_all_preempt_enable(gpa, data, len, chunk, space);
	else
		preempt_enable();
}
