/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small things that every file may use. */
#ifndef COMMON_UTIL_H
#define COMMON_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The variable is given to fn when it goes out of scope. */
#define CLEANUP(fn)	__attribute__((cleanup(fn)))
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* For CLEANUP: free() and close() of what the variable holds by then. */
void free_p(void *pointer);
void close_p(const int *fd);

/* Moves a pointer or a descriptor out of a variable that cleans up. */
#define TAKE_PTR(p) \
	({ __typeof__(p) taken_ = (p); (p) = NULL; taken_; })
#define TAKE_FD(fd) \
	({ int taken_fd_ = (fd); (fd) = -1; taken_fd_; })

/* Closes what is not negative; returns -1. */
int safe_close(int fd);

/* Lists of string pointers that end with NULL. */
void strv_free(char **strv);
size_t strv_length(char *const *strv);
/* Takes the string over, also when it fails. */
int strv_append(char ***strv, char *string);

/* Replaces *string by a copy of value, NULL counts as "". */
int string_set(char **string, const char *value);

/*
 * Reads a file of at most max bytes; what is longer is cut off. The result
 * ends with a null byte that is not counted.
 */
int read_file_at(int dir, const char *path, size_t max, char **ret,
		 size_t *ret_size);

/* CLOCK_MONOTONIC */
uint64_t now_usec(void);
uint64_t now_ns(void);

#endif
