// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>

#include "internal.h"
#include "sys.h"

/* For calls that change nothing when a signal interrupts them. */
int retry_ioctl(int fd, unsigned long request, void *arg)
{
	int r;

	do {
		r = sys_ioctl(fd, request, arg);
	} while (r == -EINTR);
	return r;
}

/* The caller's struct may be that of an older or of a newer library. */
int copy_sized(void *ret, size_t size, const void *from, size_t from_size)
{
	size_t both = size < from_size ? size : from_size;

	if (!size)
		return -EINVAL;
	memcpy(ret, from, both);
	memset((char *)ret + both, 0, size - both);
	return 0;
}
