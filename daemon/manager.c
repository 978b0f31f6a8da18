// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "genl.h"
#include "log.h"
#include "machine.h"
#include "manager.h"
#include "message-ids.h"
#include "request.h"
#include "scan.h"
#include "session.h"
#include "state.h"
#include "uevent.h"
#include "util.h"
#include "vm.h"
#include "watch.h"

/* The bus' answer to who asks for a name, in its specification. */
#define DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER	1

static int on_stop(sd_event_source *source,
		   const struct signalfd_siginfo *info, void *userdata)
{
	struct manager *m = userdata;

	(void)source;
	(void)info;
	(void)sd_notify(false, "STOPPING=1");
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

	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	bus_manager_changed(m, "NVMs", "NSessions", NULL);
	(void)sd_notifyf(false, "STATUS=%u VMs, %u sessions%s",
			 manager_nr_vms(m), manager_nr_sessions(m),
			 manager_module_loaded(m) ? "" :
			 "; the module kvm-wtrack is not loaded");
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
	watches_module_changed(m->watches);
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

static void on_problem(void *userdata, const char *file, unsigned int line,
		       const char *message)
{
	char file_field[4200], line_field[32];
	const char *const fields[] = { file_field, line_field, NULL };

	(void)userdata;
	snprintf(file_field, sizeof(file_field), "CONFIG_FILE=%s", file);
	snprintf(line_field, sizeof(line_field), "CONFIG_LINE=%u", line);
	if (line)
		log_event(LOG_WARNING, MESSAGE_CONFIG_PROBLEM, fields,
			  "%s:%u: %s", file, line, message);
	else
		log_event(LOG_WARNING, MESSAGE_CONFIG_PROBLEM, fields, "%s: %s",
			  file, message);
}

static void find_group(struct manager *m)
{
	const struct group *group = NULL;

	if (*m->config.group)
		group = getgrnam(m->config.group);
	m->has_group = group != NULL;
	m->group = group ? group->gr_gid : (gid_t)-1;
	if (*m->config.group && !group)
		log_info("there is no group %s: none of its members may use "
			 "any VM", m->config.group);
}

static int load_config(struct manager *m)
{
	int r;

	r = config_load(&m->config, m->config_dirs, on_problem, NULL);
	if (r < 0)
		return log_errno(r, "cannot read the configuration");
	find_group(m);
	return 0;
}

int manager_reload(struct manager *m)
{
	int r;

	(void)sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%ju",
			 (uintmax_t)now_usec());
	r = load_config(m);
	if (r >= 0) {
		watches_reload(m->watches);
		log_event(LOG_INFO, MESSAGE_RELOADED, NULL,
			  "read the configuration again");
	}
	(void)sd_notify(false, "READY=1");
	manager_counts_changed(m);
	return r;
}

static int make_state_dir(struct manager *m)
{
	const char *runtime = getenv("RUNTIME_DIRECTORY");
	int r;

	r = asprintf(&m->state_dir, "%s/sessions",
		     runtime ? runtime : "/run/wtrackd");
	if (r < 0) {
		m->state_dir = NULL;
		return log_errno(-ENOMEM, "cannot begin");
	}
	if (mkdir(m->state_dir, 0700) < 0 && errno != EEXIST)
		return log_errno(-errno, "cannot make %s", m->state_dir);
	return 0;
}

static int connect_bus(struct manager *m)
{
	int r;

	r = sd_bus_open_system(&m->bus);
	if (r >= 0)
		r = sd_bus_attach_event(m->bus, m->event, 0);
	/* systemd starts us again when there is a bus again. */
	if (r >= 0)
		r = sd_bus_set_exit_on_disconnect(m->bus, true);
	if (r < 0)
		return log_errno(r, "cannot connect to the system bus");
	return 0;
}

/* What there is before the first VM is looked for. */
static int make_parts(struct manager *m)
{
	int r;

	r = requests_new(m, &m->requests);
	if (r >= 0)
		r = machines_new(m, &m->machines);
	if (r >= 0)
		r = scans_new(m, &m->scans);
	if (r >= 0)
		r = bus_manager_add(m);
	if (r >= 0)
		r = watches_new(m, &m->watches);
	if (r >= 0)
		r = genl_new(m, &m->genl);
	if (r >= 0)
		r = uevents_new(m, &m->uevents);
	if (r < 0)
		return log_errno(r, "cannot begin");
	return 0;
}

static int is_client(uint64_t session_id, void *userdata)
{
	const struct session *session = session_find(userdata, session_id);

	return session && session->kind == SESSION_CLIENT;
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct manager *m = userdata;
	const sd_bus_error *failure = sd_bus_message_get_error(reply);
	uint32_t answer = 0;

	(void)error;
	if (!failure)
		(void)sd_bus_message_read(reply, "u", &answer);
	if (answer != DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER) {
		log_error("cannot have the name " BUS_NAME ": %s",
			  failure ? failure->message : "somebody has it");
		return sd_event_exit(m->event, -EPERM);
	}
	m->ready = true;
	(void)sd_notify(false, "READY=1");
	manager_counts_changed(m);
	return 0;
}

/* The first scan is complete: who asks now gets to see everything. */
static void on_scanned(struct manager *m)
{
	int r;

	watches_scanned(m->watches);
	(void)state_clean(m->state_dir, is_client, m);
	r = sd_bus_request_name_async(m->bus, NULL, BUS_NAME, 0, on_name, m);
	if (r < 0) {
		log_errno(r, "cannot have the name " BUS_NAME);
		sd_event_exit(m->event, r);
	}
}

int manager_start(struct manager *m)
{
	int r;

	r = load_config(m);
	if (r >= 0)
		r = make_state_dir(m);
	if (r >= 0)
		r = connect_bus(m);
	if (r >= 0)
		r = make_parts(m);
	if (r < 0)
		return r;
	r = scans_start(m->scans, on_scanned);
	if (r < 0)
		return log_errno(r, "cannot read /proc");
	return 0;
}

void manager_free(struct manager *m)
{
	if (!m)
		return;
	uevents_free(m->uevents);
	requests_free(m->requests);
	scans_free(m->scans);
	watches_free(m->watches);
	genl_free(m->genl);
	sessions_free(m);
	vms_free(m);
	machines_free(m->machines);
	sd_bus_flush_close_unref(m->bus);
	sd_event_source_unref(m->counts_source);
	sd_event_unref(m->event);
	limits_done(&m->limits);
	config_done(&m->config);
	free(m->state_dir);
	free(m);
}

void manager_freep(struct manager **m)
{
	manager_free(*m);
}
