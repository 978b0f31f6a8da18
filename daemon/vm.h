/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The virtual machines of this host and the processes that run them. A VM is
 * the descriptor of a process: two descriptors of one VM count once.
 *
 * A VM is gone when its process ended, or closed it. While sessions of it are
 * left its object stays on the bus, and says so; it is not found any more.
 */
#ifndef WTRACKD_VM_H
#define WTRACKD_VM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "proc.h"

/* The daemon's own bounds, whatever users do. */
#define VMS_PER_PROCESS	1024
#define VMS_PER_USER	1024		/* root's are not counted */

struct manager;
struct session;

struct process {
	LIST_ENTRY(process) link;
	struct manager *manager;
	pid_t pid;
	int pidfd;			/* of this very process, not the next */
	sd_event_source *exit_source;
	struct proc_info info;		/* proc.h: uid, comm, names, cgroup */
	char *machine;			/* machined's name, "" when unknown */
	sd_bus_slot *machine_call;
	unsigned int nr_vms;		/* that refer to it, gone ones too */
	unsigned int nr_left_out;	/* VMs beyond the bounds above */
	bool ended;			/* its number may be another's now */
};

/* What the module counts of a VM, as of the newest dump; 0 without sessions. */
struct vm_counters {
	uint64_t pages;			/* distinct ones that are tracked */
	uint64_t writes;		/* of the guest to them, once each */
	uint64_t memory_bytes;		/* without that of the sessions */
};

struct vm {
	LIST_ENTRY(vm) link;
	struct manager *manager;
	struct process *process;
	int fd;				/* in the process, not ours */
	char *path;			/* on the bus */
	uint64_t module_id;		/* the module's, 0 when unknown */
	struct vm_counters counters;
	struct vm_counters coarse;	/* for those whom it is no concern of */
	bool gone;
	unsigned int nr_sessions;
	sd_bus_slot *slot;
};

/*
 * Machine name, else QEMU name, else "". It may appear or change after the VM
 * was found: the bus tells.
 */
const char *vm_name(const struct vm *vm);

/* The scan of a process found a VM at this descriptor. */
int vm_add(struct manager *m, struct process *process, int fd);
/* That was the last of them: whose is which session? */
void vms_added(struct manager *m, pid_t pid);
void vm_gone(struct vm *vm);
/* Frees what is gone and has no sessions; vm must not be used afterwards. */
void vm_release(struct vm *vm);
void vms_free(struct manager *m);

/* Those that are not gone. */
struct vm *vm_find(struct manager *m, pid_t pid, int fd);
struct vm *vm_by_path(struct manager *m, const char *path);
struct vm *vm_by_module_id(struct manager *m, uint64_t id);
/* The first VM of the process behind prev, or its first. */
struct vm *vm_of_pid(struct manager *m, pid_t pid, const struct vm *prev);

/* Not one that has ended and is kept for its VMs' sessions. */
struct process *process_find(struct manager *m, pid_t pid);
/* If the process with this id has ended, its VMs go at once. */
void process_check(struct manager *m, pid_t pid);
/*
 * The pidfd is copied, the info taken over, also when it fails. The process is freed
 * with the last of its VMs.
 */
int process_new(struct manager *m, pid_t pid, int pidfd,
		struct proc_info *info, struct process **ret);
/* This user's alone: what ptrace(2) wants at least, and no setuid program is. */
bool process_is_of(const struct process *process, uid_t uid);
/* Has it another user now? A VMM may be started by root, and drop that later. */
void process_check_user(struct process *process);
void processes_check_users(struct manager *m);
/* What proc.c or machined know now: is taken over, and told who wants to know. */
void process_take_info(struct process *process, struct proc_info *info);
void process_set_machine(struct process *process, const char *machine);
void process_unref(struct process *process);

#endif
