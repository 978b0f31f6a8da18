// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sessions on the VM of another process. */
#include <errno.h>

#include "internal.h"
#include "sys.h"

#define VM_LINK	"anon_inode:kvm-vm"

/*
 * EPERM and ENOENT have other meanings in this interface. A process that is
 * there, but not in /proc, is hidden from the caller by its hidepid option.
 */
int wtrack__process_error(int pidfd, int err)
{
	if (!wtrack__sys_pidfd_alive(pidfd))
		return -ESRCH;
	if (err == -EPERM || err == -ENOENT)
		return -EACCES;
	return err;
}

struct vm_search {
	int pidfd;
	int vm_fd;		/* our copy, -1 before one was found */
};

/*
 * A descriptor that was found by a process's number may be another process's,
 * which has got the same pid meanwhile. Only the copy taken through the pidfd
 * is of the right one.
 */
static int on_vm_fd(int fd, void *userdata)
{
	struct vm_search *search = userdata;
	bool same;
	int copy;

	copy = wtrack__sys_pidfd_getfd(search->pidfd, fd);
	if (copy == -EBADF)
		return 0;
	if (copy < 0)
		return copy;
	if (!wtrack__sys_links_to(copy, VM_LINK)) {
		wtrack__sys_close(copy);
		return 0;
	}
	if (search->vm_fd < 0) {
		search->vm_fd = copy;
		return 0;
	}
	same = wtrack__sys_same_file(search->vm_fd, copy);
	wtrack__sys_close(copy);
	return same ? 0 : -ENOTUNIQ;
}

static int find_vm_fd(int pidfd, int pid)
{
	struct vm_search search = { .pidfd = pidfd, .vm_fd = -1 };
	int r;

	r = wtrack__sys_each_fd(pid, on_vm_fd, &search);
	if (!r && search.vm_fd < 0)
		r = -EBADFD;
	if (!r)
		return search.vm_fd;
	if (search.vm_fd >= 0)
		wtrack__sys_close(search.vm_fd);
	return wtrack__process_error(pidfd, r);
}

/* Takes the descriptor of the VM, or an error in its place. */
static int open_found(int vm_fd, struct wtrack_session **ret)
{
	int r;

	if (vm_fd < 0)
		return vm_fd;
	r = wtrack_session_open_vm_fd(vm_fd, ret);
	wtrack__sys_close(vm_fd);
	return r;
}

WTRACK_API int wtrack_session_open_pid(int pid, struct wtrack_session **ret)
{
	int pidfd, r;

	pidfd = wtrack__sys_pidfd_open(pid);
	if (pidfd < 0)
		return pidfd;
	r = open_found(find_vm_fd(pidfd, pid), ret);
	wtrack__sys_close(pidfd);
	return r;
}

WTRACK_API int wtrack_session_open_pid_fd(int pid, int fd,
					  struct wtrack_session **ret)
{
	int pidfd, vm_fd, r;

	pidfd = wtrack__sys_pidfd_open(pid);
	if (pidfd < 0)
		return pidfd;
	vm_fd = wtrack__sys_pidfd_getfd(pidfd, fd);
	if (vm_fd < 0)
		vm_fd = wtrack__process_error(pidfd, vm_fd);
	r = open_found(vm_fd, ret);
	wtrack__sys_close(pidfd);
	return r;
}
