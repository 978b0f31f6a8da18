// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VMM has a thread that holds its mmap_lock for as long as it likes. Nobody
 * who follows its VM waits for that, nor does whoever follows another one.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "module.h"
#include "stage.h"
#include "stream.h"
#include "tap.h"
#include "wt.h"

enum { PAGES = 4 };

/* Shared with the VMM, which is another process. */
struct stalled {
	volatile int vm_fd;
	volatile bool up, stored;
	unsigned char *data;
	int store[2];		/* a byte in this pipe: go on and store */
	pid_t pid;
	int stage;
};

static void vmm_main(struct stalled *s)
{
	struct vm *vm = vm_new_with(s->data, PAGES);
	struct vcpu *v = vcpu_new(vm);

	s->vm_fd = vm->fd;
	stage_stall(s->stage);
	s->up = true;
	/* Many of them that looked now and then would leave time for nobody. */
	byte_receive(s->store[0]);
	vcpu_call(v, g_store8, VM_DATA, 77, PAGES, PAGE);
	s->stored = true;
	for (;;)
		pause();
}

static struct stalled *stalled_vmm(void)
{
	struct stalled *s = mem_shared(sizeof(*s));
	pid_t pid;

	s->data = mem_shared(PAGES * PAGE);
	s->stage = stage_open();
	CHECK_SYS(!pipe(s->store));
	pid = fork();
	CHECK_SYS(pid >= 0);
	if (!pid)
		vmm_main(s);
	s->pid = pid;
	CHECK_SOON(s->up);
	return s;
}

static int take_vm(const struct stalled *s)
{
	int pidfd = pidfd_of(s->pid), fd = pidfd_take(pidfd, s->vm_fd);

	close(pidfd);
	return fd;
}

static void end(struct stalled *s)
{
	CHECK_SYS(!kill(s->pid, SIGKILL));
	CHECK_SYS(waitpid(s->pid, NULL, 0) == s->pid);
}

/* All that there is, from the first ATTACH to the last close. */
CASE(a_vmm_that_holds_its_mmap_lock_can_be_followed)
{
	struct stalled *s = stalled_vmm();
	struct kvm_wtrack_record r;
	struct kvm_wtrack_status st;
	struct wt *wt, *other;
	unsigned int i;
	int vm_fd = take_vm(s);

	wt = wt_session(vm_fd, 64, 0);
	other = wt_session(vm_fd, 64, 0);
	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	wt_add(other->fd, VM_DATA_GFN, 1);
	byte_send(s->store[1], 0);
	CHECK_SOON(s->stored);
	for (i = 0; i < PAGES; i++) {
		CHECK(wt_take(wt, &r));
		CHECK_EQ(r.gpa, VM_DATA + i * PAGE);
		CHECK_EQ(*(uint64_t *)r.data, 77 + i);
	}
	wt_status(wt->fd, &st);
	CHECK_EQ(st.out_pages, PAGES);
	CHECK_EQ(st.out_vm_pid, s->pid);
	wt_close(other);
	wt_remove_fence(wt->fd, VM_DATA_GFN, PAGES);
	wt_close(wt);
	/* The last session was closed, and this is the first one again. */
	wt = wt_session(vm_fd, 64, 0);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	close(vm_fd);
	end(s);
	CHECK_SOON(wt_take(wt, &r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_VM_GONE);
}

/* What serves all VMs is not kept by one of them. */
CASE(a_vmm_that_holds_its_mmap_lock_is_nobody_elses_matter)
{
	enum { VMMS = 24 };
	struct stalled *s[VMMS];
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct kvm_wtrack_status st;
	struct wt *wt;
	unsigned int i;
	int fd[VMMS];

	for (i = 0; i < VMMS; i++) {
		s[i] = stalled_vmm();
		fd[i] = wt_open();
		wt_attach(fd[i], take_vm(s[i]));
	}
	/* A page is disarmed and armed again, by a worker. */
	wt = wt_session(vm->fd, 64, 0);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	vcpu_call(v, g_fstp, VM_DATA, 0, 1);
	CHECK_SOON((wt_status(wt->fd, &st), st.out_rearms == 1));
	for (i = 0; i < VMMS; i++) {
		end(s[i]);
		CHECK_SOON((wt_status(fd[i], &st),
			    st.out_state & KVM_WTRACK_STATE_VM_GONE));
	}
}

static void attach_and_leave(void *arg)
{
	wt_attach(wt_open(), *(int *)arg);
}

/* Whoever attaches may be killed, whenever that is. */
CASE_WITHIN(who_attaches_can_be_killed, 60)
{
	struct stalled *s = stalled_vmm();
	int vm_fd = take_vm(s), refs;
	unsigned int i;
	pid_t pid;

	refs = module_refs("kvm_wtrack");
	for (i = 0; i < 60; i++) {
		pid = fork();
		CHECK_SYS(pid >= 0);
		if (!pid) {
			attach_and_leave(&vm_fd);
			_exit(0);
		}
		usleep(i * 150);
		kill(pid, SIGKILL);
		CHECK_SYS(waitpid(pid, NULL, 0) == pid);
	}
	CHECK_SOON(module_refs("kvm_wtrack") == refs);
	attach_and_leave(&vm_fd);
	close(vm_fd);
	end(s);
}

/*
 * The guard has begun a grace period of KVM's when the VM goes, with all of its
 * descriptors at once. KVM must not warn of it, nor the VM stay.
 */
CASE_WITHIN(a_vm_may_end_just_after_a_page_was_disarmed, 60)
{
	struct kvm_wtrack_status st;
	unsigned int i;
	struct vcpu *v;
	struct vm *vm;
	struct wt *wt;

	for (i = 0; i < 60; i++) {
		vm = vm_new(PAGES);
		v = vcpu_new(vm);
		wt = wt_session(vm->fd, 64, 0);
		wt_add(wt->fd, VM_DATA_GFN, PAGES);
		vcpu_call(v, g_fstp, VM_DATA, PAGE, PAGES);
		wt_status(wt->fd, &st);
		CHECK_EQ(st.out_disarms, PAGES);
		usleep(i * 400);
		if (i % 2)
			wt_close(wt);
		vcpu_close(v);
		vm_close(vm);
		if (i % 2 == 0)
			wt_close(wt);
	}
	CHECK_SOON(module_refs(module_vendor()) == 0);
}

/* However long that takes: KVM's srcu is not destroyed before it is over. */
CASE(a_vm_is_kept_until_the_grace_periods_of_its_srcu_are_over)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	int stage = stage_open();
	struct wt *wt;

	stage_read(stage, vm->fd);
	/* ATTACH begins one, which cannot end. */
	wt = wt_session(vm->fd, 64, 0);
	CHECK_ERRNO(__wt_add_page_nowait(wt->fd, VM_DATA_GFN), EAGAIN);
	vcpu_close(v);
	vm_close(vm);
	wt_close(wt);
	CHECK_EQ(module_refs(module_vendor()), 1);
	stage_release(stage);
	CHECK_SOON(module_refs(module_vendor()) == 0);
}
