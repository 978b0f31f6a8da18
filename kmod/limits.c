// SPDX-License-Identifier: GPL-2.0-only
/*
 * The limits of a session: what all of its RESTRICTs have in common. They are
 * made from the argument of RESTRICT, made narrower by the next one, and asked
 * whether a gfn is allowed.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/uaccess.h>

#include "kwt.h"

static int compare_gfns(const void *a, const void *b)
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

/*
 * Load the caller's ranges, sorted and merged. There are none, and
 * @limits->ranges is NULL, if the caller does not limit them.
 */
int kwt_limits_load(struct kwt_limits *limits,
		    const struct kvm_wtrack_restrict *arg)
{
	struct kvm_wtrack_range *ranges;
	u32 i;

	if (!arg->nr_ranges)
		return arg->ranges ? -EINVAL : 0;
	if (arg->nr_ranges > KWT_MAX_RANGES)
		return -ERANGE;
	/*
	 * The ranges stay, so they are charged to the caller, which
	 * vmemdup_user() does not do.
	 */
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
	sort(ranges, arg->nr_ranges, sizeof(*ranges), compare_gfns, NULL);
	limits->nr_ranges = ranges_merge(ranges, arg->nr_ranges);
	limits->ranges = ranges;
	return 0;
}

/*
 * Store the intersection in @to if it is not NULL. Returns its number of
 * ranges.
 */
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

/* Reduce the ranges of @limits to their intersection with those of @old. */
static int ranges_narrow(struct kwt_limits *limits, const struct kwt_limits *old)
{
	struct kvm_wtrack_range *common;
	u32 nr = ranges_common(limits, old, NULL);

	if (nr > KWT_MAX_RANGES)
		return -ERANGE;
	/* An empty intersection is a limit as well, and has a pointer. */
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
static u64 narrower_limit(u64 a, u64 b)
{
	return a && b ? min(a, b) : a ?: b;
}

/*
 * @limits has the ranges of @arg, and becomes what both @old and @arg allow.
 * The caller holds session->lock.
 */
int kwt_limits_narrow(struct kwt_limits *limits, const struct kwt_limits *old,
		      const struct kvm_wtrack_restrict *arg)
{
	limits->rights = old->rights & arg->rights;
	limits->max_pages = narrower_limit(old->max_pages, arg->max_pages);
	limits->max_records = narrower_limit(old->max_records, arg->max_records);
	limits->max_budget = narrower_limit(old->max_budget, arg->budget);
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
 * Returns the first gfn of [gfn, end) that may be tracked, or @end. *@next
 * becomes the end of the range that contains it.
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

bool kwt_limits_allow(const struct kwt_limits *limits,
		      const struct kvm_wtrack_range *range)
{
	u64 end = range->gfn + range->nr_pages, next;

	return limits_next(limits, range->gfn, end, &next) == range->gfn &&
	       next >= end;
}

/*
 * Returns the first gfn of [gfn, end) that may be tracked, or @end. The caller
 * holds session->lock or the VM's.
 */
u64 kwt_restrict_next(const struct kwt_session *session, u64 gfn, u64 end)
{
	u64 next;

	return limits_next(&session->limits, gfn, end, &next);
}

/*
 * Returns the first gfn of [gfn, end) that may not be tracked, or @end. Locks
 * as for kwt_restrict_next().
 */
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
