// SPDX-License-Identifier: GPL-2.0-or-later
/* One process: which of its descriptors are VMs? */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	free(TAKE_PTR(scan->found));
	scan->nr_found = 0;
	scan->nr_left_out = 0;
	if (scan->dir)
		closedir(scan->dir);
	scan->dir = NULL;
	scan->pidfd = safe_close(scan->pidfd);
}

static bool is_registered(const struct scan *scan, int number)
{
	return vm_find(scan->scans->manager, scan->pid, number) != NULL;
}

/* Where it is among those that were found, or has its place. */
static bool search(const struct scan *scan, int number, unsigned int *ret)
{
	unsigned int low = 0, high = scan->nr_found, middle;
	int order;

	while (low < high) {
		middle = (low + high) / 2;
		order = pid_fd_compare(scan->pid, scan->found[middle], number);
		if (!order) {
			*ret = middle;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret = low;
	return false;
}

/*
 * Of several descriptors of one VM the one that is known already counts. A
 * process that changes them meanwhile may have a VM listed twice, or not.
 */
static int add_found(struct scan *scan, int number)
{
	unsigned int at;
	int *grown;

	if (search(scan, number, &at)) {
		if (!is_registered(scan, scan->found[at]) &&
		    is_registered(scan, number))
			scan->found[at] = number;
		return 0;
	}
	if (scan->nr_found == VMS_PER_PROCESS) {
		scan->nr_left_out++;
		return 0;
	}
	grown = reallocarray(scan->found, scan->nr_found + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	scan->found = grown;
	memmove(&grown[at + 1], &grown[at],
		(scan->nr_found - at) * sizeof(*grown));
	grown[at] = number;
	scan->nr_found++;
	return 0;
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
	r = fd_is_vm(copy) ? add_found(scan, atoi(name)) : 0;
	safe_close(copy);
	return r;
}

static bool was_found(const struct scan *scan, int number)
{
	unsigned int i;

	for (i = 0; i < scan->nr_found; i++)
		if (scan->found[i] == number)
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

/* For the budget of log messages. */
static uid_t scan_uid(const struct scan *scan)
{
	struct proc_ids ids;

	return proc_read_ids(scan->pid, &ids) < 0 ? (uid_t)-1 : ids.uid;
}

/* Once for each time that there are more of them, or fewer. */
static void tell_left_out(struct scan *scan, struct process *process,
			  unsigned int nr)
{
	if (!process || process->nr_left_out == nr)
		return;
	process->nr_left_out = nr;
	manager_counts_changed(scan->scans->manager);
	if (nr && log_may(LOG_KIND_PROCESSES, process->info.ids.uid))
		log_warning("pid %d (uid %u) has %u VMs that are not listed: "
			    "the bounds are %u of a process, %u of a user",
			    process->pid, process->info.ids.uid, nr,
			    VMS_PER_PROCESS, VMS_PER_USER);
}

/* Into the registry. Returns how many are new. */
static unsigned int register_found(struct scan *scan)
{
	struct manager *m = scan->scans->manager;
	struct process *process = process_find(m, scan->pid);
	unsigned int i, nr = 0, left_out = scan->nr_left_out;
	int r = 0;

	for (i = 0; (r >= 0 || r == -EUSERS) && i < scan->nr_found; i++) {
		if (is_registered(scan, scan->found[i]))
			continue;
		r = process ? 0 :
		    process_new(m, scan->pid, scan->pidfd, &process);
		if (r < 0)
			break;
		r = vm_add(m, process, scan->found[i]);
		/* It went with the only VM that it could have had. */
		process = process_find(m, scan->pid);
		nr += r >= 0;
		left_out += r == -EUSERS;
		if (r == -EUSERS && !process)
			break;
	}
	if (nr)
		vms_added(m, scan->pid);
	tell_left_out(scan, process_find(m, scan->pid), left_out);
	if (r < 0 && r != -ESRCH && log_may(LOG_KIND_PROCESSES, scan_uid(scan)))
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
