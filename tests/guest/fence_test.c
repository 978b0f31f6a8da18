// SPDX-License-Identifier: GPL-2.0-or-later
/* The fence: behind its sequence number nothing old can appear. */
#include "guest.h"
#include "tap.h"
#include "wt.h"

/* A fence takes its time where locks are watched and two vCPUs never stop. */
static unsigned int rounds(void)
{
	return host_is_debug() ? 8 : 60;
}

#define A	VM_DATA
#define B	(VM_DATA + PAGE)

/* The last ones may be in the making, by a vCPU that was not waited for. */
static void take_to(struct wt *wt, uint64_t seq)
{
	struct kvm_wtrack_record r;

	while (wt->next < seq) {
		if (wt_take(wt, &r))
			continue;
		tap_trying("record %llu of %llu",
			   (unsigned long long)wt->next,
			   (unsigned long long)seq);
		CHECK_SOON(wt_take(wt, &r));
	}
}

static void check_no_record_of(struct wt *wt, uint64_t gpa, unsigned int nr)
{
	struct kvm_wtrack_record r;
	uint64_t end = clock_ns() + soon_ns();

	while (nr) {
		CHECK(clock_ns() < end);
		if (!wt_take(wt, &r))
			continue;
		CHECK(r.gpa / PAGE != gpa / PAGE);
		/* Of a vCPU that was kept from its store for too long. */
		if (r.type == KVM_WTRACK_RECORD_GUARD) {
			CHECK_EQ(r.guard.action, KVM_WTRACK_GUARD_CHANGED);
			continue;
		}
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
		nr--;
	}
}

/* One vCPU writes A and one B, B stays tracked: its records show time going by. */
CASE_WITHIN(no_record_of_a_page_follows_its_fenced_removal, 60)
{
	struct vm *vm = vm_new(2);
	struct vcpu *a = vcpu_new(vm), *b = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 65536, 0);
	struct kvm_wtrack_record r;
	unsigned int i, seen = 0;
	uint64_t seq;

	wt_add(wt->fd, B / PAGE, 1);
	vcpu_start(a, g_count_forever, A, 1);
	vcpu_start(b, g_count_forever, B, 1);
	for (i = 0; i < rounds(); i++) {
		wt_add(wt->fd, A / PAGE, 1);
		for (seen = 0; seen < 20; )
			seen += wt_take(wt, &r) && r.gpa == A;
		seq = wt_remove_fence(wt->fd, A / PAGE, 1);
		take_to(wt, seq);
		check_no_record_of(wt, A, 100);
	}
	vcpu_stop(a);
	vcpu_stop(b);
}

/* Without the flag there is nothing to report. */
CASE(a_removal_without_the_fence_has_no_sequence_number)
{
	struct kvm_wtrack_change c = { .gfn = A / PAGE, .nr_pages = 1 };
	WT_ARG(remove, a, .changes = (uintptr_t)&c, .nr_changes = 1,
	       .out_seq = 77);
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);

	wt_add(wt->fd, A / PAGE, 1);
	vcpu_call(v, g_store8, A, 1, 5, 0);
	CHECK_ERRNO(__wt_remove(wt->fd, &a), 0);
	CHECK_EQ(a.out_seq, 0);
	wt_add(wt->fd, A / PAGE, 1);
	CHECK_EQ(wt_remove_fence(wt->fd, A / PAGE, 1), 5);
}

CASE_WITHIN(a_fence_under_fire_names_records_that_come, 60)
{
	struct vm *vm = vm_new(2);
	struct vcpu *a = vcpu_new(vm), *b = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 65536, 0);
	uint64_t seq, last = 0;
	unsigned int i;

	wt_add(wt->fd, A / PAGE, 2);
	vcpu_start(a, g_count_forever, A, 1);
	vcpu_start(b, g_count_forever, B, 1);
	/* A busy machine may not let the guest run for a while. */
	for (i = 0; i < rounds() || last <= rounds(); i++) {
		seq = wt_fence(wt->fd);
		CHECK(seq >= last);
		last = seq;
		take_to(wt, seq);
		sleep_ms(1);
	}
	vcpu_stop(a);
	vcpu_stop(b);
}

CASE(a_store_that_was_made_is_not_behind_a_fence)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	unsigned int i;

	wt_add(wt->fd, A / PAGE, 1);
	CHECK_EQ(wt_fence(wt->fd), 0);
	for (i = 1; i <= 30; i++) {
		vcpu_call(v, g_store8, A, i, 1, 0);
		CHECK_EQ(wt_fence(wt->fd), i);
	}
}

/* Also of a ring that is closed: the number of its RESYNC record. */
CASE(a_fence_of_a_closed_ring_names_its_last_record)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);

	wt_add(wt->fd, A / PAGE, 1);
	vcpu_call(v, g_store8, A, 1, 200, 0);
	CHECK_EQ(wt_fence(wt->fd), 63);
	take_to(wt, 63);
	CHECK(!wt_peek(wt));
}
