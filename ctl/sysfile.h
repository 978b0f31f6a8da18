/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files of the kernel. */
#ifndef CTL_SYSFILE_H
#define CTL_SYSFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* At most @size - 1 bytes, ended by a zero byte. The length, or -errno. */
ssize_t sysfile_read(const char *path, void *buf, size_t size);
/* The same of its first line, without its end. */
ssize_t sysfile_line(const char *path, char *buf, size_t size);
/* A parameter of a module that is on: "Y", "1". */
bool sysfile_is_on(const char *path);
bool sysfile_exists(const char *path);

#endif
