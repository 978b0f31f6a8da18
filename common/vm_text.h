/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How people name a VM by number. */
#ifndef COMMON_VM_TEXT_H
#define COMMON_VM_TEXT_H

#include <sys/types.h>

/*
 * PID or PID:FD, both decimal; *@ret_fd is -1 without one. Returns -EINVAL
 * when the text is neither, and so a name.
 */
int vm_text_parse(const char *text, pid_t *ret_pid, int *ret_fd);

#endif
