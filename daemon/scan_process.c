// SPDX-License-Identifier: GPL-2.0-or-later
/* One process: its VMs into the registry, and out of it. */
#include <errno.h>
#include <stdlib.h>

#include "log.h"
#include "look.h"
#include "manager.h"
#include "pidfd.h"
#include "scan_internal.h"
#include "vm.h"

static bool was_found(const struct look_result *result, int number)
{
	unsigned int i;

	for (i = 0; i < result->nr_found; i++)
		if (result->found[i] == number)
			return true;
	return false;
}

static void drop_closed(struct scan *scan, const struct look_result *result)
{
	struct manager *m = scan->scans->manager;
	struct vm *vm = vm_of_pid(m, scan->pid, NULL), *next;

	for (; vm; vm = next) {
		next = vm_of_pid(m, scan->pid, vm);
		if (!was_found(result, vm->fd))
			vm_gone(vm);
	}
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
static unsigned int add_found(struct scan *scan, struct look_result *result)
{
	struct manager *m = scan->scans->manager;
	struct process *process = process_find(m, scan->pid);
	unsigned int i, nr = 0, left_out = result->nr_left_out;
	int r = 0;

	if (process && result->nr_found)
		process_take_info(process, &result->info);
	for (i = 0; (r >= 0 || r == -EUSERS) && i < result->nr_found; i++) {
		if (vm_find(m, scan->pid, result->found[i]))
			continue;
		r = process ? 0 :
		    process_new(m, scan->pid, result->pidfd, &result->info,
				&process);
		if (r < 0)
			break;
		r = vm_add(m, process, result->found[i]);
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
	if (r < 0 && r != -ESRCH && log_may(LOG_KIND_PROCESSES, scan->uid))
		log_errno(r, "cannot keep account of the VMs of pid %d",
			  scan->pid);
	return nr;
}

unsigned int scan_register(struct scan *scan, struct look_result *result)
{
	/* Of the process that was looked at, or of none. */
	process_check(scan->scans->manager, scan->pid);
	if (!pidfd_is_alive(result->pidfd))
		return 0;
	drop_closed(scan, result);
	return add_found(scan, result);
}

int scan_known(const struct scan *scan, int **ret, unsigned int *ret_nr)
{
	struct manager *m = scan->scans->manager;
	const struct vm *vm = vm_of_pid(m, scan->pid, NULL);
	int *known;

	*ret = NULL;
	*ret_nr = 0;
	if (!vm)
		return 0;
	known = calloc(VMS_PER_PROCESS, sizeof(*known));
	if (!known)
		return -ENOMEM;
	for (; vm && *ret_nr < VMS_PER_PROCESS;
	     vm = vm_of_pid(m, scan->pid, vm))
		known[(*ret_nr)++] = vm->fd;
	*ret = known;
	return 0;
}
