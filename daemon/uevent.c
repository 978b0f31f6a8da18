// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-device.h>

#include "common/number.h"
#include "log.h"
#include "manager.h"
#include "scan.h"
#include "uevent.h"
#include "vm.h"

struct uevents {
	struct manager *manager;
	sd_device_monitor *monitor;
};

static int get_property(sd_device *device, const char *name, uint64_t max,
			uint64_t *ret)
{
	const char *value;
	int r;

	r = sd_device_get_property_value(device, name, &value);
	return r < 0 ? r : number_parse_decimal(value, 0, max, ret);
}

/*
 * The name of its folder in debugfs is PID-FD. It tells a VM that is destroyed
 * from one that has its descriptor's number since.
 */
static void drop_destroyed(struct manager *m, sd_device *device)
{
	const char *path, *slash;
	struct vm *vm;
	int pid, fd;

	if (sd_device_get_property_value(device, "STATS_PATH", &path) < 0)
		return;
	slash = strrchr(path, '/');
	if (!slash || sscanf(slash, "/%d-%d", &pid, &fd) != 2)
		return;
	vm = vm_find(m, pid, fd);
	if (vm)
		vm_gone(vm);
}

/* The thread that made it may have ended since, and its process not. */
static void look_again(struct manager *m, pid_t pid)
{
	struct process *process;

	if (process_find(m, pid)) {
		scan_pid(m->scans, pid, false);
		return;
	}
	LIST_FOREACH(process, &m->processes, link)
		if (!process->ended)
			scan_pid(m->scans, process->pid, false);
}

static void on_kvm(struct manager *m, sd_device *device)
{
	const char *event;
	uint64_t pid;

	if (sd_device_get_property_value(device, "EVENT", &event) < 0 ||
	    get_property(device, "PID", INT_MAX, &pid) < 0)
		return;
	log_debug("KVM: %s a VM, pid %d", event, (int)pid);
	if (!strcmp(event, "create")) {
		scan_pid(m->scans, (pid_t)pid, true);
	} else if (!strcmp(event, "destroy")) {
		drop_destroyed(m, device);
		look_again(m, (pid_t)pid);
	}
}

static int on_device(sd_device_monitor *monitor, sd_device *device,
		     void *userdata)
{
	struct uevents *uevents = userdata;
	const char *name;

	(void)monitor;
	if (sd_device_get_sysname(device, &name) < 0)
		return 0;
	if (!strcmp(name, "kvm"))
		on_kvm(uevents->manager, device);
	else if (!strcmp(name, "kvm-wtrack"))
		manager_module_changed(uevents->manager);
	return 0;
}

int uevents_new(struct manager *m, struct uevents **ret)
{
	struct uevents *uevents = calloc(1, sizeof(*uevents));
	int r;

	if (!uevents)
		return -ENOMEM;
	uevents->manager = m;
	r = sd_device_monitor_new(&uevents->monitor);
	if (r >= 0)
		r = sd_device_monitor_filter_add_match_subsystem_devtype(
			uevents->monitor, "misc", NULL);
	/* More than usual is nice to have. */
	if (r >= 0)
		(void)sd_device_monitor_set_receive_buffer_size(
			uevents->monitor, 1 << 20);
	if (r >= 0)
		r = sd_device_monitor_attach_event(uevents->monitor, m->event);
	if (r >= 0)
		r = sd_device_monitor_start(uevents->monitor, on_device,
					    uevents);
	if (r < 0) {
		uevents_free(uevents);
		return r;
	}
	*ret = uevents;
	return 0;
}

void uevents_free(struct uevents *uevents)
{
	if (!uevents)
		return;
	sd_device_monitor_unref(uevents->monitor);
	free(uevents);
}
