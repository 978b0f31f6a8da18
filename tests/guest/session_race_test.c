// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A session that several hold: one attaches and uses it, an administrator ends it,
 * others narrow it, look at it, and close what they hold. A vCPU waits for its
 * reader meanwhile.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "genl.h"
#include "guest.h"
#include "sync.h"
#include "tap.h"

enum { PAGES = 4, ROUNDS = 12, VCPUS = 2, HOLDERS = 4 };

static const uint32_t flags[] = {
	KVM_WTRACK_RING_F_SYNC,
	KVM_WTRACK_RING_F_SYNC | KVM_WTRACK_RING_F_ONCE,
	KVM_WTRACK_RING_F_SYNC | KVM_WTRACK_RING_F_STOP,
	KVM_WTRACK_RING_F_SYNC | KVM_WTRACK_RING_F_STICKY,
	KVM_WTRACK_RING_F_COALESCE,
	KVM_WTRACK_RING_F_NATIVE,
};

struct shared {
	struct vm *vm;
	uint64_t id;
	unsigned int round;
	pthread_barrier_t start;
};

struct holder {
	struct shared *shared;
	void (*work)(struct shared *shared, int fd);
	int fd;
};

/* Each of these is refused as soon as the session was ended, or is not ready. */
static void use(struct shared *shared, int fd)
{
	const uint32_t f = flags[shared->round % ARRAY_SIZE(flags)];
	struct kvm_wtrack_change c = {
		.gfn = VM_DATA_GFN, .nr_pages = PAGES,
	};
	WT_ARG(attach, attach, .vm_fd = shared->vm->fd);
	WT_ARG(ring, ring, .records = 64, .flags = f,
	       .sync_us = f & KVM_WTRACK_RING_F_SYNC ? SYNC_US / 10 : 0);
	WT_ARG(add, add, .changes = (uintptr_t)&c, .nr_changes = 1);
	struct kvm_wtrack_record r[8];
	unsigned int i;

	if (__wt_attach(fd, &attach) || __wt_ring(fd, &ring) ||
	    __wt_add(fd, &add))
		return;
	for (i = 0; i < shared->round % 8; i++)
		if (read(fd, r, sizeof(r)) <= 0)
			return;
}

static void end(struct shared *shared, int fd)
{
	(void)fd;
	usleep(shared->round * 250);
	genl_end_session(shared->id);
}

static void narrow(struct shared *shared, int fd)
{
	WT_ARG(restrict, narrow, .max_sync_us = ~0U, .rights = ~0ULL);
	unsigned int i;

	for (i = 0; i < 20; i++) {
		struct kvm_wtrack_range range = {
			.gfn = VM_DATA_GFN, .nr_pages = PAGES + 20 - i,
		};

		narrow.ranges = (uintptr_t)&range;
		narrow.nr_ranges = 1;
		if (i == shared->round % 32)
			narrow.rights &= ~KVM_WTRACK_RIGHT_CHANGE;
		__wt_restrict(fd, &narrow);
	}
}

static void look(struct shared *shared, int fd)
{
	struct kvm_wtrack_read read;
	struct kvm_wtrack_status s;
	unsigned char bytes[4096];
	unsigned int i;

	for (i = 0; i < 20; i++) {
		wt_status(fd, &s);
		CHECK_EQ(s.out_session_id, shared->id);
		genl_nr_vms();
		__wt_read_bytes(fd, VM_DATA, bytes, sizeof(bytes), 0, &read);
	}
}

static void *hold(void *arg)
{
	struct holder *holder = arg;

	pthread_barrier_wait(&holder->shared->start);
	holder->work(holder->shared, holder->fd);
	/* Whoever is the last one closes the session. */
	CHECK_SYS(!close(holder->fd));
	return NULL;
}

static void round_of(struct shared *shared)
{
	static void (*const works[HOLDERS])(struct shared *, int) = {
		use, end, narrow, look,
	};
	WT_ARG(restrict, number, .max_sync_us = ~0U, .rights = ~0ULL);
	struct holder holder[HOLDERS];
	pthread_t thread[HOLDERS];
	unsigned int i;
	int fd = wt_open();

	CHECK_ERRNO(__wt_restrict(fd, &number), 0);
	shared->id = genl_session_id(fd);
	for (i = 0; i < HOLDERS; i++) {
		holder[i] = (struct holder) { shared, works[i], dup(fd) };
		CHECK_SYS(holder[i].fd >= 0);
		CHECK(!pthread_create(&thread[i], NULL, hold, &holder[i]));
	}
	CHECK_SYS(!close(fd));
	for (i = 0; i < HOLDERS; i++)
		CHECK(!pthread_join(thread[i], NULL));
}

static void *drain(void *arg)
{
	struct kvm_wtrack_record rec;

	for (;;) {
		sync_take(arg, &rec);
		wt_release(arg);
	}
	return NULL;
}

CASE_WITHIN(whatever_comes_first_the_guest_and_other_sessions_go_on, 120)
{
	struct shared shared = { .vm = vm_new(PAGES) };
	struct vcpu *v[VCPUS];
	struct wt *other = wt_session_sync(shared.vm->fd, 64);
	pthread_t reader;
	unsigned int i;
	uint64_t waits;

	CHECK(!pthread_barrier_init(&shared.start, NULL, HOLDERS));
	wt_add(other->fd, VM_DATA_GFN, 1);
	CHECK(!pthread_create(&reader, NULL, drain, other));
	for (i = 0; i < VCPUS; i++) {
		v[i] = vcpu_new(shared.vm);
		vcpu_start(v[i], g_store8_forever, VM_DATA, PAGES);
	}
	for (shared.round = 0; shared.round < ROUNDS; shared.round++)
		round_of(&shared);
	waits = wt_sync_waits(other->fd);
	CHECK_SOON(wt_sync_waits(other->fd) > waits + 10);
	CHECK_EQ(wt_users(other->fd, VM_DATA_GFN), 1);
	for (i = 1; i < PAGES; i++)
		CHECK_EQ(wt_users(other->fd, VM_DATA_GFN + i), 0);
	for (i = 0; i < VCPUS; i++)
		vcpu_stop(v[i]);
}

/* Each session is the VM's first and last one: it is given up each time. */
CASE_WITHIN(whatever_comes_first_the_vm_is_given_up, 120)
{
	struct shared shared = { .vm = vm_new(PAGES) };
	unsigned int vms = genl_nr_vms(), i;
	struct vcpu *v[VCPUS];

	CHECK(!pthread_barrier_init(&shared.start, NULL, HOLDERS));
	for (i = 0; i < VCPUS; i++) {
		v[i] = vcpu_new(shared.vm);
		vcpu_start(v[i], g_store8_forever, VM_DATA, PAGES);
	}
	for (shared.round = 0; shared.round < ROUNDS; shared.round++)
		round_of(&shared);
	CHECK_SOON(genl_nr_vms() == vms);
	for (i = 0; i < VCPUS; i++)
		vcpu_stop(v[i]);
}
