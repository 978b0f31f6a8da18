// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <limits.h>
#include <stdint.h>

#include "common/number.h"
#include "common/vm_text.h"

int vm_text_parse(const char *text, pid_t *ret_pid, int *ret_fd)
{
	uint64_t pid, fd;

	if (number_scan_decimal(&text, &pid) || !pid || pid > INT_MAX)
		return -EINVAL;
	if (*text == ':') {
		if (number_parse_decimal(text + 1, 0, INT_MAX, &fd))
			return -EINVAL;
	} else if (*text) {
		return -EINVAL;
	}
	*ret_pid = (pid_t)pid;
	*ret_fd = *text ? (int)fd : -1;
	return 0;
}
