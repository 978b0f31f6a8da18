// SPDX-License-Identifier: GPL-2.0-or-later
/* ADD, REMOVE and QUERY on arrays of ranges: what is done is told exactly. */
#include <string.h>
#include <unistd.h>

#include "module.h"
#include "tap.h"
#include "wt.h"

enum { PAGES = 16, HOLE = 8 };

/* Data at VM_DATA, a hole of HOLE pages behind it, and then data again. */
static struct vm *vm_with_hole(void)
{
	struct vm *vm = vm_new(PAGES);

	vm_slot(vm, VM_SLOT_EXTRA, VM_DATA + (PAGES + HOLE) * PAGE,
		mem_shared(PAGES * PAGE), PAGES * PAGE, 0);
	return vm;
}

static void check_change(const struct kvm_wtrack_change *c, uint64_t done,
			 uint64_t changed, int err, uint64_t err_gfn)
{
	CHECK_EQ(c->out_done, done);
	CHECK_EQ(c->out_changed, changed);
	CHECK_EQ(c->out_failed, c->nr_pages - done);
	CHECK_ERRNO(c->out_error, err);
	if (err)
		CHECK_EQ(c->out_error_gfn, err_gfn);
}

CASE(a_gfn_without_memory_is_enoent_and_the_others_are_done)
{
	struct vm *vm = vm_with_hole();
	struct wt *wt = wt_session(vm->fd, 64, 0);
	const uint64_t hole = VM_DATA_GFN + PAGES;
	struct kvm_wtrack_change c[] = {
		{ .gfn = VM_DATA_GFN, .nr_pages = 2 },
		{ .gfn = hole - 3, .nr_pages = 3 + HOLE + 1 },
		{ .gfn = hole + 1, .nr_pages = 2 },
		{ .gfn = hole + HOLE, .nr_pages = 4 },
		{ .gfn = 1ULL << 39, .nr_pages = 1 },
	};
	WT_ARG(add, a, .changes = (uintptr_t)c, .nr_changes = 5);

	CHECK_ERRNO(__wt_add(wt->fd, &a), 0);
	CHECK_EQ(a.out_nr_changes, 5);
	CHECK_EQ(a.out_failed_pages, HOLE + 2 + 1);
	check_change(&c[0], 2, 2, 0, 0);
	check_change(&c[1], 4, 4, ENOENT, hole);
	check_change(&c[2], 0, 0, ENOENT, hole + 1);
	check_change(&c[3], 4, 3, 0, 0);
	check_change(&c[4], 0, 0, ENOENT, 1ULL << 39);
	CHECK_EQ(wt_query_pages(wt->fd), 2 + 4 + 3);
}

CASE(adding_again_changes_nothing_and_is_no_error)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_change c[] = {
		{ .gfn = VM_DATA_GFN, .nr_pages = PAGES },
		{ .gfn = VM_DATA_GFN, .nr_pages = PAGES },
	};
	WT_ARG(add, a, .changes = (uintptr_t)c, .nr_changes = 2);

	wt_add(wt->fd, VM_DATA_GFN + 3, 2);
	CHECK_ERRNO(__wt_add(wt->fd, &a), 0);
	check_change(&c[0], PAGES, PAGES - 2, 0, 0);
	check_change(&c[1], PAGES, 0, 0, 0);
	CHECK_EQ(wt_users(wt->fd, VM_DATA_GFN + 3), 1);
	wt_remove(wt->fd, VM_DATA_GFN, PAGES);
	CHECK_EQ(wt_users(wt->fd, VM_DATA_GFN + 3), 0);
}

CASE(removing_what_is_not_tracked_is_enoent)
{
	struct vm *vm = vm_with_hole();
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_change c[] = {
		{ .gfn = VM_DATA_GFN, .nr_pages = PAGES },
		{ .gfn = VM_DATA_GFN + 4, .nr_pages = 1 },
		{ .gfn = VM_DATA_GFN + PAGES, .nr_pages = HOLE },
		{ .gfn = 0, .nr_pages = 1 },
	};
	WT_ARG(remove, r, .changes = (uintptr_t)c, .nr_changes = 4);

	wt_add(wt->fd, VM_DATA_GFN + 4, 3);
	CHECK_ERRNO(__wt_remove(wt->fd, &r), 0);
	CHECK_EQ(r.out_nr_changes, 4);
	CHECK_EQ(r.out_failed_pages, PAGES - 3 + 1 + HOLE + 1);
	check_change(&c[0], 3, 3, ENOENT, VM_DATA_GFN);
	check_change(&c[1], 0, 0, ENOENT, VM_DATA_GFN + 4);
	check_change(&c[2], 0, 0, ENOENT, VM_DATA_GFN + PAGES);
	check_change(&c[3], 0, 0, ENOENT, 0);
	CHECK_EQ(wt_query_pages(wt->fd), 0);
}

CASE(a_read_only_memslot_is_eopnotsupp)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_change c = { .gfn = 0x1000, .nr_pages = 4 };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);

	vm_slot(vm, VM_SLOT_EXTRA, 0x1000 * PAGE, mem_shared(4 * PAGE),
		4 * PAGE, KVM_MEM_READONLY);
	CHECK_ERRNO(__wt_add(wt->fd, &a), 0);
	check_change(&c, 0, 0, EOPNOTSUPP, 0x1000);
	CHECK_EQ(a.out_failed_pages, 4);
}

/*
 * The whole of what can be named, 4 EiB, of which the guest has a few pages: the
 * time it takes is that of the pages.
 */
CASE(a_range_as_long_as_can_be_named_costs_what_it_has)
{
	const uint64_t all = 1ULL << 40;
	struct kvm_wtrack_change c = { .gfn = 0, .nr_pages = all };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
	WT_ARG(remove, r, .changes = (uintptr_t)&c, .nr_changes = 1);
	struct vm *vm = vm_with_hole();
	struct wt *wt = wt_session(vm->fd, 64, 0);
	const uint64_t pages = VM_LOW_BYTES / PAGE + 2 * PAGES;

	vm_slot(vm, VM_SLOT_EXTRA + 1, VM_HIGH, mem_shared(PAGE), PAGE, 0);
	CHECK_ERRNO(__wt_add(wt->fd, &a), 0);
	check_change(&c, pages + 1, pages + 1, ENOENT, VM_LOW_BYTES / PAGE);
	CHECK_EQ(a.out_failed_pages, all - pages - 1);
	CHECK_EQ(wt_query_pages(wt->fd), pages + 1);
	CHECK(wt_tracked(wt->fd, VM_HIGH / PAGE));
	CHECK_ERRNO(__wt_remove(wt->fd, &r), 0);
	check_change(&c, pages + 1, pages + 1, ENOENT, VM_LOW_BYTES / PAGE);
}

/* Nor does a session pay for all that it may not have, or only beyond. */
CASE(a_long_range_outside_of_the_restriction_costs_nothing)
{
	const uint64_t all = 1ULL << 40;
	struct kvm_wtrack_range inside[] = {
		{ .gfn = VM_DATA_GFN + 2, .nr_pages = 3 },
		{ .gfn = VM_DATA_GFN + 7, .nr_pages = 1 },
		{ .gfn = 1ULL << 38, .nr_pages = 1 },
	};
	struct kvm_wtrack_change c = { .gfn = 0, .nr_pages = all };
	WT_ARG(restrict, limit, .ranges = (uintptr_t)inside,
	       .nr_ranges = ARRAY_SIZE(inside), .rights = ~0ULL);
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
	WT_ARG(ring, ring, .records = 64);
	struct vm *vm = vm_new(PAGES);
	int fd = wt_open();

	wt_attach(fd, vm->fd);
	CHECK_ERRNO(__wt_restrict(fd, &limit), 0);
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	CHECK_ERRNO(__wt_add(fd, &a), 0);
	check_change(&c, 4, 4, EPERM, 0);
	CHECK_EQ(wt_query_pages(fd), 4);
	/* There is no memory at the one that is far away. */
	CHECK_ERRNO(__wt_add_page(fd, 1ULL << 38), ENOENT);
}

/*
 * The session may have eight pages, and stands before sixteen million of a
 * memslot that is read-only.
 */
CASE_WITHIN(a_long_range_of_pages_that_are_refused_costs_nothing, 30)
{
	const uint64_t bytes = 1ULL << 36, pages = bytes / PAGE;
	struct kvm_wtrack_change c[] = {
		{ .gfn = VM_DATA_GFN, .nr_pages = PAGES },
		{ .gfn = VM_HIGH / PAGE, .nr_pages = pages },
		{ .gfn = 0, .nr_pages = 1ULL << 40 },
	};
	WT_ARG(restrict, limit, .max_pages = 8, .rights = ~0ULL);
	WT_ARG(add, a, .changes = (uintptr_t)c, .nr_changes = ARRAY_SIZE(c));
	WT_ARG(ring, ring, .records = 64);
	struct vm *vm = vm_new(PAGES);
	int fd = wt_open();

	vm_slot(vm, VM_SLOT_EXTRA, VM_HIGH, mem_sparse(bytes), bytes,
		KVM_MEM_READONLY);
	wt_attach(fd, vm->fd);
	CHECK_ERRNO(__wt_restrict(fd, &limit), 0);
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	CHECK_ERRNO(__wt_add(fd, &a), 0);
	check_change(&c[0], 8, 8, ENOSPC, VM_DATA_GFN + 8);
	check_change(&c[1], 0, 0, EOPNOTSUPP, VM_HIGH / PAGE);
	/* What is tracked already is done, wherever it stands. */
	CHECK_EQ(c[2].out_done, 8);
	CHECK_EQ(c[2].out_changed, 0);
	CHECK_ERRNO(c[2].out_error, ENOSPC);
	CHECK_EQ(c[2].out_error_gfn, 0);
	CHECK_EQ(c[2].out_failed, (1ULL << 40) - 8);
}

static int add_all(int fd, struct kvm_wtrack_change *c, uint32_t flags)
{
	WT_ARG(add, a, .flags = flags, .changes = (uintptr_t)c,
	       .nr_changes = 1);

	return __wt_add(fd, &a);
}

/* All of a guest's memory in one range, however many holes there are. */
CASE(holes_are_skipped_if_the_caller_wants_it)
{
	struct kvm_wtrack_change c = { .nr_pages = 1ULL << 36 };
	struct vm *vm = vm_new(10);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	void *mem = mem_shared(8 * PAGE);

	/* A read-only one right behind the data, and one far away. */
	vm_slot(vm, VM_SLOT_EXTRA, VM_DATA + 10 * PAGE, mem, 2 * PAGE,
		KVM_MEM_READONLY);
	vm_slot(vm, VM_SLOT_EXTRA + 1, 1ULL << 35, mem, 5 * PAGE, 0);
	CHECK_ERRNO(add_all(wt->fd, &c, KVM_WTRACK_ADD_F_SKIP_HOLES), 0);
	CHECK_ERRNO(c.out_error, 0);
	CHECK_EQ(c.out_failed, 0);
	CHECK_EQ(c.out_done, VM_LOW_BYTES / PAGE + 10 + 5);
	CHECK_EQ(c.out_changed, c.out_done);
	CHECK_EQ(c.out_skipped, c.nr_pages - c.out_done);
	CHECK_EQ(wt_query_pages(wt->fd), c.out_done);
	c = (struct kvm_wtrack_change){ .nr_pages = 1ULL << 36 };
	CHECK_ERRNO(add_all(wt->fd, &c, 0), 0);
	CHECK_ERRNO(c.out_error, ENOENT);
	CHECK_EQ(c.out_skipped, 0);
}

CASE(what_is_refused_for_another_reason_is_not_skipped)
{
	const struct kvm_wtrack_range inside = { VM_DATA_GFN, 4 };
	WT_ARG(restrict, limit, .ranges = (uintptr_t)&inside, .nr_ranges = 1,
	       .max_pages = 3, .rights = ~0ULL);
	struct kvm_wtrack_change c = { VM_DATA_GFN - 1, 12 };
	struct vm *vm = vm_new(10);
	struct wt *wt = wt_session(vm->fd, 64, 0);

	CHECK_ERRNO(__wt_restrict(wt->fd, &limit), 0);
	CHECK_ERRNO(add_all(wt->fd, &c, KVM_WTRACK_ADD_F_SKIP_HOLES), 0);
	CHECK_EQ(c.out_done, 3);
	CHECK_EQ(c.out_failed, 9);
	CHECK_EQ(c.out_skipped, 0);
	CHECK_ERRNO(c.out_error, EPERM);
}

/* Only where the processor needs one for real mode does KVM make it. */
CASE(a_memslot_of_kvms_own_cannot_be_tracked)
{
	struct wt *wt = wt_session(vm_new(PAGES)->fd, 64, 0);
	bool made = !strcmp(module_vendor(), "kvm_intel") && !paging_is_nested();

	CHECK_ERRNO(__wt_add_page(wt->fd, VM_TSS / PAGE),
		    made ? EOPNOTSUPP : ENOENT);
}

CASE(a_query_gives_ascending_ranges_and_where_to_go_on)
{
	struct vm *vm = vm_new(4096);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_range r[3];
	WT_ARG(query, q, .ranges = (uintptr_t)r, .nr_ranges = 3);

	wt_add(wt->fd, VM_DATA_GFN + 3000, 1000);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	wt_add(wt->fd, VM_DATA_GFN + 2, 5);
	wt_add(wt->fd, VM_DATA_GFN + 100, 1);
	CHECK_ERRNO(__wt_query(wt->fd, &q), 0);
	CHECK_EQ(q.out_nr_ranges, 3);
	CHECK(r[0].gfn == VM_DATA_GFN && r[0].nr_pages == 1);
	CHECK(r[1].gfn == VM_DATA_GFN + 2 && r[1].nr_pages == 5);
	CHECK(r[2].gfn == VM_DATA_GFN + 100 && r[2].nr_pages == 1);
	CHECK(q.out_next_gfn > VM_DATA_GFN + 100);
	CHECK(q.out_next_gfn <= VM_DATA_GFN + 3000);
	q.gfn = q.out_next_gfn;
	CHECK_ERRNO(__wt_query(wt->fd, &q), 0);
	CHECK_EQ(q.out_nr_ranges, 1);
	CHECK(r[0].gfn == VM_DATA_GFN + 3000 && r[0].nr_pages == 1000);
	CHECK_EQ(q.out_next_gfn, ~0ULL);
}

CASE(a_query_may_start_within_a_range)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_range r;
	WT_ARG(query, q, .ranges = (uintptr_t)&r, .nr_ranges = 1);

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	q.gfn = VM_DATA_GFN + 5;
	CHECK_ERRNO(__wt_query(wt->fd, &q), 0);
	CHECK_EQ(q.out_nr_ranges, 1);
	CHECK(r.gfn == VM_DATA_GFN + 5 && r.nr_pages == PAGES - 5);
	q.gfn = VM_DATA_GFN + PAGES;
	CHECK_ERRNO(__wt_query(wt->fd, &q), 0);
	CHECK_EQ(q.out_nr_ranges, 0);
	CHECK_EQ(q.out_next_gfn, ~0ULL);
	q.gfn = ~0ULL;
	CHECK_ERRNO(__wt_query(wt->fd, &q), 0);
	CHECK_EQ(q.out_nr_ranges, 0);
}

/* Random adds and removes against a model of 4096 flags. */
CASE(random_changes_leave_what_a_model_says)
{
	struct vm *vm = vm_new(4096);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	static unsigned char model[4096];
	unsigned int round, gfn, nr, i, pages = 0, seed = 1;

	for (round = 0; round < 300; round++) {
		struct kvm_wtrack_change c = { 0 };
		WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
		WT_ARG(remove, r, .changes = (uintptr_t)&c, .nr_changes = 1);
		unsigned int want = 0, add = round & 1;

		seed = seed * 1103515245 + 12345;
		gfn = seed >> 8 & 4095;
		nr = 1 + (seed >> 20) % 200;
		nr = gfn + nr > 4096 ? 4096 - gfn : nr;
		for (i = gfn; i < gfn + nr; i++) {
			want += model[i] != add;
			model[i] = add;
		}
		pages = add ? pages + want : pages - want;
		c.gfn = VM_DATA_GFN + gfn;
		c.nr_pages = nr;
		CHECK_ERRNO(add ? __wt_add(wt->fd, &a) :
			    __wt_remove(wt->fd, &r), 0);
		CHECK_EQ(c.out_changed, want);
		CHECK_EQ(c.out_done, add ? nr : want);
	}
	CHECK_EQ(wt_query_pages(wt->fd), pages);
	for (i = 0; i < 4096; i++)
		CHECK_EQ(wt_tracked(wt->fd, VM_DATA_GFN + i), model[i]);
}
