// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls that take long are interrupted, and say how far they came. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "tap.h"
#include "wt.h"

#define BASE	(1ULL << 30)

enum { PAGES = 1 << 17 };

static void on_alarm(int sig)
{
	(void)sig;
}

/* SIGALRM every so often; what it interrupts is not restarted. */
static void alarm_every(unsigned int us)
{
	struct itimerval t = {
		.it_interval = { us / 1000000, us % 1000000 },
		.it_value = { us / 1000000, us % 1000000 },
	};
	struct sigaction sa = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &sa, NULL);
	CHECK_SYS(!setitimer(ITIMER_REAL, &t, NULL));
}

static struct vm *large_vm(void)
{
	struct vm *vm = vm_new(1);

	vm_slot(vm, VM_SLOT_EXTRA, BASE, mem_sparse(PAGES * PAGE), PAGES * PAGE,
		0);
	return vm;
}

static unsigned int interval_us(void)
{
	return host_is_debug() ? 50000 : 10000;
}

CASE_WITHIN(an_interrupted_add_tells_how_far_it_came, 60)
{
	struct wt *wt = wt_session(large_vm()->fd, 64, 0);
	unsigned int interrupted = 0;
	uint64_t at = 0;
	int err;

	alarm_every(interval_us());
	do {
		struct kvm_wtrack_change c = {
			.gfn = BASE / PAGE + at, .nr_pages = PAGES - at,
		};
		WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);

		err = __wt_add(wt->fd, &a);
		CHECK(!err || err == EINTR);
		CHECK_EQ(a.out_nr_changes, !err);
		CHECK_EQ(c.out_done, c.out_changed);
		CHECK_EQ(c.out_failed, 0);
		at += c.out_done;
		interrupted += !!err;
		alarm_every(0);
		CHECK_EQ(wt_query_pages(wt->fd), at);
		CHECK(!at || wt_tracked(wt->fd, BASE / PAGE + at - 1));
		CHECK(!err == (at == PAGES));
		alarm_every(interval_us());
	} while (err);
	CHECK(interrupted > 0);
	tap_note("interrupted %u times", interrupted);
}

/* Half of the array done, one range begun, the rest not touched. */
CASE_WITHIN(an_interrupted_array_tells_how_many_ranges_were_done, 60)
{
	enum { NR = 32, EACH = PAGES / NR };
	struct wt *wt = wt_session(large_vm()->fd, 64, 0);
	struct kvm_wtrack_change c[NR] = { 0 };
	WT_ARG(add, a, .changes = (uintptr_t)c, .nr_changes = NR);
	unsigned int i, n;
	uint64_t sum = 0;

	for (i = 0; i < NR; i++) {
		c[i].gfn = BASE / PAGE + i * EACH;
		c[i].nr_pages = EACH;
	}
	alarm_every(interval_us());
	CHECK_ERRNO(__wt_add(wt->fd, &a), EINTR);
	alarm_every(0);
	n = a.out_nr_changes;
	CHECK(n < NR);
	for (i = 0; i < NR; i++) {
		CHECK(i >= n || c[i].out_done == EACH);
		CHECK(i <= n || c[i].out_done == 0);
		sum += c[i].out_done;
	}
	CHECK_EQ(wt_query_pages(wt->fd), sum);
	CHECK_ERRNO(__wt_add(wt->fd, &a), 0);
	CHECK_EQ(wt_query_pages(wt->fd), PAGES);
}

static uint64_t last_ms(uint64_t since_ns)
{
	return (clock_ns() - since_ns) / 1000000;
}

/* 2^39 pages of nothing are refused in one step. */
CASE(an_add_of_endless_nothing_is_quick)
{
	struct kvm_wtrack_change c = { .nr_pages = 1ULL << 39 };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
	struct wt *wt = wt_session(large_vm()->fd, 64, 0);

	c.gfn = 1ULL << 39;
	CHECK_ERRNO(__wt_add(wt->fd, &a), 0);
	CHECK_EQ(c.out_done, 0);
	CHECK_EQ(c.out_failed, 1ULL << 39);
	CHECK_ERRNO(c.out_error, ENOENT);
	CHECK_EQ(c.out_error_gfn, c.gfn);
}

CASE(a_removal_of_endless_nothing_is_quick)
{
	struct kvm_wtrack_change c = { .nr_pages = 1ULL << 39 };
	WT_ARG(remove, r, .changes = (uintptr_t)&c, .nr_changes = 1);
	struct wt *wt = wt_session(large_vm()->fd, 64, 0);
	uint64_t began = clock_ns();

	wt_add(wt->fd, BASE / PAGE, 3);
	CHECK_ERRNO(__wt_remove(wt->fd, &r), 0);
	CHECK(last_ms(began) < 2000);
	CHECK_EQ(c.out_done, 3);
	CHECK_EQ(c.out_failed, (1ULL << 39) - 3);
}

static void add_all(void *arg)
{
	struct kvm_wtrack_change c = {
		.gfn = BASE / PAGE, .nr_pages = PAGES,
	};
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);

	__wt_add(*(int *)arg, &a);
	for (;;)
		pause();
}

/* Of every 64th page. */
static bool any_users(struct wt *wt, uint64_t pages)
{
	uint64_t i;

	for (i = 0; i < pages; i += 64)
		if (wt_users(wt->fd, BASE / PAGE + i))
			return true;
	return false;
}

CASE_WITHIN(sigkill_during_an_add_leaves_nothing_behind, 60)
{
	struct vm *vm = large_vm();
	struct wt *other = wt_session(vm->fd, 64, 0);
	unsigned int i;

	for (i = 0; i < 8; i++) {
		struct wt *wt = wt_session(vm->fd, 64, 0);
		pid_t pid = child_fork(add_all, &wt->fd);

		/* The child's copy is the last one. */
		wt_close(wt);
		CHECK_SOON(wt_users(other->fd, BASE / PAGE) == 1);
		sleep_ms(i * 3);
		CHECK_SYS(!kill(pid, SIGKILL));
		CHECK_SOON(!any_users(other, PAGES));
	}
}

static void *read_until_signal(void *arg)
{
	struct kvm_wtrack_record r;

	CHECK(read(*(int *)arg, &r, sizeof(r)) < 0);
	CHECK_ERRNO(errno, EINTR);
	return NULL;
}

CASE(a_sleeping_read_is_interrupted)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct wt *wt = wt_session(large_vm()->fd, 64, 0);
	pthread_t thread;

	sigaction(SIGUSR2, &sa, NULL);
	CHECK(!pthread_create(&thread, NULL, read_until_signal, &wt->fd));
	sleep_ms(100);
	CHECK(!pthread_kill(thread, SIGUSR2));
	CHECK(!pthread_join(thread, NULL));
}
