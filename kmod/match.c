// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 2 of 5, in general: any store, any number of sessions, of any kind.
 * The usual case is in match.h. Also the budgets, which count here what they
 * allow.
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
 * Coalescing: may this store go without a record, because one of the same gfn
 * is unread? Returns true when the caller has the claim to publish one.
 *
 * The reader releases a record, then reads the page. The store that brought
 * us here is in memory; if the release is not seen yet after the barrier, the
 * reader's look at the page comes later and sees the store.
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
	 * Whoever is faster publishes a record after this, and so after our
	 * store: it stands for both.
	 */
	return cmpxchg(last, seq, KWT_CLAIMED) == seq;
}

/*
 * With the claim: one record for the page, with the first bytes stored. This and
 * those below return the sequence number of the last record, 0 for none.
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
		 * What skipped its record because of the claim is marked too,
		 * or was stored before the page was disarmed.
		 */
		WRITE_ONCE(*last, 0);
		return 0;
	}
	to = kwt_ring_at(ring, pos);
	kwt_ring_fill(to, record);
	to->flags |= KVM_WTRACK_RECORD_F_PAGE;
	/* Before the reader can release it: publishing is a store-release. */
	WRITE_ONCE(*last, pos + 1);
	kwt_ring_publish(to, pos);
	trace_kvm_wtrack_ring(ring->id, pos + 1, record->gpa, record->total);
	kwt_ring_wake(ring, false);
	return pos + 1;
}

/* A store that fits one record, into a ring that does not coalesce or does. */
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
		/* That of an older record, which nobody looks at. */
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
 * RING_F_ONCE: the first store to the gfn since the session has armed it. The
 * session does not observe the gfn from here on, and whoever has ended that tells
 * of it: here, or as one of the guard's records. Returns 0 if it was not us.
 *
 * Clearing the bit is a full barrier. If somebody else was faster, the reader arms
 * the gfn after that, and finds our store in the page.
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
	/* That of the record RESYNC, or near it. */
	return kwt_ring_head(span->ring);
}

/*
 * Count a notification. Returns true when the budget of this period is used up
 * by it. Two vCPUs may begin the period at the same time, or count as one: the
 * page may so get a few more.
 */
static noinline bool spend_budget(struct kwt_span *span, u64 bit, u64 now)
{
	u32 budget = READ_ONCE(span->ring->budget), n;
	u16 *spent = READ_ONCE(span->spent);

	/* It had one, or will have one soon. */
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
 * What became of a store: some session was told; of these, one wants to be told of
 * the next one in any case; one does not observe the gfn any more; the vCPU waits
 * for the reader of one.
 */
enum { TOLD = 1, WANTS_MORE = 2, HAS_ENOUGH = 4, WAITS = 8 };

/*
 * In a synchronous session. The others do not pay for it: a span is not whole if a
 * vCPU waits. Returns what the session wants, 0 if it is not told.
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
		/* That of the record RESYNC, or near it. */
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
			done = true;
		} else if (span->ring->once) {
			if (!put_first(span, bit, head, gpa, rip, now, data,
				       arming_nr))
				continue;
			what |= HAS_ENOUGH;
			done = true;
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
	}
	return what;
}

/* What the record of the guard has in common with the last write's. */
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
 * If all sessions that observe the gfn have a budget, and have used it up, it is
 * disarmed for a while. Others may join meanwhile: kwt_guard_trip() looks again.
 */
static noinline void disarm_if_unwanted(struct kwt_space *space,
					struct kwt_chunk *chunk, u64 gpa, u64 vcpu,
					u64 rip, u32 what)
{
	u32 bit = kwt_chunk_bit(gpa >> KWT_PAGE_SHIFT);

	/* Nobody observed it if nobody was told: see kwt_guard_changed(). */
	if ((what & HAS_ENOUGH || !what) && test_bit(bit, chunk->armed))
		kwt_disarm_unobserved(space, chunk, bit);
	if ((what & (TOLD | WANTS_MORE)) == TOLD)
		disarm_over_budget(space, chunk, gpa, vcpu, rip);
}

/* The caller has disabled preemption; this enables it, and may sleep then. */
void kwt_match_all_preempt_enable(u64 gpa, const u8 *data, u32 len,
				  struct kwt_chunk *chunk,
				  struct kwt_space *space)
{
	struct kwt_vcpu *vcpu = kwt_vcpu_here(space) ?: kwt_vcpu_search(space);
	u64 bits = 0, rip = 0, arming_nr = 0;
	u32 what;

	/* Before the store counts as told. The caller may have begun it. */
	(void)kwt_flight_join(space->id);
	if (likely(vcpu)) {
		bits = kwt_vcpu_bits(vcpu);
		rip = kwt_vcpu_rip(vcpu);
		arming_nr = vcpu->arming_nr;
		kwt_vcpu_tell(vcpu, gpa);
	}
	trace_kvm_wtrack_match(gpa, len);
	/* Twice the same, but with a constant that the compiler can use. */
	if (likely(len == 8))
		what = match_spans(chunk, gpa, data, 8, vcpu, bits, rip,
				   arming_nr);
	else
		what = match_spans(chunk, gpa, data, len, vcpu, bits, rip,
				   arming_nr);
	if (unlikely(what != (TOLD | WANTS_MORE)))
		disarm_if_unwanted(space, chunk, gpa, bits, rip, what);
	/* What this vCPU stores next is newer, also if it does not fault. */
	if (likely(vcpu))
		vcpu->arming_nr = READ_ONCE(space->arming_nr);
	kwt_flight_end();
	if (likely(!(what & WAITS))) {
		preempt_enable();
		return;
	}
	kwt_sync_begin(vcpu);
	preempt_enable();
	/* From here on the guest waits for readers, and this module for nobody. */
	kwt_sync_wait(vcpu);
	/* A reader may have armed the page: what is stored from here on is newer. */
	vcpu->arming_nr = READ_ONCE(space->arming_nr);
}

/* The same for a chunk that was not in the first slot that was looked at. */
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
