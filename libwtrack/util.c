// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>
#include <string.h>

#include "internal.h"
#include "sys.h"

/* For calls that change nothing when a signal interrupts them. */
int wtrack__retry_ioctl(int fd, unsigned long request, void *arg)
{
	int r;

	do {
		r = wtrack__sys_ioctl(fd, request, arg);
	} while (r == -EINTR);
	return r;
}

/* The caller's struct may be that of an older or of a newer library. */
int wtrack__copy_sized(void *ret, size_t size, const void *from,
		       size_t from_size)
{
	size_t both = size < from_size ? size : from_size;

	if (!size)
		return -EINVAL;
	memcpy(ret, from, both);
	memset((char *)ret + both, 0, size - both);
	return 0;
}

static bool is_zero(const unsigned char *bytes, size_t size)
{
	while (size)
		if (bytes[--size])
			return false;
	return true;
}

/* Copy in the other direction: fields that the caller's struct lacks are 0. */
int wtrack__load_sized(void *ret, size_t ret_size, const void *from,
		       size_t size)
{
	size_t both = size < ret_size ? size : ret_size;

	if (!size)
		return -EINVAL;
	if (!is_zero((const unsigned char *)from + both, size - both))
		return -E2BIG;
	memcpy(ret, from, both);
	memset((char *)ret + both, 0, ret_size - both);
	return 0;
}
