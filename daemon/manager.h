/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon: it owns the event loop, the bus, and everything below. All of it
 * runs in one thread, in callbacks of the loop that never wait: see open.c for
 * how a request goes on from callback to callback.
 *
 *	manager_new -> manager_start -> sd_event_loop -> manager_free
 */
#ifndef WTRACKD_MANAGER_H
#define WTRACKD_MANAGER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include <wtrack/wtrack.h>

#include "config.h"
#include "limit.h"
#include "policy.h"
#include "problems.h"

#define BUS_NAME	"org.wtrack1"
#define BUS_PATH	"/org/wtrack1"

struct attach;
struct genl;
struct genl_vm;
struct machines;
struct requests;
struct scans;
struct session;
struct uevents;
struct vm;
struct process;

LIST_HEAD(process_list, process);
LIST_HEAD(vm_list, vm);
LIST_HEAD(session_list, session);
LIST_HEAD(attach_list, attach);

struct manager {
	sd_event *event;
	sd_bus *bus;
	struct config config;		/* changes with a reload */
	struct problems problems;
	bool has_group;			/* of the configuration, exists */
	gid_t group;
	bool has_watch_user;		/* likewise */
	uid_t watch_user;
	const char *const *config_dirs;
	char *state_dir;		/* /run/wtrackd/sessions */

	/* What there is: vm.h, session.h. Gone VMs with sessions included. */
	struct process_list processes;
	struct vm_list vms;
	struct session_list sessions;
	struct limits limits;
	struct attach_list attaches;	/* attach.h: under way */
	/* As of the newest dump: the module's VMs. */
	struct genl_vm *module_vms;
	size_t nr_module_vms;
	uint64_t dumped_usec;
	uint64_t coarse_period;		/* whose beginning coarse counters are of */
	bool dump_under_way;
	bool dump_counters_only;	/* no session may come or go now */
	bool dump_differs;		/* but one should have */

	struct scans *scans;		/* scan.h: looks for VMs in /proc */
	struct uevents *uevents;
	struct genl *genl;		/* genl.h: the module's account */
	struct machines *machines;
	struct requests *requests;	/* request.h: calls under way */

	uint64_t refusals[NR_RULES];	/* of requests, by rule */

	uint64_t features;		/* of the module, 0 without */
	bool ready;			/* READY=1 was sent */
	sd_event_source *counts_source;
	sd_event_source *look_source;	/* at who runs VMs */
};

int manager_new(struct manager **ret);
void manager_free(struct manager *m);
void manager_freep(struct manager **m);

/* manager_start.c */
int manager_start(struct manager *m);

/* manager_config.c */
int manager_load_config(struct manager *m);
/* It could not be read: systemctl status says why there is no daemon. */
void manager_tell_config(const struct manager *m);
/* Reads the configuration again, all of it: SIGHUP, and Manager.Reload(). */
int manager_reload(struct manager *m);
/* What makes no sense in a file: an ini_report_fn that logs it. */
void manager_config_problem(void *userdata, const char *file,
			    unsigned int line, const char *message);
/* All problems that there are now, as a list that ends with NULL; strv_free(). */
int manager_problems(struct manager *m, char ***ret);

/* Is it wtrack-watch, which may have a session on any VM, for its watches? */
bool manager_is_watch_user(const struct manager *m, uid_t uid);

/* STATUS= for systemctl status, and the properties that count things. */
void manager_counts_changed(struct manager *m);
uint32_t manager_nr_vms(const struct manager *m);
uint32_t manager_nr_sessions(const struct manager *m);
/* Is the module's netlink family there? */
bool manager_module_loaded(const struct manager *m);
/* Called by genl.c and uevent.c when it, or its device, came or went. */
void manager_module_changed(struct manager *m);

/* bus_*.c. Objects exist on the bus from _add() to _remove(). */
int bus_manager_add(struct manager *m);
void bus_manager_changed(struct manager *m, const char *property, ...)
	__attribute__((sentinel));
int bus_vm_add(struct vm *vm);
void bus_vm_gone(struct vm *vm);	/* signal VMRemoved */
void bus_vm_remove(struct vm *vm);
void bus_vm_changed(struct vm *vm, const char *property, ...)
	__attribute__((sentinel));
int bus_session_add(struct session *session);
void bus_session_changed(struct session *session, const char *property, ...)
	__attribute__((sentinel));
void bus_session_remove(struct session *session);

#endif
