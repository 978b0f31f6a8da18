// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libwtrack: a reader that keeps a copy of guest memory has the truth after
 * overflows, when it takes a session over, and when the VM is gone.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "session.h"
#include "vmm.h"

enum { PAGES = 48, NOBODY = 65534 };

struct copy {
	struct wtrack_session *session;
	const unsigned char *truth;
	unsigned char *mem;
	uint64_t seq, writes, resyncs, rereads;
	bool gone;
};

/* From now on: what the pages have now is read as it is. */
static void copy_init(struct copy *c, struct wtrack_session *session,
		      const unsigned char *truth)
{
	memset(c, 0, sizeof(*c));
	c->session = session;
	c->truth = truth;
	c->mem = malloc(PAGES * PAGE);
	CHECK(c->mem);
	memcpy(c->mem, truth, PAGES * PAGE);
}

static void apply_write(struct copy *c, const struct wtrack_event *e)
{
	uint64_t at = wtrack_event_get_gpa(e) - VM_DATA;

	CHECK(at + wtrack_event_get_len(e) <= PAGES * PAGE);
	memcpy(c->mem + at, wtrack_event_get_data(e), wtrack_event_get_len(e));
	c->writes++;
}

static void resync(struct copy *c)
{
	struct wtrack_resync_range range;
	uint64_t at;
	int r;

	c->resyncs++;
	while ((r = wtrack_session_resync_next(c->session, &range)) > 0) {
		at = range.gfn * PAGE - VM_DATA;
		CHECK_EQ(range.what, WTRACK_RESYNC_REREAD);
		CHECK(at + range.nr_pages * PAGE <= PAGES * PAGE);
		memcpy(c->mem + at, c->truth + at, range.nr_pages * PAGE);
		c->rereads += range.nr_pages;
	}
	CHECK_OK(r);
}

/* All that is there; how many events that were. */
static unsigned int step(struct copy *c)
{
	const struct wtrack_event *e;
	unsigned int n = 0;

	for (; (e = wtrack_session_next(c->session)); n++) {
		CHECK(!c->gone);
		CHECK(!c->seq || wtrack_event_get_seq(e) == c->seq + 1);
		c->seq = wtrack_event_get_seq(e);
		switch (wtrack_event_get_type(e)) {
		case WTRACK_EVENT_WRITE:
			apply_write(c, e);
			break;
		case WTRACK_EVENT_RESYNC:
			resync(c);
			break;
		case WTRACK_EVENT_VM_GONE:
			c->gone = true;
			break;
		default:
			CHECK_EQ(wtrack_event_get_type(e), WTRACK_EVENT_WRITE);
		}
	}
	wtrack_session_release(c->session);
	return n;
}

/* With all vCPUs stopped. */
static void copy_finish(struct copy *c)
{
	struct wtrack_status s;

	while (step(c))
		;
	s = session_status(c->session);
	CHECK(!(s.state & WTRACK_STATE_RESYNC));
	CHECK_EQ(s.unread, 0);
	CHECK(!memcmp(c->mem, c->truth, PAGES * PAGE));
}

static unsigned int overflows(void)
{
	return host_is_debug() ? 5 : 30;
}

CASE_WITHIN(a_copy_is_true_after_many_overflows, 60)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct wtrack_session *s;
	unsigned int round;
	struct copy c;

	CHECK_OK(wtrack_session_open_pid(vmm->pid, &s));
	CHECK_OK(wtrack_session_make_ring(s, 64, 0, 0, 0));
	session_track(s, PAGES);
	copy_init(&c, s, vmm->data);
	vmm_tell(vmm, VMM_START);
	for (round = 0; c.resyncs < overflows(); round++) {
		CHECK_EQ(wtrack_session_wait(s, 10000), 1);
		/* A third of the time the reader may be in time. */
		if (round % 3)
			CHECK_SOON(session_status(s).state &
				   WTRACK_STATE_RESYNC);
		step(&c);
	}
	vmm_tell(vmm, VMM_STOP);
	copy_finish(&c);
	tap_note("%llu writes, %llu resyncs, %llu pages re-read",
		 (unsigned long long)c.writes, (unsigned long long)c.resyncs,
		 (unsigned long long)c.rereads);
	CHECK_EQ(session_status(s).overflows, c.resyncs);
	CHECK_EQ(session_status(s).events, c.seq);
	CHECK_EQ(wtrack_session_wait(s, 50), 0);
}

enum { SCATTERED = 400 };

/* Every second page, so that each is a range of its own. */
static void track_scattered(struct wtrack_session *s)
{
	struct wtrack_range ranges[SCATTERED];
	unsigned int i;

	for (i = 0; i < SCATTERED; i++) {
		ranges[i].gfn = VM_DATA_GFN + 2 * i;
		ranges[i].nr_pages = 1;
	}
	CHECK_OK(wtrack_session_add(s, ranges, SCATTERED, NULL, 0));
}

/*
 * Nothing is handed out meanwhile. The set is fetched to its end, in more than
 * one call of the module: all but what the ring had room for, two places less.
 */
CASE(an_unfinished_resync_is_ebusy)
{
	struct vm *vm = vm_new(2 * SCATTERED);
	struct vcpu *v = vcpu_new(vm);
	struct wtrack_session *s = session_on(vm, 64, 0);
	const struct wtrack_event *e, *last = NULL;
	struct wtrack_resync_range range;
	uint64_t gfn = VM_DATA_GFN + 2 * 62;
	int r;

	track_scattered(s);
	vcpu_call(v, g_store8, VM_DATA, 1, SCATTERED, 2 * PAGE);
	while ((e = wtrack_session_next(s)))
		last = e;
	CHECK(last);
	CHECK_EQ(wtrack_event_get_type(last), WTRACK_EVENT_RESYNC);
	wtrack_session_release(s);
	CHECK_WTRACK(wtrack_session_wait(s, -1), EBUSY, "finish a resync");
	CHECK(session_status(s).state & WTRACK_STATE_RESYNC);
	for (; (r = wtrack_session_resync_next(s, &range)) > 0; gfn += 2) {
		CHECK_EQ(range.gfn, gfn);
		CHECK_EQ(range.nr_pages, 1);
		CHECK_EQ(range.what, WTRACK_RESYNC_REREAD);
	}
	CHECK_OK(r);
	CHECK_EQ(gfn, VM_DATA_GFN + 2 * SCATTERED);
	CHECK_EQ(wtrack_session_wait(s, 0), 0);
	CHECK(!(session_status(s).state & WTRACK_STATE_RESYNC));
}

/* Released first, then read again: in this order nothing is missed. */
static void reread_pages(struct wtrack_session *s, const unsigned char *truth,
			 unsigned char *copy)
{
	const struct wtrack_event *e;
	uint64_t at;

	while ((e = wtrack_session_next(s))) {
		CHECK(wtrack_event_is_page(e));
		at = wtrack_event_get_gfn(e) * PAGE - VM_DATA;
		wtrack_session_release(s);
		memcpy(copy + at, truth + at, PAGE);
	}
}

CASE_WITHIN(a_coalescing_reader_has_the_truth, 60)
{
	enum { NR = 3000 };
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wtrack_session *s = session_on(vm, 64, WTRACK_RING_COALESCE);
	unsigned char *copy = calloc(PAGES, PAGE);
	struct wtrack_status status;

	session_track(s, PAGES);
	vcpu_start(v, g_random, VM_DATA, PAGES, 4711, NR, LANE_EVEN);
	do {
		reread_pages(s, vm->data, copy);
		status = session_status(s);
	} while (status.events + status.merged < NR);
	vcpu_join(v);
	reread_pages(s, vm->data, copy);
	CHECK(!memcmp(copy, vm->data, PAGES * PAGE));
	CHECK(status.merged > 0);
	CHECK_EQ(status.overflows, 0);
}

CASE(removed_memory_is_an_event)
{
	struct vm *vm = vm_new(PAGES);
	struct wtrack_session *s = session_on(vm, 64, 0);
	const struct wtrack_event *e;

	session_track(s, 5);
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, 0, 0);
	e = wtrack_session_next(s);
	CHECK(e);
	CHECK_EQ(wtrack_event_get_type(e), WTRACK_EVENT_REGION_REMOVED);
	CHECK_EQ(wtrack_event_get_gpa(e), VM_DATA);
	CHECK_EQ(wtrack_event_get_gfn(e), VM_DATA_GFN);
	CHECK_EQ(wtrack_event_get_nr_pages(e), PAGES);
	CHECK_EQ(wtrack_event_get_nr_tracked(e), 5);
	CHECK_EQ(wtrack_event_get_len(e), 0);
	CHECK_EQ(session_status(s).pages, 0);
	CHECK_EQ(session_status(s).regions_removed, 1);
}

/* What was written before the end is handed out before the end. */
CASE(the_vm_that_is_gone_is_the_last_event)
{
	struct wtrack_range range = { VM_DATA_GFN, 1 };
	struct vmm *vmm = vmm_fork(PAGES);
	struct wtrack_session *s;
	struct copy c;

	CHECK_OK(wtrack_session_open_pid(vmm->pid, &s));
	CHECK_OK(wtrack_session_make_ring(s, 64, 0, 0, 0));
	session_track(s, PAGES);
	copy_init(&c, s, vmm->data);
	vmm_tell(vmm, VMM_STORE);
	vmm_tell(vmm, VMM_STORE);
	vmm_kill(vmm);
	while (!c.gone) {
		CHECK_EQ(wtrack_session_wait(s, 10000), 1);
		step(&c);
	}
	copy_finish(&c);
	CHECK_EQ(c.resyncs, 1);
	CHECK_WTRACK(wtrack_session_wait(s, -1), ESRCH, "close the session");
	CHECK_WTRACK(wtrack_session_add(s, &range, 1, NULL, 0), ESRCH, "gone");
	CHECK(session_status(s).state & WTRACK_STATE_VM_GONE);
	wtrack_session_close(s);
}

struct takeover {
	int sock;
	struct vm *vm;
};

/* Another user in another process, who has nothing but the descriptor. */
static void take_over(void *arg)
{
	struct takeover *t = arg;
	struct wtrack_session *s;
	struct copy c;
	int fd = fd_receive(t->sock);

	CHECK_SYS(!setuid(NOBODY));
	CHECK_OK(wtrack_session_open_fd(fd, &s));
	CHECK_EQ(wtrack_session_wait(s, -1), 1);
	copy_init(&c, s, t->vm->data);
	step(&c);
	CHECK_EQ(c.resyncs, 1);
	byte_send(t->sock, 'r');
	CHECK_EQ(byte_receive(t->sock), 's');
	copy_finish(&c);
	CHECK_EQ(c.writes, 10);
	wtrack_session_close(s);
}

/* The one before released the RESYNC event, and fetched nothing. */
CASE(who_takes_over_finishes_what_was_begun)
{
	struct takeover t = { .vm = vm_new(PAGES) };
	struct vcpu *v = vcpu_new(t.vm);
	struct wtrack_session *s = session_on(t.vm, 64, 0);
	int sock[2];
	pid_t pid;

	socket_pair(sock);
	t.sock = sock[1];
	pid = child_fork(take_over, &t);
	session_track(s, PAGES);
	vcpu_call(v, g_store8, VM_DATA, 3, 2 * PAGES, PAGE / 2);
	session_drain(s);
	CHECK(session_status(s).state & WTRACK_STATE_RESYNC);
	fd_send(sock[0], wtrack_session_get_fd(s));
	CHECK_EQ(byte_receive(sock[0]), 'r');
	vcpu_call(v, g_store8, VM_DATA, 9, 10, PAGE);
	byte_send(sock[0], 's');
	child_join(pid);
	CHECK_EQ(session_status(s).unread, 0);
}

/* Two readers of one session spoil it for the one who does not expect it. */
CASE(a_position_that_another_holder_moved_is_eio)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wtrack_session *s = session_on(vm, 64, 0), *thief;

	session_track(s, 1);
	vcpu_call(v, g_store8, VM_DATA, 1, 5, 8);
	CHECK_OK(wtrack_session_open_fd(dup(wtrack_session_get_fd(s)), &thief));
	CHECK_EQ(session_drain(thief), 5);
	while (wtrack_session_next(s))
		;
	CHECK_WTRACK(wtrack_session_wait(s, -1), EIO,
		     "overwritten by another holder");
}
