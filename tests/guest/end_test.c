// SPDX-License-Identifier: GPL-2.0-or-later
/* An administrator ends a session, whoever holds it. */
#define _GNU_SOURCE
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi.h"
#include "fd.h"
#include "genl.h"
#include "guest.h"
#include "module.h"
#include "slow.h"
#include "tap.h"

enum { PAGES = 16, NOBODY = 65534 };

struct ended {
	struct vm *vm;
	struct vcpu *v;
	struct wt *wt, *other;
};

/* Two sessions on a VM, the first of which is going to be ended. */
static void ended_init(struct ended *e, uint32_t flags)
{
	e->vm = vm_new(PAGES);
	e->v = vcpu_new(e->vm);
	e->wt = wt_session(e->vm->fd, 64, flags);
	e->other = wt_session(e->vm->fd, 64, 0);
	wt_add(e->wt->fd, VM_DATA_GFN, PAGES);
}

static void end(struct ended *e)
{
	CHECK_ERRNO(genl_end_session(genl_session_id(e->wt->fd)), 0);
}

static void store(struct ended *e, unsigned int value)
{
	vcpu_call(e->v, g_store8, VM_DATA, value, 1, 0);
}

static uint32_t state(int fd)
{
	struct kvm_wtrack_status s;

	wt_status(fd, &s);
	return s.out_state;
}

CASE(nothing_is_tracked_any_more_when_the_call_returns)
{
	struct kvm_wtrack_status s;
	struct ended e;
	unsigned int i;

	ended_init(&e, 0);
	end(&e);
	for (i = 0; i < PAGES; i++)
		CHECK_EQ(wt_users(e.other->fd, VM_DATA_GFN + i), 0);
	wt_status(e.wt->fd, &s);
	CHECK_EQ(s.out_pages, 0);
	CHECK(s.out_state & KVM_WTRACK_STATE_ENDED);
	CHECK(!(s.out_state & KVM_WTRACK_STATE_VM_GONE));
	CHECK(!(state(e.other->fd) & KVM_WTRACK_STATE_ENDED));
}

CASE(the_last_record_says_so_and_nothing_follows)
{
	struct kvm_wtrack_record r;
	struct ended e;

	ended_init(&e, 0);
	store(&e, 5);
	end(&e);
	store(&e, 6);
	CHECK(wt_take(e.wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
	CHECK_EQ(r.data[0], 5);
	CHECK(wt_take(e.wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_ENDED);
	CHECK(!wt_peek(e.wt));
}

CASE(another_session_goes_on)
{
	struct kvm_wtrack_record r;
	struct ended e;

	ended_init(&e, 0);
	wt_add(e.other->fd, VM_DATA_GFN, 1);
	end(&e);
	store(&e, 7);
	CHECK(wt_take(e.other, &r));
	CHECK_EQ(r.data[0], 7);
	CHECK_EQ(wt_users(e.other->fd, VM_DATA_GFN), 1);
}

CASE(poll_reports_the_end_and_read_comes_to_it)
{
	struct pollfd p = { .events = POLLIN };
	struct kvm_wtrack_record r[4];
	struct ended e;

	ended_init(&e, 0);
	store(&e, 5);
	end(&e);
	p.fd = e.wt->fd;
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK_EQ(p.revents, POLLIN | POLLHUP);
	CHECK_SYS(read(p.fd, r, sizeof(r)) == 2 * sizeof(*r));
	CHECK_EQ(r[1].type, KVM_WTRACK_RECORD_ENDED);
	CHECK_SYS(read(p.fd, r, sizeof(r)) == 0);
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK(p.revents & POLLHUP);
}

static void *read_on(void *arg)
{
	struct kvm_wtrack_record r;

	CHECK_SYS(read(((struct wt *)arg)->fd, &r, sizeof(r)) == sizeof(r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_ENDED);
	return NULL;
}

CASE(a_reader_that_sleeps_is_woken)
{
	struct ended e;
	pthread_t reader;

	ended_init(&e, 0);
	CHECK(!pthread_create(&reader, NULL, read_on, e.wt));
	end(&e);
	CHECK(!pthread_join(reader, NULL));
}

/* It was the VM's last session: a worker of the module lets go of the VM. */
static void wait_until_vm_is_let_go(int fd)
{
	struct kvm_wtrack_status status;

	do {
		usleep(1000);
		wt_status(fd, &status);
	} while (status.out_vm_pid);
}

/* Info and status tell as before; the rest of a resync set may be fetched. */
CASE(all_other_calls_are_eshutdown)
{
	const struct abi_call *c;
	struct abi a;

	for_each_abi_call(c) {
		tap_trying("%s", c->name);
		abi_init(&a, c);
		if (c->state == ABI_FRESH && c->cmd != KVM_WTRACK_INFO)
			wt_attach(a.fd, a.vm->fd);
		if (c->cmd != KVM_WTRACK_INFO) {
			CHECK_ERRNO(genl_end_session(genl_session_id(a.fd)), 0);
			wait_until_vm_is_let_go(a.fd);
		}
		wt_status(a.fd, &a.before);
		if (c->cmd == KVM_WTRACK_INFO || c->cmd == KVM_WTRACK_STATUS)
			abi_taken(&a);
		else if (c->cmd != KVM_WTRACK_RESYNC)
			abi_refused(&a, a.arg, ESHUTDOWN);
		abi_exit(&a);
	}
}

CASE(a_new_mapping_is_eshutdown_and_an_old_one_stays)
{
	struct wt copy = {};
	struct ended e;

	ended_init(&e, 0);
	copy.fd = e.wt->fd;
	store(&e, 5);
	end(&e);
	CHECK_ERRNO(__wt_map(&copy), ESHUTDOWN);
	CHECK_EQ(wt_drain(e.wt), 2);
}

CASE(what_was_not_fetched_of_a_resync_set_is_left)
{
	struct kvm_wtrack_record r;
	struct wt_resync set;
	struct ended e;
	unsigned int i;

	ended_init(&e, 0);
	for (i = 0; i < 63; i++)
		store(&e, i);
	CHECK(state(e.wt->fd) & KVM_WTRACK_STATE_RESYNC);
	vcpu_call(e.v, g_store8, VM_DATA + PAGE, 1, 3, PAGE);
	end(&e);
	for (i = 0; i < 62; i++)
		CHECK(wt_take(e.wt, &r));
	CHECK(wt_take(e.wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_RESYNC);
	wt_resync(e.wt->fd, &set);
	CHECK_EQ(wt_resync_pages(&set, KVM_WTRACK_RESYNC_REMOVED), 4);
	CHECK_EQ(wt_resync_pages(&set, KVM_WTRACK_RESYNC_REREAD), 0);
	CHECK(wt_take(e.wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_ENDED);
	CHECK(!(state(e.wt->fd) & KVM_WTRACK_STATE_RESYNC));
}

struct read_on_end {
	int fd;
	unsigned char got[3 * PAGE];
	struct kvm_wtrack_read read;
	int err;
};

static void *read_slow_pages(void *arg)
{
	struct read_on_end *r = arg;

	r->err = __wt_read_bytes(r->fd, VM_DATA, r->got, sizeof(r->got), 0,
				 &r->read);
	return NULL;
}

/* It waits for a page that the VMM does not provide, and does not get it. */
CASE(a_read_that_is_under_way_gets_nothing_more)
{
	static struct read_on_end r;
	struct vm *vm = vm_new(PAGES);
	int fd = wt_open(), other = wt_open();
	struct slow slow;
	pthread_t thread;
	unsigned int i;

	wt_attach(fd, vm->fd);
	memset(vm->data, 7, PAGES * PAGE);
	slow_take(&slow, vm->data + PAGE);
	r.fd = fd;
	CHECK(!pthread_create(&thread, NULL, read_slow_pages, &r));
	slow_wait(&slow);
	CHECK_ERRNO(genl_end_session(genl_session_id(fd)), 0);
	/* The VM is not given up for it, and takes a new session. */
	wt_attach(other, vm->fd);
	CHECK_ERRNO(wt_read_error(other, VM_DATA), 0);
	slow_give(&slow);
	CHECK(!pthread_join(thread, NULL));
	CHECK_ERRNO(r.err, ESHUTDOWN);
	CHECK(r.read.out_done <= PAGE);
	for (i = r.read.out_done; i < sizeof(r.got); i++)
		CHECK_EQ(r.got[i], 0);
	CHECK_ERRNO(__wt_read_bytes(fd, VM_DATA, r.got, 1, 0, &r.read),
		    ESHUTDOWN);
	CHECK_ERRNO(wt_read_error(other, VM_DATA), 0);
}

/* What it was told of once is armed by nobody any more, and not for it. */
CASE(pages_that_wait_for_a_rearm_are_given_back)
{
	struct kvm_wtrack_record r;
	struct ended e;
	unsigned int i;

	ended_init(&e, KVM_WTRACK_RING_F_ONCE);
	wt_add(e.other->fd, VM_DATA_GFN + 1, 1);
	for (i = 0; i < 2; i++)
		vcpu_call(e.v, g_store8, VM_DATA + i * PAGE, 5, 1, 0);
	end(&e);
	for (i = 0; i < 2; i++) {
		CHECK(wt_take(e.wt, &r));
		CHECK(r.flags & KVM_WTRACK_RECORD_F_ONCE);
	}
	CHECK(wt_take(e.wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_ENDED);
	CHECK_EQ(wt_users(e.other->fd, VM_DATA_GFN), 0);
	CHECK_EQ(wt_users(e.other->fd, VM_DATA_GFN + 1), 1);
	CHECK_EQ(wt_drain(e.other), 1);
	vcpu_call(e.v, g_store8, VM_DATA + PAGE, 6, 1, 0);
	CHECK_EQ(wt_drain(e.other), 1);
	CHECK(!wt_peek(e.wt));
}

CASE(a_session_without_a_ring_is_ended_as_well)
{
	struct pollfd p = { .events = POLLIN };
	WT_ARG(ring, ring, .records = 64);
	struct vm *vm = vm_new(1);
	int fd = wt_open();

	wt_attach(fd, vm->fd);
	CHECK_ERRNO(genl_end_session(genl_session_id(fd)), 0);
	CHECK(state(fd) & KVM_WTRACK_STATE_ENDED);
	p.fd = fd;
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK(p.revents & POLLHUP);
	CHECK_ERRNO(__wt_ring(fd, &ring), ESHUTDOWN);
}

/* As a broker hands it over. */
CASE(a_session_that_waits_for_a_vm_is_ended_as_well)
{
	WT_ARG(restrict, narrow, .max_pages = 1, .rights = ~0ULL);
	struct pollfd p = { .events = POLLIN };
	unsigned int vms = genl_nr_vms();
	struct vm *vm = vm_new(1);
	WT_ARG(attach, attach, .vm_fd = vm->fd);
	int fd = wt_open();
	uint64_t id;

	CHECK_ERRNO(__wt_restrict(fd, &narrow), 0);
	id = genl_session_id(fd);
	CHECK_ERRNO(genl_end_session(id), 0);
	CHECK_ERRNO(genl_end_session(id), ESHUTDOWN);
	CHECK(state(fd) & KVM_WTRACK_STATE_ENDED);
	p.fd = fd;
	CHECK_EQ(poll(&p, 1, -1), 1);
	CHECK(p.revents & POLLHUP);
	CHECK_ERRNO(__wt_attach(fd, &attach), ESHUTDOWN);
	CHECK_ERRNO(__wt_restrict(fd, &narrow), ESHUTDOWN);
	CHECK_EQ(genl_nr_vms(), vms);
	CHECK_SYS(!close(fd));
	CHECK_ERRNO(genl_end_session(id), ENOENT);
}

struct race {
	uint64_t id;
	int go;
};

static void *end_it(void *arg)
{
	struct race *race = arg;

	while (!__atomic_load_n(&race->go, __ATOMIC_ACQUIRE))
		;
	CHECK_ERRNO(genl_end_session(race->id), 0);
	return NULL;
}

/* Whoever is first, the VM is not kept for a session that was ended. */
CASE(a_session_may_be_ended_while_it_is_attached)
{
	WT_ARG(restrict, narrow, .max_pages = 1, .rights = ~0ULL);
	unsigned int i, vms = genl_nr_vms();
	struct vm *vm = vm_new(1);
	WT_ARG(attach, attach, .vm_fd = vm->fd);
	int fd, err;

	for (i = 0; i < 50; i++) {
		struct race race = {};
		pthread_t thread;

		fd = wt_open();
		CHECK_ERRNO(__wt_restrict(fd, &narrow), 0);
		race.id = genl_session_id(fd);
		CHECK(!pthread_create(&thread, NULL, end_it, &race));
		__atomic_store_n(&race.go, 1, __ATOMIC_RELEASE);
		if (i % 2)
			usleep(i * 10);
		err = __wt_attach(fd, &attach);
		CHECK(!pthread_join(thread, NULL));
		CHECK(!err || err == ESHUTDOWN);
		CHECK(state(fd) & KVM_WTRACK_STATE_ENDED);
		CHECK_SYS(!close(fd));
	}
	while (genl_nr_vms() != vms)
		usleep(1000);
}

CASE(who_names_no_session_is_told)
{
	struct ended e;

	ended_init(&e, 0);
	CHECK_ERRNO(genl_end_session(0), EINVAL);
	CHECK_ERRNO(genl_end_session(~0ULL), ENOENT);
	end(&e);
	CHECK_ERRNO(genl_end_session(genl_session_id(e.wt->fd)), ESHUTDOWN);
}

static void try_as_nobody(void *arg)
{
	uint64_t id = *(uint64_t *)arg;

	CHECK_SYS(!setgroups(0, NULL));
	CHECK_SYS(!setresgid(NOBODY, NOBODY, NOBODY));
	CHECK_SYS(!setresuid(NOBODY, NOBODY, NOBODY));
	CHECK_ERRNO(genl_end_session(id), EPERM);
}

CASE(it_takes_an_administrator)
{
	struct ended e;
	uint64_t id;

	ended_init(&e, 0);
	id = genl_session_id(e.wt->fd);
	child_join(child_fork(try_as_nobody, &id));
	CHECK(!(state(e.wt->fd) & KVM_WTRACK_STATE_ENDED));
	CHECK_EQ(wt_users(e.other->fd, VM_DATA_GFN), 1);
}

/* The descriptor is closed; a mapping is its last holder. */
CASE(a_mapping_of_it_keeps_nothing_that_tracks)
{
	unsigned int vms = genl_nr_vms();
	struct kvm_wtrack_record r;
	struct ended e;

	ended_init(&e, 0);
	wt_close(e.other);
	end(&e);
	close(e.wt->fd);
	vm_close(e.vm);
	/* KVM's module is in use by the vCPU alone, and by this session not. */
	close(e.v->fd);
	munmap(e.v->run, e.v->run_bytes);
	CHECK_SOON(module_refs(module_vendor()) <= 0);
	CHECK(wt_take(e.wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_ENDED);
	munmap(e.wt->consumer, e.wt->consumer_bytes);
	munmap((void *)e.wt->records, e.wt->records_bytes);
	CHECK_SOON(genl_nr_vms() == vms);
}

CASE_WITHIN(a_vm_whose_sessions_were_all_ended_can_be_attached_to, 60)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct kvm_wtrack_record r;
	struct wt *wt, *old;
	unsigned int i;

	for (i = 0; i < 30; i++) {
		old = wt_session(vm->fd, 64, 0);
		wt_add(old->fd, VM_DATA_GFN, PAGES);
		CHECK_ERRNO(genl_end_session(genl_session_id(old->fd)), 0);
		/* While it is being given up, or after. */
		wt = wt_session(vm->fd, 64, 0);
		wt_add(wt->fd, VM_DATA_GFN, PAGES);
		vcpu_call(v, g_store8, VM_DATA, i, 1, 0);
		CHECK(wt_take(wt, &r));
		CHECK_EQ(r.type, KVM_WTRACK_RECORD_WRITE);
		CHECK_EQ(r.data[0], i);
		wt_close(wt);
		wt_close(old);
	}
}

static void *close_it(void *arg)
{
	close(*(int *)arg);
	return NULL;
}

CASE_WITHIN(a_session_may_be_closed_and_ended_at_the_same_time, 120)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *other = wt_session(vm->fd, 64, 0);
	pthread_t thread;
	unsigned int i;
	uint64_t id;
	int fd, err;

	vcpu_start(v, g_random, VM_DATA, PAGES, 1, 0, LANE_EVEN);
	for (i = 0; i < 100; i++) {
		WT_ARG(ring, ring, .records = 64, .flags =
		       i & 1 ? KVM_WTRACK_RING_F_NATIVE : 0);

		fd = wt_open();
		wt_attach(fd, vm->fd);
		CHECK_ERRNO(__wt_ring(fd, &ring), 0);
		wt_add(fd, VM_DATA_GFN, PAGES);
		id = genl_session_id(fd);
		CHECK(!pthread_create(&thread, NULL, close_it, &fd));
		err = genl_end_session(id);
		CHECK(!err || err == ENOENT);
		CHECK(!pthread_join(thread, NULL));
		CHECK_EQ(wt_users(other->fd, VM_DATA_GFN), 0);
	}
	vcpu_stop(v);
}
