// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What others see of a store while it is made: a part of one that KVM emulates,
 * but all or nothing with RING_F_NATIVE; and what such a session is told.
 */
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "mirror.h"
#include "module.h"
#include "tap.h"
#include "trip.h"

enum { AT = 64, PERIOD_MS = 24, NR_PERIODS = 25, LOOKS = 2000 };

#define FLIP(name, reg, other, a, b)					\
	GUEST_CODE(name, "mov $" #a ", %rax\n mov $" #b ", %rdx\n"	\
		   "1: mov %" #reg ", (%rdi)\n"			\
		   "mov %" #other ", (%rdi)\n jmp 1b\n hlt")
FLIP(g_flip2, ax, dx, 0x00ff, 0x0100);
FLIP(g_flip4, eax, edx, 0x00ffffff, 0x01000000);
FLIP(g_flip8, rax, rdx, 0x00000000ffffffff, 0x0000000100000000);

/* Two values in turn, which differ in all bytes of a store or nearly so. */
struct flip {
	struct guest_code code;
	unsigned int bytes;
	uint64_t a, b;
};

#define FLIPS_2 { g_flip2, 2, 0x00ff, 0x0100 }
#define FLIPS_4 { g_flip4, 4, 0x00ffffff, 0x01000000 }
#define FLIPS_8 { g_flip8, 8, 0x00000000ffffffff, 0x0000000100000000 }

static uint64_t look(const unsigned char *at, unsigned int bytes)
{
	switch (bytes) {
	case 2:
		return __atomic_load_n((const uint16_t *)at, __ATOMIC_RELAXED);
	case 4:
		return __atomic_load_n((const uint32_t *)at, __ATOMIC_RELAXED);
	default:
		return __atomic_load_n((const uint64_t *)at, __ATOMIC_RELAXED);
	}
}

/* Of so many looks, how many saw neither of the values. */
static uint64_t count_torn(struct vm *vm, const struct flip *f, uint64_t looks)
{
	uint64_t got, torn = 0;

	while (looks--) {
		got = look(vm->data + AT, f->bytes);
		torn += got != f->a && got != f->b;
	}
	return torn;
}

/* A page whose stores flip, from the first one on. */
static struct vcpu *start(struct vm *vm, const struct flip *f)
{
	struct vcpu *v = vcpu_new(vm);

	memcpy(vm->data + AT, &f->a, f->bytes);
	vcpu_start(v, f->code, VM_DATA + AT);
	return v;
}

/*
 * With one processor, who looks would have to interrupt the copying. With two that
 * take turns, a turn has to end in the middle of it.
 */
static void tears(const struct flip *f)
{
	struct vm *vm = vm_new(1);
	struct wt *wt = wt_session(vm->fd, 64, KVM_WTRACK_RING_F_COALESCE);
	struct vcpu *v;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		tap_note("one processor sees its own stores only");
		return;
	}
	wt_add(wt->fd, VM_DATA_GFN, 1);
	v = start(vm, f);
	while (!count_torn(vm, f, LOOKS))
		;
	vcpu_stop(v);
}

CASE_WITHIN(others_see_a_part_of_an_emulated_store_of_2_bytes, 120)
{
	tears(&(struct flip)FLIPS_2);
}

CASE_WITHIN(others_see_a_part_of_an_emulated_store_of_4_bytes, 120)
{
	tears(&(struct flip)FLIPS_4);
}

/* The processors here have no FSRM. */
CASE_WITHIN(an_emulated_store_of_8_bytes_is_one, 120)
{
	const struct flip f = FLIPS_8;
	struct vm *vm = vm_new(1);
	struct wt *wt = wt_session(vm->fd, 64, KVM_WTRACK_RING_F_COALESCE);
	struct kvm_wtrack_status s;
	struct vcpu *v;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	v = start(vm, &f);
	do {
		CHECK_EQ(count_torn(vm, &f, LOOKS), 0);
		wt_status(wt->fd, &s);
	} while (s.out_merged < 20000);
	vcpu_stop(v);
}

static uint64_t natives(struct mirror *m)
{
	return m->guard[KVM_WTRACK_GUARD_DISARMED][KVM_WTRACK_CAUSE_NATIVE];
}

static void is_whole(const struct flip *f)
{
	struct vm *vm = vm_new(1);
	struct wt *wt = wt_session_budget(vm->fd, 64, KVM_WTRACK_RING_F_NATIVE,
					  1, PERIOD_MS);
	struct mirror m;
	struct vcpu *v;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	memcpy(vm->data + AT, &f->a, f->bytes);
	mirror_init(&m, wt, vm->data, 1);
	v = start(vm, f);
	while (natives(&m) < NR_PERIODS) {
		CHECK_EQ(count_torn(vm, f, LOOKS), 0);
		mirror_step(&m);
	}
	vcpu_stop(v);
	mirror_finish(&m);
	CHECK_EQ(m.writes, 0);
	CHECK(mirror_guard(&m, KVM_WTRACK_GUARD_REARMED) >= NR_PERIODS - 1);
}

CASE_WITHIN(a_native_store_of_2_bytes_is_one, 120)
{
	is_whole(&(struct flip)FLIPS_2);
}

CASE_WITHIN(a_native_store_of_4_bytes_is_one, 120)
{
	is_whole(&(struct flip)FLIPS_4);
}

static struct wt *native(struct vm *vm, uint32_t more)
{
	return wt_session(vm->fd, 64, KVM_WTRACK_RING_F_NATIVE | more);
}

static void expect_guard(struct wt *wt, uint32_t action, uint64_t gpa)
{
	struct kvm_wtrack_record r;

	CHECK(wt_take(wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_GUARD);
	CHECK_EQ(r.guard.action, action);
	CHECK_EQ(r.guard.cause, KVM_WTRACK_CAUSE_NATIVE);
	CHECK_EQ(r.gpa, gpa);
	CHECK_EQ(r.flags, KVM_WTRACK_RECORD_F_VCPU | KVM_WTRACK_RECORD_F_RIP);
}

CASE(a_store_is_told_before_it_is_made_and_the_page_comes_back)
{
	struct vm *vm = vm_new(2);
	struct wt *wt = native(vm, 0);
	struct vcpu *v = vcpu_new(vm);
	struct mirror m;

	wt_add(wt->fd, VM_DATA_GFN, 2);
	mirror_init(&m, wt, vm->data, 2);
	vcpu_call(v, g_store8, VM_DATA + AT, 7, 10, 8);
	expect_guard(wt, KVM_WTRACK_GUARD_DISARMED, VM_DATA + AT);
	CHECK(!wt_peek(wt));
	m.page[0] = MIRROR_DISARMED;
	mirror_rearmed(&m);
	CHECK_EQ(mirror_differs(&m), 2 * PAGE);
	CHECK_EQ(m.writes, 0);
	vcpu_call(v, g_store8, VM_DATA + PAGE, 7, 10, 8);
	expect_guard(wt, KVM_WTRACK_GUARD_DISARMED, VM_DATA + PAGE);
}

CASE(with_stop_the_first_store_is_all_that_is_told)
{
	struct vm *vm = vm_new(1);
	struct wt *wt = native(vm, KVM_WTRACK_RING_F_STOP);
	struct vcpu *v = vcpu_new(vm);

	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_call(v, g_store8, VM_DATA + AT, 7, 10, 8);
	expect_guard(wt, KVM_WTRACK_GUARD_STOPPED, VM_DATA + AT);
	CHECK_SOON(!wt_tracked(wt->fd, VM_DATA_GFN));
	CHECK(!wt_peek(wt));
}

CASE(it_holds_for_others_as_long_as_the_session_tracks_the_page)
{
	struct vm *vm = vm_new(1);
	struct wt *other = wt_session(vm->fd, 64, 0), *wt = native(vm, 0);
	struct vcpu *v = vcpu_new(vm);
	struct kvm_wtrack_record r;

	wt_add(other->fd, VM_DATA_GFN, 1);
	vcpu_call(v, g_store8, VM_DATA + AT, 1, 1, 8);
	CHECK(wt_take(other, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_call(v, g_store8, VM_DATA + AT, 2, 1, 8);
	expect_guard(other, KVM_WTRACK_GUARD_DISARMED, VM_DATA + AT);
	expect_guard(wt, KVM_WTRACK_GUARD_DISARMED, VM_DATA + AT);
	wt_close(wt);
	CHECK_SOON(wt_peek(other));
	CHECK(wt_take(other, &r));
	CHECK_EQ(r.guard.action, KVM_WTRACK_GUARD_REARMED);
	vcpu_call(v, g_store8, VM_DATA + AT, 3, 1, 8);
	CHECK(wt_take(other, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
}

/* One that was told once tracks the page as well, and its period counts. */
CASE(so_it_does_when_the_session_is_told_of_the_first_store_only)
{
	enum { LONG_MS = 200 };
	struct vm *vm = vm_new(1);
	struct wt *other = wt_session(vm->fd, 64, 0), *wt;
	struct vcpu *v = vcpu_new(vm);
	struct kvm_wtrack_record disarmed, rearmed;

	wt = wt_session_budget(vm->fd, 64, KVM_WTRACK_RING_F_NATIVE |
			       KVM_WTRACK_RING_F_ONCE, 1, LONG_MS);
	wt_add(other->fd, VM_DATA_GFN, 1);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_call(v, g_store8, VM_DATA + AT, 1, 1, 8);
	CHECK(wt_take(other, &disarmed));
	CHECK_EQ(disarmed.guard.action, KVM_WTRACK_GUARD_DISARMED);
	CHECK_EQ(disarmed.guard.cause, KVM_WTRACK_CAUSE_NATIVE);
	CHECK_SOON(wt_peek(other));
	CHECK(wt_take(other, &rearmed));
	CHECK_EQ(rearmed.guard.action, KVM_WTRACK_GUARD_REARMED);
	CHECK(rearmed.time_ns - disarmed.time_ns >= LONG_MS * 1000000ULL);
}
