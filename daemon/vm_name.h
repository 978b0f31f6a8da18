/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WTRACKD_VM_NAME_H
#define WTRACKD_VM_NAME_H

#include <sys/types.h>

/*
 * PID or PID:FD, as clients name VMs; *ret_fd is -1 without one. -EINVAL when it
 * is neither, and so a name.
 */
int vm_name_parse(const char *text, pid_t *ret_pid, int *ret_fd);

#endif
