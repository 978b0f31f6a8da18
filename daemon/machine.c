// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log.h"
#include "machine.h"
#include "manager.h"
#include "scan.h"
#include "utf8.h"
#include "util.h"
#include "vm.h"

#define NAME		"org.freedesktop.machine1"
#define PATH		"/org/freedesktop/machine1"
#define MANAGER		"org.freedesktop.machine1.Manager"

/* After a signal, in which answers that are under way arrive. */
#define DELAY_USEC	50000

struct machines {
	struct manager *manager;
	sd_bus_slot *on_new, *on_removed;
	sd_event_source *again;
};

/* The object's path ends with the name, which is escaped. */
static int name_of_path(const char *path, char **ret)
{
	CLEANUP(free_p) char *name = NULL;
	int r;

	r = sd_bus_path_decode(path, PATH "/machine", &name);
	if (r < 0)
		return r;
	return r ? utf8_clean(name, strlen(name), ret) : -EBADMSG;
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

static int on_again(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct machines *machines = userdata;
	struct process *process;

	(void)source;
	(void)usec;
	LIST_FOREACH(process, &machines->manager->processes, link) {
		if (process->ended)
			continue;
		scan_pid(machines->manager->scans, process->pid, false);
		machines_ask(machines, process);
	}
	return 0;
}

/*
 * A signal may come from anybody, and often: it says nothing but that it is
 * time to ask, a little later, for all of them at once.
 */
static int on_signal(sd_bus_message *message, void *userdata,
		     sd_bus_error *error)
{
	struct machines *machines = userdata;
	int enabled;

	(void)message;
	(void)error;
	if (sd_event_source_get_enabled(machines->again, &enabled) >= 0 &&
	    enabled != SD_EVENT_OFF)
		return 0;
	(void)sd_event_source_set_time_relative(machines->again, DELAY_USEC);
	(void)sd_event_source_set_enabled(machines->again, SD_EVENT_ONESHOT);
	return 0;
}

int machines_new(struct manager *m, struct machines **ret)
{
	struct machines *machines = calloc(1, sizeof(*machines));
	int r;

	if (!machines)
		return -ENOMEM;
	machines->manager = m;
	r = sd_event_add_time_relative(m->event, &machines->again,
				       CLOCK_MONOTONIC, 0, 0, on_again,
				       machines);
	if (r >= 0)
		r = sd_event_source_set_enabled(machines->again, SD_EVENT_OFF);
	if (r >= 0)
		r = sd_bus_match_signal_async(m->bus, &machines->on_new, NAME,
					      PATH, MANAGER, "MachineNew",
					      on_signal, NULL, machines);
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
	sd_event_source_disable_unref(machines->again);
	free(machines);
}
