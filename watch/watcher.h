/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The main thread: the files of the watches, the VMs that wtrackd shows, and which
 * watches each of them is to have. The guests' threads do the rest (guest.h).
 *
 *	watcher_new -> watcher_load -> watcher_start -> sd_event_loop -> watcher_free
 */
#ifndef WATCH_WATCHER_H
#define WATCH_WATCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "defaults.h"
#include "guest.h"
#include "problems.h"
#include "shared.h"
#include "watch_config.h"

#define WTRACKD_NAME	"org.wtrack1"
#define WTRACKD_PATH	"/org/wtrack1"
#define BUS_NAME	"org.wtrack1.Watches"
#define BUS_PATH	"/org/wtrack1/Watches"

LIST_HEAD(watch_list, watch);
LIST_HEAD(vm_list, vm);

/* A file in watches.d. */
struct watch {
	LIST_ENTRY(watch) link;
	struct watcher *watcher;
	struct watch_config *config;
	struct watch_counts *counts;
	uint64_t coarse_events;
	uint64_t coarse_suppressed;
	char *bus_path;
	sd_bus_slot *bus_slot;
};

/* A VM that wtrackd shows. */
struct vm {
	LIST_ENTRY(vm) link;
	struct watcher *watcher;
	char *path;
	int pid;
	int fd;
	uint32_t uid;
	uint64_t vm_id;			/* the module's, 0 when not known */
	char *name, *machine, *qemu_name, *cgroup;
	bool gone;
	struct guest *guest;		/* NULL without a watch */
};

struct watcher {
	sd_event *event;
	sd_bus *bus;
	const char *const *config_dirs;
	struct defaults defaults;
	struct problems problems;
	struct shared shared;
	struct watch_list watches;
	struct vm_list vms;
	/* All of them, also those whose VM is gone or not known. */
	struct guest_list guests;
	char *wtrackd;			/* its unique name, "" without it */
	bool listed;			/* its VMs are known */
	sd_bus_slot *list_call;
	sd_bus_slot *store_call;
	uint64_t coarse_period;		/* whose beginning coarse counters are of */
	sd_event_source *changes;
	sd_event_source *adopt_timer;
	/* Threads that do not come back are looked for. */
	sd_event_source *stuck_timer;
	unsigned int nr_stuck;
};

/* watcher.c */
int watcher_new(struct watcher **ret);
int watcher_load(struct watcher *w);
/* It could not be read: systemctl status says why there are no watches. */
void watcher_tell_config(const struct watcher *w);
int watcher_start(struct watcher *w);
void watcher_stop(struct watcher *w);
void watcher_free(struct watcher *w);
void watcher_freep(struct watcher **w);
int watcher_reload(struct watcher *w);
/* All problems that there are now, as a list that ends with NULL; strv_free(). */
int watcher_problems(struct watcher *w, char ***ret);
void watcher_status_changed(struct watcher *w);
void watcher_config_problem(void *userdata, const char *file,
			    unsigned int line, const char *message);

/* watches.c: 0, -ENOMEM, or why a folder cannot be read. */
int watches_load(struct watcher *w);
void watches_free(struct watcher *w);
struct watch *watches_find(struct watcher *w, const char *name);
/* Has the VM's thread do what is wanted now. */
void vm_consider(struct vm *vm, enum guest_retry retry);
void vms_consider(struct watcher *w, enum guest_retry retry);
/* It is gone, or wtrackd does not show it any more. */
void vm_give_up(struct vm *vm);
bool guest_has_vm(const struct watcher *w, const struct guest *guest);
/* Ends the threads that have nothing to do any more. */
void guests_check(struct watcher *w);
unsigned int guests_nr_waiting(struct watcher *w, int error);

/* vms.c */
int vms_start(struct watcher *w);
/* Those that wtrackd had are not known any more. */
void vms_forget(struct watcher *w);
struct vm *vm_new(struct watcher *w, const char *path);
void vm_free(struct vm *vm);

/* watch_stored.c: sessions from the fd store, before their VMs are known. */
int stored_take(struct watcher *w);
/* Is there a guest of stored sessions on this VM? Then it is the VM's. */
void stored_adopt(struct vm *vm);
/* The VMs are known: whose sessions are nobody's after a while end. */
void stored_expire(struct watcher *w);

/* bus.c */
int bus_start(struct watcher *w);
int bus_watch_add(struct watch *watch);
void bus_watch_remove(struct watch *watch);
void bus_watches_changed(struct watcher *w);
void bus_problems_changed(struct watcher *w);

#endif
