// SPDX-License-Identifier: GPL-2.0-or-later
/* Readers of synchronous sessions that stop, die, and hand the session on. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "sync.h"
#include "tap.h"

/* g_store8_forever counts into the first page, which is tracked, and the second. */
enum { PAGES = 2, VCPUS = 2, STORES = 100 };

struct guest {
	struct vm *vm;
	struct vcpu *v[VCPUS];
	int fd;
	pid_t reader;
};

/* Of a session that it has got, as any other process might. */
static void read_for_ever(void *arg)
{
	struct wt *wt = wt_from_fd(*(int *)arg);
	struct kvm_wtrack_record rec;

	for (;;) {
		sync_take(wt, &rec);
		wt_release(wt);
	}
}

static void start(struct guest *g, unsigned int vcpus)
{
	WT_ARG(ring, r, .records = 64, .flags = KVM_WTRACK_RING_F_SYNC,
	       .sync_us = SYNC_US);
	unsigned int i;

	g->vm = vm_new(PAGES);
	g->fd = wt_open();
	wt_attach(g->fd, g->vm->fd);
	CHECK_ERRNO(__wt_ring(g->fd, &r), 0);
	wt_add(g->fd, VM_DATA_GFN, 1);
	g->reader = child_fork(read_for_ever, &g->fd);
	for (i = 0; i < vcpus; i++) {
		g->v[i] = vcpu_new(g->vm);
		vcpu_start(g->v[i], g_store8_forever, VM_DATA, PAGES);
	}
	CHECK_SOON(wt_sync_waits(g->fd) > 10);
}

/* The guest makes so many stores, and all of that waits for nobody but once. */
static void check_goes_on(const struct guest *g)
{
	uint64_t timeouts = wt_sync_timeouts(g->fd);
	unsigned int i;
	uint64_t at;

	for (i = 0; i < STORES; i++) {
		at = sync_word(g->vm->data);
		CHECK_SOON(sync_word(g->vm->data) != at);
	}
	CHECK(wt_sync_timeouts(g->fd) <= timeouts + 1);
}

static void stop_reader(const struct guest *g)
{
	int status;

	CHECK_SYS(!kill(g->reader, SIGSTOP));
	CHECK_SYS(waitpid(g->reader, &status, WUNTRACED) == g->reader);
	CHECK(WIFSTOPPED(status));
}

static void kill_reader(const struct guest *g)
{
	CHECK_SYS(!kill(g->reader, SIGKILL));
	CHECK_SYS(waitpid(g->reader, NULL, 0) == g->reader);
}

static void check_waits_again(const struct guest *g)
{
	uint64_t waits = wt_sync_waits(g->fd);

	CHECK_SOON(wt_sync_waits(g->fd) > waits + 10);
}

static void end(struct guest *g, unsigned int vcpus)
{
	unsigned int i;

	for (i = 0; i < vcpus; i++)
		vcpu_stop(g->v[i]);
}

CASE_WITHIN(a_reader_that_is_stopped_costs_its_time_once, 60)
{
	unsigned int i;
	struct guest g;

	start(&g, 1);
	for (i = 0; i < 3; i++) {
		stop_reader(&g);
		check_goes_on(&g);
		CHECK_SYS(!kill(g.reader, SIGCONT));
		check_waits_again(&g);
	}
	kill_reader(&g);
	end(&g, 1);
}

/* The time that is over for one of them is over for all. */
CASE_WITHIN(it_costs_its_time_once_for_all_vcpus, 60)
{
	struct guest g;

	start(&g, VCPUS);
	stop_reader(&g);
	check_goes_on(&g);
	CHECK_SYS(!kill(g.reader, SIGCONT));
	kill_reader(&g);
	end(&g, VCPUS);
}

/* Somebody else has the session, too, and takes it up where the ring says. */
CASE_WITHIN(a_reader_dies_and_another_goes_on, 60)
{
	struct kvm_wtrack_record rec;
	struct guest g;
	struct wt *wt;
	unsigned int i;

	start(&g, 1);
	kill_reader(&g);
	check_goes_on(&g);
	wt = wt_from_fd(g.fd);
	wt->next = wt->consumer->pos;
	for (i = 0; i < 10; i++) {
		sync_hold(wt, &rec);
		wt_release(wt);
	}
	wt_close(wt);
	end(&g, 1);
}

static uint64_t signals;

static void count_signal(int nr)
{
	(void)nr;
	__atomic_add_fetch(&signals, 1, __ATOMIC_RELAXED);
}

/*
 * A thread that runs a vCPU and waits takes a signal when it is released, or when
 * the reader is late: KVM_RUN returns, and the handler runs.
 */
CASE_WITHIN(signals_are_taken_also_if_nobody_releases, 60)
{
	struct sigaction action = { .sa_handler = count_signal };
	struct kvm_wtrack_record rec;
	unsigned int n;
	struct guest g;
	struct wt *wt;

	CHECK_SYS(!sigaction(SIGUSR2, &action, NULL));
	start(&g, 1);
	kill_reader(&g);
	wt = wt_from_fd(g.fd);
	wt->next = wt->consumer->pos;
	for (n = 1; n <= 5; n++) {
		sync_hold(wt, &rec);
		CHECK_EQ(pthread_kill(g.v[0]->thread, SIGUSR2), 0);
		/* Nobody releases. */
		CHECK_SOON(__atomic_load_n(&signals, __ATOMIC_RELAXED) == n);
		wt_release(wt);
	}
	wt_close(wt);
	end(&g, 1);
}
