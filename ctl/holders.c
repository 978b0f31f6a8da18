// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "holders.h"
#include "mem.h"
#include "sysfile.h"

#define DEVICE	"/dev/kvm-wtrack"
#define REFCNT	"/sys/module/kvm_wtrack/refcnt"

/* It may have been made anew since, as when udev does so. */
static bool is_device(const char *link, ssize_t length)
{
	const size_t size = sizeof(DEVICE) - 1;

	return length >= (ssize_t)size && !memcmp(link, DEVICE, size) &&
	       ((size_t)length == size || link[size] == ' ');
}

static bool holds_device(const char *pid)
{
	char path[64], link[64];
	struct dirent *entry;
	bool found = false;
	ssize_t length;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	dir = opendir(path);
	while (dir && !found && (entry = readdir(dir))) {
		length = readlinkat(dirfd(dir), entry->d_name, link,
				    sizeof(link));
		found = is_device(link, length);
	}
	if (dir)
		closedir(dir);
	return found;
}

size_t holders_find(struct holder **ret)
{
	struct holder *list = NULL, *holder;
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char path[64];
	size_t nr = 0;

	while (dir && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]) ||
		    !holds_device(entry->d_name))
			continue;
		list = mem_grow(list, nr, sizeof(*list));
		holder = &list[nr++];
		*holder = (struct holder) { .pid = atoi(entry->d_name) };
		snprintf(path, sizeof(path), "/proc/%d/comm", holder->pid);
		(void)sysfile_line(path, holder->comm, sizeof(holder->comm));
	}
	if (dir)
		closedir(dir);
	*ret = list;
	return nr;
}

long holders_module_uses(void)
{
	char text[32];

	return sysfile_line(REFCNT, text, sizeof(text)) > 0 ? atol(text) : -1;
}
