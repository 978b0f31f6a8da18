/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes and descriptors. */
#ifndef GUEST_FD_H
#define GUEST_FD_H

#include <sys/types.h>

/* Runs fn(arg) in a child; child_join() checks that no check failed in it. */
pid_t child_fork(void (*fn)(void *arg), void *arg);
void child_join(pid_t pid);

/* One descriptor over a unix socket, with one byte of data. */
void fd_send(int sock, int fd);
int fd_receive(int sock);
void socket_pair(int sock[2]);

/* A byte over a pipe or socket: "go on" from one process to another. */
void byte_send(int fd, char byte);
char byte_receive(int fd);

int pidfd_of(pid_t pid);
/* A copy of another process' descriptor, or a failed check. */
int pidfd_take(int pidfd, int nr);

#endif /* GUEST_FD_H */
