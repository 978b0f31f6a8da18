/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes and their descriptors, without being fooled by a pid used again. */
#ifndef WTRACKD_PIDFD_H
#define WTRACKD_PIDFD_H

#include <stdbool.h>
#include <sys/types.h>

/* A descriptor of ours, or a negative errno. */
int pidfd_of(pid_t pid);
bool pidfd_is_alive(int pidfd);

/*
 * Of any process, from the link in /proc/PID/fd, whose folder dir is. The kernel knows
 * the name of an open file: it waits neither for the process nor for a file system,
 * and nobody can give another file this name.
 */
bool fd_link_is_vm(int dir, const char *name);

/*
 * The order of two descriptors of a process: 0 when they are of one file. Any
 * order, but always the same, of such as are still there.
 */
int pid_fd_compare(pid_t pid, int a, int b);

#endif
