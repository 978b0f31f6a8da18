// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sysfile.h"

ssize_t sysfile_read(const char *path, void *buf, size_t size)
{
	size_t length = 0;
	ssize_t n = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (length < size - 1) {
		n = read(fd, (char *)buf + length, size - 1 - length);
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	n = n < 0 ? -errno : (ssize_t)length;
	close(fd);
	((char *)buf)[length] = '\0';
	return n;
}

ssize_t sysfile_line(const char *path, char *buf, size_t size)
{
	ssize_t n = sysfile_read(path, buf, size);

	if (n < 0)
		return n;
	buf[strcspn(buf, "\n")] = '\0';
	return (ssize_t)strlen(buf);
}

bool sysfile_is_on(const char *path)
{
	char line[8];

	return sysfile_line(path, line, sizeof(line)) > 0 &&
	       (line[0] == 'Y' || line[0] == '1');
}

bool sysfile_exists(const char *path)
{
	return !access(path, F_OK);
}
