// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <systemd/sd-login.h>

#include "proc.h"
#include "utf8.h"
#include "util.h"

#define MAX_STATUS	16384
#define MAX_CGROUP	16384

static int read_proc(pid_t pid, const char *name, size_t max, char **ret,
		     size_t *ret_size)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	r = read_file_at(AT_FDCWD, path, max, ret, ret_size);
	return r == -ENOENT ? -ESRCH : r;
}

int proc_read_ids(pid_t pid, struct proc_ids *ret)
{
	CLEANUP(free_p) char *text = NULL;
	int r;

	r = read_proc(pid, "status", MAX_STATUS, &text, NULL);
	return r < 0 ? r : proc_parse_status(text, ret);
}

/* It may be that of the next program before exec(2): asked for again then. */
static int read_comm(pid_t pid, char **ret)
{
	CLEANUP(free_p) char *text = NULL;
	size_t size;
	int r;

	r = read_proc(pid, "comm", 64, &text, &size);
	if (r < 0)
		return r;
	return utf8_clean(text, size && text[size - 1] == '\n' ? size - 1 :
			  size, ret);
}

static int read_qemu_name(pid_t pid, char **ret)
{
	CLEANUP(free_p) char *text = NULL;
	size_t size;
	int r;

	r = read_proc(pid, "cmdline", PROC_MAX_CMDLINE, &text, &size);
	return r < 0 ? r : proc_parse_qemu_name(text, size, ret);
}

static int read_cgroup(pid_t pid, char **ret)
{
	CLEANUP(free_p) char *text = NULL;
	int r;

	r = read_proc(pid, "cgroup", MAX_CGROUP, &text, NULL);
	return r < 0 ? r : proc_parse_cgroup(text, ret);
}

int proc_read_info(pid_t pid, struct proc_info *ret)
{
	struct proc_info info = {};
	int r;

	r = proc_read_ids(pid, &info.ids);
	if (r >= 0)
		r = read_comm(pid, &info.comm);
	if (r >= 0)
		r = read_qemu_name(pid, &info.qemu_name);
	if (r >= 0)
		r = read_cgroup(pid, &info.cgroup);
	if (r < 0) {
		proc_info_done(&info);
		return r;
	}
	*ret = info;
	return 0;
}

void proc_info_done(struct proc_info *info)
{
	free(info->comm);
	free(info->qemu_name);
	free(info->cgroup);
	*info = (struct proc_info) {};
}

int proc_read_euid(pid_t pid, uid_t *ret)
{
	struct stat st;
	char path[64];

	/* The folder is the user's; of files in it the owner may be root. */
	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (stat(path, &st) < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	*ret = st.st_uid;
	return 0;
}

uid_t proc_account(pid_t pid)
{
	uid_t uid;

	if (sd_pid_get_owner_uid(pid, &uid) >= 0 ||
	    proc_read_euid(pid, &uid) >= 0)
		return uid;
	return (uid_t)-1;
}
