// SPDX-License-Identifier: LGPL-2.1-or-later
/* The only place with system calls. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"

/* Turns errno into a return value and puts back what it was before. */
static int take_errno(int saved)
{
	int err = -errno;

	errno = saved;
	return err;
}

void *sys_alloc(size_t size)
{
	int saved = errno;
	void *mem = calloc(1, size);

	errno = saved;
	return mem;
}

void sys_free(void *mem)
{
	int saved = errno;

	free(mem);
	errno = saved;
}

int sys_open(const char *path)
{
	int saved = errno;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? take_errno(saved) : fd;
}

void sys_close(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

int sys_ioctl(int fd, unsigned long request, void *arg)
{
	int saved = errno;
	int r = ioctl(fd, request, arg);

	return r < 0 ? take_errno(saved) : r;
}

int sys_mmap(int fd, off_t offset, size_t length, int prot, void **ret)
{
	int saved = errno;
	void *mem = mmap(NULL, length, prot, MAP_SHARED, fd, offset);

	if (mem == MAP_FAILED)
		return take_errno(saved);
	*ret = mem;
	return 0;
}

void sys_munmap(void *mem, size_t length)
{
	int saved = errno;

	munmap(mem, length);
	errno = saved;
}

int sys_poll(int fd, short events, int timeout_ms, short *ret_revents)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int saved = errno;
	int r = poll(&pfd, 1, timeout_ms);

	if (r < 0)
		return take_errno(saved);
	*ret_revents = pfd.revents;
	return r;
}

uint64_t sys_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int sys_pidfd_open(int pid)
{
	int saved = errno;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? take_errno(saved) : fd;
}

int sys_pidfd_getfd(int pidfd, int fd)
{
	int saved = errno;
	int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	return copy < 0 ? take_errno(saved) : copy;
}

/* A pidfd becomes readable when its process ends. */
bool sys_pidfd_alive(int pidfd)
{
	short revents;

	return sys_poll(pidfd, POLLIN, 0, &revents) != 1;
}

bool sys_same_file(int fd1, int fd2)
{
	int saved = errno;
	pid_t self = getpid();
	long r = syscall(SYS_kcmp, self, self, KCMP_FILE, (long)fd1, (long)fd2);

	errno = saved;
	return r == 0;
}

static bool links_to(int dir, const char *name, const char *target)
{
	size_t want = strlen(target);
	char link[64];
	ssize_t len;

	len = readlinkat(dir, name, link, sizeof(link));
	return len >= 0 && (size_t)len == want && !memcmp(link, target, want);
}

int sys_each_fd(int pid, const char *target, sys_fd_fn fn, void *userdata)
{
	int saved = errno;
	struct dirent *entry;
	char path[32];
	int r = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return take_errno(saved);
	while (!r) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			r = -errno;
			break;
		}
		if (links_to(dirfd(dir), entry->d_name, target))
			r = fn(atoi(entry->d_name), userdata);
	}
	closedir(dir);
	errno = saved;
	return r;
}
