// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory that is removed from the guest ends tracking, and nothing else does. */
#include <time.h>

#include "guest.h"
#include "tap.h"
#include "wt.h"

enum { PAGES = 16 };

static void delete_data(struct vm *vm)
{
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, 0, 0);
}

static void create_data(struct vm *vm, uint32_t flags)
{
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, vm->data_pages * PAGE,
		flags);
}

static void expect_removed(struct wt *wt, uint64_t gpa, uint64_t nr_pages,
			   uint64_t nr_tracked)
{
	struct kvm_wtrack_record r;

	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_REGION_REMOVED);
	CHECK_EQ(r.gpa, gpa);
	CHECK_EQ(r.region.nr_pages, nr_pages);
	CHECK_EQ(r.region.nr_tracked, nr_tracked);
	CHECK_EQ(r.seq, wt->next);
	CHECK(!wt_peek(wt));
}

CASE(a_removed_region_is_told_to_those_who_tracked_in_it)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *some = wt_session(vm->fd, 64, 0);
	struct wt *all = wt_session(vm->fd, 64, 0);
	struct wt *none = wt_session(vm->fd, 64, 0);
	struct wt *elsewhere = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_status s;

	wt_add(some->fd, VM_DATA_GFN + 1, 2);
	wt_add(some->fd, VM_DATA_GFN + 9, 1);
	wt_add(all->fd, VM_DATA_GFN, PAGES);
	wt_add(elsewhere->fd, VM_REAL_PAGE / PAGE, 1);
	delete_data(vm);
	expect_removed(some, VM_DATA, PAGES, 3);
	expect_removed(all, VM_DATA, PAGES, PAGES);
	CHECK(!wt_peek(none) && !wt_peek(elsewhere));
	wt_status(some->fd, &s);
	CHECK_EQ(s.out_regions_removed, 1);
	wt_status(none->fd, &s);
	CHECK_EQ(s.out_regions_removed, 0);
	CHECK(wt_tracked(elsewhere->fd, VM_REAL_PAGE / PAGE));
}

CASE(tracking_ends_with_the_region)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	wt_add(wt->fd, VM_REAL_PAGE / PAGE, 1);
	delete_data(vm);
	CHECK_EQ(wt_query_pages(wt->fd), 1);
	CHECK_EQ(wt_users(wt->fd, VM_DATA_GFN), 0);
	CHECK(!wt_tracked(wt->fd, VM_DATA_GFN));
	CHECK_ERRNO(__wt_remove_page(wt->fd, VM_DATA_GFN), ENOENT);
	CHECK_ERRNO(__wt_add_page(wt->fd, VM_DATA_GFN), ENOENT);
}

CASE(a_region_that_comes_back_can_be_tracked_again)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_record r;
	unsigned int i;

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	for (i = 0; i < 5; i++) {
		delete_data(vm);
		expect_removed(wt, VM_DATA, PAGES, PAGES);
		create_data(vm, 0);
		CHECK_EQ(wt_users(wt->fd, VM_DATA_GFN), 0);
		vcpu_call(v, g_store8, VM_DATA, 1, 1, 0);
		CHECK(!wt_peek(wt));
		wt_add(wt->fd, VM_DATA_GFN, PAGES);
		vcpu_call(v, g_store8, VM_DATA, 40 + i, 1, 0);
		CHECK(wt_take(wt, &r));
		CHECK_EQ(*(uint64_t *)r.data, 40 + i);
	}
}

CASE(a_change_of_flags_ends_nothing)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_record r;
	unsigned int i;

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	for (i = 0; i < 6; i++) {
		create_data(vm, i % 2 ? 0 : KVM_MEM_LOG_DIRTY_PAGES);
		CHECK(!wt_peek(wt));
		CHECK_EQ(wt_query_pages(wt->fd), PAGES);
		vcpu_call(v, g_store8, VM_DATA, i, 1, 0);
		CHECK(wt_take(wt, &r));
		CHECK_EQ(*(uint64_t *)r.data, i);
	}
}

/* KVM takes it up to 6.5; later it refuses as long as somebody is attached. */
CASE(a_region_that_moves_is_removed_or_stays)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	int err;

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	err = __vm_slot(vm, VM_SLOT_DATA, 2 * VM_DATA, vm->data, PAGES * PAGE,
			0);
	if (!err) {
		expect_removed(wt, VM_DATA, PAGES, PAGES);
		CHECK_EQ(wt_query_pages(wt->fd), 0);
		CHECK_EQ(wt_users(wt->fd, 2 * VM_DATA_GFN), 0);
		wt_add(wt->fd, 2 * VM_DATA_GFN, PAGES);
	} else {
		CHECK_ERRNO(err, EINVAL);
		CHECK(!wt_peek(wt));
		CHECK_EQ(wt_query_pages(wt->fd), PAGES);
	}
	tap_note("KVM_SET_USER_MEMORY_REGION to move: %d", err);
}

CASE(a_region_of_another_address_space_ends_nothing_in_this_one)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	const uint32_t smm_slot = 1U << 16 | VM_SLOT_EXTRA;
	void *smm = mem_shared(PAGES * PAGE);

	CHECK_EQ(vm_check_extension(vm, KVM_CAP_MULTI_ADDRESS_SPACE), 2);
	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	vm_slot(vm, smm_slot, VM_DATA, smm, PAGES * PAGE, 0);
	vm_slot(vm, smm_slot, VM_DATA, smm, 0, 0);
	CHECK(!wt_peek(wt));
	CHECK_EQ(wt_query_pages(wt->fd), PAGES);
	vcpu_call(v, g_store8, VM_DATA, 1, 1, 0);
	CHECK_EQ(wt_drain(wt), 1);
}

CASE(memory_of_another_address_space_only_cannot_be_tracked)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	const uint32_t smm_slot = 1U << 16 | VM_SLOT_EXTRA;

	vm_slot(vm, smm_slot, 2 * VM_DATA, mem_shared(PAGE), PAGE, 0);
	CHECK_ERRNO(__wt_add_page(wt->fd, 2 * VM_DATA_GFN), ENOENT);
}

CASE(a_region_removed_while_the_ring_is_full_is_in_the_resync_set)
{
	struct vm *vm = vm_new(100);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_status s;
	struct wt_resync set;

	wt_add(wt->fd, VM_DATA_GFN + 5, 90);
	wt_add(wt->fd, VM_REAL_PAGE / PAGE, 1);
	vcpu_call(v, g_store8, VM_DATA, 1, 100, PAGE);
	vcpu_call(v, g_store8, VM_REAL_PAGE, 1, 1, 0);
	delete_data(vm);
	wt_status(wt->fd, &s);
	CHECK_EQ(s.out_regions_removed, 1);
	CHECK_EQ(s.out_pages, 1);
	CHECK_EQ(wt_drain(wt), 63);
	wt_resync(wt->fd, &set);
	CHECK_EQ(set.nr, 2);
	CHECK_EQ(set.ranges[0].gfn, VM_REAL_PAGE / PAGE);
	CHECK_EQ(set.ranges[0].what, KVM_WTRACK_RESYNC_REREAD);
	CHECK_EQ(set.ranges[1].gfn, VM_DATA_GFN + 5);
	CHECK_EQ(set.ranges[1].nr_pages, 90);
	CHECK_EQ(set.ranges[1].what, KVM_WTRACK_RESYNC_REMOVED);
}

/* Only what was tracked is in the set, also when it is not contiguous. */
CASE(of_a_region_removed_while_the_ring_is_closed_each_tracked_page_is_told)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct wt_resync set;
	unsigned int i;

	for (i = 0; i < PAGES; i += 2)
		wt_add(wt->fd, VM_DATA_GFN + i, 1);
	vcpu_call(v, g_store8, VM_DATA, 1, 100, 0);
	delete_data(vm);
	CHECK_EQ(wt_drain(wt), 63);
	wt_resync(wt->fd, &set);
	CHECK_EQ(set.nr, PAGES / 2);
	CHECK_EQ(wt_resync_pages(&set, KVM_WTRACK_RESYNC_REMOVED), PAGES / 2);
	create_data(vm, 0);
	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	vcpu_call(v, g_store8, VM_DATA, 1, PAGES, PAGE);
	CHECK_EQ(wt_drain(wt), PAGES);
}

enum { SESSIONS = 32, CHUNK = 1024, MANY = 16 * CHUNK };

/*
 * What removing memory costs this thread, in ns, when each of @nr sessions
 * tracks @pages of each chunk: the least of some rounds.
 */
static uint64_t removal_ns(struct vm *vm, struct wt **wt, unsigned int nr,
			   uint64_t pages)
{
	uint64_t best = ~0ULL, ns, gfn;
	unsigned int i, round;
	struct timespec a, b;

	for (round = 0; round < 5; round++) {
		create_data(vm, 0);
		for (i = 0; i < nr; i++)
			for (gfn = 0; gfn < MANY; gfn += CHUNK)
				wt_add(wt[i]->fd, VM_DATA_GFN + gfn, pages);
		CHECK_SYS(!clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a));
		delete_data(vm);
		CHECK_SYS(!clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b));
		ns = (b.tv_sec - a.tv_sec) * 1000000000ULL + b.tv_nsec -
		     a.tv_nsec;
		best = ns < best ? ns : best;
		for (i = 0; i < nr; i++)
			expect_removed(wt[i], VM_DATA, MANY,
				       pages * (MANY / CHUNK));
	}
	return best;
}

/*
 * The VMM waits for it in KVM_SET_USER_MEMORY_REGION. What it costs depends on
 * the chunks of 1,024 pages in which sessions have something, not on how much;
 * but before 6.6 each page is once given back to KVM, whoever tracks it.
 */
CASE_WITHIN(a_removal_does_not_pay_for_each_page_of_each_session, 100)
{
	struct vm *vm = vm_new_with(mem_sparse(MANY * PAGE), MANY);
	struct wt *wt[SESSIONS];
	uint64_t two, all, one;
	unsigned int i;

	delete_data(vm);
	for (i = 0; i < SESSIONS; i++)
		wt[i] = wt_session(vm->fd, 64, 0);
	one = removal_ns(vm, wt, 1, CHUNK);
	two = removal_ns(vm, wt, SESSIONS, 2);
	all = removal_ns(vm, wt, SESSIONS, CHUNK);
	tap_note("all pages, by one session: %llu us",
		 (unsigned long long)one / 1000);
	tap_note("by %u: 2 pages of each chunk %llu us, all %llu us", SESSIONS,
		 (unsigned long long)two / 1000,
		 (unsigned long long)all / 1000);
	CHECK(all < 4 * two + 2 * one);
}
