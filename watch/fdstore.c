// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "common/number.h"
#include "fdstore.h"
#include "util.h"

#define PREFIX	"watch-"

static bool is_plain(unsigned char c)
{
	return c < 0x80 && (isalnum(c) || c == '.' || c == '_' || c == '-');
}

int fdstore_name(const char *watch, uint64_t vm_id, int vm_pid,
		 char ret[FDSTORE_NAME_BYTES])
{
	char escaped[FDSTORE_NAME_BYTES];
	size_t at = 0;
	int n;

	for (; *watch; watch++) {
		if (at + 5 > sizeof(escaped))
			return -ENAMETOOLONG;
		if (is_plain((unsigned char)*watch))
			escaped[at++] = *watch;
		else
			at += (size_t)sprintf(&escaped[at], "\\x%02x",
					      (unsigned char)*watch);
	}
	escaped[at] = '\0';
	n = snprintf(ret, FDSTORE_NAME_BYTES, PREFIX "%s-%" PRIu64 "-%d",
		     escaped, vm_id, vm_pid);
	return n < FDSTORE_NAME_BYTES ? 0 : -ENAMETOOLONG;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; what is escaped is never a null byte. */
static int unescape(char *text)
{
	char *to = text;
	int high, low;

	for (; *text; text++) {
		if (*text != '\\') {
			*to++ = *text;
			continue;
		}
		high = text[1] == 'x' ? hex_digit(text[2]) : -1;
		low = high >= 0 ? hex_digit(text[3]) : -1;
		if (low < 0 || high + low == 0)
			return -EINVAL;
		*to++ = (char)(high << 4 | low);
		text += 3;
	}
	*to = '\0';
	return 0;
}

/* Cuts the number off that stands behind the last dash. */
static int cut_number(char *text, uint64_t max, uint64_t *ret)
{
	char *dash = strrchr(text, '-');

	if (!dash || number_parse_decimal(dash + 1, 0, max, ret))
		return -EINVAL;
	*dash = '\0';
	return 0;
}

int fdstore_parse(const char *name, char **ret_watch, uint64_t *ret_vm_id,
		  int *ret_vm_pid)
{
	char *watch CLEANUP(free_p) = NULL;
	uint64_t id, pid;

	if (strncmp(name, PREFIX, strlen(PREFIX)))
		return -EINVAL;
	watch = strdup(name + strlen(PREFIX));
	if (!watch)
		return -ENOMEM;
	if (cut_number(watch, INT_MAX, &pid) < 0 ||
	    cut_number(watch, UINT64_MAX, &id) < 0 || !*watch ||
	    unescape(watch) < 0)
		return -EINVAL;
	*ret_watch = TAKE_PTR(watch);
	*ret_vm_id = id;
	*ret_vm_pid = (int)pid;
	return 0;
}

static int told(int r)
{
	if (r < 0)
		return r;
	return r ? 0 : -ENOTCONN;
}

int fdstore_put(const char *name, int fd)
{
	char text[FDSTORE_NAME_BYTES + 64];

	snprintf(text, sizeof(text), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	return told(sd_pid_notify_with_fds(0, 0, text, &fd, 1));
}

int fdstore_remove(const char *name)
{
	return told(sd_notifyf(0, "FDSTOREREMOVE=1\nFDNAME=%s", name));
}

int fdstore_barrier(int *ret_fd)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	r = told(sd_pid_notify_with_fds(0, 0, "BARRIER=1", &ends[1], 1));
	safe_close(ends[1]);
	if (r < 0) {
		safe_close(ends[0]);
		return r;
	}
	*ret_fd = ends[0];
	return 0;
}
