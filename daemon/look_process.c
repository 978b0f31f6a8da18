// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a look's thread does. To compare descriptors, and to read a command line, may
 * take as long as the process wants; SIGKILL ends it. Nothing here touches what is the
 * event loop's.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "look_internal.h"
#include "pidfd.h"
#include "vm.h"

static bool is_known(const struct look_at *at, int number)
{
	unsigned int i;

	for (i = 0; i < at->nr_known; i++)
		if (at->known[i] == number)
			return true;
	return false;
}

/* Where it is among those that were found, or has its place. */
static bool search(const struct look_at *at, int number, unsigned int *ret)
{
	unsigned int low = 0, high = at->result.nr_found, middle;
	int order;

	while (low < high) {
		middle = (low + high) / 2;
		order = pid_fd_compare(at->pid, at->result.found[middle],
				       number);
		if (!order) {
			*ret = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low;
	return false;
}

/*
 * Of several descriptors of one VM the one that is known already counts. A
 * process that changes them meanwhile may have a VM listed twice, or not.
 */
static int add_found(struct look_at *at, int number)
{
	struct look_result *result = &at->result;
	unsigned int place;
	int *grown;

	if (search(at, number, &place)) {
		if (!is_known(at, result->found[place]) &&
		    is_known(at, number))
			result->found[place] = number;
		return 0;
	}
	if (result->nr_found == VMS_PER_PROCESS) {
		result->nr_left_out++;
		return 0;
	}
	grown = reallocarray(result->found, result->nr_found + 1,
			     sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	result->found = grown;
	memmove(&grown[place + 1], &grown[place],
		(result->nr_found - place) * sizeof(*grown));
	grown[place] = number;
	result->nr_found++;
	return 0;
}

static int look_at_fd(struct look_at *at, DIR *dir, const char *name)
{
	if (!isdigit((unsigned char)*name) || !fd_link_is_vm(dirfd(dir), name))
		return 0;
	return add_found(at, atoi(name));
}

static int look_at_fds(struct look_at *at)
{
	struct dirent *entry;
	char path[64];
	DIR *dir;
	int r;

	snprintf(path, sizeof(path), "/proc/%d/fd", at->pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	do {
		errno = 0;
		entry = readdir(dir);
		r = entry ? look_at_fd(at, dir, entry->d_name) : -errno;
	} while (entry && !r);
	closedir(dir);
	return r;
}

/* Whatever /proc/PID is between the two was of the process of the pidfd. */
int look_at_process(struct look_at *at)
{
	int r;

	at->result.pidfd = pidfd_of(at->pid);
	if (at->result.pidfd < 0)
		return at->result.pidfd;
	r = look_at_fds(at);
	if (!r && at->result.nr_found)
		r = proc_read_info(at->pid, &at->result.info);
	if (!r && !pidfd_is_alive(at->result.pidfd))
		r = -ESRCH;
	return r;
}
