// SPDX-License-Identifier: GPL-2.0-or-later
/* From the configuration to READY=1: the name is taken when all is known. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include "genl.h"
#include "log.h"
#include "machine.h"
#include "manager.h"
#include "request.h"
#include "scan.h"
#include "session.h"
#include "state.h"
#include "uevent.h"
#include "util.h"

/* What RequestName returns to the owner of the name, by D-Bus's specification. */
#define DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER	1

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

	return session && session->kind != SESSION_DIRECT;
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

	(void)state_clean(m->state_dir, is_client, m);
	r = sd_bus_request_name_async(m->bus, NULL, BUS_NAME, 0, on_name, m);
	if (r < 0) {
		log_errno(r, "cannot have the name " BUS_NAME);
		sd_event_exit(m->event, r);
	}
}

/*
 * A wtrackd from before 1.0.0 stored the sessions of watches, which are none of ours
 * any more: what they track would be tracked until the service is stopped.
 */
static void drop_stored(void)
{
	char **names = NULL;
	int i, n = sd_listen_fds_with_names(1, &names);

	for (i = 0; i < n; i++) {
		(void)sd_notifyf(false, "FDSTOREREMOVE=1\nFDNAME=%s", names[i]);
		safe_close(SD_LISTEN_FDS_START + i);
	}
	strv_free(names);
}

int manager_start(struct manager *m)
{
	int r;

	drop_stored();
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
