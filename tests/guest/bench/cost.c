// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a vCPU pays for one tracked store of 8 bytes. Where a nanosecond of the
 * clock is an instruction, as under QEMU's -icount shift=0, the figures are
 * instructions of the host and repeatable. Each comes as a line
 *
 *	# cost NAME VALUE
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../kmod/kwt_floor.h"
#include "guest.h"
#include "module.h"
#include "tap.h"
#include "vm_internal.h"
#include "wt.h"

enum { STORES = 2000, ROUNDS = 15, WARM_UP = 3, RECORDS = 4096 };

GUEST_CODE(g_empty,
	"1: inc %rsi\n"
	"add %rcx, %rdi\n"
	"dec %rdx\n"
	"jnz 1b\n"
	"hlt");

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * The code of today's guests lies above 4 GiB, where the guard need not ask
 * whether it is 64-bit code.
 */
static void move_code_up(struct vcpu *v)
{
	uint64_t *table = (uint64_t *)(v->vm->low + LOW_PD_HIGH);
	struct kvm_regs r;

	table[0] = 0 | PTE_LARGE;
	CHECK_SYS(!ioctl(v->fd, KVM_GET_REGS, &r));
	r.rip += VM_HIGH;
	CHECK_SYS(!ioctl(v->fd, KVM_SET_REGS, &r));
}

/* One KVM_RUN with the loop in it; readers drain their rings between runs. */
static uint64_t run_once(struct vcpu *v, struct guest_code code, struct wt **wt)
{
	const uint64_t args[6] = { VM_DATA + 64, 1, STORES, 0 };
	uint64_t began, ended;

	vcpu_load(v, code, args);
	move_code_up(v);
	began = clock_ns();
	CHECK_EQ(vcpu_run(v), KVM_EXIT_HLT);
	ended = clock_ns();
	for (; wt && *wt; wt++)
		wt_drain(*wt);
	return ended - began;
}

static uint64_t median(struct vcpu *v, struct guest_code code, struct wt **wt)
{
	uint64_t ns[ROUNDS];
	unsigned int i;

	for (i = 0; i < WARM_UP; i++)
		run_once(v, code, wt);
	for (i = 0; i < ROUNDS; i++)
		ns[i] = run_once(v, code, wt);
	qsort(ns, ROUNDS, sizeof(ns[0]), compare);
	return ns[ROUNDS / 2];
}

static uint64_t measure(const char *name, struct vcpu *v, struct wt **wt)
{
	uint64_t loop = median(v, g_empty, wt);
	uint64_t ns = median(v, g_store8, wt);
	uint64_t cost = (ns - loop + STORES / 2) / STORES;

	CHECK(ns > loop);
	tap_note("cost %s %llu", name, (unsigned long long)cost);
	return cost;
}

static int floor_page(struct vm *vm, unsigned long cmd, uint64_t gfn)
{
	struct kwt_floor_page page = { .vm_fd = vm->fd, .gfn = gfn };
	int fd = open(KWT_FLOOR_DEVICE, O_RDWR | O_CLOEXEC);

	CHECK_SYS(fd >= 0);
	CHECK_SYS(!ioctl(fd, cmd, &page));
	return fd;
}

__attribute__((constructor)) static void load_floor(void)
{
	if (module_load("kwt_floor", "")) {
		perror("kwt_floor");
		exit(1);
	}
}

/* Of the first process only: those of the cases leave by _exit(2). */
__attribute__((destructor)) static void unload_floor(void)
{
	module_unload("kwt_floor");
}

CASE_WITHIN(a_store_to_a_page_nobody_tracks_costs_next_to_nothing, 60)
{
	struct vcpu *v = vcpu_new(vm_new(1));

	CHECK(measure("native", v, NULL) < 100);
}

CASE_WITHIN(the_floor_is_an_empty_notifier, 60)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);

	floor_page(vm, KWT_FLOOR_NOTIFY, VM_DATA_GFN);
	CHECK(measure("floor", v, NULL) > 500);
}

static void with_sessions(const char *name, unsigned int nr, uint32_t flags)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt[3] = { NULL };
	struct kvm_wtrack_status s;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		wt[i] = wt_session(vm->fd, RECORDS, flags);
		wt_add(wt[i]->fd, VM_DATA_GFN, 1);
	}
	measure(name, v, wt);
	for (i = 0; i < nr; i++) {
		wt_status(wt[i]->fd, &s);
		CHECK_EQ(s.out_events + s.out_merged,
			 STORES * (ROUNDS + WARM_UP));
		CHECK_EQ(s.out_overflows, 0);
	}
}

CASE_WITHIN(one_session_gets_each_store, 60)
{
	with_sessions("one_session", 1, 0);
}

CASE_WITHIN(two_sessions_get_each_store, 60)
{
	with_sessions("two_sessions", 2, 0);
}

CASE_WITHIN(a_coalescing_session_merges_stores, 60)
{
	with_sessions("coalescing", 1, KVM_WTRACK_RING_F_COALESCE);
}

/* KVM reports the store, as it does all that it emulates; it is not for us. */
static void untracked(const char *name, uint64_t tracked_gfn)
{
	struct vm *vm = vm_new(4096);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt[2] = { wt_session(vm->fd, RECORDS, 0) };
	struct kvm_wtrack_status s;

	wt_add(wt[0]->fd, tracked_gfn, 1);
	floor_page(vm, KWT_FLOOR_ARM, VM_DATA_GFN);
	CHECK(measure(name, v, wt) > 500);
	wt_status(wt[0]->fd, &s);
	CHECK_EQ(s.out_events, 0);
}

CASE_WITHIN(a_store_next_to_a_tracked_page_is_looked_up_only, 60)
{
	untracked("untracked_near", VM_DATA_GFN + 1);
}

CASE_WITHIN(a_store_far_from_all_that_is_tracked_is_looked_up_only, 60)
{
	untracked("untracked_far", VM_DATA_GFN + 4095);
}

enum { TRIP_ROUNDS = 15, TRIP_RECORDS = 64 };

static uint64_t fstp_ns(struct vcpu *v)
{
	uint64_t began;

	vcpu_load(v, g_fstp, (const uint64_t[6]){ VM_DATA, 0, 1 });
	move_code_up(v);
	began = clock_ns();
	CHECK_EQ(vcpu_run(v), KVM_EXIT_HLT);
	return clock_ns() - began;
}

static uint64_t median_of(uint64_t *ns, unsigned int nr)
{
	qsort(ns, nr, sizeof(*ns), compare);
	return ns[nr / 2];
}

/*
 * All that the store costs more than on a page that is mapped: the fault, the guard,
 * which tells every session with arm_lock held, and KVM's mapping of the page.
 */
static void trip(const char *name, unsigned int nr)
{
	uint64_t armed[TRIP_ROUNDS], mapped[TRIP_ROUNDS];
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct kvm_wtrack_status s;
	struct wt *wt[64];
	unsigned int i, j;

	for (j = 0; j < nr; j++)
		wt[j] = wt_session(vm->fd, TRIP_RECORDS, 0);
	for (i = 0; i < TRIP_ROUNDS; i++) {
		for (j = 0; j < nr; j++)
			wt_add(wt[j]->fd, VM_DATA_GFN, 1);
		armed[i] = fstp_ns(v);
		for (j = 0; j < nr; j++) {
			wt_remove(wt[j]->fd, VM_DATA_GFN, 1);
			wt_status(wt[j]->fd, &s);
			CHECK_EQ(s.out_disarms, i + 1);
			wt_drain(wt[j]);
		}
		mapped[i] = fstp_ns(v);
	}
	tap_note("cost %s %llu", name, (unsigned long long)
		 (median_of(armed, TRIP_ROUNDS) - median_of(mapped, TRIP_ROUNDS)));
}

CASE_WITHIN(a_store_that_disarms_for_one_session, 60)
{
	trip("disarm_one", 1);
}

CASE_WITHIN(a_store_that_disarms_for_64_sessions, 60)
{
	trip("disarm_64", 64);
}
