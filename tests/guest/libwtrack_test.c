// SPDX-License-Identifier: GPL-2.0-or-later
/* libwtrack: events, read in place, and the waiting for them. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "guest.h"
#include "session.h"

static void check_write(const struct wtrack_event *e, uint64_t seq,
			uint64_t gpa, uint64_t value)
{
	CHECK(e);
	CHECK_EQ(wtrack_event_get_type(e), WTRACK_EVENT_WRITE);
	CHECK_EQ(wtrack_event_get_seq(e), seq);
	CHECK_EQ(wtrack_event_get_gpa(e), gpa);
	CHECK_EQ(wtrack_event_get_gfn(e), gpa / PAGE);
	CHECK_EQ(wtrack_event_get_len(e), sizeof(value));
	CHECK_EQ(wtrack_event_get_total(e), sizeof(value));
	CHECK(!memcmp(wtrack_event_get_data(e), &value, sizeof(value)));
	CHECK(!wtrack_event_has_more(e));
	CHECK(!wtrack_event_is_page(e));
	CHECK_EQ(wtrack_event_get_nr_pages(e), 0);
	CHECK_EQ(wtrack_event_get_nr_tracked(e), 0);
}

/* All of them stay valid until they are released. */
CASE(events_are_read_in_place_and_released_as_a_batch)
{
	enum { NR = 40 };
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wtrack_session *s = session_on(vm, 64, 0);
	const struct wtrack_event *e[NR];
	uint64_t began = clock_ns();
	unsigned int i, round;

	session_track(s, 1);
	for (round = 0; round < 5; round++) {
		vcpu_call(v, g_store8, VM_DATA, 1000 * round, NR, 8);
		for (i = 0; i < NR; i++)
			e[i] = wtrack_session_next(s);
		CHECK(!wtrack_session_next(s));
		for (i = 0; i < NR; i++) {
			check_write(e[i], round * NR + i + 1, VM_DATA + 8 * i,
				    1000 * round + i);
			CHECK(wtrack_event_get_time_ns(e[i]) >= began);
			began = wtrack_event_get_time_ns(e[i]);
		}
		CHECK_EQ(session_status(s).unread, NR);
		wtrack_session_release(s);
		CHECK_EQ(session_status(s).unread, 0);
	}
	CHECK(began <= clock_ns());
	CHECK_EQ(session_status(s).events, 5 * NR);
	CHECK_EQ(session_status(s).overflows, 0);
}

GUEST_CODE(g_store_sizes,
	"mov %rsi, (%rdi)\n"
	"movl %esi, 8(%rdi)\n"
	"movw %si, 12(%rdi)\n"
	"movb %sil, 14(%rdi)\n"
	"movups %xmm0, 15(%rdi)\n"
	"hlt");

CASE(events_have_the_length_of_the_store)
{
	static const unsigned int lens[] = { 8, 4, 2, 1, 16 };
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wtrack_session *s = session_on(vm, 64, 0);
	const struct wtrack_event *e;
	unsigned int i, at = 0;

	session_track(s, 1);
	vcpu_call(v, g_store_sizes, VM_DATA, 0x1122334455667788);
	for (i = 0; i < ARRAY_SIZE(lens); at += lens[i++]) {
		e = wtrack_session_next(s);
		CHECK(e);
		CHECK_EQ(wtrack_event_get_gpa(e), VM_DATA + at);
		CHECK_EQ(wtrack_event_get_len(e), lens[i]);
		CHECK(!memcmp(wtrack_event_get_data(e), vm->data + at, lens[i]));
	}
	CHECK(!wtrack_session_next(s));
}

/* One instruction makes all the stores; the code is in the low memory. */
static void check_vcpu(struct wtrack_session *s, struct vcpu *v)
{
	const struct wtrack_event *e;
	unsigned int n = 0;
	uint64_t rip, first = 0;

	vcpu_call(v, g_store8, VM_DATA, 1, 5, 8);
	for (; (e = wtrack_session_next(s)); n++) {
		CHECK_EQ(wtrack_event_get_vcpu(e), v->index);
		CHECK_OK(wtrack_event_get_rip(e, &rip));
		first = first ? first : rip;
		CHECK_EQ(rip, first);
		CHECK(rip && rip < VM_LOW_BYTES);
	}
	CHECK_EQ(n, 5);
	wtrack_session_release(s);
}

CASE(the_vcpu_and_the_instruction_are_told)
{
	struct vm *vm = vm_new(1);
	struct vcpu *a = vcpu_new(vm), *b = vcpu_new(vm);
	struct wtrack_session *s = session_on(vm, 64, 0);
	struct wtrack_info info;

	CHECK_OK(wtrack_get_info(&info, sizeof(info)));
	CHECK(info.features & WTRACK_FEAT_VCPU);
	session_track(s, 1);
	check_vcpu(s, a);
	check_vcpu(s, b);
	check_vcpu(s, a);
}

CASE(a_ring_that_cannot_be_made_says_why)
{
	struct vm *vm = vm_new(1);
	struct wtrack_session *s;

	CHECK_OK(wtrack_session_open_vm_fd(vm->fd, &s));
	CHECK_WTRACK(wtrack_session_wait(s, -1), ENOBUFS,
		     "wtrack_session_make_ring() first");
	CHECK(!wtrack_session_next(s));
	CHECK_WTRACK(wtrack_session_make_ring(s, 65, 0, 0, 0), EINVAL,
		     "malformed");
	CHECK_WTRACK(wtrack_session_make_ring(s, 64, 1U << 31, 0, 0), EINVAL,
		     "unknown flag");
	CHECK_WTRACK(wtrack_session_make_ring(s, 64, 0, 2, 0), EINVAL,
		     "malformed");
	CHECK_WTRACK(wtrack_session_make_ring(s, 1, 0, 0, 0), ERANGE,
		     "out of bounds");
	CHECK_OK(wtrack_session_make_ring(s, 64, 0, 0, 0));
	CHECK_WTRACK(wtrack_session_make_ring(s, 64, 0, 0, 0), EBUSY,
		     "make one ring");
}

CASE(waiting_ends_with_an_event_in_time_or_says_why_not)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wtrack_session *s = session_on(vm, 64, 0);
	uint64_t began = clock_ns();

	session_track(s, 1);
	CHECK_EQ(wtrack_session_wait(s, 0), 0);
	CHECK_EQ(wtrack_session_wait(s, 50), 0);
	CHECK(clock_ns() - began >= 50000000);
	vcpu_start(v, g_store8, VM_DATA, 1, 1, 8);
	CHECK_EQ(wtrack_session_wait(s, -1), 1);
	check_write(wtrack_session_next(s), 1, VM_DATA, 1);
	vcpu_join(v);
	/* Its place is not free: what is handed out has to be released. */
	CHECK_WTRACK(wtrack_session_wait(s, -1), EBUSY, "release the events");
	wtrack_session_release(s);
	CHECK_EQ(wtrack_session_wait(s, 0), 0);
}

static void on_alarm(int sig)
{
	(void)sig;
}

CASE(a_signal_ends_the_waiting)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct wtrack_session *s = session_on(vm_new(1), 64, 0);

	sigaction(SIGALRM, &sa, NULL);
	ualarm(50000, 50000);
	CHECK_WTRACK(wtrack_session_wait(s, -1), EINTR, "call again");
	CHECK_WTRACK(wtrack_session_wait(s, 60000), EINTR, "call again");
	ualarm(0, 0);
}

CASE(a_watermark_lets_the_reader_sleep_and_nothing_is_missed)
{
	enum { NR = 500 };
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wtrack_session *s;
	uint64_t n = 0;

	CHECK_OK(wtrack_session_open_vm_fd(vm->fd, &s));
	CHECK_OK(wtrack_session_make_ring(s, 1024, 0, 256, 50000));
	session_track(s, 1);
	vcpu_start(v, g_store8, VM_DATA, 1, NR, 8);
	while (n < NR) {
		CHECK_EQ(wtrack_session_wait(s, 10000), 1);
		n += session_drain(s);
	}
	vcpu_join(v);
	CHECK_EQ(n, NR);
	CHECK(session_status(s).wakeups < NR / 5);
}

CASE(the_descriptor_fits_a_poll_loop)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wtrack_session *s = session_on(vm, 64, 0);
	struct pollfd p = { wtrack_session_get_fd(s), POLLIN, 0 };

	session_track(s, 1);
	CHECK_EQ(poll(&p, 1, 0), 0);
	vcpu_call(v, g_store8, VM_DATA, 1, 3, 8);
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(p.revents, POLLIN);
	CHECK_EQ(session_drain(s), 3);
	CHECK_EQ(poll(&p, 1, 0), 0);
}

static unsigned int rounds(void)
{
	return host_is_debug() ? 20 : 300;
}

/*
 * One vCPU rings a doorbell, its HLT, and the other one goes on: after the
 * fence, all that the first one stored is there to read.
 */
CASE_WITHIN(after_a_fence_all_before_a_doorbell_is_read, 60)
{
	enum { NR = 16 };
	struct vm *vm = vm_new(2);
	struct vcpu *a = vcpu_new(vm), *b = vcpu_new(vm);
	struct wtrack_session *s = session_on(vm, 65536, 0);
	const struct wtrack_event *e;
	uint64_t seq, last = 0;
	unsigned int i, n;

	session_track(s, 2);
	vcpu_start(b, g_count_forever, VM_DATA + PAGE, 1);
	for (i = 0; i < rounds(); i++) {
		vcpu_call(a, g_store8, VM_DATA, i, NR, 8);
		CHECK_OK(wtrack_session_fence(s, &seq));
		CHECK(seq >= last + NR);
		for (n = 0; last < seq && (e = wtrack_session_next(s)); ) {
			last = wtrack_event_get_seq(e);
			n += wtrack_event_get_gfn(e) == VM_DATA_GFN;
		}
		CHECK_EQ(n, NR);
		wtrack_session_release(s);
	}
	vcpu_stop(b);
	CHECK_EQ(session_status(s).overflows, 0);
}
