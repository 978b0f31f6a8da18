// SPDX-License-Identifier: GPL-2.0-only
/*
 * TUNE: the settings of a ring that can change later, which are when sleeping
 * readers are woken, the budget, and how long a vCPU waits. RING and RESTRICT
 * check them with the functions here.
 */
#include "kwt.h"

/*
 * Refuse a latency without a watermark, and a watermark that might never be
 * reached.
 */
int kwt_wakeup_check(u32 records, u32 watermark, u32 latency_us)
{
	if (watermark > records / 2 || latency_us > KWT_MAX_LATENCY_US)
		return -ERANGE;
	return (watermark > 1) == (latency_us > 0) ? 0 : -EINVAL;
}

/* A budget and a period are given together, or neither. */
int kwt_budget_check(u32 budget, u32 period_ms)
{
	if (budget > KWT_MAX_BUDGET || period_ms > KWT_MAX_PERIOD_MS)
		return -ERANGE;
	return !budget == !period_ms ? 0 : -EINVAL;
}

/* A budget of 0 stands for the one of the limits. */
int kwt_budget_allowed(const struct kwt_limits *limits, u32 budget,
		       u32 period_ms)
{
	if (!limits->max_budget || !budget)
		return 0;
	return budget <= limits->max_budget &&
	       period_ms >= limits->min_period_ms ? 0 : -EPERM;
}

/* A synchronous session has a time limit. */
int kwt_sync_check(u32 sync_us)
{
	if (!sync_us)
		return -EINVAL;
	return sync_us > KWT_MAX_SYNC_US ? -ERANGE : 0;
}

int kwt_sync_allowed(const struct kwt_limits *limits, u32 sync_us)
{
	return sync_us <= limits->max_sync_us &&
	       limits->rights & KVM_WTRACK_RIGHT_SYNC ? 0 : -EPERM;
}

/*
 * Set the time limit, which vCPUs read at any time. The caller holds
 * session->lock.
 */
void kwt_sync_set(struct kwt_session *session, u32 sync_us)
{
	WRITE_ONCE(session->ring.sync.ns, sync_us * 1000ULL);
}

/*
 * Set the budget. Write hooks read the two fields one after the other, and may
 * count one store by the old period. The caller holds session->lock and the
 * VM's lock.
 */
void kwt_budget_set(struct kwt_session *session, u32 budget, u32 period_ms)
{
	const struct kwt_limits *limits = &session->limits;
	struct kwt_ring *ring = &session->ring;

	if (!budget) {
		budget = limits->max_budget;
		period_ms = limits->min_period_ms;
	}
	WRITE_ONCE(ring->period_ns, period_ms * NSEC_PER_MSEC);
	WRITE_ONCE(ring->budget, budget);
}

/*
 * Call @fn for each span under the VM's lock, which is released in between.
 * Spans that are made meanwhile have the new settings already.
 */
static int tune_each_span(struct kwt_session *session,
			  int (*fn)(struct kwt_set *set, struct kwt_span *span))
{
	struct kwt_set *set = &session->set;
	struct kwt_vm *vm = session->vm;
	struct kwt_span *span;
	u64 index = 0;
	int r = 0;

	mutex_lock(&vm->lock);
	while (!r && (span = kwt_span_first(set, index))) {
		index = span->chunk->index + 1;
		r = fn(set, span);
		mutex_unlock(&vm->lock);
		cond_resched();
		mutex_lock(&vm->lock);
	}
	mutex_unlock(&vm->lock);
	return r;
}

/*
 * First allocate the counters, which may fail; then set the budget; then update
 * the spans. The caller holds session->lock.
 */
static int tune_budget(struct kwt_session *session, u32 budget, u32 period_ms)
{
	struct kwt_ring *ring = &session->ring;
	struct kwt_vm *vm = session->vm;
	int r = 0;

	mutex_lock(&vm->lock);
	ring->counts = budget || session->limits.max_budget;
	mutex_unlock(&vm->lock);
	if (ring->counts)
		r = tune_each_span(session, kwt_span_make_spent);
	mutex_lock(&vm->lock);
	if (r)
		ring->counts = ring->budget;
	else
		kwt_budget_set(session, budget, period_ms);
	mutex_unlock(&vm->lock);
	return r ?: tune_each_span(session, kwt_span_tune);
}

static int tune_check(const struct kwt_session *session,
		      const struct kvm_wtrack_tune *arg)
{
	const bool budget = arg->flags & KVM_WTRACK_TUNE_F_BUDGET;
	const bool sync = arg->flags & KVM_WTRACK_TUNE_F_SYNC;
	int r = 0;

	/* Refuse values without their flag, which would have no effect. */
	if (!(arg->flags & KVM_WTRACK_TUNE_F_WAKEUP) &&
	    (arg->watermark || arg->latency_us))
		return -EINVAL;
	if (!budget && (arg->budget || arg->period_ms))
		return -EINVAL;
	if (sync ? !session->ring.synchronous : arg->sync_us)
		return -EINVAL;
	if (arg->flags & KVM_WTRACK_TUNE_F_WAKEUP)
		r = kwt_wakeup_check(session->ring.mask + 1, arg->watermark,
				     arg->latency_us);
	if (!r && budget)
		r = kwt_budget_check(arg->budget, arg->period_ms);
	if (!r && budget)
		r = kwt_budget_allowed(&session->limits, arg->budget,
				       arg->period_ms);
	if (!r && sync)
		r = kwt_sync_check(arg->sync_us);
	if (!r && sync)
		r = kwt_sync_allowed(&session->limits, arg->sync_us);
	return r;
}

/* Change the settings of a session that has a ring. */
int kwt_tune(struct kwt_session *session, const struct kvm_wtrack_tune *arg)
{
	int r;

	r = mutex_lock_interruptible(&session->lock);
	if (r)
		return r;
	r = tune_check(session, arg);
	if (!r && arg->flags & KVM_WTRACK_TUNE_F_BUDGET)
		r = tune_budget(session, arg->budget, arg->period_ms);
	if (!r && arg->flags & KVM_WTRACK_TUNE_F_WAKEUP)
		kwt_wake_tune(session, arg->watermark,
			      arg->latency_us * 1000ULL);
	if (!r && arg->flags & KVM_WTRACK_TUNE_F_SYNC)
		kwt_sync_set(session, arg->sync_us);
	mutex_unlock(&session->lock);
	return r;
}
