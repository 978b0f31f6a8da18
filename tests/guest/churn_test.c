// SPDX-License-Identifier: GPL-2.0-or-later
/* Everything at once: vCPUs at full rate while all else changes under them. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "guest.h"
#include "mirror.h"
#include "tap.h"

enum { PAGES = 64 };

/* Who wants to write it waits for each vCPU to leave the guest. */
static pthread_rwlock_t guest_runs =
	PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

/* Shared by the threads of a case. */
struct churn {
	struct vm *vm;
	int fd;
	int stop;
	uint64_t rounds;
};

static bool running(struct churn *c)
{
	return !__atomic_load_n(&c->stop, __ATOMIC_RELAXED);
}

/* Adds and removes random ranges of one session. */
static void *change_ranges(void *arg)
{
	struct churn *c = arg;
	unsigned int seed = 1;

	for (; running(c); c->rounds++) {
		struct kvm_wtrack_change ch = { .nr_pages = 1 };
		WT_ARG(add, a, .changes = (uintptr_t)&ch, .nr_changes = 1);
		WT_ARG(remove, r, .changes = (uintptr_t)&ch, .nr_changes = 1);

		seed = seed * 1103515245 + 12345;
		ch.gfn = VM_DATA_GFN + (seed >> 16) % PAGES;
		ch.nr_pages = 1 + (seed >> 24) % 8;
		if (c->rounds % 3 == 0)
			r.flags = KVM_WTRACK_REMOVE_F_FENCE;
		CHECK_ERRNO(c->rounds % 2 ? __wt_remove(c->fd, &r) :
			    __wt_add(c->fd, &a), 0);
	}
	return NULL;
}

/* Opens sessions, uses them a little, closes them. */
static void *change_sessions(void *arg)
{
	struct churn *c = arg;
	struct wt *wt;

	for (; running(c); c->rounds++) {
		wt = wt_session(c->vm->fd, 64, c->rounds % 2);
		wt_add(wt->fd, VM_DATA_GFN, PAGES);
		wt_drain(wt);
		if (c->rounds % 3 == 0)
			wt_remove(wt->fd, VM_DATA_GFN, PAGES / 2);
		wt_close(wt);
	}
	return NULL;
}

/*
 * The slot next to the tracked one comes and goes, and is tracked by all. It
 * comes while no guest runs: when one stores to it at that moment, KVM 7.3 says
 * WARNING, with or without us.
 */
static void *change_slots(void *arg)
{
	struct churn *c = arg;
	const uint64_t gpa = VM_DATA + PAGES * PAGE;
	void *mem = mem_shared(PAGES * PAGE);

	for (; running(c); c->rounds++) {
		CHECK(!pthread_rwlock_wrlock(&guest_runs));
		vm_slot(c->vm, VM_SLOT_EXTRA, gpa, mem, PAGES * PAGE, 0);
		CHECK(!pthread_rwlock_unlock(&guest_runs));
		__wt_add_page(c->fd, gpa / PAGE);
		__wt_add_page(c->fd, gpa / PAGE + 5);
		vm_slot(c->vm, VM_SLOT_EXTRA, gpa, mem, PAGES * PAGE,
			KVM_MEM_LOG_DIRTY_PAGES);
		vm_slot(c->vm, VM_SLOT_EXTRA, gpa, mem, 0, 0);
	}
	return NULL;
}

static bool has_done(const struct churn *c, uint64_t rounds)
{
	return __atomic_load_n(&c->rounds, __ATOMIC_RELAXED) >= rounds;
}

/*
 * A reader with a true copy of PAGES pages in the end, two vCPUs that store
 * to span pages, and a thread that disturbs, for so many rounds.
 */
static void run_churn(void *(*disturb)(void *), uint64_t span, uint64_t rounds)
{
	struct churn c = { .vm = vm_new(PAGES) };
	struct vcpu *a = vcpu_new(c.vm), *b = vcpu_new(c.vm);
	struct wt *wt = wt_session(c.vm->fd, 4096, 0);
	struct wt *other = wt_session(c.vm->fd, 64, 0);
	pthread_t thread;
	struct mirror m;

	c.fd = other->fd;
	a->ignore_mmio = b->ignore_mmio = true;
	a->runs = b->runs = &guest_runs;
	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	mirror_init(&m, wt, c.vm->data, PAGES);
	vcpu_start(a, g_random, VM_DATA, span, 1, 0, LANE_EVEN);
	vcpu_start(b, g_random, VM_DATA, span, 2, 0, LANE_ODD);
	CHECK(!pthread_create(&thread, NULL, disturb, &c));
	while (m.writes <= 1000 || !has_done(&c, rounds)) {
		mirror_step(&m);
		wt_drain(other);
	}
	c.stop = 1;
	CHECK(!pthread_join(thread, NULL));
	vcpu_stop(a);
	vcpu_stop(b);
	mirror_finish(&m);
	CHECK_EQ(wt_query_pages(wt->fd), PAGES);
	tap_note("%llu records, %llu overflows, %llu changes",
		 (unsigned long long)m.writes, (unsigned long long)m.resyncs,
		 (unsigned long long)c.rounds);
}

CASE_WITHIN(ranges_of_another_session_come_and_go, 60)
{
	run_churn(change_ranges, PAGES, 400);
}

CASE_WITHIN(sessions_come_and_go, 60)
{
	run_churn(change_sessions, PAGES, 50);
}

CASE_WITHIN(memory_next_door_comes_and_goes, 60)
{
	run_churn(change_slots, 2 * PAGES, 50);
}

/* All of it at once, the first session of the VM being one of them. */
CASE_WITHIN(everything_comes_and_goes_at_once, 60)
{
	struct churn c[3] = { 0 };
	void *(*fn[3])(void *) = {
		change_ranges, change_sessions, change_slots,
	};
	struct vm *vm = vm_new(PAGES);
	struct vcpu *a = vcpu_new(vm), *b = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	pthread_t thread[3];
	unsigned int i;

	a->ignore_mmio = b->ignore_mmio = true;
	a->runs = b->runs = &guest_runs;
	vcpu_start(a, g_random, VM_DATA, 2 * PAGES, 1, 0, LANE_EVEN);
	vcpu_start(b, g_random, VM_DATA, 2 * PAGES, 2, 0, LANE_SHARED);
	for (i = 0; i < 3; i++) {
		c[i].vm = vm;
		c[i].fd = wt->fd;
		CHECK(!pthread_create(&thread[i], NULL, fn[i], &c[i]));
	}
	while (!has_done(&c[0], 100) || !has_done(&c[1], 25) ||
	       !has_done(&c[2], 25)) {
		sleep_ms(20);
		wt_drain(wt);
	}
	for (i = 0; i < 3; i++) {
		c[i].stop = 1;
		CHECK(!pthread_join(thread[i], NULL));
	}
	vcpu_stop(a);
	vcpu_stop(b);
}

/* The first session arms a page, the last one disarms it, under fire. */
CASE_WITHIN(a_page_is_armed_and_disarmed_under_fire, 60)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 4096, 0);
	struct mirror m;
	unsigned int i;

	vcpu_start(v, g_count_forever, VM_DATA, 1);
	for (i = 0; i < 200; i++) {
		wt_add(wt->fd, VM_DATA_GFN, 1);
		mirror_init(&m, wt, vm->data, 1);
		while (m.writes < 5)
			mirror_step(&m);
		wt_remove_fence(wt->fd, VM_DATA_GFN, 1);
		wt_drain(wt);
		free(m.copy);
	}
	vcpu_stop(v);
}
