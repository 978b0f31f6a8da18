// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sessions with RING_F_ONCE: the first store to a page is a record, then the guest
 * is left alone until the session arms the page again.
 */
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "mirror.h"
#include "module.h"
#include "slow.h"
#include "tap.h"
#include "trip.h"

enum { PAGES = 16, DISARMED = KVM_WTRACK_GFN_TRACKED | KVM_WTRACK_GFN_DISARMED };

/* (to, value, count): KVM goes on with it after the first element. */
GUEST_CODE(g_stosb, "mov %rsi, %rax\n mov %rdx, %rcx\n rep stosb\n hlt");
/* (to, count): one notification for all that is in a page. */
GUEST_CODE(g_insb, "mov %rsi, %rcx\n mov $0x99, %edx\n rep insb\n hlt");
/* It crosses into the page at rdi. */
GUEST_CODE(g_cross, "mov %rsi, -4(%rdi)\n hlt");
GUEST_CODE(g_sgdt, "sgdt 8(%rdi)\n nop\n hlt");

struct once {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt;
};

static void init_with(struct once *o, uint32_t records, uint32_t flags)
{
	o->vm = vm_new(PAGES);
	o->v = vcpu_new(o->vm);
	o->wt = wt_session(o->vm->fd, records, flags | KVM_WTRACK_RING_F_ONCE);
	wt_add(o->wt->fd, VM_DATA_GFN, PAGES);
}

static void init(struct once *o)
{
	init_with(o, 64, 0);
}

static uint32_t state_of(const struct once *o, uint64_t page)
{
	return wt_gfn_state(o->wt->fd, VM_DATA_GFN + page);
}

static void store(struct once *o, uint64_t page, uint64_t value)
{
	vcpu_call(o->v, g_store8, VM_DATA + page * PAGE, value, 1, 8);
}

/* The one record that is there. */
static void take(struct wt *wt, struct kvm_wtrack_record *r, uint64_t page)
{
	CHECK(wt_take(wt, r));
	CHECK(!wt_peek(wt));
	CHECK_EQ(r->gpa / PAGE, VM_DATA_GFN + page);
	CHECK(r->flags & KVM_WTRACK_RECORD_F_ONCE);
	CHECK(r->flags & KVM_WTRACK_RECORD_F_VCPU);
	CHECK(r->flags & KVM_WTRACK_RECORD_F_RIP);
}

static void take_write(struct once *o, uint64_t page, uint64_t value)
{
	struct kvm_wtrack_record r;

	take(o->wt, &r, page);
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
	CHECK_EQ(*(uint64_t *)r.data, value);
	CHECK_EQ(state_of(o, page), DISARMED);
}

/* A HLT that ends a call may count as one. */
enum { HALT = 1 };

/* A thousand stores of which KVM emulates none. */
static void check_free(struct once *o, uint64_t page)
{
	uint64_t before;

	/* KVM still has to map the page for writing. */
	store(o, page, 0);
	before = vcpu_stat(o->v, "insn_emulation");
	vcpu_call(o->v, g_store8, VM_DATA + page * PAGE, 1, 1000, 0);
	CHECK(vcpu_stat(o->v, "insn_emulation") - before <= HALT);
	CHECK(!wt_peek(o->wt));
}

CASE(the_first_store_is_a_record_and_then_the_guest_is_left_alone)
{
	struct once o;
	unsigned int i;

	init(&o);
	for (i = 0; i < 20; i++) {
		store(&o, i % PAGES, 100 + i);
		take_write(&o, i % PAGES, 100 + i);
		check_free(&o, i % PAGES);
		wt_rearm(o.wt->fd, VM_DATA_GFN + i % PAGES, 1);
		CHECK_EQ(state_of(&o, i % PAGES), KVM_WTRACK_GFN_TRACKED);
	}
}

/* The guard's worker has no part in it. */
CASE(nobody_else_arms_the_page)
{
	struct kvm_wtrack_status s;
	struct once o;
	struct trip t;

	init(&o);
	trip_init(&t, 1, o.vm, wt_session(o.vm->fd, 4096, 0));
	store(&o, 1, 1);
	take_write(&o, 1, 1);
	/* The worker comes by, and for another page of the same chunk. */
	trip(&t, 0);
	CHECK(wt_drain(o.wt));
	trip_wait(&t);
	trip_check_armed(&t, 0);
	CHECK_EQ(state_of(&o, 0), DISARMED);
	CHECK_EQ(state_of(&o, 1), DISARMED);
	check_free(&o, 1);
	wt_status(o.wt->fd, &s);
	CHECK_EQ(s.out_rearms, 0);
	CHECK_EQ(s.out_disarms, 1);
	CHECK_EQ(s.out_pages, PAGES);
}

CASE(another_session_gets_every_store)
{
	struct kvm_wtrack_record r;
	struct once o;
	struct wt *other;
	unsigned int i;

	init(&o);
	other = wt_session(o.vm->fd, 64, 0);
	wt_add(other->fd, VM_DATA_GFN, 1);
	for (i = 0; i < 10; i++) {
		store(&o, 0, i);
		CHECK(wt_take(other, &r));
		CHECK_EQ(*(uint64_t *)r.data, i);
		CHECK(!(r.flags & KVM_WTRACK_RECORD_F_ONCE));
	}
	take_write(&o, 0, 0);
	wt_rearm(o.wt->fd, VM_DATA_GFN, 1);
	store(&o, 0, 11);
	take_write(&o, 0, 11);
	/* The page is not protected for the one that is left. */
	wt_close(other);
	CHECK_EQ(state_of(&o, 0), DISARMED);
	check_free(&o, 0);
}

CASE(a_store_across_pages_is_one_for_each)
{
	struct kvm_wtrack_record r;
	struct once o;
	unsigned int i;

	init(&o);
	for (i = 0; i < 5; i++) {
		vcpu_call(o.v, g_cross, VM_DATA + PAGE, 0x1122334455667788);
		CHECK(wt_take(o.wt, &r));
		CHECK_EQ(r.gpa, VM_DATA + PAGE - 4);
		CHECK(r.flags & KVM_WTRACK_RECORD_F_ONCE);
		take(o.wt, &r, 1);
		CHECK_EQ(r.gpa, VM_DATA + PAGE);
		CHECK_EQ(r.len, 4);
		check_free(&o, 0);
		check_free(&o, 1);
		wt_rearm(o.wt->fd, VM_DATA_GFN, 2);
	}
}

CASE(a_string_instruction_has_one_record_and_a_long_store_all_parts)
{
	struct kvm_wtrack_record r;
	struct once o;
	unsigned int parts = 0;

	init(&o);
	vcpu_call(o.v, g_stosb, VM_DATA, 0x5a, 1000);
	take(o.wt, &r, 0);
	CHECK_EQ(r.total, 1);
	CHECK_EQ(o.vm->data[999], 0x5a);
	vcpu_load(o.v, g_insb, (uint64_t[6]){ VM_DATA + PAGE, 60 });
	while (vcpu_run(o.v) == KVM_EXIT_IO)
		memset((char *)o.v->run + o.v->run->io.data_offset, 7,
		       o.v->run->io.size * o.v->run->io.count);
	for (; wt_take(o.wt, &r); parts++) {
		CHECK(r.flags & KVM_WTRACK_RECORD_F_ONCE);
		CHECK_EQ(r.gpa / PAGE, VM_DATA_GFN + 1);
	}
	CHECK_EQ(parts, (r.total + KVM_WTRACK_DATA_BYTES - 1) /
			KVM_WTRACK_DATA_BYTES);
	CHECK_EQ(o.vm->data[PAGE + 59], 7);
	CHECK_EQ(state_of(&o, 1), DISARMED);
}

CASE(what_the_guard_lets_pass_is_a_first_store)
{
	struct kvm_wtrack_record r;
	struct once o;
	unsigned int i;

	init(&o);
	for (i = 0; i < 5; i++) {
		vcpu_call(o.v, g_fstp, VM_DATA, 0, 1);
		take(o.wt, &r, 0);
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
		CHECK_EQ(r.guard.action, KVM_WTRACK_GUARD_DISARMED);
		CHECK_EQ(r.guard.cause, KVM_WTRACK_CAUSE_UNEMULATED);
		CHECK_EQ(state_of(&o, 0), DISARMED);
		check_free(&o, 0);
		wt_rearm(o.wt->fd, VM_DATA_GFN, 1);
	}
}

CASE(what_kvm_stores_without_telling_is_a_first_store)
{
	struct kvm_wtrack_record r;
	struct once o;
	unsigned int i;

	init(&o);
	o.v->cr4 &= ~CR4_UMIP;
	for (i = 0; i < 5; i++) {
		vcpu_call(o.v, g_sgdt, VM_DATA);
		take(o.wt, &r, 0);
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
		CHECK_EQ(r.guard.action, KVM_WTRACK_GUARD_CHANGED);
		CHECK(r.flags & KVM_WTRACK_RECORD_F_PAGE);
		check_free(&o, 0);
		wt_rearm(o.wt->fd, VM_DATA_GFN, 1);
	}
}

CASE(a_native_session_is_told_before_the_first_store)
{
	struct kvm_wtrack_record r;
	struct once o;

	init_with(&o, 64, KVM_WTRACK_RING_F_NATIVE);
	store(&o, 0, 1);
	take(o.wt, &r, 0);
	CHECK_EQ(r.guard.cause, KVM_WTRACK_CAUSE_NATIVE);
	CHECK(vcpu_stat(o.v, "insn_emulation") <= HALT);
	check_free(&o, 0);
	wt_rearm(o.wt->fd, VM_DATA_GFN, 1);
	store(&o, 0, 1);
	take(o.wt, &r, 0);
}

CASE(a_session_that_stops_keeps_what_it_was_told_of)
{
	struct kvm_wtrack_record r;
	struct once o;

	init_with(&o, 64, KVM_WTRACK_RING_F_STOP);
	store(&o, 0, 1);
	take_write(&o, 0, 1);
	vcpu_call(o.v, g_fstp, VM_DATA + PAGE, 0, 1);
	CHECK(wt_take(o.wt, &r));
	CHECK_EQ(r.guard.action, KVM_WTRACK_GUARD_STOPPED);
	CHECK(!wt_tracked(o.wt->fd, VM_DATA_GFN + 1));
	CHECK_ERRNO(__wt_rearm_page(o.wt->fd, VM_DATA_GFN + 1), ENOENT);
	CHECK_ERRNO(__wt_rearm_page(o.wt->fd, VM_DATA_GFN), 0);
}

CASE(a_coalescing_session_has_a_record_for_each_arming)
{
	struct once o;
	unsigned int i;

	init_with(&o, 64, KVM_WTRACK_RING_F_COALESCE);
	store(&o, 0, 0);
	take_write(&o, 0, 0);
	check_free(&o, 0);
	for (i = 0; i < 5; i++) {
		wt_rearm(o.wt->fd, VM_DATA_GFN, 1);
		store(&o, 0, 10 + i);
	}
	/* None was read in between. */
	CHECK_EQ(wt_drain(o.wt), 5);
}

/* A budget of one is used up with the only store there is. */
CASE(a_budget_neither_delays_nor_arms_anything)
{
	struct once o;
	unsigned int i;

	o.vm = vm_new(PAGES);
	o.v = vcpu_new(o.vm);
	o.wt = wt_session_budget(o.vm->fd, 64, KVM_WTRACK_RING_F_ONCE, 1, 8);
	wt_add(o.wt->fd, VM_DATA_GFN, PAGES);
	for (i = 0; i < 20; i++) {
		store(&o, 0, i);
		take_write(&o, 0, i);
		check_free(&o, 0);
		wt_rearm(o.wt->fd, VM_DATA_GFN, 1);
	}
}

/* Such a session does not want the next store, so the page may be disarmed. */
CASE(it_does_not_prolong_the_budget_of_another_session)
{
	struct kvm_wtrack_record r;
	struct wt *other;
	struct once o;

	init(&o);
	other = wt_session_budget(o.vm->fd, 64, 0, 1, 1000);
	wt_add(other->fd, VM_DATA_GFN, PAGES);
	store(&o, 0, 1);
	take_write(&o, 0, 1);
	CHECK_EQ(wt_gfn_state(other->fd, VM_DATA_GFN), DISARMED);
	store(&o, 0, 2);
	CHECK(wt_take(other, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
	CHECK(wt_take(other, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
	CHECK_EQ(r.guard.cause, KVM_WTRACK_CAUSE_BUDGET);
	CHECK(!wt_peek(other));
}

CASE(a_full_ring_has_the_page_in_the_resync_set)
{
	struct wt_resync set;
	struct vm *vm = vm_new(200);
	struct once o = { .vm = vm, .v = vcpu_new(vm) };
	unsigned int i;

	o.wt = wt_session(vm->fd, 64, KVM_WTRACK_RING_F_ONCE);
	wt_add(o.wt->fd, VM_DATA_GFN, 200);
	vcpu_call(o.v, g_store8, VM_DATA, 1, 150, PAGE);
	CHECK_EQ(wt_drain(o.wt), 63);
	wt_resync(o.wt->fd, &set);
	CHECK_EQ(wt_resync_pages(&set, KVM_WTRACK_RESYNC_DISARMED), 150 - 62);
	CHECK_EQ(wt_resync_pages(&set, KVM_WTRACK_RESYNC_REREAD), 0);
	for (i = 0; i < 150; i++)
		CHECK_EQ(state_of(&o, i), DISARMED);
	check_free(&o, 100);
	wt_rearm(o.wt->fd, VM_DATA_GFN, 150);
	store(&o, 100, 5);
	take_write(&o, 100, 5);
	store(&o, 170, 6);
	take_write(&o, 170, 6);
}

CASE(only_what_is_tracked_is_armed_again)
{
	struct kvm_wtrack_change c[2] = {
		{ .gfn = VM_DATA_GFN - 100, .nr_pages = 102 },
		{ .gfn = 1ULL << 35, .nr_pages = 1ULL << 38 },
	};
	WT_ARG(rearm, a, .changes = (uintptr_t)c, .nr_changes = 2);
	struct once o;

	init(&o);
	store(&o, 0, 1);
	CHECK_ERRNO(__wt_rearm(o.wt->fd, &a), 0);
	CHECK_EQ(a.out_nr_changes, 2);
	CHECK_EQ(c[0].out_done, 2);
	CHECK_EQ(c[0].out_changed, 1);
	CHECK_EQ(c[0].out_failed, 100);
	CHECK_ERRNO(c[0].out_error, ENOENT);
	CHECK_EQ(c[0].out_error_gfn, VM_DATA_GFN - 100);
	CHECK_EQ(c[1].out_failed, 1ULL << 38);
	CHECK_ERRNO(c[1].out_error, ENOENT);
	CHECK_EQ(wt_query_pages(o.wt->fd), PAGES);
	CHECK_ERRNO(__wt_rearm_page(o.wt->fd, VM_DATA_GFN), 0);
	/* To add it again does the same. */
	store(&o, 0, 2);
	CHECK_ERRNO(__wt_add_page(o.wt->fd, VM_DATA_GFN), 0);
	wt_drain(o.wt);
	store(&o, 0, 3);
	take_write(&o, 0, 3);
	/* What was removed is not tracked. */
	wt_remove(o.wt->fd, VM_DATA_GFN, 1);
	CHECK_ERRNO(__wt_rearm_page(o.wt->fd, VM_DATA_GFN), ENOENT);
	vm_slot(o.vm, VM_SLOT_DATA, VM_DATA, o.vm->data, 0, 0);
	CHECK_ERRNO(__wt_rearm_page(o.wt->fd, VM_DATA_GFN + 1), ENOENT);
}

/* In any session: what the guard has disarmed is armed before its time. */
CASE(a_page_that_the_guard_has_disarmed_is_armed_again)
{
	struct trip t;

	module_set_param("guard_min_ms", 4000);
	module_set_param("guard_max_ms", 4000);
	trip_init_plain(&t, 1);
	trip(&t, 0);
	CHECK_ERRNO(__wt_rearm_page(t.wt->fd, VM_DATA_GFN), 0);
	mirror_step(&t.mirror);
	CHECK_EQ(mirror_disarmed(&t.mirror), 0);
	trip_check_armed(&t, 0);
}

CASE(a_page_that_kvm_stores_to_is_not_armed_meanwhile)
{
	struct slow page;
	struct once o;

	init(&o);
	store(&o, 0, 1);
	take_write(&o, 0, 1);
	slow_take(&page, o.vm->data);
	vcpu_start(o.v, g_store8, VM_DATA, 2, 1, 8);
	slow_wait(&page);
	/* Where KVM is told a virtual address, it makes no mistake. */
	CHECK_ERRNO(__wt_rearm_page_nowait(o.wt->fd, VM_DATA_GFN),
		    paging_is_nested() ? EAGAIN : 0);
	slow_give(&page);
	vcpu_join(o.v);
	CHECK_ERRNO(__wt_rearm_page(o.wt->fd, VM_DATA_GFN), 0);
	wt_drain(o.wt);
	CHECK_EQ(*(uint64_t *)o.vm->data, 2);
	CHECK_ERRNO(__wt_rearm_page(o.wt->fd, VM_DATA_GFN), 0);
	store(&o, 0, 3);
	take_write(&o, 0, 3);
}

/*
 * Two vCPUs store to all pages, now and then as KVM cannot; the reader arms what
 * was touched, and reads it. In the end its copy is the memory.
 */
static void race(uint32_t records, uint32_t flags)
{
	const uint64_t enough = 300;
	struct vm *vm = vm_new(PAGES);
	struct vcpu *a = vcpu_new(vm), *b = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, records,
				   flags | KVM_WTRACK_RING_F_ONCE);
	struct wt *all = wt_session(vm->fd, 4096, KVM_WTRACK_RING_F_COALESCE);
	uint64_t armed = 0;
	struct mirror m;

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	wt_add(all->fd, VM_DATA_GFN, 3);
	mirror_init(&m, wt, vm->data, PAGES);
	m.once = true;
	vcpu_start(a, g_random_fstp, VM_DATA, PAGES, 4711, 0);
	vcpu_start(b, g_random, VM_DATA, PAGES, 4712, 0, LANE_ODD);
	while (armed < enough) {
		mirror_step(&m);
		armed += mirror_arm_touched(&m);
		wt_drain(all);
	}
	vcpu_stop(a);
	vcpu_stop(b);
	mirror_finish(&m);
	tap_note("%llu writes, %llu armings, %llu overflows",
		 (unsigned long long)m.writes, (unsigned long long)armed,
		 (unsigned long long)m.resyncs);
	mirror_exit(&m);
}

CASE_WITHIN(two_vcpus_and_a_reader_that_arms_again, 120)
{
	race(4096, 0);
}

CASE_WITHIN(two_vcpus_and_a_reader_that_coalesces, 120)
{
	race(64, KVM_WTRACK_RING_F_COALESCE);
}

CASE_WITHIN(two_vcpus_and_a_ring_that_is_too_small, 120)
{
	struct vm *vm = vm_new(100);
	struct vcpu *a = vcpu_new(vm), *b = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, KVM_WTRACK_RING_F_ONCE);
	struct mirror m;

	wt_add(wt->fd, VM_DATA_GFN, 100);
	mirror_init(&m, wt, vm->data, 100);
	m.once = true;
	vcpu_start(a, g_random_fstp, VM_DATA, 100, 4711, 0);
	vcpu_start(b, g_random, VM_DATA, 100, 4712, 0, LANE_ODD);
	/* Nobody reads before the ring is full. */
	while (m.resyncs < 20) {
		CHECK_SOON(wt_has_overflowed(wt->fd));
		mirror_step(&m);
		mirror_arm_touched(&m);
	}
	vcpu_stop(a);
	vcpu_stop(b);
	mirror_finish(&m);
}

/* Nothing of the session is left when it ends with pages touched and not. */
CASE(the_end_of_a_session_leaves_nothing)
{
	unsigned int i, page;
	struct wt *wt;
	struct once o;

	o.vm = vm_new(PAGES);
	o.v = vcpu_new(o.vm);
	for (i = 0; i < 30; i++) {
		o.wt = wt = wt_session(o.vm->fd, 64, KVM_WTRACK_RING_F_ONCE);
		wt_add(wt->fd, VM_DATA_GFN, PAGES);
		for (page = 0; page < PAGES; page += 2)
			store(&o, page, i);
		if (i % 2)
			vm_slot(o.vm, VM_SLOT_DATA, VM_DATA, o.vm->data, 0, 0);
		wt_close(wt);
		if (i % 2)
			vm_slot(o.vm, VM_SLOT_DATA, VM_DATA, o.vm->data,
				PAGES * PAGE, 0);
		o.wt = wt_session(o.vm->fd, 64, 0);
		CHECK_EQ(wt_users(o.wt->fd, VM_DATA_GFN), 0);
		for (page = 0; page < PAGES; page++)
			check_free(&o, page);
		wt_close(o.wt);
	}
}
