// SPDX-License-Identifier: GPL-2.0-or-later
/* One process: which of its descriptors are VMs? */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "manager.h"
#include "pidfd.h"
#include "proc.h"
#include "scan_internal.h"
#include "util.h"
#include "vm.h"

/* Descriptors that are looked at before other work gets its turn. */
#define STEP		128
#define MAX_FDINFO	512

void scan_reset(struct scan *scan)
{
	while (scan->nr_found)
		safe_close(scan->found[--scan->nr_found].copy);
	if (scan->dir)
		closedir(scan->dir);
	scan->dir = NULL;
	scan->pidfd = safe_close(scan->pidfd);
}

static bool is_registered(const struct scan *scan, int number)
{
	return vm_find(scan->scans->manager, scan->pid, number) != NULL;
}

/* Of several descriptors of one VM the one that is known already counts. */
static void add_found(struct scan *scan, int number, int copy)
{
	unsigned int i;

	for (i = 0; i < scan->nr_found; i++) {
		if (!fd_is_same(scan->found[i].copy, copy))
			continue;
		if (!is_registered(scan, scan->found[i].number) &&
		    is_registered(scan, number))
			scan->found[i].number = number;
		safe_close(copy);
		return;
	}
	if (scan->nr_found == VMS_PER_PROCESS) {
		safe_close(copy);
		return;
	}
	scan->found[scan->nr_found++] = (struct found) { number, copy };
}

int scan_shortage(int r)
{
	return r == -EMFILE || r == -ENFILE || r == -ENOMEM ? r : 0;
}

static int look_at(struct scan *scan, const char *name)
{
	CLEANUP(free_p) char *text = NULL;
	int mnt_id, copy, r;

	if (!isdigit((unsigned char)*name))
		return 0;
	r = read_file_at(dirfd(scan->dir), name, MAX_FDINFO, &text, NULL);
	if (r < 0)
		return scan_shortage(r);
	if (proc_parse_mnt_id(text, &mnt_id) < 0 ||
	    mnt_id != scan->scans->anon_mnt_id)
		return 0;
	copy = pidfd_copy(scan->pidfd, atoi(name));
	if (copy < 0)
		return scan_shortage(copy);
	if (fd_is_vm(copy))
		add_found(scan, atoi(name), copy);
	else
		safe_close(copy);
	return 0;
}

static bool was_found(const struct scan *scan, int number)
{
	unsigned int i;

	for (i = 0; i < scan->nr_found; i++)
		if (scan->found[i].number == number)
			return true;
	return false;
}

static void drop_closed(struct scan *scan)
{
	struct manager *m = scan->scans->manager;
	struct vm *vm = vm_of_pid(m, scan->pid, NULL), *next;

	for (; vm; vm = next) {
		next = vm_of_pid(m, scan->pid, vm);
		if (!was_found(scan, vm->fd))
			vm_gone(vm);
	}
}

/* Into the registry. Returns how many are new. */
static unsigned int register_found(struct scan *scan)
{
	struct manager *m = scan->scans->manager;
	struct process *process = process_find(m, scan->pid);
	unsigned int i, nr = 0;
	int r = 0;

	for (i = 0; r >= 0 && i < scan->nr_found; i++) {
		if (is_registered(scan, scan->found[i].number))
			continue;
		if (!process)
			r = process_new(m, scan->pid, scan->pidfd, &process);
		if (r >= 0)
			r = vm_add(m, process, scan->found[i].number);
		nr += r >= 0;
	}
	if (nr)
		vms_added(m, scan->pid);
	if (r < 0 && r != -ESRCH && log_may(LOG_KIND_PROCESSES, (uid_t)-1))
		log_errno(r, "cannot keep account of the VMs of pid %d",
			  scan->pid);
	return nr;
}

/* Whatever /proc/PID is after this was of the process of the pidfd. */
static int scan_open(struct scan *scan)
{
	char path[64];

	process_check(scan->scans->manager, scan->pid);
	scan->pidfd = pidfd_of(scan->pid);
	if (scan->pidfd < 0)
		return scan->pidfd;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", scan->pid);
	scan->dir = opendir(path);
	if (!scan->dir)
		return -errno;
	return pidfd_is_alive(scan->pidfd) ? 0 : -ESRCH;
}

/* 1 when there is more. */
int scan_step(struct scan *scan)
{
	struct dirent *entry;
	int i, r;

	if (!scan->dir) {
		r = scan_open(scan);
		if (r < 0)
			return r;
	}
	for (i = 0; i < STEP; i++) {
		errno = 0;
		entry = readdir(scan->dir);
		if (!entry)
			return -errno;
		r = look_at(scan, entry->d_name);
		if (r < 0)
			return r;
	}
	return 1;
}

unsigned int scan_register(struct scan *scan)
{
	drop_closed(scan);
	return register_found(scan);
}
