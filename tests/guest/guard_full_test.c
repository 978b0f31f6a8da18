// SPDX-License-Identifier: GPL-2.0-or-later
/* What the guard does while the ring is full is told by the resync set. */
#include "guest.h"
#include "module.h"
#include "tap.h"
#include "trip.h"

enum { RECORDS = 64, ROOM = RECORDS - 2, PAGES = 100 };

static void set_bounds(unsigned int min_ms, unsigned int max_ms)
{
	module_set_param("guard_min_ms", min_ms);
	module_set_param("guard_max_ms", max_ms);
}

/* Nobody reads while each page is disarmed once. */
static void full_init(struct trip *t)
{
	struct vm *vm = vm_new(PAGES);

	trip_init(t, PAGES, vm, wt_session(vm->fd, RECORDS, 0));
	vcpu_call(t->v, g_fstp, VM_DATA, PAGE, PAGES);
}

CASE(pages_disarmed_behind_a_full_ring_are_in_the_resync_set)
{
	struct kvm_wtrack_record r;
	struct wt_resync set;
	struct trip t;
	unsigned int i;

	set_bounds(4000, 4000);
	full_init(&t);
	for (i = 0; i < ROOM; i++) {
		CHECK(wt_take(t.wt, &r));
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
		CHECK_EQ(r.guard.action, KVM_WTRACK_GUARD_DISARMED);
		CHECK_EQ(r.gpa, VM_DATA + i * PAGE);
	}
	CHECK(wt_take(t.wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_RESYNC);
	wt_resync(t.wt->fd, &set);
	CHECK_EQ(set.nr, 1);
	CHECK_EQ(set.ranges[0].what, KVM_WTRACK_RESYNC_DISARMED);
	CHECK_EQ(set.ranges[0].gfn, VM_DATA_GFN + ROOM);
	CHECK_EQ(set.ranges[0].nr_pages, PAGES - ROOM);
}

CASE(a_reader_that_comes_while_they_are_disarmed_is_told_when_they_are_not)
{
	struct trip t;

	set_bounds(1000, 1000);
	full_init(&t);
	mirror_step(&t.mirror);
	CHECK_EQ(t.mirror.resyncs, 1);
	CHECK_EQ(mirror_disarmed(&t.mirror), PAGES);
	vcpu_call(t.v, g_store8, VM_DATA, 1, PAGES, PAGE);
	mirror_rearmed(&t.mirror);
	trip_check_armed(&t, 0);
	trip_check_armed(&t, PAGES - 1);
	mirror_finish(&t.mirror);
}

CASE(a_reader_that_comes_when_they_are_armed_again_rereads_them)
{
	struct trip t;
	unsigned int i;

	set_bounds(16, 16);
	full_init(&t);
	for (i = 0; i < PAGES; i++)
		CHECK_SOON(!(trip_state(&t, i) & KVM_WTRACK_GFN_DISARMED));
	mirror_rearmed(&t.mirror);
	CHECK(t.mirror.resyncs);
	CHECK_EQ(mirror_differs(&t.mirror), PAGES * PAGE);
	trip_check_armed(&t, 0);
	trip_check_armed(&t, PAGES - 1);
	mirror_finish(&t.mirror);
}

CASE(pages_stopped_behind_a_full_ring_are_not_tracked_any_more)
{
	struct vm *vm = vm_new(PAGES);
	struct trip t;

	trip_init(&t, PAGES, vm, wt_session(vm->fd, RECORDS,
					    KVM_WTRACK_RING_F_STOP));
	vcpu_call(t.v, g_fstp, VM_DATA, PAGE, PAGES);
	CHECK_SOON(wt_query_pages(t.wt->fd) == 0);
	mirror_step(&t.mirror);
	CHECK_EQ(t.mirror.resyncs, 1);
	CHECK_EQ(mirror_disarmed(&t.mirror), 0);
	mirror_finish(&t.mirror);
}

/* With and without a budget, a reader that is slow now and then. */
static void run_mixed(struct wt *wt, struct vm *vm, unsigned int nap_ms)
{
	const uint64_t want = host_is_debug() ? 3000 : 20000;
	struct vcpu *a = vcpu_new(vm), *b = vcpu_new(vm);
	struct mirror m;
	unsigned int round;

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	mirror_init(&m, wt, vm->data, PAGES);
	/* One stores to even words, and both trip. */
	vcpu_start(a, g_random_fstp, VM_DATA, PAGES / 2, 88172645463325252ULL,
		   0);
	vcpu_start(b, g_random_fstp, VM_DATA + PAGES / 2 * PAGE, PAGES / 2,
		   1234567891234567ULL, 0);
	for (round = 0; m.writes < want || m.rereads < 300; round++) {
		mirror_step(&m);
		if (round % 8 == 0)
			sleep_ms(round % (nap_ms + 1));
	}
	vcpu_stop(a);
	vcpu_stop(b);
	mirror_rearmed(&m);
	CHECK_EQ(mirror_differs(&m), PAGES * PAGE);
	mirror_finish(&m);
	tap_note("%llu stores recorded, %llu disarms, %llu pages read again, "
		 "%llu overflows", (unsigned long long)m.writes,
		 (unsigned long long)mirror_guard(&m, KVM_WTRACK_GUARD_DISARMED),
		 (unsigned long long)m.rereads,
		 (unsigned long long)m.resyncs);
}

CASE_WITHIN(two_vcpus_that_trip_at_random_leave_a_true_copy, 90)
{
	struct vm *vm = vm_new(PAGES);

	run_mixed(wt_session(vm->fd, 65536, 0), vm, 3);
}

CASE_WITHIN(so_they_do_with_many_overflows, 90)
{
	struct vm *vm = vm_new(PAGES);

	run_mixed(wt_session(vm->fd, RECORDS, 0), vm, 6);
}

CASE_WITHIN(so_they_do_with_a_budget, 90)
{
	struct vm *vm = vm_new(PAGES);

	run_mixed(wt_session_budget(vm->fd, 65536, 0, 20, 50), vm, 3);
}

CASE_WITHIN(so_they_do_when_records_are_merged, 90)
{
	struct vm *vm = vm_new(PAGES);

	run_mixed(wt_session(vm->fd, 1024, KVM_WTRACK_RING_F_COALESCE), vm, 3);
}
