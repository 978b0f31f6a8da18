// SPDX-License-Identifier: GPL-2.0-or-later
/* What is a VM's descriptor and what is not. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "fd.h"
#include "tap.h"
#include "wt.h"

static int attach(int fd, int vm_fd)
{
	WT_ARG(attach, a, .vm_fd = vm_fd);

	return __wt_attach(fd, &a);
}

/* Refused on a session that then attaches to a real VM. */
static void refused(const char *what, int wrong_fd, int err)
{
	struct vm *vm = vm_new_bare();
	struct kvm_wtrack_status s;
	int fd = wt_open();

	tap_trying("%s", what);
	CHECK_SYS(wrong_fd >= 0 || err == EBADF);
	CHECK_ERRNO(attach(fd, wrong_fd), err);
	wt_status(fd, &s);
	CHECK_EQ(s.out_state, 0);
	CHECK_ERRNO(attach(fd, vm->fd), 0);
	close(fd);
	vm_close(vm);
}

CASE(a_number_that_is_no_descriptor_is_ebadf)
{
	int closed = fcntl(0, F_DUPFD, 200);

	close(closed);
	refused("closed", closed, EBADF);
	refused("-1", -1, EBADF);
	refused("INT_MIN", -2147483647 - 1, EBADF);
	refused("INT_MAX", 2147483647, EBADF);
	refused("AT_FDCWD", AT_FDCWD, EBADF);
}

CASE(files_sockets_and_pipes_are_ebadfd)
{
	int pipes[2], socks[2];

	CHECK_SYS(!pipe(pipes));
	socket_pair(socks);
	refused("regular file", open("/proc/self/exe", O_RDONLY), EBADFD);
	refused("directory", open("/", O_RDONLY), EBADFD);
	refused("character device", open("/dev/null", O_RDWR), EBADFD);
	refused("pipe", pipes[0], EBADFD);
	refused("socket", socks[0], EBADFD);
	refused("/dev/kvm", open("/dev/kvm", O_RDWR), EBADFD);
}

CASE(files_that_are_named_like_a_vm_are_ebadfd)
{
	int dir = open("/tmp", O_RDONLY);

	refused("memfd", memfd_create("kvm-vm", 0), EBADFD);
	refused("memfd", memfd_create("anon_inode:kvm-vm", 0), EBADFD);
	refused("file", openat(dir, "kvm-vm", O_RDWR | O_CREAT, 0600), EBADFD);
	unlinkat(dir, "kvm-vm", 0);
}

CASE(other_anonymous_inodes_are_ebadfd)
{
	sigset_t none;

	sigemptyset(&none);
	refused("eventfd", eventfd(0, 0), EBADFD);
	refused("epoll", epoll_create1(0), EBADFD);
	refused("signalfd", signalfd(-1, &none, 0), EBADFD);
	refused("timerfd", timerfd_create(CLOCK_MONOTONIC, 0), EBADFD);
	refused("pidfd", pidfd_of(getpid()), EBADFD);
}

CASE(other_descriptors_of_kvm_are_ebadfd)
{
	struct kvm_create_device dev = { .type = KVM_DEV_TYPE_VFIO };
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	int fd;

	refused("vCPU", v->fd, EBADFD);
	CHECK_SYS(!ioctl(vm->fd, KVM_CREATE_DEVICE, &dev));
	refused("device", dev.fd, EBADFD);
	fd = ioctl(vm->fd, KVM_GET_STATS_FD, NULL);
	refused("VM statistics", fd, EBADFD);
	fd = ioctl(v->fd, KVM_GET_STATS_FD, NULL);
	refused("vCPU statistics", fd, EBADFD);
}

CASE(sessions_are_no_vms)
{
	struct vm *vm = vm_new(1);
	int fd = wt_open();

	refused("a session", wt_open(), EBADFD);
	wt_attach(fd, vm->fd);
	refused("an attached session", fd, EBADFD);
	fd = wt_open();
	CHECK_ERRNO(attach(fd, fd), EBADFD);
}

/* Such a descriptor gives no access to what it names. */
CASE(a_path_descriptor_of_a_vm_is_refused)
{
	struct vm *vm = vm_new_bare();
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", vm->fd);
	fd = open(path, O_PATH);
	CHECK_SYS(fd >= 0);
	refused("O_PATH", fd, EBADF);
}

CASE(a_second_attach_is_eisconn)
{
	struct vm *vm = vm_new_bare(), *other = vm_new_bare();
	struct kvm_wtrack_status before, after;
	int fd = wt_open();

	wt_attach(fd, vm->fd);
	wt_status(fd, &before);
	CHECK_ERRNO(attach(fd, vm->fd), EISCONN);
	CHECK_ERRNO(attach(fd, other->fd), EISCONN);
	wt_status(fd, &after);
	CHECK(!memcmp(&before, &after, sizeof(before)));
}

CASE(ids_name_vms_and_sessions_and_are_never_used_again)
{
	struct kvm_wtrack_attach a[4];
	struct vm *vm = vm_new_bare();
	int i, fd, keep = wt_open();

	wt_attach(keep, vm->fd);
	for (i = 0; i < 4; i++) {
		if (i == 3) {
			close(keep);
			vm_close(vm);
			vm = vm_new_bare();
		}
		a[i] = (struct kvm_wtrack_attach){ .size = sizeof(a[i]),
						   .vm_fd = vm->fd };
		fd = wt_open();
		CHECK_ERRNO(__wt_attach(fd, &a[i]), 0);
		close(fd);
		CHECK(!i || a[i].out_session_id > a[i - 1].out_session_id);
	}
	CHECK(a[0].out_vm_id && a[0].out_vm_id == a[1].out_vm_id);
	CHECK(a[3].out_vm_id != a[0].out_vm_id);
}

/* The descriptor that was attached by may go; the VM is held. */
CASE(the_vm_descriptor_is_not_needed_after_attach)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	int copy = dup(vm->fd);
	struct wt *wt = wt_session(copy, 64, 0);

	close(copy);
	wt_add(wt->fd, VM_DATA_GFN, 1);
	CHECK(v->fd >= 0);
}
