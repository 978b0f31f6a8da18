// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sessions of the daemon before this one. Which VMs they belong to is known when
 * all VMs have been found; until then events stay in the rings, since entries
 * have the VM's name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "log.h"
#include "manager.h"
#include "session.h"
#include "util.h"
#include "vm.h"
#include "watch_set.h"

/* By then machined has told the names of its machines. */
#define ADOPT_USEC	10000000

/* The descriptor is taken over. */
static int take(struct watches *watches, int fd, const char *fd_name)
{
	char *name CLEANUP(free_p) = NULL;
	struct watch_session *session;
	uint64_t vm_id;
	int r, vm_pid;

	r = fdstore_parse(fd_name, &name, &vm_id, &vm_pid);
	if (!r)
		r = watch_session_new(watches, watch_find(watches, name), name,
				      &session);
	if (r < 0) {
		safe_close(fd);
		return r;
	}
	session->vm_pid = vm_pid;
	snprintf(session->store_name, sizeof(session->store_name), "%s",
		 fd_name);
	r = watch_session_take(session, fd);
	if (r < 0) {
		watch_session_free(session);
		return r;
	}
	if (!session->watch)
		watch_session_leave(session, "the watch was taken away");
	watch_session_block(session);
	return 0;
}

void watches_take_stored(struct watches *watches)
{
	char **names = NULL;
	int i, n, r;

	n = sd_listen_fds_with_names(1, &names);
	if (n < 0)
		log_errno(n, "what was stored is lost");
	for (i = 0; i < n; i++) {
		r = take(watches, SD_LISTEN_FDS_START + i, names[i]);
		if (r < 0) {
			log_warning("%s was stored and is of no use: %s",
				    names[i], wtrack_strerror(r));
			(void)fdstore_remove(names[i]);
		}
	}
	strv_free(names);
}

/* Only opening another one tells which of its VMs it is. */
static bool is_vm(const struct watch_session *stored, struct vm *vm)
{
	struct wtrack_session *wtrack;
	struct wtrack_status status;
	struct session *account;
	struct vm *other;
	bool same;

	if (vm->module_id)
		return vm->module_id == stored->vm_id;
	other = vm_of_pid(vm->manager, vm->process->pid, NULL);
	if (!vm_of_pid(vm->manager, vm->process->pid, other))
		return true;
	if (session_open_own(vm, &wtrack, &account) < 0)
		return false;
	same = !wtrack_session_get_status(wtrack, &status, sizeof(status)) &&
	       status.vm_id == stored->vm_id;
	wtrack_session_close(wtrack);
	return same;
}

bool watch_adopt(struct watch *watch, struct vm *vm)
{
	struct watch_session *session;

	LIST_FOREACH(session, &watch->watches->sessions, link) {
		if (session->watch != watch || session->vm ||
		    session->vm_ended ||
		    session->vm_pid != (int)vm->process->pid)
			continue;
		if (is_vm(session, vm))
			return !watch_session_set_vm(session, vm);
	}
	return false;
}

static int on_adopt_time(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct watches *watches = userdata;
	struct watch_session *session;

	(void)source;
	(void)usec;
	LIST_FOREACH(session, &watches->sessions, link)
		if (!session->vm && session->watch && !session->vm_ended)
			watch_session_leave(session,
					    "the VM does not match any more");
	return 0;
}

void watches_expire_stored(struct watches *watches)
{
	int r;

	r = sd_event_add_time_relative(watches->manager->event,
				       &watches->adopt_timer, CLOCK_MONOTONIC,
				       ADOPT_USEC, 0, on_adopt_time, watches);
	if (r < 0)
		log_errno(r, "stored sessions stay, whatever they are for");
}
