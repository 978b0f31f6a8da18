// SPDX-License-Identifier: GPL-2.0-or-later
/* A restriction is for good, and what is outside of it is EPERM. */
#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "wt.h"

enum { PAGES = 32, FIRST = 4, ALLOWED = 8 };

static const struct kvm_wtrack_range middle = {
	.gfn = VM_DATA_GFN + FIRST, .nr_pages = ALLOWED,
};

static int attached(void)
{
	int fd = wt_open();

	wt_attach(fd, vm_new(PAGES)->fd);
	return fd;
}

static int restrict_to(int fd, const struct kvm_wtrack_range *ranges,
		       uint32_t nr)
{
	WT_ARG(restrict, r, .ranges = (uintptr_t)ranges, .nr_ranges = nr);

	return __wt_restrict(fd, &r);
}

static void make_ring(int fd)
{
	WT_ARG(ring, r, .records = 64);

	CHECK_ERRNO(__wt_ring(fd, &r), 0);
}

CASE(gfns_outside_of_the_restriction_cannot_be_added)
{
	int i, fd = attached();

	CHECK_ERRNO(restrict_to(fd, &middle, 1), 0);
	make_ring(fd);
	for (i = 0; i < PAGES; i++) {
		bool in = i >= FIRST && i < FIRST + ALLOWED;

		tap_trying("page %d", i);
		CHECK_ERRNO(__wt_add_page(fd, VM_DATA_GFN + i), in ? 0 : EPERM);
	}
	CHECK_EQ(wt_query_pages(fd), ALLOWED);
}

CASE(of_a_range_that_reaches_outside_the_inside_is_added)
{
	struct kvm_wtrack_change c = { .gfn = VM_DATA_GFN, .nr_pages = PAGES };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
	int fd = attached();

	CHECK_ERRNO(restrict_to(fd, &middle, 1), 0);
	make_ring(fd);
	CHECK_ERRNO(__wt_add(fd, &a), 0);
	CHECK_EQ(c.out_done, ALLOWED);
	CHECK_EQ(c.out_changed, ALLOWED);
	CHECK_EQ(c.out_error_gfn, VM_DATA_GFN);
	CHECK_ERRNO(c.out_error, EPERM);
	CHECK_EQ(a.out_failed_pages, PAGES - ALLOWED);
}

CASE(several_ranges_in_any_order_and_overlapping_are_allowed)
{
	const struct kvm_wtrack_range ranges[] = {
		{ VM_DATA_GFN + 20, 2 }, { VM_DATA_GFN, 3 },
		{ VM_DATA_GFN + 2, 4 }, { VM_DATA_GFN + 10, 1 },
	};
	static const char allowed[PAGES + 1] =
		"yyyyyy....y.........yy..........";
	int i, fd = attached();

	CHECK_ERRNO(restrict_to(fd, ranges, 4), 0);
	make_ring(fd);
	for (i = 0; i < PAGES; i++) {
		tap_trying("page %d", i);
		CHECK_ERRNO(__wt_add_page(fd, VM_DATA_GFN + i),
			    allowed[i] == 'y' ? 0 : EPERM);
	}
}

CASE(the_count_of_a_gfn_outside_of_the_restriction_is_not_told)
{
	WT_ARG(query_gfn, q, .gfn = VM_DATA_GFN);
	int fd = attached();

	CHECK_ERRNO(restrict_to(fd, &middle, 1), 0);
	CHECK_ERRNO(__wt_query_gfn(fd, &q), EPERM);
	q.gfn = middle.gfn + ALLOWED;
	CHECK_ERRNO(__wt_query_gfn(fd, &q), EPERM);
	q.gfn = middle.gfn + ALLOWED - 1;
	CHECK_ERRNO(__wt_query_gfn(fd, &q), 0);
}

CASE(a_larger_ring_than_the_restriction_allows_is_eperm)
{
	WT_ARG(restrict, r, .max_records = 128);
	WT_ARG(ring, ring, .records = 256);
	int fd = attached();

	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	CHECK_ERRNO(__wt_ring(fd, &ring), EPERM);
	ring.records = 128;
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
}

CASE(more_pages_than_the_restriction_allows_are_enospc)
{
	WT_ARG(restrict, r, .max_pages = 3);
	int fd = attached();

	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	make_ring(fd);
	wt_add(fd, VM_DATA_GFN, 3);
	CHECK_ERRNO(__wt_add_page(fd, VM_DATA_GFN + 3), ENOSPC);
	wt_remove(fd, VM_DATA_GFN + 1, 1);
	CHECK_ERRNO(__wt_add_page(fd, VM_DATA_GFN + 3), 0);
	CHECK_ERRNO(__wt_add_page(fd, VM_DATA_GFN + 1), ENOSPC);
}

static int ring_with(int fd, uint32_t budget, uint32_t period_ms)
{
	WT_ARG(ring, ring, .records = 64, .budget = budget,
	       .period_ms = period_ms);

	return __wt_ring(fd, &ring);
}

CASE(a_larger_budget_or_a_shorter_period_than_allowed_is_eperm)
{
	WT_ARG(restrict, r, .budget = 10, .period_ms = 100);
	int fd = attached(), other = attached();

	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	CHECK_ERRNO(ring_with(fd, 11, 100), EPERM);
	CHECK_ERRNO(ring_with(fd, 10, 99), EPERM);
	CHECK_ERRNO(ring_with(fd, 1, 1), EPERM);
	CHECK_ERRNO(ring_with(fd, 10, 100), 0);
	CHECK_ERRNO(__wt_restrict(other, &r), 0);
	CHECK_ERRNO(ring_with(other, 9, 101), 0);
}

CASE(an_empty_restriction_limits_nothing_but_is_the_last_one)
{
	int fd = attached();

	CHECK_ERRNO(restrict_to(fd, NULL, 0), 0);
	CHECK_ERRNO(restrict_to(fd, NULL, 0), EPERM);
	make_ring(fd);
	wt_add(fd, VM_DATA_GFN, PAGES);
}

CASE(a_second_restriction_is_eperm_even_if_it_is_narrower)
{
	const struct kvm_wtrack_range one = { VM_DATA_GFN + FIRST, 1 };
	int fd = attached();

	CHECK_ERRNO(restrict_to(fd, &middle, 1), 0);
	CHECK_ERRNO(restrict_to(fd, &one, 1), EPERM);
	make_ring(fd);
	wt_add(fd, middle.gfn, ALLOWED);
}

CASE(a_restriction_after_ring_is_ebusy)
{
	int fd = attached();

	make_ring(fd);
	CHECK_ERRNO(restrict_to(fd, &middle, 1), EBUSY);
	wt_add(fd, VM_DATA_GFN, PAGES);
	CHECK_ERRNO(restrict_to(fd, &middle, 1), EBUSY);
}

CASE(a_refused_restriction_does_not_restrict)
{
	const struct kvm_wtrack_range ranges[] = { middle, { 0, 0 } };
	WT_ARG(restrict, small, .max_records = 32);
	WT_ARG(restrict, budget, .budget = 1);
	struct kvm_wtrack_info info;
	int fd = attached();

	wt_info(&info);
	CHECK_ERRNO(restrict_to(fd, ranges, 2), EINVAL);
	CHECK_ERRNO(restrict_to(fd, ranges, info.out_max_ranges + 1), ERANGE);
	CHECK_ERRNO(restrict_to(fd, NULL, 1), EFAULT);
	CHECK_ERRNO(restrict_to(fd, ranges, 0), EINVAL);
	CHECK_ERRNO(__wt_restrict(fd, &small), ERANGE);
	CHECK_ERRNO(__wt_restrict(fd, &budget), EINVAL);
	budget.period_ms = info.out_max_period_ms + 1;
	CHECK_ERRNO(__wt_restrict(fd, &budget), ERANGE);
	budget.period_ms = 1;
	budget.budget = info.out_max_budget + 1;
	CHECK_ERRNO(__wt_restrict(fd, &budget), ERANGE);
	budget.budget = 0;
	CHECK_ERRNO(__wt_restrict(fd, &budget), EINVAL);
	make_ring(fd);
	wt_add(fd, VM_DATA_GFN, PAGES);
}

CASE(a_restriction_is_the_sessions_own)
{
	struct vm *vm = vm_new(PAGES);
	int fd = wt_open(), other = wt_open();

	wt_attach(fd, vm->fd);
	wt_attach(other, vm->fd);
	CHECK_ERRNO(restrict_to(fd, &middle, 1), 0);
	make_ring(other);
	wt_add(other, VM_DATA_GFN, PAGES);
}
