// SPDX-License-Identifier: GPL-2.0-or-later
/* Several sessions on one VM: each has its own, none disturbs another. */
#include <stdio.h>
#include <unistd.h>

#include "guest.h"
#include "module.h"
#include "tap.h"
#include "wt.h"

enum { SESSIONS = 20 };

static void store(struct vcpu *v, uint64_t page, uint64_t value)
{
	vcpu_call(v, g_store8, VM_DATA + page * PAGE, value, 1, 0);
}

/* The next record is a store of this value to that page. */
static void expect(struct wt *wt, uint64_t page, uint64_t value)
{
	struct kvm_wtrack_record r;

	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.gpa, VM_DATA + page * PAGE);
	CHECK_EQ(*(uint64_t *)r.data, value);
	CHECK_EQ(r.seq, wt->next);
}

CASE(two_sessions_on_one_gfn_get_each_store)
{
	struct vm *vm = vm_new(2);
	struct vcpu *v = vcpu_new(vm);
	struct wt *a = wt_session(vm->fd, 64, 0);
	struct wt *b = wt_session(vm->fd, 64, 0);

	wt_add(a->fd, VM_DATA_GFN, 2);
	wt_add(b->fd, VM_DATA_GFN + 1, 1);
	store(v, 0, 10);
	store(v, 1, 11);
	expect(a, 0, 10);
	expect(a, 1, 11);
	expect(b, 1, 11);
	CHECK(!wt_peek(a) && !wt_peek(b));
}

CASE(a_session_removes_only_what_it_added)
{
	struct vm *vm = vm_new(2);
	struct vcpu *v = vcpu_new(vm);
	struct wt *a = wt_session(vm->fd, 64, 0);
	struct wt *b = wt_session(vm->fd, 64, 0);

	wt_add(a->fd, VM_DATA_GFN, 1);
	CHECK_ERRNO(__wt_remove_page(b->fd, VM_DATA_GFN), ENOENT);
	CHECK_EQ(wt_users(a->fd, VM_DATA_GFN), 1);
	wt_add(b->fd, VM_DATA_GFN, 1);
	CHECK_EQ(wt_users(a->fd, VM_DATA_GFN), 2);
	wt_remove(b->fd, VM_DATA_GFN, 1);
	CHECK_ERRNO(__wt_remove_page(b->fd, VM_DATA_GFN), ENOENT);
	CHECK_EQ(wt_users(b->fd, VM_DATA_GFN), 1);
	CHECK(wt_tracked(a->fd, VM_DATA_GFN));
	CHECK(!wt_tracked(b->fd, VM_DATA_GFN));
	store(v, 0, 5);
	expect(a, 0, 5);
	CHECK(!wt_peek(b));
}

CASE(closing_a_session_leaves_the_others)
{
	struct vm *vm = vm_new(2);
	struct vcpu *v = vcpu_new(vm);
	struct wt *a = wt_session(vm->fd, 64, 0);
	struct wt *b = wt_session(vm->fd, 64, 0);

	wt_add(a->fd, VM_DATA_GFN, 2);
	wt_add(b->fd, VM_DATA_GFN, 1);
	wt_close(a);
	CHECK_EQ(wt_users(b->fd, VM_DATA_GFN), 1);
	CHECK_EQ(wt_users(b->fd, VM_DATA_GFN + 1), 0);
	store(v, 0, 1);
	store(v, 1, 2);
	expect(b, 0, 1);
	CHECK(!wt_peek(b));
}

CASE(users_of_a_gfn_are_counted)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt[SESSIONS];
	unsigned int i;

	for (i = 0; i < SESSIONS; i++) {
		wt[i] = wt_session(vm->fd, 64, 0);
		wt_add(wt[i]->fd, VM_DATA_GFN, 1);
		CHECK_EQ(wt_users(wt[0]->fd, VM_DATA_GFN), i + 1);
	}
	store(v, 0, 99);
	for (i = 0; i < SESSIONS; i++)
		expect(wt[i], 0, 99);
	for (i = SESSIONS - 1; i > 0; i--) {
		wt_close(wt[i]);
		CHECK_EQ(wt_users(wt[0]->fd, VM_DATA_GFN), i);
	}
	store(v, 0, 100);
	expect(wt[0], 0, 100);
}

CASE(a_gfn_with_no_user_left_is_not_tracked_any_more)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *a = wt_session(vm->fd, 64, 0);
	struct wt *b = wt_session(vm->fd, 64, 0);
	struct kvm_wtrack_status s;

	wt_add(a->fd, VM_DATA_GFN, 1);
	wt_close(a);
	CHECK_EQ(wt_users(b->fd, VM_DATA_GFN), 0);
	CHECK(!wt_tracked(b->fd, VM_DATA_GFN));
	store(v, 0, 1);
	wt_status(b->fd, &s);
	CHECK_EQ(s.out_events, 0);
	wt_add(b->fd, VM_DATA_GFN, 1);
	store(v, 0, 2);
	expect(b, 0, 2);
}

/* Of all instructions of the VM, as KVM counts them. */
static long long emulated(struct vm *vm)
{
	char path[128];
	long long n;

	snprintf(path, sizeof(path),
		 "/sys/kernel/debug/kvm/%d-%d/insn_emulation", getpid(), vm->fd);
	n = file_number(path);
	CHECK(n >= 0);
	return n;
}

static long long emulated_stores(struct vm *vm, struct vcpu *v)
{
	long long before;

	/* The first one finds the page mapped for reading. */
	store(v, 0, 0);
	before = emulated(vm);
	vcpu_call(v, g_store8, VM_DATA, 0, 100, 0);
	return emulated(vm) - before;
}

CASE(stores_run_natively_again_when_the_last_user_is_gone)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *a = wt_session(vm->fd, 4096, 0);
	struct wt *b = wt_session(vm->fd, 4096, 0);
	struct wt *c = wt_session(vm->fd, 4096, 0);

	CHECK(emulated_stores(vm, v) < 10);
	wt_add(a->fd, VM_DATA_GFN, 1);
	wt_add(b->fd, VM_DATA_GFN, 1);
	CHECK(emulated_stores(vm, v) >= 100);
	wt_remove(a->fd, VM_DATA_GFN, 1);
	CHECK(emulated_stores(vm, v) >= 100);
	wt_remove(b->fd, VM_DATA_GFN, 1);
	CHECK(emulated_stores(vm, v) < 10);
	wt_add(c->fd, VM_DATA_GFN, 1);
	CHECK(emulated_stores(vm, v) >= 100);
	wt_close(c);
	CHECK(emulated_stores(vm, v) < 10);
}

CASE(sessions_on_two_vms_do_not_see_each_other)
{
	struct vm *vm[2] = { vm_new(1), vm_new(1) };
	struct vcpu *v[2] = { vcpu_new(vm[0]), vcpu_new(vm[1]) };
	struct wt *a = wt_session(vm[0]->fd, 64, 0);
	struct wt *b = wt_session(vm[1]->fd, 64, 0);

	wt_add(a->fd, VM_DATA_GFN, 1);
	CHECK_EQ(wt_users(b->fd, VM_DATA_GFN), 0);
	store(v[1], 0, 1);
	wt_add(b->fd, VM_DATA_GFN, 1);
	CHECK_EQ(wt_users(a->fd, VM_DATA_GFN), 1);
	store(v[0], 0, 2);
	store(v[1], 0, 3);
	expect(a, 0, 2);
	expect(b, 0, 3);
	CHECK(!wt_peek(a) && !wt_peek(b));
}

CASE(a_full_ring_does_not_hold_up_other_sessions)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *full = wt_session(vm->fd, 64, 0);
	struct wt *wt = wt_session(vm->fd, 4096, 0);
	struct kvm_wtrack_status s;
	unsigned int i;

	wt_add(full->fd, VM_DATA_GFN, 1);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_call(v, g_store8, VM_DATA, 0, 3000, 0);
	for (i = 0; i < 3000; i++)
		expect(wt, 0, i);
	wt_status(full->fd, &s);
	CHECK_EQ(s.out_overflows, 1);
	wt_status(wt->fd, &s);
	CHECK_EQ(s.out_overflows, 0);
}
