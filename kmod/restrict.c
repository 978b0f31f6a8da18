// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits that a session takes on, before it is handed to somebody else or later:
 * each RESTRICT makes them narrower. They are what all of them have in common.
 */
#include <linux/mm.h>

#include "kwt.h"

/* How many ranges are looked at before the VM's lock is given back. */
#define LOOK_RANGES	32

/*
 * Is all that the session tracks allowed? It may become less meanwhile, but not
 * more. Under the VM's lock, which is given back in between.
 */
static bool tracks_what_is_allowed(struct kwt_session *session,
				   const struct kwt_limits *limits)
{
	struct kvm_wtrack_range ranges[LOOK_RANGES];
	struct kwt_vm *vm = session->vm;
	bool allowed = true;
	u64 gfn = 0;
	u32 i, nr;

	session->restricting = true;
	while (allowed && gfn != U64_MAX && limits->ranges) {
		nr = kwt_set_query(&session->set, &gfn, ranges, LOOK_RANGES);
		for (i = 0; i < nr && allowed; i++)
			allowed = kwt_limits_allow(limits, &ranges[i]);
		mutex_unlock(&vm->lock);
		cond_resched();
		mutex_lock(&vm->lock);
	}
	session->restricting = false;
	return allowed && (!limits->max_pages ||
			   kwt_set_pages(&session->set) <= limits->max_pages);
}

/* Under both locks. */
static bool ring_is_allowed(const struct kwt_session *session,
			    const struct kwt_limits *limits)
{
	const struct kwt_ring *ring = &session->ring;

	if (limits->max_records && ring->mask + 1 > limits->max_records)
		return false;
	if ((!ring->no_data && !(limits->rights & KVM_WTRACK_RIGHT_DATA)) ||
	    (!ring->no_rip && !(limits->rights & KVM_WTRACK_RIGHT_RIP)))
		return false;
	if (ring->synchronous &&
	    (!(limits->rights & KVM_WTRACK_RIGHT_SYNC) ||
	     ring->sync.ns > limits->max_sync_us * (u64)NSEC_PER_USEC))
		return false;
	if (!limits->max_budget)
		return true;
	return ring->budget && ring->budget <= limits->max_budget &&
	       ring->period_ns >= limits->min_period_ms * NSEC_PER_MSEC;
}

/* Under session->lock. */
static int limits_replace(struct kwt_session *session,
			  const struct kwt_limits *limits)
{
	struct kwt_vm *vm = session->vm;
	int r = 0;

	if (vm)
		mutex_lock(&vm->lock);
	if (session->ring.records &&
	    (!tracks_what_is_allowed(session, limits) ||
	     !ring_is_allowed(session, limits)))
		r = -EBUSY;
	else
		session->limits = *limits;
	if (vm)
		mutex_unlock(&vm->lock);
	return r;
}

/* Under session->lock. Takes over or frees what @limits has. */
static int restrict_locked(struct kwt_session *session,
			   struct kwt_limits *limits,
			   const struct kvm_wtrack_restrict *arg)
{
	struct kwt_limits old = session->limits;
	int r;

	r = kwt_limits_narrow(limits, &old, arg);
	if (!r)
		r = limits_replace(session, limits);
	if (r) {
		if (limits->ranges != old.ranges)
			kvfree(limits->ranges);
		return r;
	}
	if (limits->ranges != old.ranges)
		kvfree(old.ranges);
	WRITE_ONCE(session->restricted, true);
	return 0;
}

int kwt_restrict(struct kwt_session *session,
		 const struct kvm_wtrack_restrict *arg)
{
	struct kwt_limits limits = {};
	int r;

	if (arg->max_records && arg->max_records < KWT_MIN_RECORDS)
		return -ERANGE;
	r = kwt_budget_check(arg->budget, arg->period_ms);
	if (r)
		return r;
	r = kwt_limits_load(&limits, arg);
	if (r)
		return r;
	r = mutex_lock_interruptible(&session->lock);
	if (r) {
		kvfree(limits.ranges);
		return r;
	}
	r = restrict_locked(session, &limits, arg);
	if (!r)
		kwt_session_wait(session);
	mutex_unlock(&session->lock);
	return r;
}

/* For callers that do not hold the VM's lock. */
int kwt_restrict_check(struct kwt_session *session, u64 gfn)
{
	int r = mutex_lock_interruptible(&session->lock);

	if (r)
		return r;
	r = kwt_restrict_allows(session, gfn) ? 0 : -EPERM;
	mutex_unlock(&session->lock);
	return r;
}
