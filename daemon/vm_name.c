// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "vm_name.h"

/* Decimal, no sign, no space. */
static int parse_int(const char **text, int *ret)
{
	char *end;
	long number;

	if (!isdigit((unsigned char)**text))
		return -EINVAL;
	errno = 0;
	number = strtol(*text, &end, 10);
	if (errno || number > INT_MAX)
		return -EINVAL;
	*text = end;
	*ret = (int)number;
	return 0;
}

int vm_name_parse(const char *text, pid_t *ret_pid, int *ret_fd)
{
	int pid, fd = -1;

	if (parse_int(&text, &pid) < 0 || pid <= 0)
		return -EINVAL;
	if (*text == ':') {
		text++;
		if (parse_int(&text, &fd) < 0)
			return -EINVAL;
	}
	if (*text)
		return -EINVAL;
	*ret_pid = pid;
	*ret_fd = fd;
	return 0;
}
