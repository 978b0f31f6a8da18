// SPDX-License-Identifier: GPL-2.0-only
/*
 * RESTRICT: makes the limits of a session narrower, before it is handed to
 * another process or later. limits.c has the limits themselves.
 */
#include <linux/mm.h>

#include "kwt.h"

/* How many ranges are checked before the VM's lock is released. */
#define LOOK_RANGES	32

/*
 * Do the limits allow all that the session tracks? Gfns may be removed
 * meanwhile, but not added. The caller holds the VM's lock, which is released
 * in between.
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

/* The caller holds session->lock and the VM's lock. */
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

/* The caller holds session->lock. */
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

/* Takes over or frees the ranges of @limits. The caller holds session->lock. */
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

/*
 * Returns -EPERM if the session may not have the gfn. The caller does not hold
 * the VM's lock.
 */
int kwt_restrict_check(struct kwt_session *session, u64 gfn)
{
	int r = mutex_lock_interruptible(&session->lock);

	if (r)
		return r;
	r = kwt_restrict_allows(session, gfn) ? 0 : -EPERM;
	mutex_unlock(&session->lock);
	return r;
}
