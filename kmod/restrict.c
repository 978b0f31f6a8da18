// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits that a session takes on, before it is handed to somebody else or later:
 * each RESTRICT makes them narrower. They are what all of them have in common.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>

#include "kwt.h"

static int by_gfn(const void *a, const void *b)
{
	const struct kvm_wtrack_range *x = a, *y = b;

	return x->gfn < y->gfn ? -1 : x->gfn > y->gfn;
}

static bool range_is_valid(const struct kvm_wtrack_range *range)
{
	return kwt_gfns_valid(range->gfn, range->nr_pages);
}

void kwt_limits_init(struct kwt_limits *limits)
{
	limits->rights = KWT_RIGHTS;
	limits->max_sync_us = U32_MAX;
}

void kwt_limits_exit(struct kwt_limits *limits)
{
	kvfree(limits->ranges);
}

/* Overlapping ranges would hide gfns from the search in kwt_restrict_next(). */
static u32 ranges_merge(struct kvm_wtrack_range *ranges, u32 nr)
{
	u32 i, used = 0;

	for (i = 1; i < nr; i++) {
		struct kvm_wtrack_range *last = ranges + used;
		u64 last_end = last->gfn + last->nr_pages;
		u64 end = ranges[i].gfn + ranges[i].nr_pages;

		if (ranges[i].gfn > last_end)
			ranges[++used] = ranges[i];
		else if (end > last_end)
			last->nr_pages = end - last->gfn;
	}
	return used + 1;
}

/* Sorted and merged; none, and NULL, if the caller does not limit them. */
static int ranges_load(const struct kvm_wtrack_restrict *arg,
		       struct kwt_limits *limits)
{
	struct kvm_wtrack_range *ranges;
	u32 i;

	if (!arg->nr_ranges)
		return arg->ranges ? -EINVAL : 0;
	if (arg->nr_ranges > KWT_MAX_RANGES)
		return -ERANGE;
	/* They stay, so they are charged; vmemdup_user() would not do that. */
	ranges = kvmalloc_array(arg->nr_ranges, sizeof(*ranges),
				GFP_KERNEL_ACCOUNT);
	if (!ranges)
		return -ENOMEM;
	if (copy_from_user(ranges, u64_to_user_ptr(arg->ranges),
			   arg->nr_ranges * sizeof(*ranges))) {
		kvfree(ranges);
		return -EFAULT;
	}
	for (i = 0; i < arg->nr_ranges; i++)
		if (!range_is_valid(&ranges[i])) {
			kvfree(ranges);
			return -EINVAL;
		}
	sort(ranges, arg->nr_ranges, sizeof(*ranges), by_gfn, NULL);
	limits->nr_ranges = ranges_merge(ranges, arg->nr_ranges);
	limits->ranges = ranges;
	return 0;
}

/* What is in both, into @to if it is not NULL; returns how many ranges. */
static u32 ranges_common(const struct kwt_limits *a, const struct kwt_limits *b,
			 struct kvm_wtrack_range *to)
{
	u32 i = 0, j = 0, nr = 0;

	while (i < a->nr_ranges && j < b->nr_ranges) {
		u64 a_end = a->ranges[i].gfn + a->ranges[i].nr_pages;
		u64 b_end = b->ranges[j].gfn + b->ranges[j].nr_pages;
		u64 gfn = max(a->ranges[i].gfn, b->ranges[j].gfn);
		u64 end = min(a_end, b_end);

		if (gfn < end && to) {
			to[nr].gfn = gfn;
			to[nr].nr_pages = end - gfn;
		}
		nr += gfn < end;
		if (a_end < b_end)
			i++;
		else
			j++;
	}
	return nr;
}

/* The ranges of @limits become what they have in common with @old's. */
static int ranges_narrow(struct kwt_limits *limits, const struct kwt_limits *old)
{
	struct kvm_wtrack_range *common;
	u32 nr = ranges_common(limits, old, NULL);

	if (nr > KWT_MAX_RANGES)
		return -ERANGE;
	/* Nothing is a limit as well, and has a pointer. */
	common = kvmalloc_array(max(nr, 1U), sizeof(*common),
				GFP_KERNEL_ACCOUNT);
	if (!common)
		return -ENOMEM;
	ranges_common(limits, old, common);
	kvfree(limits->ranges);
	limits->ranges = common;
	limits->nr_ranges = nr;
	return 0;
}

/* The smaller one; 0 stands for no limit. */
static u64 narrower(u64 a, u64 b)
{
	return a && b ? min(a, b) : a ?: b;
}

/*
 * @limits has the ranges that the caller brought, and becomes what was allowed
 * before and is allowed by @arg. Under session->lock.
 */
static int limits_narrow(struct kwt_limits *limits,
			 const struct kwt_limits *old,
			 const struct kvm_wtrack_restrict *arg)
{
	limits->rights = old->rights & arg->rights;
	limits->max_pages = narrower(old->max_pages, arg->max_pages);
	limits->max_records = narrower(old->max_records, arg->max_records);
	limits->max_budget = narrower(old->max_budget, arg->budget);
	limits->min_period_ms = max(old->min_period_ms, arg->period_ms);
	limits->max_sync_us = min(old->max_sync_us, arg->max_sync_us);
	if (limits->ranges && old->ranges)
		return ranges_narrow(limits, old);
	if (old->ranges) {
		limits->nr_ranges = old->nr_ranges;
		limits->ranges = old->ranges;
	}
	return 0;
}

/*
 * The first gfn of [gfn, end) that may be tracked, or @end; *@next is where a
 * range that it is in ends.
 */
static u64 limits_next(const struct kwt_limits *limits, u64 gfn, u64 end,
		       u64 *next)
{
	u32 low = 0, high = limits->nr_ranges;
	const struct kvm_wtrack_range *range;

	*next = U64_MAX;
	if (!limits->ranges)
		return gfn;
	/* The first range that ends behind it. */
	while (low < high) {
		u32 mid = low + (high - low) / 2;

		range = limits->ranges + mid;
		if (gfn >= range->gfn && gfn - range->gfn >= range->nr_pages)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == limits->nr_ranges)
		return end;
	range = limits->ranges + low;
	*next = range->gfn + range->nr_pages;
	return min(end, max(gfn, range->gfn));
}

static bool limits_allow(const struct kwt_limits *limits,
			 const struct kvm_wtrack_range *range)
{
	u64 end = range->gfn + range->nr_pages, next;

	return limits_next(limits, range->gfn, end, &next) == range->gfn &&
	       next >= end;
}

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
			allowed = limits_allow(limits, &ranges[i]);
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

	r = limits_narrow(limits, &old, arg);
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
	r = ranges_load(arg, &limits);
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

/*
 * The first gfn of [gfn, end) that may be tracked, or @end. Under session->lock or
 * the VM's.
 */
u64 kwt_restrict_next(const struct kwt_session *session, u64 gfn, u64 end)
{
	u64 next;

	return limits_next(&session->limits, gfn, end, &next);
}

/* The same for the first that may not be. */
u64 kwt_restrict_end(const struct kwt_session *session, u64 gfn, u64 end)
{
	u64 next;

	if (limits_next(&session->limits, gfn, end, &next) > gfn)
		return gfn;
	return min(end, next);
}

bool kwt_restrict_allows(const struct kwt_session *session, u64 gfn)
{
	return kwt_restrict_next(session, gfn, gfn + 1) == gfn;
}
