// SPDX-License-Identifier: GPL-2.0-or-later
/* What becomes of a vCPU that waits when others have something else in mind. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "module.h"
#include "sync.h"
#include "tap.h"
#include "vmm.h"

/* VMM_START stores to the first page, which is tracked, and to the second. */
enum { PAGES = 2 };

static unsigned int rounds(unsigned int stock)
{
	return host_is_debug() ? stock / 10 : stock;
}

static bool is_behind(const unsigned char *data,
		      const struct kvm_wtrack_record *rec)
{
	uint64_t value = sync_word(rec->data);

	return sync_word(data) == value && sync_word(data + PAGE) == value - 1;
}

static struct wt *follow(const struct vmm *vmm)
{
	int vm_fd = vmm_take_fd(vmm);
	struct wt *wt = wt_session_sync(vm_fd, 4096);

	close(vm_fd);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	return wt;
}

/* All of its threads. */
static void wait_until_stopped(const struct vmm *vmm)
{
	int status;

	CHECK_SYS(waitpid(vmm->pid, &status, WUNTRACED) == vmm->pid);
	CHECK(WIFSTOPPED(status));
}

/*
 * As the uapi header says: SIGSTOP, and the release when each thread that waits
 * knows of it. False when the time was over before that.
 */
static bool stop_behind_store(const struct vmm *vmm, struct wt *wt)
{
	struct kvm_wtrack_release look;

	CHECK_SYS(!kill(vmm->pid, SIGSTOP));
	for (;;) {
		look = wt_look(wt->fd);
		if (!look.out_waiters || look.out_signalled == look.out_waiters)
			break;
		sync_nap();
	}
	wt_release(wt);
	wait_until_stopped(vmm);
	return look.out_waiters;
}

/* What a watchpoint is for. */
CASE_WITHIN(a_vmm_is_stopped_exactly_behind_the_store, 120)
{
	unsigned int n = 0, tried = 0, want = rounds(1000);
	struct vmm *vmm = vmm_fork(PAGES);
	struct wt *wt = follow(vmm);
	struct kvm_wtrack_record rec;

	vmm_tell(vmm, VMM_START);
	for (; n < want; tried++) {
		tap_trying("stop %u", n);
		sync_hold(wt, &rec);
		if (stop_behind_store(vmm, wt)) {
			CHECK(is_behind(vmm->data, &rec));
			CHECK(!wt_peek(wt));
			n++;
		}
		CHECK_SYS(!kill(vmm->pid, SIGCONT));
	}
	tap_note("%u stops, %u of them late; %u more tries came too late", n, 0,
		 tried - n);
	wt_close(wt);
	vmm_kill(vmm);
}

/* A signal that does not kill does not end the wait, and is taken behind it. */
CASE_WITHIN(a_signal_does_not_let_the_guest_go_on, 60)
{
	unsigned int n = 0, want = rounds(100);
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session_sync(vm->fd, 4096);
	struct kvm_wtrack_record rec;
	bool behind;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_start(v, g_store8_forever, VM_DATA, PAGES);
	while (n < want) {
		sync_hold(wt, &rec);
		CHECK_EQ(pthread_kill(v->thread, SIGUSR1), 0);
		sync_nap();
		behind = is_behind(vm->data, &rec);
		if (sync_is_held(wt, 1)) {
			CHECK_EQ(wt_look(wt->fd).out_signalled, 1);
			CHECK(behind);
			n++;
		}
		wt_release(wt);
	}
	wt_close(wt);
	vcpu_stop(v);
}

/* A vCPU's thread that is killed goes at once: its time is not over. */
CASE_WITHIN(a_vmm_is_killed_while_its_vcpu_waits, 60)
{
	struct kvm_wtrack_record rec;
	unsigned int n = 0;

	while (n < 5) {
		struct vmm *vmm = vmm_fork(PAGES);
		struct wt *wt = follow(vmm);
		struct pollfd p = { .fd = wt->fd };
		uint64_t timeouts;

		vmm_tell(vmm, VMM_START);
		sync_hold(wt, &rec);
		timeouts = wt_sync_timeouts(wt->fd);
		vmm_kill(vmm);
		n += wt_sync_timeouts(wt->fd) == timeouts;
		CHECK_EQ(wt_look(wt->fd).out_waiters, 0);
		while (!(p.revents & POLLHUP))
			CHECK_SYS(poll(&p, 1, -1) == 1);
		wt_close(wt);
	}
	CHECK_SOON(module_refs(module_vendor()) == 0);
}

static void *change_memslots(void *arg)
{
	struct vm *vm = arg;

	vm_slot(vm, VM_SLOT_EXTRA, 16 * VM_DATA, mem_shared(PAGE), PAGE, 0);
	vm_slot(vm, VM_SLOT_EXTRA, 16 * VM_DATA, NULL, 0, 0);
	return NULL;
}

/*
 * Nobody deadlocks: a memory slot is changed when the record is released, and
 * otherwise when the time is over.
 */
CASE_WITHIN(a_memory_slot_is_changed_while_a_vcpu_waits, 60)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session_sync(vm->fd, 64);
	struct kvm_wtrack_record rec;
	pthread_t thread;
	unsigned int i;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	for (i = 0; i < 10; i++) {
		vcpu_start(v, g_store8, VM_DATA, 1, 2, 0);
		/* It waits, or the time was over already. */
		sync_try_hold(wt, &rec, 1);
		CHECK_EQ(pthread_create(&thread, NULL, change_memslots, vm), 0);
		sync_nap();
		if (i % 2)
			wt_release(wt);
		CHECK_EQ(pthread_join(thread, NULL), 0);
		vcpu_join(v);
		wt_drain(wt);
	}
}

/* That of the page which was stored to. */
CASE_WITHIN(the_memory_is_removed_while_a_vcpu_waits, 60)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session_sync(vm->fd, 64);
	struct kvm_wtrack_record rec;

	wt_add(wt->fd, VM_DATA_GFN, 1);
	v->ignore_mmio = true;
	vcpu_start(v, g_store8, VM_DATA, 1, 2, 0);
	sync_try_hold(wt, &rec, 1);
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, 0, 0);
	vcpu_join(v);
	wt_release(wt);
	do
		CHECK(wt_take(wt, &rec));
	while (rec.type != KVM_WTRACK_RECORD_REGION_REMOVED);
	CHECK_EQ(rec.region.nr_tracked, 1);
	CHECK(!wt_peek(wt));
}

static void *replace_memory(void *arg)
{
	struct vm *vm = arg;

	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, 0, 0);
	vm_slot(vm, VM_SLOT_DATA, VM_DATA, vm->data, PAGES * PAGE, 0);
	return NULL;
}

/*
 * The same of a session with RING_F_STICKY: who replaces the memory waits for the
 * vCPU, and the page is waited for as before when it is armed again.
 */
CASE_WITHIN(the_memory_is_replaced_while_a_vcpu_waits, 60)
{
	WT_ARG(ring, r, .records = 64, .sync_us = SYNC_US,
	       .flags = KVM_WTRACK_RING_F_SYNC | KVM_WTRACK_RING_F_STICKY);
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct kvm_wtrack_record rec;
	unsigned int n = 0;
	pthread_t thread;
	struct wt *wt;
	bool held;
	int fd;

	fd = wt_open();
	wt_attach(fd, vm->fd);
	CHECK_ERRNO(__wt_ring(fd, &r), 0);
	wt = wt_from_fd(fd);
	wt_add(fd, VM_DATA_GFN, 1);
	while (n < 5) {
		vcpu_start(v, g_store8, VM_DATA, n + 1, 1, 0);
		held = sync_try_hold(wt, &rec, 1);
		CHECK_EQ(pthread_create(&thread, NULL, replace_memory, vm), 0);
		sync_nap();
		/* KVM removes nothing before the vCPU goes on. */
		held = held && sync_is_held(wt, 1) && !wt_peek(wt);
		wt_release(wt);
		CHECK_EQ(pthread_join(thread, NULL), 0);
		vcpu_join(v);
		sync_next(wt, &rec);
		CHECK_EQ(rec.type, KVM_WTRACK_RECORD_REGION_REMOVED);
		sync_next(wt, &rec);
		CHECK_EQ(rec.type, KVM_WTRACK_RECORD_GUARD);
		CHECK_EQ(rec.guard.action, KVM_WTRACK_GUARD_REARMED);
		CHECK(!wt_peek(wt));
		wt_release(wt);
		n += held;
	}
}

/* With the last session the VM is left, and then the module is gone. */
CASE_WITHIN(the_module_is_removed_right_after_a_vcpu_waited, 60)
{
	enum { STORES = 100 };
	struct kvm_wtrack_record rec;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		struct vm *vm = vm_new(PAGES);
		struct vcpu *v = vcpu_new(vm);
		struct wt *wt = wt_session_sync(vm->fd, 64);

		wt_add(wt->fd, VM_DATA_GFN, 1);
		vcpu_start(v, g_store8, VM_DATA, 1, STORES, 0);
		sync_try_hold(wt, &rec, 1);
		wt_close(wt);
		CHECK_ERRNO(module_unload("kvm_wtrack"), 0);
		vcpu_join(v);
		CHECK_EQ(sync_word(vm->data), STORES);
		CHECK_ERRNO(module_load("kvm_wtrack", ""), 0);
		CHECK_SOON(!access(KVM_WTRACK_DEVICE, F_OK));
		vcpu_close(v);
		vm_close(vm);
	}
}

/* Sessions come and go, and the guest gets on, whatever readers do. */
static void *reader_main(void *arg)
{
	struct vm *vm = arg;
	struct kvm_wtrack_record rec;
	unsigned int i, j;

	for (i = 0; i < rounds(40); i++) {
		struct wt *wt = wt_session_sync(vm->fd, 64);

		wt_add(wt->fd, VM_DATA_GFN, 1);
		for (j = 0; j < i % 4; j++) {
			sync_take(wt, &rec);
			wt_release(wt);
		}
		if (i % 3 == 0)
			wt_remove_fence(wt->fd, VM_DATA_GFN, 1);
		wt_close(wt);
	}
	return NULL;
}

CASE_WITHIN(sessions_come_and_go_while_vcpus_wait, 120)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v[2] = { vcpu_new(vm), vcpu_new(vm) };
	struct wt *stays = wt_session(vm->fd, 64, 0);
	pthread_t thread[2];
	unsigned int i;
	uint64_t at;

	for (i = 0; i < 2; i++)
		vcpu_start(v[i], g_store8_forever, VM_DATA, PAGES);
	for (i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, reader_main, vm), 0);
	for (i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
	at = sync_word(vm->data);
	CHECK_SOON(sync_word(vm->data) != at);
	for (i = 0; i < 2; i++)
		vcpu_stop(v[i]);
	wt_close(stays);
}
