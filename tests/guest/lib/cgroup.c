// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "module.h"
#include "tap.h"

#define ROOT	"/sys/fs/cgroup"
#define GROUP	ROOT "/wtrack-test"

void cgroup_enter(void)
{
	file_write(ROOT "/cgroup.subtree_control", "+memory");
	CHECK_SYS(!mkdir(GROUP, 0755) || errno == EEXIST);
	file_write(GROUP "/cgroup.procs", "0");
}

long long cgroup_bytes(void)
{
	long long bytes = file_number(GROUP "/memory.current");

	CHECK(bytes >= 0);
	return bytes;
}

long long cgroup_slab_bytes(void)
{
	char text[8192] = "";
	const char *line;
	int fd = open(GROUP "/memory.stat", O_RDONLY | O_CLOEXEC);

	CHECK_SYS(fd >= 0);
	CHECK_SYS(read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	line = strstr(text, "\nslab ");
	CHECK(line);
	return atoll(line + strlen("\nslab "));
}

void cgroup_remove(void)
{
	CHECK_SOON(!rmdir(GROUP));
}
