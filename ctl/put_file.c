// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "put_file.h"

#define TRIES	16

/* Of the new file while it is written; no program looks for such a name. */
#define TEMPORARY_SIZE	sizeof(".wtrackctl-0123456789abcdef")

/* The name in the directory, which is what is left of the copy. */
static int split(char *copy, const char **ret_name)
{
	char *slash = strrchr(copy, '/');

	*ret_name = slash ? slash + 1 : copy;
	if (!**ret_name || !strcmp(*ret_name, ".") || !strcmp(*ret_name, ".."))
		return -EISDIR;
	if (slash)
		*slash = '\0';
	return slash ? 1 : 0;
}

static int enter(int dir, const char *name)
{
	struct stat st;
	int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOTDIR && !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW))
		return S_ISLNK(st.st_mode) ? -ELOOP : -ENOTDIR;
	return -errno;
}

/*
 * Step by step, as openat2() would with RESOLVE_NO_SYMLINKS; systemd's
 * RestrictSUIDSGID= has that fail, as a filter cannot see what it is asked for.
 */
static int open_dir(bool from_root, char *path)
{
	int fd = enter(AT_FDCWD, from_root ? "/" : "."), next;
	char *part;

	while (fd >= 0 && (part = strsep(&path, "/"))) {
		if (!*part)
			continue;
		next = enter(fd, part);
		close(fd);
		fd = next;
	}
	return fd;
}

/* What is there may be replaced if it is a file of its own. */
static int check_old(int dir, const char *name, const char **ret_why)
{
	struct stat old;

	if (fstatat(dir, name, &old, AT_SYMLINK_NOFOLLOW))
		return errno == ENOENT ? 0 : -errno;
	if (S_ISREG(old.st_mode))
		return 0;
	if (S_ISLNK(old.st_mode))
		return -ELOOP;
	*ret_why = "it is not a regular file";
	return -EINVAL;
}

static int create(int dir, char *name)
{
	uint64_t number;
	int fd, i;

	for (i = 0; i < TRIES; i++) {
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -errno;
		snprintf(name, TEMPORARY_SIZE, ".wtrackctl-%016llx",
			 (unsigned long long)number);
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
			    O_CLOEXEC, 0600);
		if (fd >= 0)
			return fd;
		if (errno != EEXIST)
			break;
	}
	return -errno;
}

static int fill(int fd, const char *data, size_t size)
{
	ssize_t written;

	while (size) {
		written = write(fd, data, size);
		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			data += written;
			size -= (size_t)written;
		}
	}
	/* Not before: nobody reads a part. And not by way of the umask. */
	if (fchmod(fd, 0644) || fsync(fd))
		return -errno;
	return 0;
}

/*
 * The directory is not synchronised: whether a crash leaves the old file or the
 * new one, it is whole.
 */
static int replace(int dir, const char *name, const void *data, size_t size)
{
	char temporary[TEMPORARY_SIZE];
	int fd, r;

	fd = create(dir, temporary);
	if (fd < 0)
		return fd;
	r = fill(fd, data, size);
	if (close(fd) && !r)
		r = -errno;
	if (!r && renameat(dir, temporary, dir, name))
		r = -errno;
	if (r)
		unlinkat(dir, temporary, 0);
	return r;
}

/* Nobody would find the temporary file that a signal leaves. */
static int replace_undisturbed(int dir, const char *name, const void *data,
			       size_t size)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	r = replace(dir, name, data, size);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

int put_file(const char *path, const void *data, size_t size,
	     const char **ret_why)
{
	char *copy = mem_strdup(path);
	const char *name = NULL, *why = NULL;
	int r, fd = -1;

	r = split(copy, &name);
	if (r >= 0)
		r = fd = open_dir(*path == '/', r ? copy : NULL);
	if (r >= 0)
		r = check_old(fd, name, &why);
	if (!r)
		r = replace_undisturbed(fd, name, data, size);
	if (fd >= 0)
		close(fd);
	free(copy);
	if (r == -ELOOP)
		why = "a symbolic link is on the way, which is not followed";
	*ret_why = why ? why : strerror(-r);
	return r;
}
