// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>

#include "attach.h"
#include "genl.h"
#include "log.h"
#include "machine.h"
#include "manager.h"
#include "request.h"
#include "scan.h"
#include "session.h"
#include "uevent.h"
#include "util.h"
#include "vm.h"

static int on_stop(sd_event_source *source,
		   const struct signalfd_siginfo *info, void *userdata)
{
	struct manager *m = userdata;

	(void)source;
	(void)info;
	(void)sd_notify(false, "STOPPING=1");
	sessions_tell_left(m);
	return sd_event_exit(m->event, 0);
}

static int on_hangup(sd_event_source *source,
		     const struct signalfd_siginfo *info, void *userdata)
{
	(void)source;
	(void)info;
	(void)manager_reload(userdata);
	return 0;
}

/* Once for all changes of a turn of the event loop. */
static int on_counts(sd_event_source *source, void *userdata)
{
	struct manager *m = userdata;
	char **problems = NULL;
	size_t nr;

	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	bus_manager_changed(m, "NVMs", "NSessions", "Problems", NULL);
	(void)manager_problems(m, &problems);
	nr = strv_length(problems);
	(void)sd_notifyf(false, "STATUS=%u VMs, %u sessions%s%s%s%s",
			 manager_nr_vms(m), manager_nr_sessions(m),
			 manager_module_loaded(m) ? "" :
			 "; the module kvm-wtrack is not loaded",
			 nr ? "; " : "", nr ? problems[0] : "",
			 nr > 1 ? " (and more: wtrackctl doctor)" : "");
	strv_free(problems);
	return 0;
}

void manager_counts_changed(struct manager *m)
{
	sd_event_source_set_enabled(m->counts_source, SD_EVENT_ONESHOT);
}

uint32_t manager_nr_vms(const struct manager *m)
{
	const struct vm *vm;
	uint32_t nr = 0;

	LIST_FOREACH(vm, &m->vms, link)
		nr += !vm->gone;
	return nr;
}

uint32_t manager_nr_sessions(const struct manager *m)
{
	const struct session *session;
	uint32_t nr = 0;

	LIST_FOREACH(session, &m->sessions, link)
		nr++;
	return nr;
}

bool manager_module_loaded(const struct manager *m)
{
	return genl_is_up(m->genl);
}

void manager_module_changed(struct manager *m)
{
	struct wtrack_info info;
	bool loaded = manager_module_loaded(m);

	m->features = loaded && wtrack_get_info(&info, sizeof(info)) >= 0 ?
		      info.features : 0;
	bus_manager_changed(m, "ModuleLoaded", "Features", NULL);
	manager_counts_changed(m);
}

static int add_sources(struct manager *m)
{
	int r;

	r = sd_event_add_signal(m->event, NULL,
				SIGTERM | SD_EVENT_SIGNAL_PROCMASK, on_stop, m);
	if (r >= 0)
		r = sd_event_add_signal(m->event, NULL,
					SIGINT | SD_EVENT_SIGNAL_PROCMASK,
					on_stop, m);
	if (r >= 0)
		r = sd_event_add_signal(m->event, NULL,
					SIGHUP | SD_EVENT_SIGNAL_PROCMASK,
					on_hangup, m);
	if (r >= 0)
		r = sd_event_add_defer(m->event, &m->counts_source, on_counts,
				       m);
	return r;
}

int manager_new(struct manager **ret)
{
	CLEANUP(manager_freep) struct manager *m = NULL;
	int r;

	m = calloc(1, sizeof(*m));
	if (!m)
		return log_errno(-ENOMEM, "cannot begin");
	limits_init(&m->limits);
	signal(SIGPIPE, SIG_IGN);
	r = config_init(&m->config);
	if (r >= 0)
		r = sd_event_default(&m->event);
	if (r >= 0)
		r = add_sources(m);
	if (r < 0)
		return log_errno(r, "cannot make an event loop");
	(void)sd_event_set_watchdog(m->event, true);
	*ret = TAKE_PTR(m);
	return 0;
}

void manager_free(struct manager *m)
{
	if (!m)
		return;
	uevents_free(m->uevents);
	requests_free(m->requests);
	attaches_free(m);
	scans_free(m->scans);
	genl_free(m->genl);
	sessions_free(m);
	vms_free(m);
	machines_free(m->machines);
	sd_bus_flush_close_unref(m->bus);
	sd_event_source_unref(m->counts_source);
	sd_event_source_unref(m->look_source);
	sd_event_unref(m->event);
	limits_done(&m->limits);
	config_done(&m->config);
	problems_clear(&m->problems);
	free(m->state_dir);
	free(m);
}

void manager_freep(struct manager **m)
{
	manager_free(*m);
}
