// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The truth is recovered, whatever was lost on the way: a reader that keeps a
 * copy of the guest's memory has the memory in the end.
 */
#include <stdlib.h>

#include "guest.h"
#include "mirror.h"
#include "tap.h"

enum { PAGES = 48 };

static unsigned int stores(void)
{
	return host_is_debug() ? 4000 : 30000;
}

static bool is_closed(struct wt *wt)
{
	struct kvm_wtrack_status status;

	wt_status(wt->fd, &status);
	return status.out_state & KVM_WTRACK_STATE_RESYNC;
}

/*
 * Two vCPUs store at random; the reader is now quick, now slow, and now and then
 * so slow that the ring is full.
 */
static void run_random(struct mirror *m, struct vm *vm, int lane_a, int lane_b)
{
	struct vcpu *a = vcpu_new(vm), *b = vcpu_new(vm);
	uint64_t seen = 0, want = stores();
	unsigned int round = 0;

	vcpu_start(a, g_random, VM_DATA, PAGES, 88172645463325252ULL, 0, lane_a);
	vcpu_start(b, g_random, VM_DATA, PAGES, 1234567891234567ULL, 0, lane_b);
	while (seen < want || m->resyncs < 20) {
		seen += mirror_step(m);
		if (++round % 8 == 0)
			sleep_ms(round % 5);
		if (round % 32 == 0)
			CHECK_SOON(is_closed(m->wt));
	}
	vcpu_stop(a);
	vcpu_stop(b);
	mirror_finish(m);
	tap_note("%llu records, %llu overflows, %llu pages read again",
		 (unsigned long long)m->writes, (unsigned long long)m->resyncs,
		 (unsigned long long)m->rereads);
}

CASE_WITHIN(two_vcpus_at_random_with_many_overflows_leave_a_true_copy, 60)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session_small(vm->fd, 0);
	struct mirror m;

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	mirror_init(&m, wt, vm->data, PAGES);
	run_random(&m, vm, LANE_EVEN, LANE_ODD);
}

/*
 * Stores of two vCPUs to the same bytes may be recorded in another order than
 * memory saw; who reads memory again at each record has the last one.
 */
CASE_WITHIN(two_vcpus_on_the_same_bytes_leave_a_true_copy_when_reread, 60)
{
	struct vm *vm = vm_new(PAGES);
	struct wt *wt = wt_session_small(vm->fd, 0);
	struct mirror m;

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	mirror_init(&m, wt, vm->data, PAGES);
	m.reread_always = true;
	run_random(&m, vm, LANE_SHARED, LANE_SHARED);
}

CASE_WITHIN(two_vcpus_on_one_page_each_with_its_bytes_are_exact, 60)
{
	struct vm *vm = vm_new(1);
	struct vcpu *a = vcpu_new(vm), *b = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 65536, 0);
	struct mirror m;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	mirror_init(&m, wt, vm->data, 1);
	vcpu_start(a, g_random, VM_DATA, 1, 4711, 5000, LANE_EVEN);
	vcpu_start(b, g_random, VM_DATA, 1, 815, 5000, LANE_ODD);
	vcpu_join(a);
	vcpu_join(b);
	mirror_finish(&m);
	CHECK_EQ(m.resyncs, 0);
	CHECK_EQ(m.writes, 10000);
}

/* Tracking starts under fire: add first, then read, then follow. */
CASE_WITHIN(a_copy_begun_while_the_guest_stores_becomes_true, 60)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct mirror m;
	struct wt *wt;
	unsigned int round;

	for (round = 0; round < 10; round++) {
		wt = wt_session(vm->fd, 4096, 0);
		vcpu_start(v, g_random, VM_DATA, PAGES, 99 + round, 0,
			   LANE_EVEN);
		sleep_ms(10);
		wt_add(wt->fd, VM_DATA_GFN, PAGES);
		mirror_init(&m, wt, vm->data, PAGES);
		while (m.writes < 300)
			mirror_step(&m);
		vcpu_stop(v);
		mirror_finish(&m);
		free(m.copy);
		wt_close(wt);
	}
}
