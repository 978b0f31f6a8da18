// SPDX-License-Identifier: GPL-2.0-or-later
/* The VMM as another process: its descriptors and its end. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake.h"
#include "sys.h"

int wtrack__sys_pidfd_open(int pid)
{
	int err = fake_called(FAKE_PIDFD_OPEN);

	if (err)
		return err;
	return pid == FAKE_PID ? fake_new_fd(FAKE_PIDFD) : -ESRCH;
}

int wtrack__sys_pidfd_getfd(int pidfd, int fd)
{
	int err = fake_called(FAKE_PIDFD_GETFD);
	int i;

	assert_int_equal(fake_kind(pidfd), FAKE_PIDFD);
	if (err)
		return err;
	if (!fake.vmm.alive)
		return -ESRCH;
	for (i = 0; i < fake.vmm.nr_fds; i++)
		if (fake.vmm.fds[i] == fd)
			return fake_new_fd(fake.vmm.vms[i] == FAKE_NO_VM ?
					   FAKE_PIDFD :
					   FAKE_VM + fake.vmm.vms[i]);
	return -EBADF;
}

bool wtrack__sys_pidfd_alive(int pidfd)
{
	assert_int_equal(fake_kind(pidfd), FAKE_PIDFD);
	return fake.vmm.alive;
}

bool wtrack__sys_same_file(int fd1, int fd2)
{
	assert_true(fake_kind(fd1) >= FAKE_VM && fake_kind(fd2) >= FAKE_VM);
	return fake_kind(fd1) == fake_kind(fd2);
}

bool wtrack__sys_links_to(int fd, const char *target)
{
	assert_string_equal(target, "anon_inode:kvm-vm");
	return fake_kind(fd) >= FAKE_VM;
}

int wtrack__sys_each_fd(int pid, sys_fd_fn fn, void *userdata)
{
	int r = fake_called(FAKE_EACH_FD);
	int i;

	assert_int_equal(pid, FAKE_PID);
	for (i = 0; !r && i < fake.vmm.nr_fds; i++)
		r = fn(fake.vmm.fds[i], userdata);
	return r;
}

/* One of this process, or an open copy of the VMM's. */
bool fake_is_vm(int fd)
{
	return fd == FAKE_VM_FD || fake_kind(fd) >= FAKE_VM;
}
