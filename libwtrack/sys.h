/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * All calls of the library to the operating system. The rest of the library
 * runs on any other implementation of these functions as well. They return a
 * negative errno when they fail, and leave errno alone.
 */
#ifndef WTRACK_SYS_H
#define WTRACK_SYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Zeroed memory, or NULL. */
void *wtrack__sys_alloc(size_t size);
void wtrack__sys_free(void *mem);

int wtrack__sys_open(const char *path);
void wtrack__sys_close(int fd);
int wtrack__sys_ioctl(int fd, unsigned long request, void *arg);
int wtrack__sys_mmap(int fd, uint64_t offset, size_t length, int prot,
		     void **ret);
void wtrack__sys_munmap(void *mem, size_t length);

/* 1 with *ret_revents, 0 when the time is over. */
int wtrack__sys_poll(int fd, short events, int timeout_ms, short *ret_revents);
uint64_t wtrack__sys_now_ms(void);

int wtrack__sys_pidfd_open(int pid);
int wtrack__sys_pidfd_getfd(int pidfd, int fd);
bool wtrack__sys_pidfd_alive(int pidfd);

/* Do two descriptors of this process stand for one open file? */
bool wtrack__sys_same_file(int fd1, int fd2);

/* Is a descriptor of this process a link to target? */
bool wtrack__sys_links_to(int fd, const char *target);

/*
 * Calls fn for each descriptor of a process that is no file, and so may be a
 * VM, until it returns something else than 0, which is then returned.
 */
typedef int (*sys_fd_fn)(int fd, void *userdata);
int wtrack__sys_each_fd(int pid, sys_fd_fn fn, void *userdata);

#endif
