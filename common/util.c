// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util.h"

void free_p(void *pointer)
{
	free(*(void **)pointer);
}

void close_p(const int *fd)
{
	safe_close(*fd);
}

int safe_close(int fd)
{
	int saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return -1;
}

void strv_free(char **strv)
{
	char **s;

	for (s = strv; s && *s; s++)
		free(*s);
	free(strv);
}

size_t strv_length(char *const *strv)
{
	size_t n = 0;

	while (strv && strv[n])
		n++;
	return n;
}

int strv_append(char ***strv, char *string)
{
	size_t n = strv_length(*strv);
	char **grown;

	if (!string)
		return -ENOMEM;
	grown = reallocarray(*strv, n + 2, sizeof(*grown));
	if (!grown) {
		free(string);
		return -ENOMEM;
	}
	grown[n] = string;
	grown[n + 1] = NULL;
	*strv = grown;
	return 0;
}

int string_set(char **string, const char *value)
{
	char *copy = strdup(value ? value : "");

	if (!copy)
		return -ENOMEM;
	free(*string);
	*string = copy;
	return 0;
}

static ssize_t read_all(int fd, char *buffer, size_t size)
{
	size_t done = 0;
	ssize_t n;

	while (done < size) {
		n = read(fd, buffer + done, size - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int read_file_at(int dir, const char *path, size_t max, char **ret,
		 size_t *ret_size)
{
	CLEANUP(close_p) int fd = -1;
	CLEANUP(free_p) char *buffer = NULL;
	ssize_t n;

	/* A fifo in the place of a file must not stop us. */
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	buffer = malloc(max + 1);
	if (!buffer)
		return -ENOMEM;
	n = read_all(fd, buffer, max);
	if (n < 0)
		return (int)n;
	buffer[n] = '\0';
	*ret = TAKE_PTR(buffer);
	if (ret_size)
		*ret_size = (size_t)n;
	return 0;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t now_usec(void)
{
	return now_ns() / 1000;
}
