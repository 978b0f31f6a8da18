// SPDX-License-Identifier: GPL-2.0-or-later
/* The life of a watch's session on one VM: watch_session.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "util.h"
#include "watch_session.h"

static int on_work(sd_event_source *source, void *userdata)
{
	(void)source;
	watch_session_work(userdata);
	return 0;
}

void watch_session_poke(struct watch_session *session)
{
	(void)sd_event_source_set_enabled(session->work, SD_EVENT_ONESHOT);
}

int watch_session_new(struct guest *guest, const char *name,
		      struct watch_config *config, struct watch_counts *counts,
		      struct watch_session **ret)
{
	struct watch_session *session = calloc(1, sizeof(*session));
	int r;

	if (!session)
		return -ENOMEM;
	session->guest = guest;
	session->config = watch_config_ref(config);
	session->counts = watch_counts_ref(counts);
	LIST_INSERT_HEAD(&guest->sessions, session, link);
	r = string_set(&session->name, name);
	if (!r)
		r = sd_event_add_defer(guest->event, &session->work, on_work,
				       session);
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
	watch_drop_source(&session->answer);
	wtrack_request_close(session->request);
	session->request = NULL;
	shared_open_end(session->guest->shared, &session->opening);
	watch_drop_source(&session->barrier);
	watch_drop_source(&session->barrier_timer);
	watch_drop_source(&session->summary_timer);
	watch_drop_source(&session->pause_timer);
	session->paused = false;
	session->hung_up = session->ended = session->all_read = false;
	watch_drop_source(&session->retry_timer);
	watch_arm_clear(session);
	wtrack_session_close(session->wtrack);
	session->wtrack = NULL;
	session->event = NULL;
	session->resync = false;
}

void watch_session_stored_as(struct watch_session *session,
			     const char *store_name)
{
	snprintf(session->store_name, sizeof(session->store_name), "%s",
		 store_name);
	session->has_place = true;
	shared_store_count(session->guest->shared);
}

void watch_session_unstore(struct watch_session *session)
{
	if (*session->store_name)
		(void)fdstore_remove(session->store_name);
	*session->store_name = '\0';
	if (session->has_place)
		shared_store_give(session->guest->shared);
	session->has_place = false;
}

void watch_session_free(struct watch_session *session)
{
	struct guest *guest = session->guest;

	LIST_REMOVE(session, link);
	/* When the service ends, the next process continues with the session. */
	if (session->vm_ended || session->state == WATCH_LEAVING ||
	    session->state == WATCH_WAITING)
		watch_session_unstore(session);
	watch_session_close(session);
	watch_drop_source(&session->work);
	watch_config_unref(session->config);
	watch_counts_unref(session->counts);
	free(session->name);
	free(session);
	guest_report(guest);
}

void watch_session_drop(struct watch_session *session)
{
	watch_session_unstore(session);
	watch_session_free(session);
}

struct watch_origin watch_session_origin(const struct watch_session *session)
{
	return (struct watch_origin){
		.watch = session->name,
		.vm_pid = session->guest->vm_pid,
		.vm_name = session->guest->vm_name,
		.session_id = session->id,
	};
}

static int on_io(sd_event_source *source, int fd, uint32_t revents,
		 void *userdata)
{
	struct watch_session *session = userdata;

	(void)source;
	(void)fd;
	if (revents & EPOLLHUP)
		watch_session_hung_up(session);
	session->check = true;
	watch_session_work(session);
	return 0;
}

int watch_session_apply(struct watch_session *session)
{
	const struct watch_config *config = session->config;

	if (!config || session->state != WATCH_ACTIVE || session->ended)
		return 0;
	session->limit.interval_usec = config->rate_limit_interval_usec;
	session->limit.burst = config->rate_limit_burst;
	watch_session_poke(session);
	return watch_arm_all(session);
}

void watch_session_change(struct watch_session *session,
			  struct watch_config *config)
{
	bool same_ring = watch_config_same_ring(session->config, config);
	int r;

	if (!same_ring) {
		watch_session_leave(session, "it was changed");
		return;
	}
	watch_config_unref(session->config);
	session->config = watch_config_ref(config);
	r = watch_session_apply(session);
	if (r < 0)
		watch_session_fail(session, r);
}

int watch_session_activate(struct watch_session *session)
{
	int r;

	watch_drop_source(&session->barrier);
	watch_drop_source(&session->barrier_timer);
	r = sd_event_add_io(session->guest->event, &session->io,
			    wtrack_session_get_fd(session->wtrack), EPOLLIN,
			    on_io, session);
	if (r < 0)
		return r;
	session->state = WATCH_ACTIVE;
	session->check = true;
	session->error = 0;
	session->retry_usec = 0;
	guest_report(session->guest);
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
	if (session->state == WATCH_STORING)
		(void)watch_session_activate(session);
	session->state = WATCH_LEAVING;
	watch_config_unref(session->config);
	session->config = NULL;
	watch_counts_unref(session->counts);
	session->counts = NULL;
	session->paused = false;
	session->stopped = why;
	session->tell_armed = false;
	/* Its name is free for one that comes in its place. */
	watch_session_unstore(session);
	watch_arm_clear(session);
	if (session->wtrack) {
		untrack_all(session);
	} else {
		session->stopped = NULL;
		watch_session_close(session);
	}
	guest_report(session->guest);
	watch_session_poke(session);
}
