/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes and their descriptors, without being fooled by a pid used again. */
#ifndef WTRACKD_PIDFD_H
#define WTRACKD_PIDFD_H

#include <stdbool.h>
#include <sys/types.h>

/* All return a descriptor of ours, or a negative errno. */
int pidfd_of(pid_t pid);
int pidfd_copy(int pidfd, int fd);
bool pidfd_is_alive(int pidfd);

/* Of our own descriptors. */
bool fd_is_vm(int fd);
/* The mount that KVM's descriptors, among others, are on. */
int fd_anon_mnt_id(void);

/*
 * The order of two descriptors of a process: 0 when they are of one file. Any
 * order, but always the same, of such as are still there.
 */
int pid_fd_compare(pid_t pid, int a, int b);

#endif
