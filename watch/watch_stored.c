// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sessions of the process before this one. wtrackd's list of VMs says which VMs they
 * belong to. Until it comes, events stay in the rings, since entries have the VM's
 * name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "fdstore.h"
#include "log.h"
#include "util.h"
#include "watcher.h"

/* By then wtrackd, if there is one, has told its VMs, and machined their names. */
#define ADOPT_USEC	10000000

static struct guest *find_guest(struct watcher *w, const struct stored *stored)
{
	struct guest *guest;

	LIST_FOREACH(guest, &w->guests, link)
		if (guest->vm_pid == stored->vm_pid &&
		    guest->vm_id == stored->vm_id)
			return guest;
	return NULL;
}

static int get_guest(struct watcher *w, const struct stored *stored,
		     struct guest **ret)
{
	int r;

	*ret = find_guest(w, stored);
	if (*ret)
		return 0;
	r = guest_new(&w->shared, stored->vm_pid, ret);
	if (r < 0)
		return r;
	(*ret)->vm_id = stored->vm_id;
	LIST_INSERT_HEAD(&w->guests, *ret, link);
	return 0;
}

/* The descriptor is taken over. */
static int take(struct watcher *w, int fd, const char *fd_name)
{
	struct stored stored = { .fd = fd };
	struct guest *guest;
	int r;

	r = fdstore_parse(fd_name, &stored.name, &stored.vm_id, &stored.vm_pid);
	if (!r)
		r = string_set(&stored.store_name, fd_name);
	if (!r)
		r = get_guest(w, &stored, &guest);
	if (!r)
		r = guest_add_stored(guest, &stored);
	if (r < 0) {
		free(stored.name);
		free(stored.store_name);
		safe_close(fd);
	}
	return r;
}

/* Its threads read on for all watches that there still are. */
static int begin_with(struct watcher *w, struct guest *guest, char *vm_name,
		      const char *why)
{
	struct guest_orders orders = { .vm_name = vm_name, .vm_fd = -1 };
	struct wanted *wanted;
	const struct watch *watch;
	size_t max = 0;

	LIST_FOREACH(watch, &w->watches, link)
		max++;
	orders.wanted = calloc(max + 1, sizeof(*orders.wanted));
	LIST_FOREACH(watch, &w->watches, link) {
		if (!orders.wanted)
			continue;
		wanted = &orders.wanted[orders.nr_wanted];
		wanted->name = strdup(watch->config->name);
		if (!wanted->name)
			continue;
		wanted->why = why;
		if (!why) {
			wanted->config = watch_config_ref(watch->config);
			wanted->counts = watch_counts_ref(watch->counts);
		}
		orders.nr_wanted++;
	}
	return guest_order(guest, &orders);
}

int stored_take(struct watcher *w)
{
	struct guest *guest;
	char **names = NULL;
	int i, n, r = 0;

	n = sd_listen_fds_with_names(1, &names);
	if (n < 0)
		log_errno(n, "what was stored is lost");
	for (i = 0; i < n; i++) {
		r = take(w, SD_LISTEN_FDS_START + i, names[i]);
		if (r < 0) {
			log_warning("%s was stored and is of no use: %s",
				    names[i], strerror(-r));
			(void)fdstore_remove(names[i]);
		}
	}
	strv_free(names);
	r = 0;
	LIST_FOREACH(guest, &w->guests, link)
		if (r >= 0)
			r = begin_with(w, guest, NULL, NULL);
	return r;
}

static bool is_only_one(const struct vm *of)
{
	const struct vm *vm;

	LIST_FOREACH(vm, &of->watcher->vms, link)
		if (vm != of && vm->pid == of->pid && !vm->gone)
			return false;
	return true;
}

void stored_adopt(struct vm *vm)
{
	struct watcher *w = vm->watcher;
	struct guest *guest;

	if (vm->guest || vm->gone)
		return;
	LIST_FOREACH(guest, &w->guests, link) {
		if (!guest->vm_id || guest->vm_pid != vm->pid ||
		    guest_has_vm(w, guest))
			continue;
		if (guest->vm_id != vm->vm_id &&
		    (vm->vm_id || !is_only_one(vm)))
			continue;
		vm->guest = guest;
		return;
	}
}

/* Nobody has the VM: whatever it is, entries do without its name. */
static void go_on_without_name(struct watcher *w, const char *why)
{
	struct guest *guest;
	char *name;
	int r;

	LIST_FOREACH(guest, &w->guests, link) {
		if (!guest->vm_id || guest_has_vm(w, guest))
			continue;
		name = strdup("");
		r = name ? begin_with(w, guest, name, why) : -ENOMEM;
		if (r < 0)
			log_errno(r, "what is stored of VM %d stays",
				  guest->vm_pid);
		if (why)
			guest->vm_id = 0;
	}
}

static int on_adopt_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct watcher *w = userdata;

	(void)source;
	(void)usec;
	go_on_without_name(w, w->listed ? "the VM does not match any more" :
					  NULL);
	return 0;
}

/* At the start, and when there is a list of VMs. */
void stored_expire(struct watcher *w)
{
	int r;

	/* The ring of a session says so if its VM is gone. */
	if (w->listed)
		go_on_without_name(w, NULL);
	w->adopt_timer = sd_event_source_disable_unref(w->adopt_timer);
	r = sd_event_add_time_relative(w->event, &w->adopt_timer,
				       CLOCK_MONOTONIC, ADOPT_USEC, 0,
				       on_adopt_time, w);
	if (r < 0)
		log_errno(r, "stored sessions stay, whatever they are for");
}
