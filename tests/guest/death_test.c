// SPDX-License-Identifier: GPL-2.0-or-later
/* The VM goes, at every stage of a session's life, in every way. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "mirror.h"
#include "module.h"
#include "tap.h"
#include "vmm.h"

enum { PAGES = 64 };

static bool gone(int fd)
{
	struct kvm_wtrack_status s;

	wt_status(fd, &s);
	return s.out_state & KVM_WTRACK_STATE_VM_GONE;
}

/* KVM destroys a VM, and its folder there, when nobody refers to it. */
static bool destroyed(const struct vmm *vmm)
{
	char path[128];

	CHECK_SYS(!access("/sys/kernel/debug/kvm", F_OK));
	snprintf(path, sizeof(path), "/sys/kernel/debug/kvm/%d-%d", vmm->pid,
		 vmm->vm_fd);
	return access(path, F_OK);
}

static short poll_events(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	CHECK_SYS(poll(&p, 1, 0) >= 0);
	return p.revents;
}

static int attach_to(struct vmm *vmm)
{
	int fd = wt_open(), vm_fd = vmm_take_fd(vmm);

	CHECK(!destroyed(vmm));
	wt_attach(fd, vm_fd);
	close(vm_fd);
	return fd;
}

static struct wt *session_on(struct vmm *vmm)
{
	WT_ARG(ring, ring, .records = 64);
	int fd = attach_to(vmm);

	CHECK_ERRNO(__wt_ring(fd, &ring), 0);
	return wt_from_fd(fd);
}

static void check_esrch(int fd)
{
	struct kvm_wtrack_change c = { .gfn = VM_DATA_GFN, .nr_pages = 1 };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
	WT_ARG(remove, r, .changes = (uintptr_t)&c, .nr_changes = 1);

	CHECK_ERRNO(__wt_add(fd, &a), ESRCH);
	CHECK_ERRNO(__wt_remove(fd, &r), ESRCH);
}

/*
 * What a session with a ring sees of it, be there other records or not.
 * Returns how many pages it was told to read again.
 */
static uint64_t check_end(struct wt *wt, struct vmm *vmm)
{
	struct kvm_wtrack_status s;
	struct mirror m;
	char byte[64];

	CHECK_SOON(gone(wt->fd));
	CHECK_SOON(destroyed(vmm));
	CHECK_EQ(poll_events(wt->fd), POLLIN | POLLHUP);
	mirror_init(&m, wt, vmm->data, PAGES);
	mirror_step(&m);
	CHECK(m.gone);
	CHECK_EQ(poll_events(wt->fd), POLLHUP);
	CHECK_EQ(read(wt->fd, byte, sizeof(byte)), 0);
	wt_status(wt->fd, &s);
	CHECK_EQ(s.out_pages, 0);
	CHECK_EQ(s.out_vm_pid, 0);
	CHECK_EQ(wt_query_pages(wt->fd), 0);
	check_esrch(wt->fd);
	return m.rereads;
}

CASE(a_vmm_killed_after_attach)
{
	struct vmm *vmm = vmm_fork(PAGES);
	WT_ARG(ring, ring, .records = 64);
	int fd = attach_to(vmm);

	vmm_kill(vmm);
	CHECK_SOON(gone(fd));
	CHECK_SOON(destroyed(vmm));
	CHECK_ERRNO(__wt_ring(fd, &ring), ESRCH);
	CHECK(poll_events(fd) & POLLHUP);
}

CASE(a_vmm_killed_after_ring)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct wt *wt = session_on(vmm);

	vmm_kill(vmm);
	check_end(wt, vmm);
	CHECK_EQ(wt->next, 1);
}

CASE(a_vmm_killed_after_add)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct wt *wt = session_on(vmm);

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	vmm_kill(vmm);
	check_end(wt, vmm);
}

CASE(a_vmm_killed_with_records_unread)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct wt *wt = session_on(vmm);

	wt_add(wt->fd, VM_DATA_GFN, 10);
	vmm_tell(vmm, VMM_STORE);
	vmm_kill(vmm);
	check_end(wt, vmm);
	CHECK_EQ(wt->next, 11);
}

CASE(a_vmm_killed_with_the_ring_closed)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct wt *wt = session_on(vmm);

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	vmm_tell(vmm, VMM_STORE);
	vmm_tell(vmm, VMM_STORE);
	vmm_kill(vmm);
	CHECK_EQ(check_end(wt, vmm), PAGES);
	CHECK_EQ(wt->next, 62 + 1 + 1);
}

CASE(a_vmm_killed_while_its_guest_stores)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct wt *wt = session_on(vmm);

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	vmm_tell(vmm, VMM_START);
	while (wt_drain(wt) < 10)
		;
	vmm_kill(vmm);
	check_end(wt, vmm);
}

CASE(a_vmm_that_exits)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct wt *wt = session_on(vmm);

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	vmm_tell(vmm, VMM_EXIT);
	check_end(wt, vmm);
}

CASE(a_vmm_that_becomes_another_program)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct wt *wt = session_on(vmm);

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	vmm_tell(vmm, VMM_EXEC);
	check_end(wt, vmm);
	CHECK_SYS(!kill(vmm->pid, 0));
}

CASE(a_vmm_that_closes_its_vm_but_lives)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct wt *wt = session_on(vmm);

	wt_add(wt->fd, VM_DATA_GFN, PAGES);
	/* So that it is looked for more than once. */
	sleep_ms(3 * module_param("poll_ms"));
	vmm_tell(vmm, VMM_CLOSE);
	check_end(wt, vmm);
	CHECK_SYS(!kill(vmm->pid, 0));
}

/* The VM cannot run any more, whoever holds descriptors of it. */
CASE(a_vm_whose_vmm_is_dead_is_esrch_to_attach)
{
	struct vmm *vmm = vmm_fork(PAGES);
	int vm_fd = vmm_take_fd(vmm), fd = wt_open();
	WT_ARG(attach, a, .vm_fd = vm_fd);
	struct kvm_wtrack_status s;

	vmm_kill(vmm);
	CHECK_ERRNO(__wt_attach(fd, &a), ESRCH);
	wt_status(fd, &s);
	CHECK_EQ(s.out_state, 0);
	CHECK(!destroyed(vmm));
	close(vm_fd);
	CHECK_SOON(destroyed(vmm));
}

/* Its descriptors, in another process' hands, keep KVM's part of it. */
CASE(a_descriptor_held_elsewhere_does_not_delay_the_news)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct wt *wt = session_on(vmm);
	int vm_fd = vmm_take_fd(vmm);

	vmm_kill(vmm);
	CHECK_SOON(gone(wt->fd));
	CHECK(!destroyed(vmm));
	close(vm_fd);
	check_end(wt, vmm);
}

CASE(every_session_is_told)
{
	struct vmm *vmm = vmm_fork(PAGES);
	struct wt *wt[8];
	unsigned int i;

	for (i = 0; i < 8; i++) {
		wt[i] = session_on(vmm);
		wt_add(wt[i]->fd, VM_DATA_GFN + i, 3);
	}
	vmm_kill(vmm);
	for (i = 0; i < 8; i++)
		check_end(wt[i], vmm);
}
