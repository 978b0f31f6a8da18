// SPDX-License-Identifier: GPL-2.0-or-later
/* The life of a watch's session on one VM: watch_session.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#include "manager.h"
#include "util.h"
#include "vm.h"
#include "watch_session.h"

uint64_t watch_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static sd_event *event_of(const struct watch_session *session)
{
	return session->watches->manager->event;
}

static int on_work(sd_event_source *source, void *userdata)
{
	(void)source;
	watch_session_work(userdata);
	return 0;
}

void watch_announce(const struct watch *watch)
{
	if (watch)
		bus_watch_changed(watch->watches->manager, watch->bus_path,
				  "Vms", "Active", NULL);
}

void watch_session_poke(struct watch_session *session)
{
	(void)sd_event_source_set_enabled(session->work, SD_EVENT_ONESHOT);
}

int watch_session_new(struct watches *watches, struct watch *watch,
		      const char *name, struct watch_session **ret)
{
	struct watch_session *session = calloc(1, sizeof(*session));
	int r;

	if (!session)
		return -ENOMEM;
	session->watches = watches;
	session->watch = watch;
	LIST_INSERT_HEAD(&watches->sessions, session, link);
	r = string_set(&session->name, name);
	if (!r)
		r = string_set(&session->vm_name, "");
	if (!r)
		r = sd_event_add_defer(event_of(session), &session->work,
				       on_work, session);
	if (r < 0) {
		watch_session_free(session);
		return r;
	}
	(void)sd_event_source_set_enabled(session->work, SD_EVENT_OFF);
	*ret = session;
	return 0;
}

void watch_drop_source(sd_event_source **source)
{
	sd_event_source_disable_unref(*source);
	*source = NULL;
}

/* What has to do with the descriptor, which stays open in the fd store. */
void watch_session_close(struct watch_session *session)
{
	watch_drop_source(&session->io);
	watch_drop_source(&session->barrier);
	watch_drop_source(&session->barrier_timer);
	watch_drop_source(&session->summary_timer);
	watch_drop_source(&session->pause_timer);
	session->paused = false;
	watch_drop_source(&session->retry_timer);
	watch_arm_clear(session);
	wtrack_session_close(session->wtrack);
	session->wtrack = NULL;
	session->event = NULL;
	session->resync = false;
}

void watch_session_unstore(struct watch_session *session)
{
	if (*session->store_name)
		(void)fdstore_remove(session->store_name);
	*session->store_name = '\0';
}

void watch_session_free(struct watch_session *session)
{
	LIST_REMOVE(session, link);
	/* Not when the daemon ends: the next one goes on with it. */
	if (session->vm_ended || session->state == WATCH_LEAVING)
		watch_session_unstore(session);
	watch_session_close(session);
	watch_announce(session->watch);
	watch_drop_source(&session->work);
	free(session->name);
	free(session->vm_name);
	free(session);
}

struct watch_origin watch_session_origin(const struct watch_session *session)
{
	return (struct watch_origin){
		.watch = session->name,
		.vm_pid = session->vm_pid,
		.vm_name = session->vm_name,
		.session_id = session->id,
	};
}

int watch_session_set_vm(struct watch_session *session, struct vm *vm)
{
	session->vm = vm;
	session->vm_pid = vm->process->pid;
	session->uid = vm->process->info.ids.uid;
	if (session->state == WATCH_ACTIVE)
		watch_announce(session->watch);
	return string_set(&session->vm_name, vm_name(vm));
}

static int on_io(sd_event_source *source, int fd, uint32_t revents,
		 void *userdata)
{
	struct watch_session *session = userdata;

	(void)source;
	(void)fd;
	(void)revents;
	session->check = true;
	watch_session_work(session);
	return 0;
}

int watch_session_apply(struct watch_session *session)
{
	const struct watch_config *config;

	if (!session->watch || session->state != WATCH_ACTIVE)
		return 0;
	config = session->watch->config;
	session->limit.interval_usec = config->rate_limit_interval_usec;
	session->limit.burst = config->rate_limit_burst;
	watch_session_poke(session);
	return watch_arm_all(session);
}

int watch_session_activate(struct watch_session *session)
{
	int r;

	watch_drop_source(&session->barrier);
	watch_drop_source(&session->barrier_timer);
	r = sd_event_add_io(event_of(session), &session->io,
			    wtrack_session_get_fd(session->wtrack), EPOLLIN,
			    on_io, session);
	if (r < 0)
		return r;
	session->state = WATCH_ACTIVE;
	session->check = true;
	session->error = 0;
	session->retry_usec = 0;
	watch_announce(session->watch);
	watch_session_poke(session);
	return watch_session_apply(session);
}

static void untrack_all(struct watch_session *session)
{
	struct wtrack_range ranges[64];
	uint64_t gfn = 0;
	int n;

	do {
		n = wtrack_session_query(session->wtrack, &gfn, ranges,
					 ARRAY_SIZE(ranges));
		if (n > 0)
			(void)wtrack_session_remove(session->wtrack, ranges,
						    (size_t)n, NULL, 0);
	} while (n > 0);
}

void watch_session_leave(struct watch_session *session, const char *why)
{
	const struct watch *watch = session->watch;

	if (session->state == WATCH_STORING)
		(void)watch_session_activate(session);
	session->state = WATCH_LEAVING;
	watch_announce(watch);
	session->watch = NULL;
	session->paused = false;
	session->stopped = why;
	session->tell_armed = false;
	/* Its name is free for one that comes in its place. */
	watch_session_unstore(session);
	watch_arm_clear(session);
	if (session->wtrack)
		untrack_all(session);
	else
		session->stopped = NULL;
	watch_session_poke(session);
}
