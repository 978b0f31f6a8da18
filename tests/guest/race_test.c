// SPDX-License-Identifier: GPL-2.0-or-later
/* Threads that make the same call on one session at the same moment. */
#include <pthread.h>
#include <unistd.h>

#include "tap.h"
#include "wt.h"

enum { THREADS = 4, ROUNDS = 50, PAGES = 3000 };

struct race {
	struct vm *vm;
	int fd;
	pthread_barrier_t start;
	/* Makes the call, returns its errno; adds pages changed and failed. */
	int (*call)(struct race *race);
	unsigned int nr_ok;
	int other_errno;
	uint64_t changed, failed;
};

static void count(struct race *race, const struct kvm_wtrack_change *c)
{
	__atomic_add_fetch(&race->changed, c->out_changed, __ATOMIC_SEQ_CST);
	__atomic_add_fetch(&race->failed, c->out_failed, __ATOMIC_SEQ_CST);
}

static void *racer(void *arg)
{
	struct race *race = arg;
	int err;

	pthread_barrier_wait(&race->start);
	err = race->call(race);
	if (err)
		__atomic_store_n(&race->other_errno, err, __ATOMIC_SEQ_CST);
	else
		__atomic_add_fetch(&race->nr_ok, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void run(struct race *race, int (*call)(struct race *race))
{
	pthread_t thread[THREADS];
	unsigned int i;

	race->call = call;
	race->nr_ok = 0;
	race->other_errno = 0;
	race->changed = 0;
	race->failed = 0;
	CHECK(!pthread_barrier_init(&race->start, NULL, THREADS));
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&thread[i], NULL, racer, race));
	for (i = 0; i < THREADS; i++)
		CHECK(!pthread_join(thread[i], NULL));
}

static int attach(struct race *race)
{
	WT_ARG(attach, a, .vm_fd = race->vm->fd);

	return __wt_attach(race->fd, &a);
}

static int ring(struct race *race)
{
	WT_ARG(ring, r, .records = 64);

	return __wt_ring(race->fd, &r);
}

static int add(struct race *race)
{
	struct kvm_wtrack_change c = {
		.gfn = VM_DATA_GFN, .nr_pages = PAGES,
	};
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
	int err = __wt_add(race->fd, &a);

	count(race, &c);
	return err;
}

static int remove_(struct race *race)
{
	struct kvm_wtrack_change c = {
		.gfn = VM_DATA_GFN, .nr_pages = PAGES,
	};
	WT_ARG(remove, r, .changes = (uintptr_t)&c, .nr_changes = 1,
	       .flags = KVM_WTRACK_REMOVE_F_FENCE);
	int err = __wt_remove(race->fd, &r);

	count(race, &c);
	return err;
}

CASE(of_calls_that_are_made_once_one_is_taken)
{
	struct race race = { .vm = vm_new(1) };
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		race.fd = wt_open();
		run(&race, attach);
		CHECK_EQ(race.nr_ok, 1);
		CHECK_ERRNO(race.other_errno, EISCONN);
		run(&race, ring);
		CHECK_EQ(race.nr_ok, 1);
		CHECK_ERRNO(race.other_errno, EBUSY);
		close(race.fd);
	}
}

CASE_WITHIN(each_page_is_added_once_and_removed_once, 60)
{
	struct race race = { .vm = vm_new(PAGES) };
	unsigned int i;

	race.fd = wt_session(race.vm->fd, 64, 0)->fd;
	for (i = 0; i < ROUNDS / 5; i++) {
		run(&race, add);
		CHECK_EQ(race.nr_ok, THREADS);
		CHECK_EQ(race.changed, PAGES);
		CHECK_EQ(race.failed, 0);
		CHECK_EQ(wt_query_pages(race.fd), PAGES);
		CHECK_EQ(wt_users(race.fd, VM_DATA_GFN), 1);
		run(&race, remove_);
		CHECK_EQ(race.nr_ok, THREADS);
		CHECK_EQ(race.changed, PAGES);
		CHECK_EQ(race.failed, (THREADS - 1) * PAGES);
		CHECK_EQ(wt_query_pages(race.fd), 0);
	}
}

/* The first sessions of a VM, and the last ones, all at once. */
static int come_and_go(struct race *race)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		WT_ARG(attach, a, .vm_fd = race->vm->fd);
		int fd = wt_open();

		CHECK_ERRNO(__wt_attach(fd, &a), 0);
		CHECK_EQ(wt_users(fd, VM_DATA_GFN), 0);
		close(fd);
	}
	return 0;
}

CASE_WITHIN(sessions_attach_and_leave_in_several_threads, 60)
{
	struct race race = { .vm = vm_new(1) };

	run(&race, come_and_go);
	CHECK_EQ(race.nr_ok, THREADS);
}
