// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "machine.h"
#include "manager.h"
#include "util.h"
#include "vm.h"

#define NAME		"org.freedesktop.machine1"
#define PATH		"/org/freedesktop/machine1"
#define MANAGER		"org.freedesktop.machine1.Manager"

struct machines {
	struct manager *manager;
	sd_bus_slot *on_new, *on_removed;
};

/* The object's path ends with the name, which is escaped. */
static int name_of_path(const char *path, char **ret)
{
	CLEANUP(free_p) char *name = NULL;
	int r;

	r = sd_bus_path_decode(path, PATH "/machine", &name);
	if (r < 0)
		return r;
	return r ? proc_clean(name, strlen(name), ret) : -EBADMSG;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	CLEANUP(free_p) char *name = NULL;
	struct process *process = userdata;
	const char *path;
	int r;

	(void)error;
	process->machine_call = sd_bus_slot_unref(process->machine_call);
	if (sd_bus_message_is_method_error(reply, NULL)) {
		/* Not a machine, or no machined: what the cgroup says holds. */
		r = proc_parse_machine(process->info.cgroup, &name);
	} else {
		r = sd_bus_message_read(reply, "o", &path);
		if (r >= 0)
			r = name_of_path(path, &name);
	}
	if (r < 0)
		return 0;
	process_set_machine(process, name);
	return 0;
}

void machines_ask(struct machines *machines, struct process *process)
{
	CLEANUP(sd_bus_message_unrefp) sd_bus_message *call = NULL;
	sd_bus *bus = machines->manager->bus;
	int r;

	if (process->machine_call)
		return;
	r = sd_bus_message_new_method_call(bus, &call, NAME, PATH, MANAGER,
					   "GetMachineByPID");
	if (r >= 0)
		r = sd_bus_message_set_auto_start(call, false);
	if (r >= 0)
		r = sd_bus_message_append(call, "u", (uint32_t)process->pid);
	if (r >= 0)
		r = sd_bus_call_async(bus, &process->machine_call, call,
				      on_answer, process, 0);
	if (r < 0)
		log_errno(r, "cannot ask for the machine of pid %d",
			  process->pid);
}

/*
 * A signal may come from anybody, so it says nothing but that it is time to
 * ask. A process that is about to get an answer is asked about again then only
 * if it is about another machine: machined sends answers before the signal.
 */
static int on_signal(sd_bus_message *message, void *userdata,
		     sd_bus_error *error)
{
	struct machines *machines = userdata;
	struct process *process;

	(void)message;
	(void)error;
	LIST_FOREACH(process, &machines->manager->processes, link) {
		process_refresh(process);
		machines_ask(machines, process);
	}
	return 0;
}

int machines_new(struct manager *m, struct machines **ret)
{
	struct machines *machines = calloc(1, sizeof(*machines));
	int r;

	if (!machines)
		return -ENOMEM;
	machines->manager = m;
	r = sd_bus_match_signal_async(m->bus, &machines->on_new, NAME, PATH,
				      MANAGER, "MachineNew", on_signal, NULL,
				      machines);
	if (r >= 0)
		r = sd_bus_match_signal_async(m->bus, &machines->on_removed,
					      NAME, PATH, MANAGER,
					      "MachineRemoved", on_signal,
					      NULL, machines);
	if (r < 0) {
		machines_free(machines);
		return r;
	}
	*ret = machines;
	return 0;
}

void machines_free(struct machines *machines)
{
	if (!machines)
		return;
	sd_bus_slot_unref(machines->on_new);
	sd_bus_slot_unref(machines->on_removed);
	free(machines);
}
