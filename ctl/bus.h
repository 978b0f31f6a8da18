/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wtrackd and wtrack-watch, on the system bus. */
#ifndef CTL_BUS_H
#define CTL_BUS_H

#include <systemd/sd-bus.h>

#include "ctl.h"

#define BUS_NAME	"org.wtrack1"
#define BUS_PATH	"/org/wtrack1"
#define BUS_MANAGER	BUS_NAME ".Manager"
#define BUS_VM		BUS_NAME ".VM"
#define BUS_SESSION	BUS_NAME ".Session"
#define BUS_WATCH	BUS_NAME ".Watch"
#define BUS_WATCHES	BUS_NAME ".Watches"	/* also the name of wtrack-watch */
#define BUS_WATCHES_PATH	"/org/wtrack1/Watches"
#define BUS_ERROR	BUS_NAME ".Error."

/*
 * Connects, once. For a command with COMMAND_LOOKS also fails when no daemon runs.
 * Returns 0 or a negative errno, and tells nobody: bus_fail() does.
 */
int bus_open(struct ctl *ctl);

/*
 * Calls a method of @path with arguments as of sd_bus_message_append().
 * Returns 0 or a negative errno, with @error set.
 */
int bus_call(struct ctl *ctl, const char *path, const char *interface,
	     const char *method, sd_bus_error *error, sd_bus_message **ret,
	     const char *types, ...);

/*
 * All watches, as bus_call() would get them, from wtrack-watch, which is not started
 * for that: it is an errno when it does not run.
 */
int bus_get_watches(struct ctl *ctl, sd_bus_message **ret);

/* Is it that there is no daemon, rather than that it refuses? */
bool bus_is_absent(int err, const sd_bus_error *error);

/*
 * ctl_fail() for what bus_call() returned. @what, if not NULL, comes first:
 * "VM 4711". Frees @error.
 */
int bus_fail(struct ctl *ctl, int err, sd_bus_error *error, const char *what);

/* For an answer that is not what it should be. */
int bus_fail_answer(struct ctl *ctl, int err);

/* The path of a VM, which the caller frees. 0, or the exit code. */
int bus_find_vm(struct ctl *ctl, const char *vm, char **ret_path);

#endif
