// SPDX-License-Identifier: GPL-2.0-or-later
/* REGIONS: the memslots as KVM has them, and that a change is noticed. */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "tap.h"
#include "vmm.h"
#include "wt.h"

enum { PAGES = 16 };

static int session(struct vm *vm)
{
	int fd = wt_open();

	wt_attach(fd, vm->fd);
	return fd;
}

static void restrict_to(int fd, const struct kvm_wtrack_range *ranges,
			unsigned int nr)
{
	WT_ARG(restrict, r, .ranges = (uintptr_t)ranges, .nr_ranges = nr);

	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
}

/* Without those that KVM made for itself, which depend on the processor. */
static void check_regions(int fd, const struct kvm_wtrack_region *want,
			  unsigned int nr)
{
	struct wt_regions all;
	unsigned int i, n = 0;

	wt_regions(fd, &all);
	for (i = 0; i < all.nr; i++) {
		if (i)
			CHECK(all.region[i].gfn >= all.region[i - 1].gfn +
						   all.region[i - 1].nr_pages);
		if (all.region[i].flags & KVM_WTRACK_REGION_F_KVM)
			continue;
		tap_trying("region %u", n);
		CHECK(n < nr);
		CHECK_EQ(all.region[i].gfn, want[n].gfn);
		CHECK_EQ(all.region[i].nr_pages, want[n].nr_pages);
		CHECK_EQ(all.region[i].flags, want[n].flags);
		CHECK_EQ(all.region[i].__reserved, 0);
		n++;
	}
	CHECK_EQ(n, nr);
}

static const struct kvm_wtrack_region low = { 0, VM_LOW_BYTES / PAGE, 0, 0 };
static const struct kvm_wtrack_region data = { VM_DATA_GFN, PAGES, 0, 0 };

CASE(each_memslot_is_a_region_with_its_flags)
{
	struct vm *vm = vm_new(PAGES);
	const struct kvm_wtrack_region want[] = {
		low, data,
		{ 2 * VM_DATA_GFN, 3, KVM_WTRACK_REGION_F_READONLY, 0 },
		{ 2 * VM_DATA_GFN + 3, 5, KVM_WTRACK_REGION_F_DIRTY_LOG, 0 },
		{ VM_HIGH / PAGE, 7, KVM_WTRACK_REGION_F_READONLY |
				     KVM_WTRACK_REGION_F_DIRTY_LOG, 0 },
	};

	/* In another order than that of addresses. */
	vm_slot(vm, 9, VM_HIGH, mem_shared(7 * PAGE), 7 * PAGE,
		KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES);
	vm_slot(vm, 3, 2 * VM_DATA, mem_shared(3 * PAGE), 3 * PAGE,
		KVM_MEM_READONLY);
	vm_slot(vm, 7, 2 * VM_DATA + 3 * PAGE, mem_shared(5 * PAGE), 5 * PAGE,
		KVM_MEM_LOG_DIRTY_PAGES);
	/* The guest has this in SMM alone. */
	vm_slot(vm, 1U << 16 | 4, 4 * VM_DATA, mem_shared(PAGE), PAGE, 0);
	check_regions(session(vm), want, ARRAY_SIZE(want));
}

CASE(private_memory_is_said_to_be)
{
	struct vm *vm = vm_new(PAGES);
	const struct kvm_wtrack_region want[] = {
		low, data,
		{ 2 * VM_DATA_GFN, 4, KVM_WTRACK_REGION_F_PRIVATE, 0 },
	};
	int fd = vm_private_memory(vm, 4 * PAGE);

	if (fd < 0 || __vm_slot_private(vm, 3, 2 * VM_DATA,
					mem_shared(4 * PAGE), 4 * PAGE, fd)) {
		tap_note("no guest_memfd for this VM");
		return;
	}
	check_regions(session(vm), want, ARRAY_SIZE(want));
}

/* KVM makes one of three pages for real mode, when it is told where. */
CASE(what_kvm_made_for_itself_is_said_to_be)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt_regions all;
	unsigned int i, kvms = 0;

	(void)v;
	wt_regions(session(vm), &all);
	for (i = 0; i < all.nr; i++)
		kvms += !!(all.region[i].flags & KVM_WTRACK_REGION_F_KVM);
	tap_note("%u regions of KVM's", kvms);
	CHECK_EQ(all.nr - kvms, 2);
}

CASE(it_can_be_asked_in_any_steps_and_from_anywhere)
{
	struct vm *vm = vm_new(PAGES);
	int fd = session(vm);
	struct kvm_wtrack_region region[2];
	WT_ARG(regions, r, .regions = (uintptr_t)region);
	struct wt_regions all;
	unsigned int i, n, room;

	for (i = 0; i < 20; i++)
		vm_slot(vm, 2 + i, 2 * VM_DATA + 2 * i * PAGE, mem_shared(PAGE),
			PAGE, 0);
	wt_regions(fd, &all);
	CHECK(all.nr >= 22);
	for (room = 1; room <= 2; room++) {
		n = 0;
		r.gfn = 0;
		r.nr_regions = room;
		do {
			memset(region, 0xee, sizeof(region));
			CHECK_ERRNO(__wt_regions(fd, &r), 0);
			CHECK(r.out_nr_regions <= room);
			for (i = 0; i < r.out_nr_regions; i++, n++)
				CHECK(!memcmp(&region[i], &all.region[n],
					      sizeof(region[i])));
			if (room == 2 && r.out_nr_regions == 1)
				CHECK_EQ(*(unsigned char *)&region[1], 0xee);
			CHECK_EQ(r.out_generation, all.generation);
			r.gfn = r.out_next_gfn;
		} while (r.gfn != ~0ULL);
		CHECK_EQ(n, all.nr);
	}
	/* In the middle of a region it is cut off. */
	r.gfn = VM_DATA_GFN + 5;
	CHECK_ERRNO(__wt_regions(fd, &r), 0);
	CHECK_EQ(region[0].gfn, VM_DATA_GFN + 5);
	CHECK_EQ(region[0].nr_pages, PAGES - 5);
	/* Behind everything, and behind all that can be. */
	for (r.gfn = 1ULL << 39; ; r.gfn = ~0ULL) {
		CHECK_ERRNO(__wt_regions(fd, &r), 0);
		CHECK_EQ(r.out_nr_regions, 0);
		CHECK_EQ(r.out_next_gfn, ~0ULL);
		if (r.gfn == ~0ULL)
			break;
	}
}

CASE(a_restricted_session_sees_what_it_may_have)
{
	struct vm *vm = vm_new(PAGES);
	const struct kvm_wtrack_range ranges[] = {
		{ VM_DATA_GFN + 8, 100 }, { VM_DATA_GFN + 2, 3 },
		{ 1, 1 }, { VM_LOW_BYTES / PAGE - 1, 2 }, { 1ULL << 30, 5 },
	};
	const struct kvm_wtrack_region want[] = {
		{ 1, 1, 0, 0 }, { VM_LOW_BYTES / PAGE - 1, 1, 0, 0 },
		{ VM_DATA_GFN + 2, 3, 0, 0 }, { VM_DATA_GFN + 8, 8, 0, 0 },
		{ VM_DATA_GFN + 40, 68, KVM_WTRACK_REGION_F_READONLY, 0 },
	};
	int fd = session(vm);

	vm_slot(vm, 3, VM_DATA + 40 * PAGE, mem_shared(80 * PAGE), 80 * PAGE,
		KVM_MEM_READONLY);
	vm_slot(vm, 4, 16 * VM_DATA, mem_shared(PAGE), PAGE, 0);
	restrict_to(fd, ranges, ARRAY_SIZE(ranges));
	check_regions(fd, want, ARRAY_SIZE(want));
}

static uint64_t generation(int fd)
{
	struct kvm_wtrack_status status;
	struct wt_regions all;

	wt_status(fd, &status);
	wt_regions(fd, &all);
	CHECK_EQ(status.out_generation, all.generation);
	return all.generation;
}

CASE(each_change_of_a_memslot_changes_the_generation)
{
	struct vm *vm = vm_new(PAGES);
	int fd = session(vm);
	void *mem = mem_shared(PAGE);
	uint64_t was = generation(fd);

	CHECK_EQ(generation(fd), was);
	vm_slot(vm, 3, 4 * VM_DATA, mem, PAGE, 0);
	CHECK(generation(fd) != was);
	was = generation(fd);
	vm_slot(vm, 3, 4 * VM_DATA, mem, PAGE, KVM_MEM_LOG_DIRTY_PAGES);
	CHECK(generation(fd) != was);
	was = generation(fd);
	vm_slot(vm, 3, 4 * VM_DATA, mem, 0, 0);
	CHECK(generation(fd) != was);
	was = generation(fd);
	vm_slot(vm, 3, 4 * VM_DATA, mem, PAGE, 0);
	CHECK(generation(fd) != was);
}

struct churn {
	struct vm *vm;
	void *mem;
	int stop;
};

static void *change_slots(void *arg)
{
	struct churn *c = arg;
	uint64_t bytes = 0;

	while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
		bytes = PAGE - bytes;
		vm_slot(c->vm, 3, 4 * VM_DATA, c->mem, bytes, 0);
	}
	return NULL;
}

/* The same number, the same regions: also for who looks while it changes. */
CASE_WITHIN(two_looks_with_the_same_generation_saw_the_same, 60)
{
	struct vm *vm = vm_new(PAGES);
	struct churn c = { .vm = vm, .mem = mem_shared(PAGE) };
	int fd = session(vm);
	unsigned int changes = 0, same = 0;
	uint64_t was = 0;
	bool there = false;
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, change_slots, &c));
	while (changes < 100 || same < 100) {
		struct kvm_wtrack_region region;
		WT_ARG(regions, r, .regions = (uintptr_t)&region,
		       .nr_regions = 1, .gfn = 4 * VM_DATA_GFN);
		bool here;

		CHECK_ERRNO(__wt_regions(fd, &r), 0);
		here = r.out_nr_regions &&
		       region.gfn == 4 * VM_DATA_GFN;
		if (was && r.out_generation == was) {
			CHECK_EQ(here, there);
			same++;
		} else {
			CHECK(r.out_generation > was);
			changes++;
		}
		was = r.out_generation;
		there = here;
	}
	c.stop = 1;
	pthread_join(thread, NULL);
}

CASE(who_may_not_ask_is_told_why)
{
	struct vm *vm = vm_new(PAGES);
	int fd = wt_open();
	struct kvm_wtrack_region region;
	WT_ARG(regions, r, .regions = (uintptr_t)&region, .nr_regions = 1);

	CHECK_ERRNO(__wt_regions(fd, &r), ENOTCONN);
	wt_attach(fd, vm->fd);
	r.nr_regions = 0;
	CHECK_ERRNO(__wt_regions(fd, &r), EINVAL);
	r.nr_regions = 1;
	r.regions = 8;
	CHECK_ERRNO(__wt_regions(fd, &r), EFAULT);
	r.regions = (uintptr_t)&region;
	CHECK_ERRNO(__wt_regions(fd, &r), 0);
	CHECK_EQ(region.gfn, 0);
}

CASE(a_vm_that_is_gone_has_none)
{
	struct vmm *vmm = vmm_fork(PAGES);
	int vm_fd = vmm_take_fd(vmm), fd = wt_open();
	struct kvm_wtrack_region region;
	WT_ARG(regions, r, .regions = (uintptr_t)&region, .nr_regions = 1);
	struct kvm_wtrack_status status;

	wt_attach(fd, vm_fd);
	CHECK_ERRNO(__wt_regions(fd, &r), 0);
	close(vm_fd);
	vmm_kill(vmm);
	CHECK_SOON(__wt_regions(fd, &r) == ESRCH);
	wt_status(fd, &status);
	CHECK_EQ(status.out_generation, 0);
}
