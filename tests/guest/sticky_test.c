// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sessions with RING_F_STICKY: pages outlive their memory, and are armed again when
 * memory comes.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "mirror.h"
#include "module.h"
#include "tap.h"
#include "wt.h"

enum { PAGES = 16, ABSENT = KVM_WTRACK_GFN_TRACKED | KVM_WTRACK_GFN_ABSENT };

/* Held while a guest runs, see bring_memory_under_stores(). */
static pthread_rwlock_t guest_runs =
	PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

struct sticky {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt;
};

static void remove_memory(struct vm *vm)
{
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, 0, 0);
}

static void bring_memory(struct vm *vm, uint32_t flags)
{
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, vm->data_pages * PAGE,
		flags);
}

/*
 * While no guest runs: when one stores to memory at the moment when it comes, KVM 7.3
 * says WARNING, with or without us.
 */
static void bring_memory_under_stores(struct vm *vm, uint32_t flags)
{
	CHECK(!pthread_rwlock_wrlock(&guest_runs));
	bring_memory(vm, flags);
	CHECK(!pthread_rwlock_unlock(&guest_runs));
}

static void init_with(struct sticky *s, uint32_t records, uint32_t flags)
{
	s->vm = vm_new(PAGES);
	s->v = vcpu_new(s->vm);
	s->v->ignore_mmio = true;
	s->wt = wt_session(s->vm->fd, records,
			   flags | KVM_WTRACK_RING_F_STICKY);
	wt_add(s->wt->fd, VM_DATA_GFN, PAGES);
}

static void init(struct sticky *s)
{
	init_with(s, 64, 0);
}

static uint64_t nr_absent(const struct wt *wt)
{
	struct kvm_wtrack_status status;

	wt_status(wt->fd, &status);
	return status.out_absent;
}

static void check_absent(const struct wt *wt, uint64_t pages)
{
	uint64_t i;

	CHECK_EQ(nr_absent(wt), pages);
	CHECK_EQ(wt_query_pages(wt->fd), PAGES);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(wt_gfn_state(wt->fd, VM_DATA_GFN + i) &
			 ~KVM_WTRACK_GFN_RESYNC,
			 i < pages ? ABSENT : KVM_WTRACK_GFN_TRACKED);
}

static void take_removed(struct wt *wt, uint64_t tracked)
{
	struct kvm_wtrack_record r;

	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_REGION_REMOVED);
	CHECK_EQ(r.gpa, VM_DATA);
	CHECK_EQ(r.region.nr_tracked, tracked);
}

/*
 * A REARMED for each page. KVM may find an entry for a hole, and the page be
 * disarmed once more: until none is.
 */
static void take_returned(struct wt *wt, uint64_t pages)
{
	struct kvm_wtrack_record r;
	uint64_t nr = 0;

	while (nr < pages) {
		CHECK_SOON(wt_take(wt, &r));
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
		if (r.guard.cause == KVM_WTRACK_CAUSE_HOLE)
			continue;
		CHECK_EQ(r.guard.action, KVM_WTRACK_GUARD_REARMED);
		if (r.guard.cause != KVM_WTRACK_CAUSE_MEMORY)
			continue;
		CHECK(r.flags & KVM_WTRACK_RECORD_F_PAGE);
		nr++;
	}
	CHECK_EQ(nr_absent(wt), 0);
}

/* It is armed, and stays so. */
static void check_observed(struct sticky *s, uint64_t page)
{
	struct kvm_wtrack_record r;
	uint64_t value = clock_ns();

	do {
		CHECK_SOON(wt_gfn_state(s->wt->fd, VM_DATA_GFN + page) ==
			   KVM_WTRACK_GFN_TRACKED);
		wt_drain(s->wt);
		vcpu_call(s->v, g_store8, VM_DATA + page * PAGE, value, 1, 0);
		CHECK(wt_take(s->wt, &r));
	} while (r.type != KVM_WTRACK_RECORD_WRITE);
	CHECK_EQ(*(uint64_t *)r.data, value);
}

CASE(pages_outlive_their_memory)
{
	struct sticky s;
	unsigned int i;

	init(&s);
	for (i = 0; i < 10; i++) {
		remove_memory(s.vm);
		take_removed(s.wt, PAGES);
		check_absent(s.wt, PAGES);
		CHECK_EQ(wt_users(s.wt->fd, VM_DATA_GFN), 1);
		bring_memory(s.vm, 0);
		take_returned(s.wt, PAGES);
		check_absent(s.wt, 0);
		check_observed(&s, i);
		wt_drain(s.wt);
	}
}

/* The guest has touched the hole, and KVM has entries for it. */
CASE(a_hole_that_was_touched_meanwhile)
{
	struct sticky s;
	unsigned int i;

	init_with(&s, 1024, 0);
	for (i = 0; i < 10; i++) {
		remove_memory(s.vm);
		take_removed(s.wt, PAGES);
		vcpu_call(s.v, g_store8, VM_DATA, 1, PAGES, PAGE);
		CHECK(!wt_peek(s.wt));
		bring_memory(s.vm, 0);
		take_returned(s.wt, PAGES);
		check_observed(&s, i);
		CHECK_SOON((wt_drain(s.wt),
			    wt_gfn_state(s.wt->fd, VM_DATA_GFN + PAGES - 1) ==
			    KVM_WTRACK_GFN_TRACKED));
	}
}

/* All that is stored while memory comes and goes is told, or read again. */
static void come_and_go(uint32_t records, uint32_t flags, unsigned int rounds)
{
	struct wt *ordinary;
	struct mirror m;
	struct sticky s;
	struct vcpu *b;
	unsigned int i;

	init_with(&s, records, flags);
	b = vcpu_new(s.vm);
	b->ignore_mmio = true;
	b->runs = s.v->runs = &guest_runs;
	ordinary = wt_session(s.vm->fd, 64, KVM_WTRACK_RING_F_COALESCE);
	mirror_init(&m, s.wt, s.vm->data, PAGES);
	m.sticky = true;
	m.once = flags & KVM_WTRACK_RING_F_ONCE;
	/* Only what KVM can emulate where there is no memory. */
	vcpu_start(s.v, g_random, VM_DATA, PAGES, 4711, 0, LANE_EVEN);
	vcpu_start(b, g_random, VM_DATA, PAGES, 4712, 0, LANE_ODD);
	for (i = 0; i < rounds; i++) {
		uint64_t before = m.writes;

		(void)__wt_add_page(ordinary->fd, VM_DATA_GFN + i % PAGES);
		remove_memory(s.vm);
		CHECK_EQ(nr_absent(s.wt), PAGES);
		bring_memory_under_stores(s.vm,
					  i % 2 ? KVM_MEM_LOG_DIRTY_PAGES : 0);
		/* Now and then there is time for stores. */
		if (i % 4)
			continue;
		CHECK_SOON((mirror_step(&m), mirror_arm_touched(&m),
			    !nr_absent(s.wt) && m.writes > before));
		wt_drain(ordinary);
	}
	CHECK_SOON((mirror_step(&m), mirror_arm_touched(&m),
		    !nr_absent(s.wt)));
	vcpu_stop(s.v);
	vcpu_stop(b);
	mirror_finish(&m);
	tap_note("%llu writes, %llu regions, %llu times memory, %llu overflows",
		 (unsigned long long)m.writes, (unsigned long long)m.regions,
		 (unsigned long long)
		 m.guard[KVM_WTRACK_GUARD_REARMED][KVM_WTRACK_CAUSE_MEMORY],
		 (unsigned long long)m.resyncs);
	mirror_exit(&m);
	wt_close(ordinary);
	wt_close(s.wt);
}

CASE_WITHIN(memory_comes_and_goes_under_stores, 120)
{
	come_and_go(65536, 0, host_is_debug() ? 20 : 100);
}

CASE_WITHIN(memory_comes_and_goes_while_the_ring_is_too_small, 120)
{
	come_and_go(64, 0, host_is_debug() ? 20 : 100);
}

CASE_WITHIN(memory_comes_and_goes_in_a_session_of_first_touch, 120)
{
	come_and_go(4096, KVM_WTRACK_RING_F_ONCE, host_is_debug() ? 20 : 100);
}

CASE(pages_without_memory_can_be_added)
{
	struct kvm_wtrack_change c = { .gfn = VM_DATA_GFN, .nr_pages = 1 << 16 };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
	struct sticky s;

	s.vm = vm_new(PAGES);
	s.v = vcpu_new(s.vm);
	s.v->ignore_mmio = true;
	remove_memory(s.vm);
	s.wt = wt_session(s.vm->fd, 64, KVM_WTRACK_RING_F_STICKY);
	wt_add(s.wt->fd, VM_DATA_GFN, PAGES);
	check_absent(s.wt, PAGES);
	/* Again, and more of them. */
	CHECK_ERRNO(__wt_add(s.wt->fd, &a), 0);
	CHECK_EQ(c.out_done, 1 << 16);
	CHECK_EQ(c.out_changed, (1 << 16) - PAGES);
	CHECK_EQ(nr_absent(s.wt), 1 << 16);
	CHECK_ERRNO(__wt_rearm_page(s.wt->fd, VM_DATA_GFN), 0);
	CHECK_EQ(wt_gfn_state(s.wt->fd, VM_DATA_GFN), ABSENT);
	wt_remove(s.wt->fd, VM_DATA_GFN + PAGES, (1 << 16) - PAGES);
	CHECK_EQ(nr_absent(s.wt), PAGES);
	bring_memory(s.vm, 0);
	take_returned(s.wt, PAGES);
	check_observed(&s, 3);
}

/* What is tracked stays so. */
CASE(pages_without_memory_can_be_skipped)
{
	struct kvm_wtrack_change c = { .nr_pages = 1ULL << 40 };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1,
	       .flags = KVM_WTRACK_ADD_F_SKIP_HOLES);
	struct kvm_wtrack_status before, status;
	struct sticky s;

	init(&s);
	remove_memory(s.vm);
	take_removed(s.wt, PAGES);
	wt_status(s.wt->fd, &before);
	CHECK_ERRNO(__wt_add(s.wt->fd, &a), 0);
	CHECK_EQ(c.out_failed, 0);
	CHECK(c.out_done && c.out_skipped >= PAGES);
	CHECK_EQ(c.out_done + c.out_skipped, c.nr_pages);
	wt_status(s.wt->fd, &status);
	CHECK_EQ(status.out_absent, PAGES);
	CHECK_EQ(status.out_pages, before.out_pages + c.out_changed);
	wt_remove(s.wt->fd, 0, 1);
	c = (struct kvm_wtrack_change){ .gfn = 2 * VM_DATA_GFN, .nr_pages = 1 };
	CHECK_ERRNO(__wt_add(s.wt->fd, &a), 0);
	CHECK_EQ(c.out_skipped, 1);
	CHECK_EQ(wt_gfn_state(s.wt->fd, 2 * VM_DATA_GFN), 0);
	bring_memory(s.vm, 0);
	take_returned(s.wt, PAGES);
}

CASE(an_ordinary_session_takes_no_page_without_memory)
{
	struct sticky s;
	struct wt *wt;

	init(&s);
	wt = wt_session(s.vm->fd, 64, 0);
	remove_memory(s.vm);
	take_removed(s.wt, PAGES);
	CHECK_ERRNO(__wt_add_page(wt->fd, VM_DATA_GFN), ENOENT);
	check_absent(s.wt, PAGES);
	/* Whoever finds the memory first has it armed for both. */
	bring_memory(s.vm, 0);
	CHECK_ERRNO(__wt_add_page(wt->fd, VM_DATA_GFN), 0);
	take_returned(s.wt, PAGES);
	vcpu_call(s.v, g_store8, VM_DATA, 1, 1, 0);
	CHECK(wt_drain(wt));
}

CASE(the_page_limit_counts_pages_without_memory)
{
	WT_ARG(restrict, r, .max_pages = 3, .rights = ~0ULL);
	WT_ARG(ring, ring, .records = 64, .flags = KVM_WTRACK_RING_F_STICKY);
	struct kvm_wtrack_change c = { .gfn = 1ULL << 30, .nr_pages = 1ULL << 39 };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
	struct vm *vm = vm_new(PAGES);
	int fd = wt_open();

	wt_attach(fd, vm->fd);
	CHECK_ERRNO(__wt_restrict(fd, &r), 0);
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	CHECK_ERRNO(__wt_add(fd, &a), 0);
	CHECK_EQ(c.out_done, 3);
	CHECK_EQ(c.out_failed, (1ULL << 39) - 3);
	CHECK_ERRNO(c.out_error, ENOSPC);
	CHECK_ERRNO(__wt_add_page(fd, VM_DATA_GFN), ENOSPC);
}

CASE(memory_that_cannot_be_stored_to_is_none)
{
	struct sticky s;

	init(&s);
	remove_memory(s.vm);
	take_removed(s.wt, PAGES);
	bring_memory(s.vm, KVM_MEM_READONLY);
	/* The worker has looked when memory beside it was found. */
	vm_slot(s.vm, VM_SLOT_EXTRA, 2 * VM_DATA, mem_shared(PAGE), PAGE, 0);
	CHECK_ERRNO(__wt_add_page(s.wt->fd, 3 * VM_DATA_GFN), 0);
	CHECK_ERRNO(__wt_add_page(s.wt->fd, 2 * VM_DATA_GFN), 0);
	CHECK_EQ(nr_absent(s.wt), PAGES + 1);
	wt_remove(s.wt->fd, 3 * VM_DATA_GFN, 1);
	wt_remove(s.wt->fd, 2 * VM_DATA_GFN, 1);
	check_absent(s.wt, PAGES);
	/* To take it away is nothing new. */
	remove_memory(s.vm);
	CHECK(!wt_peek(s.wt));
	bring_memory(s.vm, 0);
	take_returned(s.wt, PAGES);
	check_observed(&s, 0);
}

CASE(a_paused_vm_is_looked_at_too)
{
	struct sticky s;

	init(&s);
	remove_memory(s.vm);
	take_removed(s.wt, PAGES);
	/* The look that follows the removal is over. */
	CHECK_SOON(wt_gfn_state(s.wt->fd, VM_DATA_GFN) == ABSENT);
	sleep_ms(50);
	bring_memory(s.vm, 0);
	take_returned(s.wt, PAGES);
}

CASE(a_part_of_the_memory_may_return)
{
	struct sticky s;

	init(&s);
	remove_memory(s.vm);
	take_removed(s.wt, PAGES);
	vm_slot(s.vm, VM_SLOT_DATA, VM_DATA + 8 * PAGE, s.vm->data + 8 * PAGE,
		8 * PAGE, 0);
	CHECK_SOON(nr_absent(s.wt) == 8);
	check_absent(s.wt, 8);
	CHECK_EQ(wt_drain(s.wt), 8);
}

CASE(a_region_removed_while_the_ring_is_full_is_absent_in_the_resync_set)
{
	struct wt_resync set;
	struct sticky s;

	init(&s);
	vcpu_call(s.v, g_store8, VM_DATA, 1, 100, 8);
	remove_memory(s.vm);
	check_absent(s.wt, PAGES);
	CHECK_EQ(wt_drain(s.wt), 63);
	wt_resync(s.wt->fd, &set);
	CHECK_EQ(wt_resync_pages(&set, KVM_WTRACK_RESYNC_ABSENT), PAGES);
	bring_memory(s.vm, 0);
	take_returned(s.wt, PAGES);
}

/* And what returns then is to be read again. */
CASE(memory_that_returns_while_the_ring_is_full_is_in_the_resync_set)
{
	struct wt_resync set;
	struct sticky s;

	init(&s);
	vcpu_call(s.v, g_store8, VM_DATA, 1, 100, 8);
	remove_memory(s.vm);
	bring_memory(s.vm, 0);
	CHECK_SOON(!nr_absent(s.wt));
	CHECK_EQ(wt_drain(s.wt), 63);
	wt_resync(s.wt->fd, &set);
	CHECK_EQ(wt_resync_pages(&set, KVM_WTRACK_RESYNC_REREAD), PAGES);
	check_observed(&s, 0);
}

/* KVM takes it up to 6.5. */
CASE(memory_that_moves_leaves_its_pages_absent)
{
	struct sticky s;
	int err;

	init(&s);
	err = __vm_slot(s.vm, VM_SLOT_DATA, 2 * VM_DATA, s.vm->data,
			PAGES * PAGE, 0);
	if (err) {
		CHECK_ERRNO(err, EINVAL);
		check_absent(s.wt, 0);
		CHECK(!wt_peek(s.wt));
		return;
	}
	take_removed(s.wt, PAGES);
	check_absent(s.wt, PAGES);
	vm_slot(s.vm, VM_SLOT_DATA, VM_DATA, s.vm->data, PAGES * PAGE, 0);
	take_returned(s.wt, PAGES);
}

CASE(the_end_of_a_session_or_a_vm_with_absent_pages_leaves_nothing)
{
	struct kvm_wtrack_record r;
	struct sticky s;
	unsigned int i;

	for (i = 0; i < 6; i++) {
		init(&s);
		remove_memory(s.vm);
		take_removed(s.wt, PAGES);
		if (i % 2) {
			wt_close(s.wt);
			bring_memory(s.vm, 0);
			s.wt = wt_session(s.vm->fd, 64, 0);
			CHECK_EQ(wt_users(s.wt->fd, VM_DATA_GFN), 0);
			wt_close(s.wt);
		}
		vcpu_close(s.v);
		vm_close(s.vm);
		if (i % 2)
			continue;
		CHECK_SOON(wt_take(s.wt, &r));
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_VM_GONE);
		wt_close(s.wt);
	}
	CHECK_SOON(module_refs(module_vendor()) == 0);
}

CASE(a_change_of_flags_is_not_told)
{
	struct sticky s;

	init(&s);
	bring_memory(s.vm, KVM_MEM_LOG_DIRTY_PAGES);
	check_absent(s.wt, 0);
	vcpu_call(s.v, g_store8, VM_DATA, 1, 1, 0);
	CHECK_EQ(wt_drain(s.wt), 1);
	bring_memory(s.vm, 0);
	check_absent(s.wt, 0);
	CHECK(!wt_peek(s.wt));
}

/* Nobody tracks what only system management mode has. */
CASE(memory_of_another_address_space_is_none)
{
	const uint32_t smm_slot = 1U << 16 | VM_SLOT_EXTRA;
	void *smm = mem_shared(PAGES * PAGE);
	struct sticky s;

	init(&s);
	remove_memory(s.vm);
	take_removed(s.wt, PAGES);
	vm_slot(s.vm, smm_slot, VM_DATA, smm, PAGES * PAGE, 0);
	CHECK_ERRNO(__wt_add_page(s.wt->fd, VM_DATA_GFN), 0);
	CHECK_ERRNO(__wt_rearm_page(s.wt->fd, VM_DATA_GFN), 0);
	check_absent(s.wt, PAGES);
	vm_slot(s.vm, smm_slot, VM_DATA, smm, 0, 0);
	check_absent(s.wt, PAGES);
	CHECK(!wt_peek(s.wt));
	bring_memory(s.vm, 0);
	take_returned(s.wt, PAGES);
	check_observed(&s, 0);
}

CASE(each_session_on_a_page_is_treated_as_it_wants)
{
	struct wt *ordinary, *sticky, *once;
	struct kvm_wtrack_record r;
	struct sticky s;

	init(&s);
	ordinary = wt_session(s.vm->fd, 64, 0);
	sticky = wt_session(s.vm->fd, 64, KVM_WTRACK_RING_F_STICKY);
	once = wt_session(s.vm->fd, 64, KVM_WTRACK_RING_F_STICKY |
					KVM_WTRACK_RING_F_ONCE);
	wt_add(ordinary->fd, VM_DATA_GFN, PAGES);
	wt_add(sticky->fd, VM_DATA_GFN + 2, 2);
	wt_add(once->fd, VM_DATA_GFN + 3, 2);
	vcpu_call(s.v, g_store8, VM_DATA + 3 * PAGE, 1, 1, 0);
	CHECK(wt_take(once, &r));
	CHECK(r.flags & KVM_WTRACK_RECORD_F_ONCE);
	wt_drain(ordinary);
	wt_drain(sticky);
	wt_drain(s.wt);
	remove_memory(s.vm);
	take_removed(s.wt, PAGES);
	take_removed(ordinary, PAGES);
	take_removed(sticky, 2);
	take_removed(once, 2);
	CHECK_EQ(wt_query_pages(ordinary->fd), 0);
	CHECK_EQ(nr_absent(ordinary), 0);
	CHECK_EQ(wt_users(s.wt->fd, VM_DATA_GFN), 1);
	CHECK_EQ(wt_users(s.wt->fd, VM_DATA_GFN + 3), 3);
	/* Who leaves takes nothing away from the others. */
	wt_remove(sticky->fd, VM_DATA_GFN + 3, 1);
	CHECK_EQ(nr_absent(sticky), 1);
	bring_memory(s.vm, 0);
	take_returned(s.wt, PAGES);
	take_returned(sticky, 1);
	take_returned(once, 2);
	CHECK(!wt_peek(ordinary));
	/* What was stored to before is observed again. */
	vcpu_call(s.v, g_store8, VM_DATA + 3 * PAGE, 2, 1, 0);
	CHECK(wt_take(once, &r));
	CHECK(r.flags & KVM_WTRACK_RECORD_F_ONCE);
	wt_close(once);
	wt_close(sticky);
	wt_close(ordinary);
}

CASE(a_page_over_its_budget_is_observed_with_new_memory)
{
	struct kvm_wtrack_record r;
	struct sticky s;
	struct wt *wt;

	init(&s);
	wt_close(s.wt);
	s.wt = wt = wt_session_budget(s.vm->fd, 64, KVM_WTRACK_RING_F_STICKY,
				      2, 1000);
	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	vcpu_call(s.v, g_store8, VM_DATA, 1, 2, 0);
	CHECK_EQ(wt_gfn_state(wt->fd, VM_DATA_GFN),
		 KVM_WTRACK_GFN_TRACKED | KVM_WTRACK_GFN_DISARMED);
	wt_drain(wt);
	remove_memory(s.vm);
	take_removed(wt, PAGES);
	check_absent(wt, PAGES);
	bring_memory(s.vm, 0);
	take_returned(wt, PAGES);
	vcpu_call(s.v, g_store8, VM_DATA, 1, 1, 0);
	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
}

CASE(a_restriction_is_for_absent_pages_too)
{
	struct kvm_wtrack_range range = { VM_DATA_GFN, PAGES };
	WT_ARG(restrict, r, .ranges = (uintptr_t)&range, .nr_ranges = 1,
	       .rights = ~0ULL);
	struct kvm_wtrack_change c = { .gfn = VM_DATA_GFN, .nr_pages = 1 };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
	struct sticky s;

	init(&s);
	remove_memory(s.vm);
	take_removed(s.wt, PAGES);
	range.nr_pages = PAGES - 1;
	CHECK_ERRNO(__wt_restrict(s.wt->fd, &r), EBUSY);
	range.nr_pages = PAGES;
	CHECK_ERRNO(__wt_restrict(s.wt->fd, &r), 0);
	CHECK_ERRNO(__wt_add_page(s.wt->fd, VM_DATA_GFN + PAGES), EPERM);
	wt_remove(s.wt->fd, VM_DATA_GFN, 1);
	CHECK_EQ(nr_absent(s.wt), PAGES - 1);
	CHECK_ERRNO(__wt_add_page(s.wt->fd, VM_DATA_GFN), 0);
	check_absent(s.wt, PAGES);
	/* A set that is frozen is armed all the same. */
	r.rights = ~KVM_WTRACK_RIGHT_CHANGE;
	CHECK_ERRNO(__wt_restrict(s.wt->fd, &r), 0);
	CHECK_ERRNO(__wt_add(s.wt->fd, &a), EPERM);
	bring_memory(s.vm, 0);
	take_returned(s.wt, PAGES);
}

static uint64_t vm_bytes(const struct wt *wt)
{
	struct kvm_wtrack_status status;

	wt_status(wt->fd, &status);
	return status.out_vm_memory_bytes;
}

CASE(absent_pages_cost_memory_as_long_as_they_are_tracked)
{
	struct kvm_wtrack_status status;
	uint64_t bytes, session_bytes;
	struct sticky s;
	unsigned int i;

	init(&s);
	wt_remove(s.wt->fd, VM_DATA_GFN, PAGES);
	bytes = vm_bytes(s.wt);
	wt_status(s.wt->fd, &status);
	session_bytes = status.out_memory_bytes;
	/* One in each chunk. */
	for (i = 0; i < 8; i++)
		wt_add(s.wt->fd, (1ULL << 36) + i * 1024, 1);
	wt_status(s.wt->fd, &status);
	CHECK_EQ(status.out_absent, 8);
	CHECK(status.out_memory_bytes > session_bytes + 8 * 3 * 1024 / 8);
	CHECK(vm_bytes(s.wt) > bytes + 8 * 2 * 1024);
	for (i = 0; i < 8; i++)
		wt_remove(s.wt->fd, (1ULL << 36) + i * 1024, 1);
	CHECK_EQ(vm_bytes(s.wt), bytes);
	wt_status(s.wt->fd, &status);
	CHECK_EQ(status.out_memory_bytes, session_bytes);
}

/* What the threads of the next case share. */
static struct {
	struct vm *vm;
	bool stop;
} churn;

/* The guest continues to store, and may have filled the ring after it was drained. */
static void fetch_some(struct wt *wt)
{
	struct kvm_wtrack_resync_range ranges[4];
	WT_ARG(resync, a, .ranges = (uintptr_t)ranges,
	       .nr_ranges = ARRAY_SIZE(ranges));
	int err = __wt_resync(wt->fd, &a);

	CHECK(!err || err == EBUSY);
}

/* Opens sessions of all kinds, has them track, and closes them. */
static void *use_sessions(void *arg)
{
	static const uint32_t flags[] = {
		KVM_WTRACK_RING_F_STICKY, 0,
		KVM_WTRACK_RING_F_STICKY | KVM_WTRACK_RING_F_COALESCE,
		KVM_WTRACK_RING_F_STICKY | KVM_WTRACK_RING_F_ONCE,
	};
	unsigned int i = *(unsigned int *)arg, page;
	struct wt *wt;

	for (; !__atomic_load_n(&churn.stop, __ATOMIC_RELAXED); i++) {
		wt = wt_session(churn.vm->fd, 64, flags[i % ARRAY_SIZE(flags)]);
		for (page = i % 3; page < PAGES; page += 1 + i % 2) {
			int err = __wt_add_page(wt->fd, VM_DATA_GFN + page);

			if (flags[i % ARRAY_SIZE(flags)])
				CHECK_ERRNO(err, 0);
			else
				CHECK(!err || err == ENOENT ||
				      err == EOPNOTSUPP);
		}
		for (page = 0; page < PAGES; page += 2)
			(void)__wt_remove_page(wt->fd, VM_DATA_GFN + page);
		wt_drain(wt);
		fetch_some(wt);
		wt_close(wt);
	}
	return NULL;
}

CASE_WITHIN(sessions_come_and_go_while_memory_does, 120)
{
	unsigned int i, first[] = { 0, 1, 2 }, rounds = host_is_debug() ? 60 : 300;
	pthread_t thread[ARRAY_SIZE(first)];
	uint64_t bytes;
	struct sticky s;

	init(&s);
	s.v->runs = &guest_runs;
	wt_remove(s.wt->fd, VM_DATA_GFN, PAGES);
	bytes = vm_bytes(s.wt);
	churn.vm = s.vm;
	for (i = 0; i < ARRAY_SIZE(first); i++)
		CHECK(!pthread_create(&thread[i], NULL, use_sessions,
				      &first[i]));
	vcpu_start(s.v, g_random, VM_DATA, PAGES, 4711, 0, LANE_EVEN);
	for (i = 0; i < rounds; i++) {
		remove_memory(s.vm);
		bring_memory_under_stores(s.vm, i % 5 ? 0 : KVM_MEM_READONLY);
	}
	__atomic_store_n(&churn.stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < ARRAY_SIZE(first); i++)
		CHECK(!pthread_join(thread[i], NULL));
	vcpu_stop(s.v);
	/* The worker may have to come by once more. */
	CHECK_SOON(vm_bytes(s.wt) == bytes);
	remove_memory(s.vm);
	bring_memory(s.vm, 0);
	wt_add(s.wt->fd, VM_DATA_GFN, PAGES);
	check_observed(&s, 1);
	CHECK_EQ(wt_users(s.wt->fd, VM_DATA_GFN + 1), 1);
}
