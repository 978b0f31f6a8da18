// SPDX-License-Identifier: GPL-2.0-only
/*
 * When is a gfn armed again?
 *
 * One that is disarmed for the first time in a while waits for the shortest
 * back-off. Each time that it is disarmed again soon after, it waits twice as
 * long, up to the longest. One that was over its budget waits for the period.
 */
#include <linux/ktime.h>
#include <linux/math64.h>

#include "guard.h"
#include "kwt.h"

/* In ticks from the host's start. */
static u32 due_now(void)
{
	return div_u64(ktime_get_ns(), NSEC_PER_MSEC * KWT_GUARD_TICK_MS) &
	       KWT_GUARD_TICK_MASK;
}

/* From a to b, negative when b is before a. */
static int ticks_between(u32 a, u32 b)
{
	int ticks = (b - a) & KWT_GUARD_TICK_MASK;

	return ticks < (int)KWT_GUARD_TICKS / 2 ? ticks :
						  ticks - (int)KWT_GUARD_TICKS;
}

static u32 ms_to_ticks(u32 ms)
{
	return DIV_ROUND_UP(min(ms, KWT_GUARD_MAX_MS), KWT_GUARD_TICK_MS);
}

/* Not before the period is over: the next store would disarm it at once. */
static u32 budget_ticks(const struct kwt_chunk *chunk, u32 bit)
{
	struct kwt_span *span;
	u64 ns = 0;

	hlist_for_each_entry(span, &chunk->spans, in_chunk)
		if (kwt_span_waits(span, bit) || kwt_span_is_native(span, bit))
			ns = max(ns, READ_ONCE(span->ring->period_ns));
	return ms_to_ticks(div_u64(ns, NSEC_PER_MSEC)) + 1;
}

/* The level counts while the gfn is disarmed again soon after it was armed. */
static u32 backoff_ticks(u16 *guard, u32 now)
{
	u32 shortest = ms_to_ticks(READ_ONCE(kwt_guard_min_ms));
	u32 longest = ms_to_ticks(READ_ONCE(kwt_guard_max_ms));
	u32 level = *guard >> KWT_GUARD_LEVEL_SHIFT;
	u32 ticks = min(shortest << level, longest);
	int peace = ticks_between(*guard & KWT_GUARD_TICK_MASK, now);

	if (level && (peace < 0 || peace > min(2 * (int)ticks, 255))) {
		level = 0;
		ticks = min(shortest, longest);
	}
	if (shortest << level < longest && level < 15)
		level++;
	*guard = level << KWT_GUARD_LEVEL_SHIFT;
	return ticks;
}

/* A gfn that was just found disarmed: when to arm it. Under arm_lock. */
static void set_due(const struct kwt_chunk *chunk, u32 bit, u32 now)
{
	u16 *guard = &chunk->guard[bit];
	u32 ticks;

	if (*guard & KWT_GUARD_BUDGET)
		ticks = budget_ticks(chunk, bit);
	else
		ticks = backoff_ticks(guard, now);
	*guard = (*guard & ~KWT_GUARD_TICK_MASK) | KWT_GUARD_WAITS |
		 ((now + ticks) & KWT_GUARD_TICK_MASK);
}

/* Ticks until it is time to arm the gfn; 0 and less when it is. */
int kwt_due_wait(struct kwt_space *space, struct kwt_chunk *chunk, u32 bit)
{
	u32 now = due_now();
	int ticks = 0;

	spin_lock(&space->arm_lock);
	if (chunk->guard) {
		if (!(chunk->guard[bit] & KWT_GUARD_WAITS))
			set_due(chunk, bit, now);
		ticks = ticks_between(now, chunk->guard[bit] &
					   KWT_GUARD_TICK_MASK);
	}
	spin_unlock(&space->arm_lock);
	return ticks;
}

/* Since when it is in peace. Under arm_lock. */
void kwt_due_armed(const struct kwt_chunk *chunk, u32 bit)
{
	u16 *guard;

	if (!chunk->guard)
		return;
	guard = &chunk->guard[bit];
	*guard = (*guard & ~(KWT_GUARD_WAITS | KWT_GUARD_BUDGET |
			     KWT_GUARD_TICK_MASK)) | due_now();
}

/* The gfn is wanted before its time: that is the next tick. Under arm_lock. */
static void hasten(const struct kwt_chunk *chunk, u32 bit, u32 now)
{
	u16 *guard = &chunk->guard[bit];

	if (*guard & KWT_GUARD_WAITS &&
	    ticks_between(now, *guard & KWT_GUARD_TICK_MASK) <= 1)
		return;
	*guard = (*guard & ~KWT_GUARD_TICK_MASK) | KWT_GUARD_WAITS |
		 ((now + 1) & KWT_GUARD_TICK_MASK);
}

/*
 * Somebody adds [gfn, end) of the chunk, and had to be told -EAGAIN: all that
 * is disarmed there becomes due together. Under the VM's lock.
 */
void kwt_due_hasten(struct kwt_space *space, struct kwt_chunk *chunk,
		    u64 gfn, u64 end)
{
	u32 now = due_now();

	spin_lock(&space->arm_lock);
	for (; chunk->guard && gfn < end; gfn++)
		if (kwt_chunk_disarmed(chunk, kwt_chunk_bit(gfn)))
			hasten(chunk, kwt_chunk_bit(gfn), now);
	spin_unlock(&space->arm_lock);
}
