// SPDX-License-Identifier: GPL-2.0-only
/* Limits that a session takes on before it is handed to somebody else. */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

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

static int ranges_load(const struct kvm_wtrack_restrict *arg,
		       struct kvm_wtrack_range **ret)
{
	struct kvm_wtrack_range *ranges;
	u32 i;

	*ret = NULL;
	if (!arg->nr_ranges)
		return arg->ranges ? -EINVAL : 0;
	if (arg->nr_ranges > KWT_MAX_RANGES)
		return -ERANGE;
	ranges = vmemdup_user(u64_to_user_ptr(arg->ranges),
			      arg->nr_ranges * sizeof(*ranges));
	if (IS_ERR(ranges))
		return PTR_ERR(ranges);
	for (i = 0; i < arg->nr_ranges; i++)
		if (!range_is_valid(&ranges[i])) {
			kvfree(ranges);
			return -EINVAL;
		}
	sort(ranges, arg->nr_ranges, sizeof(*ranges), by_gfn, NULL);
	*ret = ranges;
	return 0;
}

/*
 * Overlapping ranges would hide gfns from the search in kwt_restrict_allows().
 * Returns how many are left.
 */
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
	return nr ? used + 1 : 0;
}

int kwt_restrict(struct kwt_session *session,
		 const struct kvm_wtrack_restrict *arg)
{
	struct kvm_wtrack_range *ranges;
	int r;

	if (arg->max_records && arg->max_records < KWT_MIN_RECORDS)
		return -ERANGE;
	r = kwt_budget_check(arg->budget, arg->period_ms);
	if (r)
		return r;
	r = ranges_load(arg, &ranges);
	if (r)
		return r;
	r = mutex_lock_interruptible(&session->lock);
	if (r) {
		kvfree(ranges);
		return r;
	}
	if (session->restricted)
		r = -EPERM;
	else if (session->ring.records)
		r = -EBUSY;
	if (r) {
		mutex_unlock(&session->lock);
		kvfree(ranges);
		return r;
	}
	/* Nothing was added yet: that takes a ring, which is made under lock. */
	session->nr_ranges = ranges_merge(ranges, arg->nr_ranges);
	session->ranges = ranges;
	session->max_records = arg->max_records;
	session->max_pages = arg->max_pages;
	session->max_budget = arg->budget;
	session->min_period_ms = arg->period_ms;
	session->restricted = true;
	mutex_unlock(&session->lock);
	return 0;
}

/* A budget goes with a period, or there is neither. */
int kwt_budget_check(u32 budget, u32 period_ms)
{
	if (budget > KWT_MAX_BUDGET || period_ms > KWT_MAX_PERIOD_MS)
		return -ERANGE;
	return !budget == !period_ms ? 0 : -EINVAL;
}

/* For sessions that may still be about to be restricted. */
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
 * The first gfn of [gfn, end) that may be added, or @end. The session has a
 * ring: its restriction does not change any more.
 */
u64 kwt_restrict_next(const struct kwt_session *session, u64 gfn, u64 end)
{
	u32 low = 0, high = session->nr_ranges;

	if (!session->ranges)
		return gfn;
	/* The first range that ends behind it. */
	while (low < high) {
		u32 mid = low + (high - low) / 2;
		const struct kvm_wtrack_range *range = session->ranges + mid;

		if (gfn >= range->gfn && gfn - range->gfn >= range->nr_pages)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == session->nr_ranges)
		return end;
	return min(end, max(gfn, session->ranges[low].gfn));
}

bool kwt_restrict_allows(const struct kwt_session *session, u64 gfn)
{
	return kwt_restrict_next(session, gfn, gfn + 1) == gfn;
}
