// SPDX-License-Identifier: GPL-2.0-or-later
/* The processes that run VMs. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "log.h"
#include "machine.h"
#include "manager.h"
#include "pidfd.h"
#include "util.h"
#include "vm.h"

struct process *process_find(struct manager *m, pid_t pid)
{
	struct process *process;

	LIST_FOREACH(process, &m->processes, link)
		if (process->pid == pid && !process->ended)
			return process;
	return NULL;
}

static void process_free(struct process *process)
{
	if (!process)
		return;
	sd_bus_slot_unref(process->machine_call);
	sd_event_source_disable_unref(process->exit_source);
	safe_close(process->pidfd);
	proc_info_done(&process->info);
	free(process->machine);
	free(process);
}

void process_unref(struct process *process)
{
	if (--process->nr_vms)
		return;
	LIST_REMOVE(process, link);
	process_free(process);
}

/* Gives up all of its VMs. The process may be freed by that. */
static void process_ended(struct process *process)
{
	struct manager *m = process->manager;
	pid_t pid = process->pid;
	struct vm *vm;

	process->ended = true;
	sd_event_source_set_enabled(process->exit_source, SD_EVENT_OFF);
	while ((vm = vm_of_pid(m, pid, NULL)))
		vm_gone(vm);
}

void process_check(struct manager *m, pid_t pid)
{
	struct process *process = process_find(m, pid);

	if (process && !pidfd_is_alive(process->pidfd))
		process_ended(process);
}

static int on_exit_of(sd_event_source *source, int fd, uint32_t revents,
		      void *userdata)
{
	(void)source;
	(void)fd;
	(void)revents;
	process_ended(userdata);
	return 0;
}

/* Before machined answers, and when nobody is there to do so. */
static int machine_from_cgroup(struct process *process)
{
	free(TAKE_PTR(process->machine));
	return proc_parse_machine(process->info.cgroup, &process->machine);
}

static void process_changed(struct process *process)
{
	struct manager *m = process->manager;
	struct vm *vm = vm_of_pid(m, process->pid, NULL);

	for (; vm; vm = vm_of_pid(m, process->pid, vm))
		bus_vm_changed(vm, "Uid", "Name", "Machine", "QemuName", "Cgroup",
			       "Comm", NULL);
}

bool process_is_of(const struct process *process, uid_t uid)
{
	const struct proc_ids *ids = &process->info.ids;

	return ids->uid == uid && ids->euid == uid && ids->suid == uid;
}

/* A process that drops its privileges tells nobody: it is looked at. */
#define LOOK_USEC	UINT64_C(2000000)

void process_check_user(struct process *process)
{
	struct proc_ids ids;
	uid_t uid;

	if (process->ended || proc_read_euid(process->pid, &uid) < 0 ||
	    uid == process->info.ids.euid ||
	    proc_read_ids(process->pid, &ids) < 0 ||
	    !pidfd_is_alive(process->pidfd))
		return;
	process->info.ids = ids;
	process_changed(process);
}

void processes_check_users(struct manager *m)
{
	struct process *process;

	LIST_FOREACH(process, &m->processes, link)
		process_check_user(process);
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct manager *m = userdata;

	(void)usec;
	processes_check_users(m);
	if (LIST_EMPTY(&m->processes))
		return 0;
	(void)sd_event_source_set_time_relative(source, LOOK_USEC);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static void look_from_now_on(struct manager *m)
{
	int r = 0, enabled = SD_EVENT_OFF;

	if (m->look_source)
		(void)sd_event_source_get_enabled(m->look_source, &enabled);
	if (enabled != SD_EVENT_OFF)
		return;
	if (!m->look_source)
		r = sd_event_add_time_relative(m->event, &m->look_source,
					       CLOCK_MONOTONIC, LOOK_USEC, 0,
					       on_look, m);
	else
		r = sd_event_source_set_time_relative(m->look_source, LOOK_USEC);
	if (r >= 0)
		r = sd_event_source_set_enabled(m->look_source,
						SD_EVENT_ONESHOT);
	if (r < 0)
		log_errno(r, "whose VMs are is not looked at again");
}

int process_new(struct manager *m, pid_t pid, int pidfd,
		struct proc_info *info, struct process **ret)
{
	struct process *process = calloc(1, sizeof(*process));
	int r;

	if (!process)
		return -ENOMEM;
	process->manager = m;
	process->pid = pid;
	process->pidfd = fcntl(pidfd, F_DUPFD_CLOEXEC, 3);
	r = process->pidfd < 0 ? -errno : 0;
	process->info = *info;
	*info = (struct proc_info) {};
	if (r >= 0)
		r = machine_from_cgroup(process);
	if (r >= 0)
		r = sd_event_add_io(m->event, &process->exit_source,
				    process->pidfd, EPOLLIN, on_exit_of,
				    process);
	if (r < 0) {
		process_free(process);
		return r;
	}
	LIST_INSERT_HEAD(&m->processes, process, link);
	look_from_now_on(m);
	machines_ask(m->machines, process);
	*ret = process;
	return 0;
}

static bool same_info(const struct proc_info *a, const struct proc_info *b)
{
	return !strcmp(a->comm, b->comm) &&
	       !strcmp(a->qemu_name, b->qemu_name) &&
	       !strcmp(a->cgroup, b->cgroup);
}

void process_take_info(struct process *process, struct proc_info *info)
{
	bool same_user = process->info.ids.uid == info->ids.uid;

	process->info.ids = info->ids;
	if (same_user && same_info(info, &process->info))
		return;
	proc_info_done(&process->info);
	process->info = *info;
	*info = (struct proc_info) {};
	process_changed(process);
}

void process_set_machine(struct process *process, const char *machine)
{
	if (!strcmp(process->machine, machine))
		return;
	if (string_set(&process->machine, machine) < 0) {
		log_errno(-ENOMEM, "cannot keep a machine's name");
		return;
	}
	process_changed(process);
}
