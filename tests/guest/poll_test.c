// SPDX-License-Identifier: GPL-2.0-or-later
/* poll and epoll, with and without a watermark. */
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "guest.h"
#include "tap.h"
#include "wt.h"

/* More records than a case makes: a reader that gets no turn overflows nothing. */
enum { MS = 1000, RECORDS = 8192 };

struct fixture {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt;
};

static void init(struct fixture *f, uint32_t watermark, uint32_t latency_us)
{
	WT_ARG(ring, ring, .records = RECORDS, .watermark = watermark,
	       .latency_us = latency_us);
	int fd = wt_open();

	f->vm = vm_new(4);
	f->v = vcpu_new(f->vm);
	wt_attach(fd, f->vm->fd);
	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	f->wt = wt_from_fd(fd);
	wt_add(fd, VM_DATA_GFN, 4);
}

static void store(struct fixture *f, unsigned int nr)
{
	vcpu_call(f->v, g_store8, VM_DATA, 0, nr, 8);
}

static int poll_for(struct fixture *f, int timeout_ms)
{
	struct pollfd p = { .fd = f->wt->fd, .events = POLLIN };
	int r = poll(&p, 1, timeout_ms);

	CHECK_SYS(r >= 0);
	return p.revents;
}

CASE(poll_reports_records_and_only_then)
{
	struct fixture f;

	init(&f, 0, 0);
	CHECK_EQ(poll_for(&f, 0), 0);
	CHECK_EQ(poll_for(&f, 20), 0);
	store(&f, 1);
	CHECK_EQ(poll_for(&f, 0), POLLIN);
	CHECK_EQ(poll_for(&f, -1), POLLIN);
	CHECK_EQ(wt_drain(f.wt), 1);
	CHECK_EQ(poll_for(&f, 0), 0);
}

/* Stores after a while, in a thread of its own. */
struct later {
	struct fixture *f;
	unsigned int ms, nr;
};

static void *store_later(void *arg)
{
	struct later *l = arg;

	sleep_ms(l->ms);
	store(l->f, l->nr);
	return NULL;
}

static void later_start(struct later *l, pthread_t *thread)
{
	CHECK(!pthread_create(thread, NULL, store_later, l));
}

CASE(a_sleeper_is_woken_by_the_first_store)
{
	struct fixture f;
	struct later l = { &f, 50, 3 };
	struct kvm_wtrack_status s;
	pthread_t thread;

	init(&f, 1, 0);
	later_start(&l, &thread);
	CHECK_EQ(poll_for(&f, -1), POLLIN);
	CHECK(!pthread_join(thread, NULL));
	wt_status(f.wt->fd, &s);
	CHECK(s.out_wakeups >= 1 && s.out_wakeups <= 3);
}

/* The latency is so long that it cannot be what wakes. */
CASE(a_watermark_wakes_when_it_is_reached)
{
	struct fixture f;
	struct later l = { &f, 20, 100 };
	pthread_t thread;
	uint64_t began;

	init(&f, 100, 1000 * MS);
	store(&f, 99);
	CHECK_EQ(poll_for(&f, 0), 0);
	store(&f, 1);
	CHECK_EQ(poll_for(&f, 0), POLLIN);
	CHECK_EQ(wt_drain(f.wt), 100);
	began = clock_ns();
	later_start(&l, &thread);
	CHECK_EQ(poll_for(&f, -1), POLLIN);
	CHECK(!pthread_join(thread, NULL));
	CHECK(host_is_debug() || clock_ns() - began < 900 * 1000000ULL);
	CHECK_EQ(wt_drain(f.wt), 100);
}

CASE(the_latency_wakes_below_the_watermark)
{
	struct fixture f;
	struct later l = { &f, 50, 1 };
	pthread_t thread;
	uint64_t began;

	init(&f, 1000, 200 * MS);
	store(&f, 3);
	began = clock_ns();
	CHECK_EQ(poll_for(&f, 0), 0);
	CHECK_EQ(poll_for(&f, -1), POLLIN);
	CHECK(clock_ns() - began > 100 * 1000000ULL);
	CHECK_EQ(wt_drain(f.wt), 3);
	/* The same when the record comes while somebody sleeps. */
	began = clock_ns();
	later_start(&l, &thread);
	CHECK_EQ(poll_for(&f, -1), POLLIN);
	CHECK(clock_ns() - began > 200 * 1000000ULL);
	CHECK(!pthread_join(thread, NULL));
	CHECK_EQ(wt_drain(f.wt), 1);
}

/* What the module itself has to say does not wait for a watermark. */
CASE(a_control_record_wakes_at_once)
{
	struct fixture f;
	uint64_t began;

	init(&f, 2000, 1000 * MS);
	store(&f, 1);
	began = clock_ns();
	vm_slot(f.vm, VM_SLOT_DATA, VM_DATA, f.vm->data, 0, 0);
	CHECK_EQ(poll_for(&f, -1), POLLIN);
	CHECK(host_is_debug() || clock_ns() - began < 900 * 1000000ULL);
	CHECK_EQ(wt_drain(f.wt), 2);
}

static int epoll_on(int fd, uint32_t events)
{
	struct epoll_event e = { .events = events };
	int ep = epoll_create1(0);

	CHECK_SYS(ep >= 0);
	CHECK_SYS(!epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
	return ep;
}

static void follow_with_epoll(uint32_t events, uint32_t watermark,
			      uint32_t latency_us)
{
	const unsigned int want = host_is_debug() ? 1000 : 6000;
	struct epoll_event e;
	uint64_t seen = 0;
	struct fixture f;
	int ep;

	init(&f, watermark, latency_us);
	ep = epoll_on(f.wt->fd, events);
	vcpu_start(f.v, g_store8, VM_DATA, 0, want, 0);
	while (seen < want) {
		int n = epoll_wait(ep, &e, 1, -1);

		tap_trying("%llu of %u", (unsigned long long)seen, want);
		CHECK_SYS(n == 1);
		seen += wt_drain(f.wt);
	}
	vcpu_join(f.v);
	CHECK_EQ(seen, want);
}

CASE(level_triggered_epoll_loses_nothing)
{
	follow_with_epoll(EPOLLIN, 0, 0);
}

CASE(edge_triggered_epoll_loses_nothing)
{
	follow_with_epoll(EPOLLIN | EPOLLET, 0, 0);
}

CASE(level_triggered_epoll_with_a_watermark_loses_nothing)
{
	follow_with_epoll(EPOLLIN, 37, 2 * MS);
}

CASE(edge_triggered_epoll_with_a_watermark_loses_nothing)
{
	follow_with_epoll(EPOLLIN | EPOLLET, 37, 2 * MS);
}

CASE(edge_triggered_epoll_reports_each_store_after_a_drain)
{
	struct epoll_event e;
	struct fixture f;
	unsigned int i;
	int ep;

	init(&f, 0, 0);
	ep = epoll_on(f.wt->fd, EPOLLIN | EPOLLET);
	for (i = 0; i < 50; i++) {
		store(&f, 1);
		CHECK_EQ(epoll_wait(ep, &e, 1, -1), 1);
		CHECK_EQ(wt_drain(f.wt), 1);
		CHECK_EQ(epoll_wait(ep, &e, 1, 0), 0);
	}
}

/* Woken once for many stores: who is awake needs no second call. */
CASE(a_sleeper_is_woken_once_for_many_stores)
{
	struct fixture f;
	struct kvm_wtrack_status s;
	struct epoll_event e;
	int ep;

	init(&f, 0, 0);
	ep = epoll_on(f.wt->fd, EPOLLIN | EPOLLET);
	CHECK_EQ(epoll_wait(ep, &e, 1, 0), 0);
	store(&f, 1000);
	CHECK_EQ(epoll_wait(ep, &e, 1, -1), 1);
	wt_status(f.wt->fd, &s);
	CHECK(s.out_wakeups >= 1 && s.out_wakeups <= 2);
	CHECK_EQ(wt_drain(f.wt), 1000);
}
