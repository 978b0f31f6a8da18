// SPDX-License-Identifier: GPL-2.0-or-later
/* The VM goes while something else is under way. */
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fd.h"
#include "guest.h"
#include "module.h"
#include "tap.h"
#include "vmm.h"
#include "wt.h"

enum { BIG = 1 << 17, ROUNDS = 12 };

struct killer {
	pid_t victim;
	unsigned int after_ms;
};

static void kill_later(void *arg)
{
	struct killer *k = arg;

	sleep_ms(k->after_ms);
	kill(k->victim, SIGKILL);
}

static struct wt *session_on(struct vmm *vmm)
{
	int vm_fd = vmm_take_fd(vmm);
	struct wt *wt = wt_session(vm_fd, 64, 0);

	close(vm_fd);
	return wt;
}

static bool gone(int fd)
{
	struct kvm_wtrack_status s;

	wt_status(fd, &s);
	return s.out_state & KVM_WTRACK_STATE_VM_GONE;
}

/* Ends with ESRCH, or was done before; both leave nothing. */
CASE_WITHIN(a_vmm_killed_during_a_large_add, 60)
{
	struct kvm_wtrack_change c = { .gfn = VM_DATA_GFN, .nr_pages = BIG };
	WT_ARG(add, a, .changes = (uintptr_t)&c, .nr_changes = 1);
	unsigned int i, cut = 0;

	for (i = 0; i < ROUNDS; i++) {
		struct vmm *vmm = vmm_fork(BIG);
		struct killer k = { vmm->pid, 2 + i * 5 };
		struct wt *wt = session_on(vmm);
		pid_t pid = child_fork(kill_later, &k);
		int err = __wt_add(wt->fd, &a);

		CHECK(!err || err == ESRCH);
		CHECK(c.out_done <= BIG && (err || c.out_done == BIG));
		cut += err == ESRCH;
		child_join(pid);
		CHECK_SOON(gone(wt->fd));
		CHECK_EQ(wt_query_pages(wt->fd), 0);
		wt_close(wt);
	}
	CHECK(cut > 0);
}

CASE_WITHIN(a_vmm_killed_during_attach, 60)
{
	unsigned int i, vm_gone = 0;

	for (i = 0; i < 3 * ROUNDS; i++) {
		struct vmm *vmm = vmm_fork(1);
		struct killer k = { vmm->pid, 0 };
		int vm_fd = vmm_take_fd(vmm), fd, err;
		WT_ARG(attach, a, .vm_fd = vm_fd);
		pid_t pid = child_fork(kill_later, &k);

		do {
			fd = wt_open();
			err = __wt_attach(fd, &a);
			CHECK(!err || err == ESRCH);
			close(fd);
		} while (!err);
		vm_gone++;
		close(vm_fd);
		child_join(pid);
	}
	CHECK_EQ(vm_gone, 3 * ROUNDS);
}

/* The session is closed at the moment at which the VM is found gone. */
CASE_WITHIN(a_session_closed_while_its_vm_dies, 60)
{
	unsigned int i;

	for (i = 0; i < 3 * ROUNDS; i++) {
		struct vmm *vmm = vmm_fork(16);
		struct wt *wt = session_on(vmm), *other = session_on(vmm);

		wt_add(wt->fd, VM_DATA_GFN, 16);
		wt_add(other->fd, VM_DATA_GFN, 16);
		vmm_tell(vmm, VMM_START);
		CHECK_SYS(!kill(vmm->pid, SIGKILL));
		sleep_ms(i % 4);
		wt_close(wt);
		CHECK_SOON(gone(other->fd));
		wt_close(other);
	}
}

/* Longer than the module needs to look for closed VMs several times. */
CASE(a_vm_with_a_vcpu_left_is_not_gone)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wt *wt = wt_session(vm->fd, 64, 0);

	wt_add(wt->fd, VM_DATA_GFN, 1);
	vm_close(vm);
	sleep_ms(5 * module_param("poll_ms"));
	CHECK(!gone(wt->fd));
	vcpu_call(v, g_store8, VM_DATA, 1, 1, 0);
	CHECK_EQ(wt_drain(wt), 1);
	vcpu_close(v);
	CHECK_SOON(gone(wt->fd));
}

static void *wait_for_end(void *arg)
{
	struct pollfd p = { .fd = *(int *)arg, .events = 0 };

	CHECK_SYS(poll(&p, 1, -1) == 1);
	CHECK_EQ(p.revents, POLLHUP);
	return NULL;
}

CASE(a_sleeper_in_poll_is_woken_by_the_end)
{
	struct vmm *vmm = vmm_fork(1);
	struct wt *wt = session_on(vmm);
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, wait_for_end, &wt->fd));
	sleep_ms(50);
	vmm_kill(vmm);
	CHECK(!pthread_join(thread, NULL));
}

static void *read_to_end(void *arg)
{
	struct kvm_wtrack_record r;
	int fd = *(int *)arg;

	CHECK_EQ(read(fd, &r, sizeof(r)), sizeof(r));
	CHECK_EQ(r.type, KVM_WTRACK_RECORD_VM_GONE);
	CHECK_EQ(read(fd, &r, sizeof(r)), 0);
	CHECK_EQ(read(fd, &r, sizeof(r)), 0);
	return NULL;
}

CASE(a_sleeper_in_read_is_woken_by_the_end)
{
	struct vmm *vmm = vmm_fork(1);
	struct wt *wt = session_on(vmm);
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, read_to_end, &wt->fd));
	sleep_ms(50);
	vmm_kill(vmm);
	CHECK(!pthread_join(thread, NULL));
}

static int uevent_socket(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
			NETLINK_KOBJECT_UEVENT);

	CHECK_SYS(fd >= 0);
	CHECK_SYS(!bind(fd, (struct sockaddr *)&addr, sizeof(addr)));
	return fd;
}

/* One line of a uevent, which are strings one behind the other. */
static bool uevent_has(const char *text, ssize_t n, const char *line)
{
	const char *p;

	for (p = text; p < text + n; p += strlen(p) + 1)
		if (!strcmp(p, line))
			return true;
	return false;
}

/* KVM announces it when it destroys the VM, not before: we let go in time. */
CASE(kvm_announces_the_end_while_sessions_are_open)
{
	struct vmm *vmm = vmm_fork(1);
	struct wt *wt = session_on(vmm);
	int fd = uevent_socket();
	char text[4096], pid[32];
	ssize_t n;

	snprintf(pid, sizeof(pid), "PID=%d", vmm->pid);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	vmm_kill(vmm);
	do {
		n = recv(fd, text, sizeof(text) - 1, 0);
		CHECK_SYS(n > 0);
		text[n] = 0;
	} while (!uevent_has(text, n, "EVENT=destroy") ||
		 !uevent_has(text, n, pid));
	CHECK(gone(wt->fd));
}
