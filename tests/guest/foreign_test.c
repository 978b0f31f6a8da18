// SPDX-License-Identifier: GPL-2.0-or-later
/* Attaching from the VMM, from its child and from any other process. */
#define _GNU_SOURCE
#include <sched.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "mirror.h"
#include "tap.h"
#include "vmm.h"

enum { PAGES = 16 };

static void check_pid(struct wt *wt, pid_t pid)
{
	struct kvm_wtrack_status s;

	wt_status(wt->fd, &s);
	CHECK_EQ(s.out_vm_pid, pid);
}

/* Stores are seen by this session, whatever process it belongs to. */
CASE(a_stranger_attaches_by_pidfd_getfd)
{
	struct vmm *vmm = vmm_fork(PAGES);
	int vm_fd = vmm_take_fd(vmm);
	struct wt *wt = wt_session(vm_fd, 64, 0);
	struct mirror m;

	close(vm_fd);
	check_pid(wt, vmm->pid);
	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	mirror_init(&m, wt, vmm->data, PAGES);
	vmm_tell(vmm, VMM_STORE);
	mirror_finish(&m);
	CHECK_EQ(m.writes, PAGES);
}

CASE(a_stranger_attaches_to_a_running_guest)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct mirror m;
	struct wt *wt;
	int vm_fd;

	vmm_tell(vmm, VMM_START);
	sleep_ms(30);
	vm_fd = vmm_take_fd(vmm);
	wt = wt_session(vm_fd, 64, 0);
	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	mirror_init(&m, wt, vmm->data, PAGES);
	while (m.writes < 2000)
		mirror_step(&m);
	vmm_tell(vmm, VMM_STOP);
	mirror_finish(&m);
}

struct in_child {
	struct vm *vm;
	int sock;
};

static void attach_in_child(void *arg)
{
	struct in_child *c = arg;
	struct wt *wt = wt_session(c->vm->fd, 64, 0);
	struct mirror m;

	check_pid(wt, getppid());
	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	mirror_init(&m, wt, c->vm->data, PAGES);
	byte_send(c->sock, 'a');
	CHECK_EQ(byte_receive(c->sock), 's');
	mirror_finish(&m);
	CHECK_EQ(m.writes, PAGES);
}

/* It has the descriptor, but not the mm. */
CASE(a_forked_child_of_the_vmm_attaches)
{
	struct in_child c = { .vm = vm_new(PAGES) };
	struct vcpu *v = vcpu_new(c.vm);
	int sock[2];
	pid_t pid;

	socket_pair(sock);
	c.sock = sock[1];
	pid = child_fork(attach_in_child, &c);
	CHECK_EQ(byte_receive(sock[0]), 'a');
	vcpu_call(v, g_store8, VM_DATA, 3, PAGES, PAGE);
	byte_send(sock[0], 's');
	child_join(pid);
}

CASE(the_vmm_attaches_to_its_own_vm)
{
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);
	struct mirror m;

	check_pid(wt, getpid());
	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	mirror_init(&m, wt, vm->data, PAGES);
	vcpu_call(v, g_store8, VM_DATA, 3, PAGES, PAGE);
	mirror_finish(&m);
	CHECK_EQ(m.writes, PAGES);
}

/* Whoever comes first registers for all; who is left last lets go. */
CASE(the_vmm_and_a_stranger_come_and_go_in_any_order)
{
	struct vmm *vmm = vmm_fork(PAGES);
	unsigned int i;

	for (i = 0; i < 20; i++) {
		int vm_fd = vmm_take_fd(vmm);
		struct wt *a = wt_session(vm_fd, 64, 0);
		struct wt *b = wt_session(vm_fd, 64, 0);

		close(vm_fd);
		wt_add(a->fd, VM_DATA_GFN, 2);
		wt_close(a);
		wt_add(b->fd, VM_DATA_GFN, 2);
		vmm_tell(vmm, VMM_STORE);
		CHECK_EQ(wt_drain(b), 2);
		wt_close(b);
	}
}

/* The name of a VMM that cannot be seen from here is not given. */
static void look_from_inside(void *arg)
{
	struct wt *wt = arg;

	CHECK_EQ(getpid(), 1);
	check_pid(wt, 0);
}

CASE(the_pid_is_0_where_the_vmm_is_not_visible)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct wt *wt = wt_session(vmm_take_fd(vmm), 64, 0);

	check_pid(wt, vmm->pid);
	CHECK_SYS(!unshare(CLONE_NEWPID));
	child_join(child_fork(look_from_inside, wt));
}
