// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers out of bounds. */
#include "abi.h"
#include "tap.h"

static int attached(void)
{
	int fd = wt_open();

	wt_attach(fd, vm_new(4)->fd);
	return fd;
}

static void ring_refused(int fd, struct kvm_wtrack_ring ring, int err)
{
	struct kvm_wtrack_status s;

	ring.size = sizeof(ring);
	CHECK_ERRNO(__wt_ring(fd, &ring), err);
	wt_status(fd, &s);
	CHECK_EQ(s.out_state, KVM_WTRACK_STATE_ATTACHED);
}

CASE(a_number_of_records_out_of_bounds_is_refused)
{
	int fd = attached();
	struct kvm_wtrack_ring ring = { 0 };
	struct kvm_wtrack_info i;

	wt_info(&i);
	ring_refused(fd, ring, EINVAL);
	ring.records = i.out_min_records / 2;
	ring_refused(fd, ring, ERANGE);
	ring.records = i.out_max_records * 2;
	ring_refused(fd, ring, ERANGE);
	ring.records = 1U << 31;
	ring_refused(fd, ring, ERANGE);
	ring.records = i.out_min_records + 1;
	ring_refused(fd, ring, EINVAL);
	ring.records = i.out_max_records - 1;
	ring_refused(fd, ring, EINVAL);
}

CASE(the_smallest_and_the_largest_ring_can_be_made)
{
	struct vm *vm = vm_new(1);
	struct kvm_wtrack_info i;
	struct wt *wt;

	wt_info(&i);
	wt_close(wt_session(vm->fd, i.out_min_records, 0));
	wt = wt_session(vm->fd, i.out_max_records, 0);
	CHECK_EQ(wt->records[i.out_max_records - 1].seq, 0);
}

CASE(a_watermark_or_latency_out_of_bounds_is_refused)
{
	int fd = attached();
	struct kvm_wtrack_ring ring = { .records = 64, .latency_us = 1 };
	struct kvm_wtrack_info i;

	wt_info(&i);
	ring.watermark = 33;
	ring_refused(fd, ring, ERANGE);
	ring.watermark = ~0U;
	ring_refused(fd, ring, ERANGE);
	ring.watermark = 2;
	ring.latency_us = i.out_max_latency_us + 1;
	ring_refused(fd, ring, ERANGE);
	ring.latency_us = ~0U;
	ring_refused(fd, ring, ERANGE);
	ring.size = sizeof(ring);
	ring.watermark = 32;
	ring.latency_us = i.out_max_latency_us;
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
}

/* One without the other would mean nothing, or a wake-up that never comes. */
CASE(a_watermark_and_a_latency_come_together)
{
	int fd = attached();
	struct kvm_wtrack_ring ring = { .records = 64 };

	ring.watermark = 2;
	ring_refused(fd, ring, EINVAL);
	ring.watermark = 0;
	ring.latency_us = 1000;
	ring_refused(fd, ring, EINVAL);
	ring.watermark = 1;
	ring_refused(fd, ring, EINVAL);
}

CASE(a_budget_or_a_period_out_of_bounds_is_refused)
{
	int fd = attached();
	struct kvm_wtrack_ring ring = { .records = 64, .period_ms = 1 };
	struct kvm_wtrack_info i;

	wt_info(&i);
	ring.budget = i.out_max_budget + 1;
	ring_refused(fd, ring, ERANGE);
	ring.budget = ~0U;
	ring_refused(fd, ring, ERANGE);
	ring.budget = 1;
	ring.period_ms = i.out_max_period_ms + 1;
	ring_refused(fd, ring, ERANGE);
	ring.period_ms = ~0U;
	ring_refused(fd, ring, ERANGE);
	ring.size = sizeof(ring);
	ring.budget = i.out_max_budget;
	ring.period_ms = i.out_max_period_ms;
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
}

CASE(a_budget_and_a_period_come_together)
{
	int fd = attached();
	struct kvm_wtrack_ring ring = { .records = 64 };

	ring.budget = 1;
	ring_refused(fd, ring, EINVAL);
	ring.budget = 0;
	ring.period_ms = 1;
	ring_refused(fd, ring, EINVAL);
	ring.size = sizeof(ring);
	ring.budget = 1;
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
}

CASE(no_ranges_at_all_are_einval)
{
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		if (!c->array || c->cmd == KVM_WTRACK_RESTRICT)
			continue;
		tap_trying("%s", c->name);
		abi_init(&a, c);
		*abi_u32(&a, c->array_nr) = 0;
		abi_refused(&a, a.arg, EINVAL);
		abi_taken(&a);
		abi_exit(&a);
	}
}

/* What is only room for results may be larger. */
CASE(more_ranges_than_one_call_may_bring_are_erange)
{
	const struct abi_call *c;
	struct kvm_wtrack_info i;
	struct abi a;

	wt_info(&i);
	for_each_abi_call(c) {
		if (c->cmd != KVM_WTRACK_ADD && c->cmd != KVM_WTRACK_REMOVE &&
		    c->cmd != KVM_WTRACK_RESTRICT)
			continue;
		tap_trying("%s", c->name);
		abi_init(&a, c);
		*abi_u32(&a, c->array_nr) = i.out_max_ranges + 1;
		abi_refused(&a, a.arg, ERANGE);
		*abi_u32(&a, c->array_nr) = ~0U;
		abi_refused(&a, a.arg, ERANGE);
		abi_taken(&a);
		abi_exit(&a);
	}
}

static void range_refused(struct abi *a, uint64_t gfn, uint64_t nr_pages)
{
	tap_trying("%s, gfn 0x%llx, %llu pages", a->call->name,
		   (unsigned long long)gfn, (unsigned long long)nr_pages);
	abi_fill(a);
	/* gfn and nr_pages are first in both structs. */
	a->array.changes[0].gfn = gfn;
	a->array.changes[0].nr_pages = nr_pages;
	abi_refused(a, a->arg, EINVAL);
}

CASE(an_empty_or_wrapping_range_is_einval)
{
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		if (c->cmd != KVM_WTRACK_ADD && c->cmd != KVM_WTRACK_REMOVE &&
		    c->cmd != KVM_WTRACK_RESTRICT)
			continue;
		abi_init(&a, c);
		range_refused(&a, VM_DATA_GFN, 0);
		range_refused(&a, 0, 0);
		range_refused(&a, ~0ULL, 2);
		range_refused(&a, 2, ~0ULL);
		range_refused(&a, ~0ULL, ~0ULL);
		range_refused(&a, 1ULL << 63, 1ULL << 63 | 1);
		/* Physical addresses have 52 bits. */
		range_refused(&a, 1ULL << 40, 1);
		range_refused(&a, (1ULL << 40) - 1, 2);
		range_refused(&a, 1, 1ULL << 40);
		abi_taken(&a);
		abi_exit(&a);
	}
}

CASE(one_malformed_range_makes_the_call_malformed)
{
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		if (c->cmd != KVM_WTRACK_ADD && c->cmd != KVM_WTRACK_REMOVE)
			continue;
		tap_trying("%s", c->name);
		abi_init(&a, c);
		a.array.changes[1] = a.array.changes[0];
		a.array.changes[1].nr_pages = 0;
		*abi_u32(&a, c->array_nr) = 2;
		abi_refused(&a, a.arg, EINVAL);
		abi_exit(&a);
	}
}
