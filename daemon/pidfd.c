// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pidfd.h"

#define VM_LINK	"anon_inode:kvm-vm"

int pidfd_of(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

/* A pidfd becomes readable when its process ends. */
bool pidfd_is_alive(int pidfd)
{
	struct pollfd pfd = { .fd = pidfd, .events = POLLIN };

	return poll(&pfd, 1, 0) == 0;
}

bool fd_link_is_vm(int dir, const char *name)
{
	char link[sizeof(VM_LINK) + 1];
	ssize_t length = readlinkat(dir, name, link, sizeof(link));

	return length == sizeof(VM_LINK) - 1 &&
	       !memcmp(link, VM_LINK, sizeof(VM_LINK) - 1);
}

int pid_fd_compare(pid_t pid, int a, int b)
{
	long r = syscall(SYS_kcmp, pid, pid, KCMP_FILE, (long)a, (long)b);

	return r == 1 ? -1 : r != 0;
}
