/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The administrator's watches: files in watches.d, and the sessions that they
 * have on the VMs that match.
 */
#ifndef WTRACKD_WATCH_H
#define WTRACKD_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-bus.h>

struct manager;
struct vm;
struct watch;
struct watches;

/*
 * Reads the files, and takes the sessions out of systemd's fd store. Before
 * the first VM is found; the bus is there, its name is not taken yet.
 */
int watches_new(struct manager *m, struct watches **ret);
void watches_free(struct watches *watches);
/* After m->config was read again. */
void watches_reload(struct watches *watches);

/* All VMs that were there at start have been reported by _vm_added(). */
void watches_scanned(struct watches *watches);
void watches_vm_added(struct watches *watches, struct vm *vm);
/* Its machine's name, QEMU name or cgroup is another one. */
void watches_vm_changed(struct watches *watches, struct vm *vm);
/* It is gone: vm must not be used afterwards. */
void watches_vm_removed(struct watches *watches, struct vm *vm);
/* The module was loaded, its device became usable, or it was removed. */
void watches_module_changed(struct watches *watches);

/* For the bus. */
struct manager *watch_manager(const struct watch *watch);
const char *watch_name(const struct watch *watch);
const char *watch_file(const struct watch *watch);
uint64_t watch_events(const struct watch *watch, bool fresh);
uint64_t watch_suppressed(const struct watch *watch, bool fresh);
/* What is not fresh is as of now, until this is called again: viewer.h. */
void watches_keep_coarse(struct watches *watches);
/* Sessions for which the service manager has no place. */
unsigned int watches_not_stored(struct watches *watches);
/* Is it armed on a VM? */
bool watch_active(const struct watch *watch);
/* Calls fn for each VM that it is armed on, until it returns an error. */
int watch_each_vm(const struct watch *watch,
		  int (*fn)(struct vm *vm, void *userdata), void *userdata);

/* bus_watch.c. *slot and *path are the watch's to keep; _remove() frees. */
int bus_watch_add(struct manager *m, struct watch *watch, char **path,
		  sd_bus_slot **slot);
void bus_watch_changed(struct manager *m, const char *path,
		       const char *property, ...) __attribute__((sentinel));
void bus_watch_remove(struct manager *m, char **path, sd_bus_slot **slot);

#endif
