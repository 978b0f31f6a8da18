// SPDX-License-Identifier: LGPL-2.1-or-later
/* The only place with system calls. */
#define _FILE_OFFSET_BITS 64
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sys.h"

/* A ring may be mapped at offsets that have more than 32 bits. */
_Static_assert(sizeof(off_t) == sizeof(uint64_t), "no large files");

/* Turns errno into a return value and puts back what it was before. */
static int take_errno(int saved)
{
	int err = -errno;

	errno = saved;
	return err;
}

void *wtrack__sys_alloc(size_t size)
{
	int saved = errno;
	void *mem = calloc(1, size);

	errno = saved;
	return mem;
}

void wtrack__sys_free(void *mem)
{
	int saved = errno;

	free(mem);
	errno = saved;
}

int wtrack__sys_open(const char *path)
{
	int saved = errno;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? take_errno(saved) : fd;
}

void wtrack__sys_close(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
}

int wtrack__sys_ioctl(int fd, unsigned long request, void *arg)
{
	int saved = errno;
	int r = ioctl(fd, request, arg);

	return r < 0 ? take_errno(saved) : r;
}

int wtrack__sys_mmap(int fd, uint64_t offset, size_t length, int prot,
		     void **ret)
{
	int saved = errno;
	void *mem = mmap(NULL, length, prot, MAP_SHARED, fd, (off_t)offset);

	if (mem == MAP_FAILED)
		return take_errno(saved);
	*ret = mem;
	return 0;
}

void wtrack__sys_munmap(void *mem, size_t length)
{
	int saved = errno;

	munmap(mem, length);
	errno = saved;
}

int wtrack__sys_poll(int fd, short events, int timeout_ms, short *ret_revents)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int saved = errno;
	int r = poll(&pfd, 1, timeout_ms);

	if (r < 0)
		return take_errno(saved);
	*ret_revents = pfd.revents;
	return r;
}

uint64_t wtrack__sys_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int wtrack__sys_pidfd_open(int pid)
{
	int saved = errno;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? take_errno(saved) : fd;
}

int wtrack__sys_pidfd_getfd(int pidfd, int fd)
{
	int saved = errno;
	int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	return copy < 0 ? take_errno(saved) : copy;
}

/* A pidfd becomes readable when its process ends. */
bool wtrack__sys_pidfd_alive(int pidfd)
{
	short revents;

	return wtrack__sys_poll(pidfd, POLLIN, 0, &revents) != 1;
}

bool wtrack__sys_same_file(int fd1, int fd2)
{
	int saved = errno;
	pid_t self = getpid();
	long r = syscall(SYS_kcmp, self, self, KCMP_FILE, (long)fd1, (long)fd2);

	errno = saved;
	return r == 0;
}

bool wtrack__sys_links_to(int fd, const char *target)
{
	int saved = errno;
	size_t want = strlen(target);
	char path[32], link[64];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	len = readlink(path, link, sizeof(link));
	errno = saved;
	return len >= 0 && (size_t)len == want && !memcmp(link, target, want);
}

/* The mount that a descriptor is on. -ENOENT when it was closed meanwhile. */
static int mount_of(int dir, const char *name)
{
	char text[256];
	const char *line;
	ssize_t len;
	int fd, id;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len < 0)
		return -ENOENT;
	text[len] = '\0';
	line = strstr(text, "mnt_id:");
	return line && sscanf(line, "mnt_id: %d", &id) == 1 ? id : -ENOENT;
}

/*
 * The mount of descriptors that are no files, which is the same for all
 * processes.
 */
static int anon_mount(void)
{
	char path[32];
	int fd, r;

	fd = eventfd(0, EFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	r = mount_of(AT_FDCWD, path);
	close(fd);
	return r;
}

static int each_fd(DIR *dir, int mount, sys_fd_fn fn, void *userdata)
{
	struct dirent *entry;
	int r = 0;

	while (!r) {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			return -errno;
		if (entry->d_name[0] == '.')
			continue;
		r = mount_of(dirfd(dir), entry->d_name);
		if (r == mount)
			r = fn(atoi(entry->d_name), userdata);
		else if (r >= 0 || r == -ENOENT)
			r = 0;
	}
	return r;
}

/*
 * /proc/PID/fd has links that say more, but a caller that may only trace the
 * process cannot read it.
 */
int wtrack__sys_each_fd(int pid, sys_fd_fn fn, void *userdata)
{
	int saved = errno, mount, r;
	char path[32];
	DIR *dir;

	mount = anon_mount();
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = mount < 0 ? NULL : opendir(path);
	if (!dir) {
		r = mount < 0 ? mount : -errno;
		errno = saved;
		return r;
	}
	r = each_fd(dir, mount, fn, userdata);
	closedir(dir);
	errno = saved;
	return r;
}
