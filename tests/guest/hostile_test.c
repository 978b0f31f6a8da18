// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The consumer page is the reader's to write. Nonsense in it harms nobody but
 * him: not the host, not the guest, not another session.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"
#include "mirror.h"
#include "tap.h"

enum { RECORDS = 64, PAGES = 8 };

/* Positions relative to the number of records that were published. */
static const int64_t offsets[] = {
	1, 2, RECORDS, RECORDS + 1, 1 << 20, 1LL << 32, 1LL << 62, INT64_MAX,
	-RECORDS - 1, -RECORDS - 2, -(1 << 20), INT64_MIN, INT64_MIN + 1,
};

enum { NR_OFFSETS = ARRAY_SIZE(offsets) };

static void set_pos(struct wt *wt, uint64_t pos)
{
	__atomic_store_n(&wt->consumer->pos, pos, __ATOMIC_RELEASE);
}

static uint64_t published(struct wt *wt)
{
	struct kvm_wtrack_status s;

	wt_status(wt->fd, &s);
	return s.out_events;
}

CASE(read_with_a_position_outside_of_the_ring_is_eio)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, RECORDS, 0);
	struct kvm_wtrack_record r[RECORDS];
	unsigned int i;

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	vcpu_call(v, g_store8, VM_DATA, 0, 30, 8);
	for (i = 0; i < NR_OFFSETS; i++) {
		tap_trying("offset %lld", (long long)offsets[i]);
		set_pos(wt, 30 + offsets[i]);
		CHECK(read(wt->fd, r, sizeof(r)) < 0);
		CHECK_ERRNO(errno, EIO);
		CHECK_EQ(wt->consumer->pos, 30 + offsets[i]);
	}
	set_pos(wt, 10);
	CHECK_EQ(read(wt->fd, r, sizeof(r)), 20 * sizeof(r[0]));
	CHECK_EQ(r[0].seq, 11);
	CHECK_EQ(wt->consumer->pos, 30);
}

CASE(a_guest_stores_on_whatever_the_position_says)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, RECORDS, 0);
	struct wt *other = wt_session(vm->fd, 65536, 0);
	struct mirror m;
	unsigned int i;

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	wt_add(other->fd, VM_DATA_GFN, PAGES);
	mirror_init(&m, other, vm->data, PAGES);
	for (i = 0; i < NR_OFFSETS; i++) {
		tap_trying("offset %lld", (long long)offsets[i]);
		set_pos(wt, published(wt) + offsets[i]);
		vcpu_call(v, g_store8, VM_DATA, i, 3 * RECORDS, 8);
	}
	mirror_finish(&m);
	CHECK_EQ(m.writes, NR_OFFSETS * 3 * RECORDS);
}

CASE(a_reader_that_returns_to_the_truth_goes_on_with_a_resync)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, RECORDS, 0);
	struct wt_resync set;
	struct mirror m;

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	mirror_init(&m, wt, vm->data, PAGES);
	set_pos(wt, 1000);
	vcpu_call(v, g_store8, VM_DATA, 5, 200, 64);
	/* The position did not fit: the ring was full, so it is closed. */
	wt->next = published(wt);
	wt_release(wt);
	m.resyncs = 1;
	wt_resync(wt->fd, &set);
	memcpy(m.copy, m.truth, PAGES * PAGE);
	vcpu_call(v, g_store8, VM_DATA, 500, 40, 64);
	mirror_finish(&m);
	CHECK_EQ(m.writes, 40);
}

struct liar {
	struct wt *wt;
	int stop;
};

static void *lie(void *arg)
{
	struct liar *l = arg;
	unsigned int seed = 1;

	while (!__atomic_load_n(&l->stop, __ATOMIC_RELAXED)) {
		uint64_t pos = published(l->wt);

		seed = seed * 1103515245 + 12345;
		if (seed >> 30)
			pos += offsets[(seed >> 16) % NR_OFFSETS];
		else
			pos = (uint64_t)random() << 33 ^ random();
		set_pos(l->wt, pos);
	}
	return NULL;
}

/* Reads, polls and fetches whatever comes; no result is right or wrong. */
static void use_anyhow(struct wt *wt)
{
	struct kvm_wtrack_resync_range range[4];
	WT_ARG(resync, resync, .ranges = (uintptr_t)range, .nr_ranges = 4);
	WT_ARG(fence, fence);
	struct kvm_wtrack_record r[8];
	ssize_t n = read(wt->fd, r, sizeof(r));

	CHECK(n % (ssize_t)sizeof(r[0]) == 0 || n < 0);
	if (__wt_resync(wt->fd, &resync))
		CHECK(resync.size == sizeof(resync));
	CHECK_ERRNO(__wt_fence(wt->fd, &fence), 0);
}

static void run_liar(uint32_t flags)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm), *w = vcpu_new(vm);
	struct liar l = { .wt = wt_session(vm->fd, RECORDS, flags) };
	struct wt *other = wt_session(vm->fd, 4096, 0);
	uint64_t end = clock_ns() + 3000000000ULL;
	pthread_t thread;
	struct mirror m;

	wt_add(l.wt->fd, VM_DATA_GFN, PAGES);
	wt_add(other->fd, VM_DATA_GFN, PAGES);
	mirror_init(&m, other, vm->data, PAGES);
	CHECK_SYS(!fcntl(l.wt->fd, F_SETFL, O_NONBLOCK));
	vcpu_start(v, g_random, VM_DATA, PAGES, 11, 0, LANE_EVEN);
	vcpu_start(w, g_random, VM_DATA, PAGES, 12, 0, LANE_ODD);
	CHECK(!pthread_create(&thread, NULL, lie, &l));
	while (clock_ns() < end || m.writes <= 1000) {
		use_anyhow(l.wt);
		mirror_step(&m);
	}
	l.stop = 1;
	CHECK(!pthread_join(thread, NULL));
	vcpu_stop(v);
	vcpu_stop(w);
	mirror_finish(&m);
}

CASE_WITHIN(a_position_that_changes_all_the_time_harms_no_other_session, 60)
{
	run_liar(0);
}

CASE_WITHIN(nor_does_it_in_a_coalescing_session, 60)
{
	run_liar(KVM_WTRACK_RING_F_COALESCE);
}
