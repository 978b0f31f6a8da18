// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A restriction is for good, and what is outside of it is EPERM. Another one can
 * only make it narrower.
 */
#include <pthread.h>
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
	WT_ARG(restrict, r, .ranges = (uintptr_t)ranges, .nr_ranges = nr,
	       .rights = ~0ULL);

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
	WT_ARG(restrict, r, .max_records = 128, .rights = ~0ULL);
	WT_ARG(ring, ring, .records = 256);
	int fd = attached();

	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	CHECK_ERRNO(__wt_ring(fd, &ring), EPERM);
	ring.records = 128;
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
}

CASE(more_pages_than_the_restriction_allows_are_enospc)
{
	WT_ARG(restrict, r, .max_pages = 3, .rights = ~0ULL);
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
	WT_ARG(restrict, r, .budget = 10, .period_ms = 100, .rights = ~0ULL);
	int fd = attached(), other = attached();

	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	CHECK_ERRNO(ring_with(fd, 11, 100), EPERM);
	CHECK_ERRNO(ring_with(fd, 10, 99), EPERM);
	CHECK_ERRNO(ring_with(fd, 1, 1), EPERM);
	CHECK_ERRNO(ring_with(fd, 10, 100), 0);
	CHECK_ERRNO(__wt_restrict(other, &r), 0);
	CHECK_ERRNO(ring_with(other, 9, 101), 0);
}

static void check_allowed(int fd, const char *allowed)
{
	int i;

	for (i = 0; i < PAGES; i++) {
		tap_trying("page %d", i);
		CHECK_ERRNO(__wt_add_page(fd, VM_DATA_GFN + i),
			    allowed[i] == 'y' ? 0 : EPERM);
	}
}

CASE(an_empty_restriction_limits_nothing)
{
	struct kvm_wtrack_status s;
	int fd = attached();

	CHECK_ERRNO(restrict_to(fd, NULL, 0), 0);
	CHECK_ERRNO(restrict_to(fd, NULL, 0), 0);
	wt_status(fd, &s);
	CHECK(s.out_state & KVM_WTRACK_STATE_RESTRICTED);
	make_ring(fd);
	wt_add(fd, VM_DATA_GFN, PAGES);
}

CASE(a_second_restriction_leaves_what_both_allow)
{
	const struct kvm_wtrack_range first[] = {
		{ VM_DATA_GFN, 6 }, { VM_DATA_GFN + 10, 10 },
		{ VM_DATA_GFN + 30, 2 },
	};
	const struct kvm_wtrack_range second[] = {
		{ VM_DATA_GFN + 2, 2 }, { VM_DATA_GFN + 5, 7 },
		{ VM_DATA_GFN + 14, 1 }, { VM_DATA_GFN + 16, 15 },
	};
	int fd = attached();

	CHECK_ERRNO(restrict_to(fd, first, 3), 0);
	CHECK_ERRNO(restrict_to(fd, second, 4), 0);
	/* Neither does it become wider again. */
	CHECK_ERRNO(restrict_to(fd, NULL, 0), 0);
	CHECK_ERRNO(restrict_to(fd, first, 3), 0);
	make_ring(fd);
	check_allowed(fd, "..yy.y....yy..y.yyyy..........y.");
}

CASE(restrictions_that_have_nothing_in_common_allow_nothing)
{
	const struct kvm_wtrack_range other = { VM_DATA_GFN, FIRST };
	int fd = attached();

	CHECK_ERRNO(restrict_to(fd, &middle, 1), 0);
	CHECK_ERRNO(restrict_to(fd, &other, 1), 0);
	make_ring(fd);
	check_allowed(fd, "................................");
	CHECK_ERRNO(restrict_to(fd, NULL, 0), 0);
	CHECK_ERRNO(__wt_add_page(fd, middle.gfn), EPERM);
}

CASE(a_session_is_restricted_before_it_is_attached)
{
	WT_ARG(restrict, r, .ranges = (uintptr_t)&middle, .nr_ranges = 1,
	       .max_records = 64, .max_pages = 2, .rights = ~0ULL);
	WT_ARG(ring, ring, .records = 128);
	struct kvm_wtrack_status s;
	int fd = wt_open();

	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	wt_status(fd, &s);
	CHECK_EQ(s.out_state, KVM_WTRACK_STATE_RESTRICTED);
	CHECK_EQ(s.out_max_pages, 2);
	wt_attach(fd, vm_new(PAGES)->fd);
	CHECK_ERRNO(__wt_ring(fd, &ring), EPERM);
	make_ring(fd);
	CHECK_ERRNO(__wt_add_page(fd, VM_DATA_GFN), EPERM);
	wt_add(fd, middle.gfn, 2);
	CHECK_ERRNO(__wt_add_page(fd, middle.gfn + 2), ENOSPC);
}

CASE(numbers_become_smaller_and_never_larger)
{
	WT_ARG(restrict, wide, .max_records = 512, .max_pages = 9, .budget = 20,
	       .period_ms = 10, .rights = ~0ULL);
	WT_ARG(restrict, narrow, .max_records = 128, .max_pages = 3,
	       .budget = 10, .period_ms = 100, .rights = ~0ULL);
	WT_ARG(ring, ring, .records = 256);
	struct kvm_wtrack_status s;
	int fd = attached();

	CHECK_ERRNO(__wt_restrict(fd, &wide), 0);
	CHECK_ERRNO(__wt_restrict(fd, &narrow), 0);
	CHECK_ERRNO(__wt_restrict(fd, &wide), 0);
	wt_status(fd, &s);
	CHECK_EQ(s.out_max_pages, 3);
	CHECK_ERRNO(__wt_ring(fd, &ring), EPERM);
	CHECK_ERRNO(ring_with(fd, 11, 100), EPERM);
	CHECK_ERRNO(ring_with(fd, 10, 99), EPERM);
	CHECK_ERRNO(ring_with(fd, 10, 100), 0);
}

CASE(a_session_in_use_may_become_narrower)
{
	int fd = attached();

	make_ring(fd);
	wt_add(fd, middle.gfn + 1, 2);
	CHECK_ERRNO(restrict_to(fd, &middle, 1), 0);
	CHECK_EQ(wt_query_pages(fd), 2);
	wt_add(fd, middle.gfn + 3, 1);
	CHECK_ERRNO(__wt_add_page(fd, middle.gfn - 1), EPERM);
}

CASE(what_the_session_has_cannot_be_forbidden)
{
	WT_ARG(restrict, records, .max_records = 64, .rights = ~0ULL);
	WT_ARG(restrict, pages, .max_pages = 3, .rights = ~0ULL);
	WT_ARG(restrict, budget, .budget = 9, .period_ms = 1, .rights = ~0ULL);
	WT_ARG(restrict, data, .rights = ~KVM_WTRACK_RIGHT_DATA);
	WT_ARG(restrict, rip, .rights = ~KVM_WTRACK_RIGHT_RIP);
	WT_ARG(ring, ring, .records = 128, .budget = 10, .period_ms = 100);
	struct kvm_wtrack_status before, now;
	int fd = attached();

	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	wt_add(fd, middle.gfn, 3);
	wt_add(fd, VM_DATA_GFN + PAGES - 1, 1);
	wt_status(fd, &before);
	CHECK_ERRNO(restrict_to(fd, &middle, 1), EBUSY);
	CHECK_ERRNO(__wt_restrict(fd, &records), EBUSY);
	CHECK_ERRNO(__wt_restrict(fd, &pages), EBUSY);
	CHECK_ERRNO(__wt_restrict(fd, &budget), EBUSY);
	budget.budget = 10;
	budget.period_ms = 101;
	CHECK_ERRNO(__wt_restrict(fd, &budget), EBUSY);
	CHECK_ERRNO(__wt_restrict(fd, &data), EBUSY);
	CHECK_ERRNO(__wt_restrict(fd, &rip), EBUSY);
	wt_status(fd, &now);
	CHECK(!memcmp(&now, &before, sizeof(now)));
	wt_add(fd, VM_DATA_GFN, 1);
	wt_remove(fd, VM_DATA_GFN, 1);
	wt_remove(fd, VM_DATA_GFN + PAGES - 1, 1);
	records.max_records = 128;
	budget.period_ms = 100;
	CHECK_ERRNO(restrict_to(fd, &middle, 1), 0);
	CHECK_ERRNO(__wt_restrict(fd, &records), 0);
	CHECK_ERRNO(__wt_restrict(fd, &pages), 0);
	CHECK_ERRNO(__wt_restrict(fd, &budget), 0);
}

CASE(a_ring_without_a_budget_cannot_be_made_to_have_one)
{
	WT_ARG(restrict, r, .budget = 9, .period_ms = 1, .rights = ~0ULL);
	int fd = attached();

	make_ring(fd);
	CHECK_ERRNO(__wt_restrict(fd, &r), EBUSY);
}

/* Many chunks: the VM's lock is given back in between. */
CASE(all_that_is_tracked_is_looked_at)
{
	enum { MANY = 1 << 14 };
	struct kvm_wtrack_range ranges[2] = { { VM_DATA_GFN, 0 }, { 0, 1 } };
	int fd = wt_open();
	uint64_t gfn;

	wt_attach(fd, vm_new(MANY)->fd);
	make_ring(fd);
	wt_add(fd, VM_DATA_GFN, MANY);
	/* One page is in neither range. */
	for (gfn = VM_DATA_GFN; gfn < VM_DATA_GFN + MANY; gfn += 1021) {
		ranges[0].nr_pages = gfn - VM_DATA_GFN ?: 1;
		ranges[0].gfn = gfn == VM_DATA_GFN ? 0 : VM_DATA_GFN;
		ranges[1].gfn = gfn + 1;
		ranges[1].nr_pages = VM_DATA_GFN + MANY - ranges[1].gfn;
		CHECK_ERRNO(restrict_to(fd, ranges, 2), EBUSY);
	}
	ranges[0] = (struct kvm_wtrack_range){ VM_DATA_GFN, MANY / 2 };
	ranges[1] = (struct kvm_wtrack_range){ VM_DATA_GFN + MANY / 2,
					       MANY / 2 };
	CHECK_ERRNO(restrict_to(fd, ranges, 2), 0);
	CHECK_EQ(wt_query_pages(fd), MANY);
}

struct adder {
	int fd;
	int stop;
	unsigned int refused;
};

static void *add_and_remove(void *arg)
{
	struct adder *a = arg;
	int err;

	while (!__atomic_load_n(&a->stop, __ATOMIC_RELAXED)) {
		err = __wt_add_page(a->fd, VM_DATA_GFN);
		CHECK(!err || err == EPERM);
		if (err)
			__atomic_add_fetch(&a->refused, 1, __ATOMIC_RELAXED);
		else
			CHECK_ERRNO(__wt_remove_page(a->fd, VM_DATA_GFN), 0);
	}
	return NULL;
}

static bool was_refused(struct adder *a)
{
	return __atomic_load_n(&a->refused, __ATOMIC_RELAXED) > 0;
}

/* Either the page is found, or it is not added any more. */
CASE_WITHIN(an_add_at_the_same_time_does_not_get_around_it, 60)
{
	struct vm *vm = vm_new(PAGES);
	unsigned int i, busy = 0;
	pthread_t thread;

	for (i = 0; i < 100; i++) {
		struct adder a = { .fd = wt_session(vm->fd, 64, 0)->fd };

		wt_add(a.fd, middle.gfn, ALLOWED);
		CHECK(!pthread_create(&thread, NULL, add_and_remove, &a));
		while (restrict_to(a.fd, &middle, 1)) {
			CHECK_ERRNO(errno, EBUSY);
			busy++;
		}
		CHECK_SOON(was_refused(&a));
		__atomic_store_n(&a.stop, 1, __ATOMIC_RELAXED);
		CHECK(!pthread_join(thread, NULL));
		CHECK_EQ(wt_query_pages(a.fd), ALLOWED);
	}
	tap_note("%u restrictions found the page", busy);
}

CASE(the_common_parts_are_not_more_than_the_ranges_of_one_call)
{
	static struct kvm_wtrack_range even[4096], odd[4096];
	struct kvm_wtrack_info info;
	unsigned int i;
	int fd = attached();

	wt_info(&info);
	CHECK_EQ(info.out_max_ranges, ARRAY_SIZE(even));
	for (i = 0; i < ARRAY_SIZE(even); i++) {
		even[i] = (struct kvm_wtrack_range){ 10 * i, 8 };
		odd[i] = (struct kvm_wtrack_range){ 10 * i + 5, 8 };
	}
	CHECK_ERRNO(restrict_to(fd, even, ARRAY_SIZE(even)), 0);
	CHECK_ERRNO(restrict_to(fd, odd, ARRAY_SIZE(odd)), ERANGE);
	CHECK_ERRNO(restrict_to(fd, odd, ARRAY_SIZE(odd) / 2), 0);
}

CASE(a_refused_restriction_does_not_restrict)
{
	const struct kvm_wtrack_range ranges[] = { middle, { 0, 0 } };
	WT_ARG(restrict, small, .max_records = 32, .rights = ~0ULL);
	WT_ARG(restrict, budget, .budget = 1, .rights = ~0ULL);
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
