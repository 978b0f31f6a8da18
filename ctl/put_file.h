/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that others read at any time, and that has to be whole whenever they do. */
#ifndef CTL_PUT_FILE_H
#define CTL_PUT_FILE_H

#include <stddef.h>

/*
 * Makes the file @path, or replaces it, by one with mode 0644 that has @data: who
 * opens it gets the old or the new one, and after a crash it is one of them. No
 * symbolic link is followed, neither the last part of @path nor one before it:
 * whoever could write to a directory on the way would choose what is replaced.
 *
 * Returns 0; or a negative errno, and in @ret_why what is wrong, which is constant:
 * the file is as it was then.
 */
int put_file(const char *path, const void *data, size_t size,
	     const char **ret_why);

#endif
