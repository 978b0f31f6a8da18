// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <systemd/sd-daemon.h>

#include "log.h"
#include "message-ids.h"
#include "util.h"
#include "watch_session.h"
#include "watcher.h"

/* What RequestName returns to the owner of the name, by D-Bus's specification. */
#define DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER	1
/* A thread that does not look at its orders for so long is stuck: it is asked. */
#define STUCK_USEC	(UINT64_C(30) * 1000000)
/* What threads have to end: they write what was held back. */
#define STOP_USEC	2000000

static int on_stop(sd_event_source *source,
		   const struct signalfd_siginfo *info, void *userdata)
{
	struct watcher *w = userdata;

	(void)source;
	(void)info;
	(void)sd_notify(false, "STOPPING=1");
	return sd_event_exit(w->event, 0);
}

static int on_hangup(sd_event_source *source,
		     const struct signalfd_siginfo *info, void *userdata)
{
	(void)source;
	(void)info;
	(void)watcher_reload(userdata);
	return 0;
}

/* Some guest has reported something: what we show of it has changed. */
static int on_changes(sd_event_source *source, int fd, uint32_t revents,
		      void *userdata)
{
	struct watcher *w = userdata;
	eventfd_t count;

	(void)source;
	(void)revents;
	(void)eventfd_read(fd, &count);
	guests_check(w);
	bus_watches_changed(w);
	watcher_status_changed(w);
	return 0;
}

static unsigned int nr_stuck(struct watcher *w)
{
	struct guest *guest;
	unsigned int nr = 0;

	LIST_FOREACH(guest, &w->guests, link)
		nr += guest_waits_usec(guest) >= STUCK_USEC;
	return nr;
}

static int on_stuck_time(sd_event_source *source, uint64_t usec,
			 void *userdata)
{
	struct watcher *w = userdata;
	unsigned int nr = nr_stuck(w);
	struct guest *guest;

	(void)usec;
	LIST_FOREACH(guest, &w->guests, link)
		guest_ask(guest);
	if (nr != w->nr_stuck) {
		w->nr_stuck = nr;
		watcher_status_changed(w);
	}
	(void)sd_event_source_set_time_relative(source, STUCK_USEC / 3);
	return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int append_store(struct watcher *w, char ***list)
{
	unsigned int nr = guests_nr_waiting(w, -ENOSPC);

	return nr ? problems_append(list, "watches: %u session%s missing, because FileDescriptorStoreMax= of wtrack-watch.service allows no more",
				    nr, nr == 1 ? " is" : "s are") : 0;
}

static int append_ended(struct watcher *w, char ***list)
{
	unsigned int nr = guests_nr_waiting(w, -ESHUTDOWN);

	return nr ? problems_append(list, "watches: %u session%s ended by an administrator: systemctl reload wtrack-watch begins anew",
				    nr, nr == 1 ? " was" : "s were") : 0;
}

int watcher_problems(struct watcher *w, char ***ret)
{
	char **list = calloc(1, sizeof(*list));
	int r = list ? 0 : -ENOMEM;

	if (r >= 0)
		r = problems_append_config(&w->problems, &list);
	if (r >= 0)
		r = append_store(w, &list);
	if (r >= 0)
		r = append_ended(w, &list);
	if (r >= 0 && !*w->wtrackd)
		r = problems_append(&list, "watches: wtrackd is not there: VMs that are new are not watched");
	if (r >= 0 && w->nr_stuck)
		r = problems_append(&list, "watches: %u VM%s not let watches go on",
				    w->nr_stuck, w->nr_stuck == 1 ? " does" : "s do");
	if (r < 0) {
		strv_free(list);
		return r;
	}
	*ret = list;
	return 0;
}

static int count_active(const struct report *report, void *userdata)
{
	unsigned int *nr = userdata;

	*nr += report->active;
	return 0;
}

void watcher_status_changed(struct watcher *w)
{
	unsigned int nr_watches = 0, nr_sessions = 0;
	const struct watch *watch;
	char **problems = NULL;
	struct guest *guest;
	size_t nr;

	LIST_FOREACH(watch, &w->watches, link)
		nr_watches++;
	LIST_FOREACH(guest, &w->guests, link)
		(void)guest_each_report(guest, count_active, &nr_sessions);
	(void)watcher_problems(w, &problems);
	nr = strv_length(problems);
	(void)sd_notifyf(false, "STATUS=%u watch%s, %u session%s%s%s%s", nr_watches,
			 nr_watches == 1 ? "" : "es", nr_sessions,
			 nr_sessions == 1 ? "" : "s", nr ? "; " : "",
			 nr ? problems[0] : "",
			 nr > 1 ? " (and more: wtrackctl doctor)" : "");
	strv_free(problems);
	bus_problems_changed(w);
}

void watcher_config_problem(void *userdata, const char *file,
			    unsigned int line, const char *message)
{
	char file_field[4200], line_field[32];
	const char *const fields[] = { file_field, line_field, NULL };
	struct watcher *w = userdata;

	if (line)
		problems_add(&w->problems, "%s:%u: %s", file, line, message);
	else
		problems_add(&w->problems, "%s: %s", file, message);
	snprintf(file_field, sizeof(file_field), "CONFIG_FILE=%s", file);
	snprintf(line_field, sizeof(line_field), "CONFIG_LINE=%u", line);
	if (line)
		log_event(LOG_WARNING, MESSAGE_CONFIG_PROBLEM, fields,
			  "%s:%u: %s", file, line, message);
	else
		log_event(LOG_WARNING, MESSAGE_CONFIG_PROBLEM, fields, "%s: %s",
			  file, message);
}

int watcher_load(struct watcher *w)
{
	int r;

	problems_clear(&w->problems);
	r = defaults_load(&w->defaults, w->config_dirs, watcher_config_problem,
			  w);
	if (r < 0)
		return log_errno(r, "the configuration is not taken, because a "
				 "part of it cannot be read");
	pthread_mutex_lock(&w->shared.lock);
	w->shared.user_burst = w->defaults.rate_limit_burst;
	pthread_mutex_unlock(&w->shared.lock);
	return 0;
}

void watcher_tell_config(const struct watcher *w)
{
	(void)sd_notifyf(false, "STATUS=not started: %s",
			 w->problems.nr_of_config ?
			 w->problems.of_config[w->problems.nr_of_config - 1] :
			 "the configuration cannot be read");
}

static int on_store_max(sd_bus_message *reply, void *userdata,
			sd_bus_error *error)
{
	struct watcher *w = userdata;
	uint32_t max;

	(void)error;
	if (sd_bus_message_is_method_error(reply, NULL) ||
	    sd_bus_message_read(reply, "v", "u", &max) < 0)
		log_notice("the service manager does not say how many sessions "
			   "of watches it keeps");
	else
		shared_store_limit(&w->shared, max);
	w->store_call = sd_bus_slot_unref(w->store_call);
	return 0;
}

/* The answer comes before that of wtrackd, which is asked later. */
static void ask_store_max(struct watcher *w)
{
	w->store_call = sd_bus_slot_unref(w->store_call);
	(void)sd_bus_call_method_async(w->bus, &w->store_call,
				       "org.freedesktop.systemd1",
				       "/org/freedesktop/systemd1/unit/self",
				       "org.freedesktop.DBus.Properties", "Get",
				       on_store_max, w, "ss",
				       "org.freedesktop.systemd1.Service",
				       "FileDescriptorStoreMax");
}

int watcher_reload(struct watcher *w)
{
	int r;

	(void)sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%ju",
			 (uintmax_t)now_usec());
	ask_store_max(w);
	r = watcher_load(w);
	if (r >= 0)
		r = watches_load(w);
	if (r >= 0) {
		vms_consider(w, RETRY_ALL);
		log_event(LOG_INFO, MESSAGE_RELOADED, NULL,
			  "read the configuration again");
	} else {
		problems_add(&w->problems,
			     "the watches of before are in force");
	}
	(void)sd_notify(false, "READY=1");
	watcher_status_changed(w);
	return r;
}

static int on_name(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const sd_bus_error *failure = sd_bus_message_get_error(reply);
	struct watcher *w = userdata;
	uint32_t answer = 0;

	(void)error;
	if (!failure)
		(void)sd_bus_message_read(reply, "u", &answer);
	if (answer != DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER) {
		log_error("cannot have the name " BUS_NAME ": %s",
			  failure ? failure->message : "somebody has it");
		return sd_event_exit(w->event, -EPERM);
	}
	(void)sd_notify(false, "READY=1");
	watcher_status_changed(w);
	return 0;
}

static int add_sources(struct watcher *w)
{
	static const int stops[] = { SIGTERM, SIGINT };
	size_t i;
	int r = 0;

	for (i = 0; r >= 0 && i < ARRAY_SIZE(stops); i++)
		r = sd_event_add_signal(w->event, NULL,
					stops[i] | SD_EVENT_SIGNAL_PROCMASK,
					on_stop, w);
	if (r >= 0)
		r = sd_event_add_signal(w->event, NULL,
					SIGHUP | SD_EVENT_SIGNAL_PROCMASK,
					on_hangup, w);
	if (r >= 0)
		r = sd_event_add_io(w->event, &w->changes, w->shared.changes_fd,
				    EPOLLIN, on_changes, w);
	if (r >= 0)
		r = sd_event_add_time_relative(w->event, &w->stuck_timer,
					       CLOCK_MONOTONIC, STUCK_USEC / 3,
					       0, on_stuck_time, w);
	return r;
}

int watcher_new(struct watcher **ret)
{
	CLEANUP(watcher_freep) struct watcher *w = calloc(1, sizeof(*w));
	int r;

	if (!w)
		return log_errno(-ENOMEM, "cannot begin");
	signal(SIGPIPE, SIG_IGN);
	defaults_init(&w->defaults);
	r = shared_init(&w->shared);
	if (r >= 0)
		r = string_set(&w->wtrackd, "");
	if (r >= 0)
		r = sd_event_default(&w->event);
	if (r >= 0)
		r = add_sources(w);
	if (r < 0)
		return log_errno(r, "cannot make an event loop");
	(void)sd_event_set_watchdog(w->event, true);
	*ret = TAKE_PTR(w);
	return 0;
}

static int connect_bus(struct watcher *w)
{
	int r;

	r = sd_bus_open_system(&w->bus);
	if (r >= 0)
		r = sd_bus_attach_event(w->bus, w->event, 0);
	/* systemd starts us again when there is a bus again. */
	if (r >= 0)
		r = sd_bus_set_exit_on_disconnect(w->bus, true);
	return r;
}

/* What was stored is read on before anything else is there. */
int watcher_start(struct watcher *w)
{
	int r;

	r = connect_bus(w);
	if (r < 0)
		return log_errno(r, "cannot connect to the system bus");
	ask_store_max(w);
	r = bus_start(w);
	if (r >= 0) {
		r = watches_load(w);
		/* A folder that cannot be read was reported: there are no watches. */
		if (r != -ENOMEM)
			r = stored_take(w);
	}
	if (r >= 0)
		r = vms_start(w);
	if (r < 0)
		return log_errno(r, "cannot begin");
	stored_expire(w);
	r = sd_bus_request_name_async(w->bus, NULL, BUS_NAME, 0, on_name, w);
	if (r < 0)
		return log_errno(r, "cannot have the name " BUS_NAME);
	return 0;
}

static bool all_ended(struct watcher *w)
{
	struct guest *guest;

	LIST_FOREACH(guest, &w->guests, link)
		if (!guest_has_ended(guest))
			return false;
	return true;
}

/* A thread that is stuck does not keep the others: the process ends without it. */
void watcher_stop(struct watcher *w)
{
	uint64_t end = now_usec() + STOP_USEC, now;
	struct guest *guest;
	eventfd_t count;

	LIST_FOREACH(guest, &w->guests, link) {
		struct guest_orders orders = { .stop = true };

		(void)guest_order(guest, &orders);
	}
	while (!all_ended(w) && (now = now_usec()) < end) {
		struct pollfd changes = { w->shared.changes_fd, POLLIN, 0 };

		if (poll(&changes, 1, (int)((end - now) / 1000) + 1) > 0)
			(void)eventfd_read(w->shared.changes_fd, &count);
	}
	if (!all_ended(w))
		log_warning("some VMs do not let their watches end");
}

void watcher_free(struct watcher *w)
{
	struct guest *guest;

	if (!w)
		return;
	while ((guest = LIST_FIRST(&w->guests))) {
		LIST_REMOVE(guest, link);
		guest_free(guest);
	}
	while (!LIST_EMPTY(&w->vms))
		vm_free(LIST_FIRST(&w->vms));
	watches_free(w);
	sd_bus_slot_unref(w->list_call);
	sd_bus_slot_unref(w->store_call);
	sd_bus_flush_close_unref(w->bus);
	sd_event_source_disable_unref(w->changes);
	sd_event_source_disable_unref(w->adopt_timer);
	sd_event_source_disable_unref(w->stuck_timer);
	sd_event_unref(w->event);
	watch_users_free(&w->shared);
	shared_done(&w->shared);
	problems_clear(&w->problems);
	free(w->wtrackd);
	free(w);
}

void watcher_freep(struct watcher **w)
{
	watcher_free(*w);
}
