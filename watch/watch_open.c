// SPDX-License-Identifier: GPL-2.0-or-later
/* wtrackd is asked for a watch's session, or it is taken out of the fd store. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "log.h"
#include "util.h"
#include "watch_session.h"

/* The service manager answers at once, or is in trouble of its own. */
#define BARRIER_USEC	5000000
#define TURN_USEC	200000
#define RETRY_MIN_USEC	1000000
#define RETRY_MAX_USEC	60000000

/*
 * Many events for each time that we are woken, but none that waits for long.
 * At most half of a ring may be asked for.
 */
#define RING_PARTS	4
#define LATENCY_USEC	10000

static void activate_or_fail(struct watch_session *session)
{
	int r = watch_session_activate(session);

	if (r < 0)
		watch_session_fail(session, r);
}

static int on_stored(sd_event_source *source, int fd, uint32_t revents,
		     void *userdata)
{
	(void)source;
	(void)fd;
	(void)revents;
	activate_or_fail(userdata);
	return 0;
}

static int on_store_timeout(sd_event_source *source, uint64_t usec,
			    void *userdata)
{
	struct watch_session *session = userdata;

	(void)source;
	(void)usec;
	log_warning("watch %s: the service manager does not say whether it has "
		    "stored the session", session->name);
	activate_or_fail(session);
	return 0;
}

/*
 * Nothing is tracked before the session is where a crash does not reach it: a
 * write is told of by the next daemon, too, or never was.
 */
static int session_store(struct watch_session *session)
{
	char name[FDSTORE_NAME_BYTES];
	int fd, r;

	r = fdstore_name(session->name, session->vm_id, session->guest->vm_pid,
			 name);
	if (r < 0)
		return r;
	strcpy(session->store_name, name);
	r = fdstore_put(name, wtrack_session_get_fd(session->wtrack));
	if (!r)
		r = fdstore_barrier(&fd);
	if (r == -ENOTCONN)
		return watch_session_activate(session);
	if (r < 0)
		return r;
	r = sd_event_add_io(session->guest->event, &session->barrier, fd, EPOLLIN,
			    on_stored, session);
	if (r < 0) {
		safe_close(fd);
		return r;
	}
	(void)sd_event_source_set_io_fd_own(session->barrier, 1);
	session->state = WATCH_STORING;
	return sd_event_add_time_relative(session->guest->event,
					  &session->barrier_timer,
					  CLOCK_MONOTONIC, BARRIER_USEC, 0,
					  on_store_timeout, session);
}

static int session_identify(struct watch_session *session,
			    struct wtrack_status *status)
{
	int r = wtrack_session_get_status(session->wtrack, status,
					  sizeof(*status));

	if (r < 0)
		return r;
	session->id = status->session_id;
	session->vm_id = status->vm_id;
	return 0;
}

static int make_ring(struct watch_session *session)
{
	const struct watch_config *config = session->config;
	uint32_t watermark = config->ring_records / RING_PARTS;
	uint32_t latency_usec = LATENCY_USEC;

	if (watermark <= 1)
		watermark = latency_usec = 0;
	return wtrack_session_make_ring(session->wtrack, config->ring_records,
					0, watermark, latency_usec);
}

/* It is attached and not used yet. */
static int session_opened(struct watch_session *session)
{
	const struct watch_config *config = session->config;
	struct wtrack_status status;
	int r;

	r = wtrack_session_set_budget(session->wtrack, config->budget,
				      config->budget_period_ms);
	if (!r)
		r = make_ring(session);
	if (!r)
		r = session_identify(session, &status);
	if (!r)
		r = session_store(session);
	if (!r)
		session->tell_armed = true;
	return r;
}

static void end_request(struct watch_session *session)
{
	watch_drop_source(&session->answer);
	wtrack_request_close(session->request);
	session->request = NULL;
	shared_open_end(session->guest->shared, &session->opening);
}

static int on_answer(sd_event_source *source, int fd, uint32_t revents,
		     void *userdata)
{
	struct watch_session *session = userdata;
	int r;

	(void)source;
	(void)fd;
	(void)revents;
	r = wtrack_request_finish(session->request, &session->wtrack, NULL);
	if (r == -EAGAIN)
		return 0;
	end_request(session);
	if (r >= 0)
		r = session_opened(session);
	if (r < 0)
		watch_session_fail(session, r);
	return 0;
}

/* As any client: wtrackd decides, and has it attached. */
static int ask_wtrackd(struct watch_session *session)
{
	const struct guest *guest = session->guest;
	char vm[32];
	int r;

	snprintf(vm, sizeof(vm), "%d:%d", guest->vm_pid, guest->vm_fd);
	r = wtrack_request_new(vm, NULL, 0, 0, &session->request);
	if (r < 0)
		return r;
	return sd_event_add_io(guest->event, &session->answer,
			       wtrack_request_get_fd(session->request), EPOLLIN,
			       on_answer, session);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata);

/* Others are asking: it is looked again soon, which is no failure. */
static void wait_for_turn(struct watch_session *session)
{
	(void)sd_event_add_time_relative(session->guest->event,
					 &session->retry_timer, CLOCK_MONOTONIC,
					 TURN_USEC, 0, on_retry, session);
}

void watch_session_open(struct watch_session *session)
{
	struct guest *guest = session->guest;
	int r;

	watch_drop_source(&session->retry_timer);
	/* One too many would be dropped by the store without a word to us. */
	if (!session->has_place)
		session->has_place = shared_store_take(guest->shared);
	if (!session->has_place) {
		watch_session_fail(session, -ENOSPC);
		return;
	}
	session->opening = shared_open_begin(guest->shared, guest->uid);
	if (!session->opening) {
		wait_for_turn(session);
		return;
	}
	r = ask_wtrackd(session);
	if (r < 0)
		watch_session_fail(session, r);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	watch_session_open(userdata);
	return 0;
}

/*
 * The VM that is gone, and the module that comes, tell of themselves; a VM that is
 * confidential stays so; and what an administrator has ended stays so until the
 * watches are read again, or the module is loaded again.
 */
static void set_retry(struct watch_session *session)
{
	int error = session->error;

	if (error == -ESRCH || error == -ENODEV || error == -EOPNOTSUPP ||
	    error == -ESHUTDOWN)
		return;
	session->retry_usec *= 2;
	if (session->retry_usec < RETRY_MIN_USEC)
		session->retry_usec = RETRY_MIN_USEC;
	if (session->retry_usec > RETRY_MAX_USEC)
		session->retry_usec = RETRY_MAX_USEC;
	(void)sd_event_add_time_relative(session->guest->event,
					 &session->retry_timer,
					 CLOCK_MONOTONIC, session->retry_usec,
					 0, on_retry, session);
}

/* The VM, the module or wtrackd is not there, and comes or does not. */
static bool is_worth_telling(int error)
{
	return error != -ESRCH && error != -ENODEV && error != -ECONNREFUSED;
}

/* Its calls fail before its last record is in the ring. */
static void read_to_the_end(struct watch_session *session)
{
	session->ended = true;
	session->check = true;
	session->tell_armed = false;
	watch_arm_clear(session);
	watch_session_poke(session);
}

void watch_session_fail(struct watch_session *session, int error)
{
	if (error == -ESHUTDOWN && session->state == WATCH_ACTIVE &&
	    !session->all_read) {
		read_to_the_end(session);
		return;
	}
	watch_session_unstore(session);
	watch_session_close(session);
	/* Once, however often it is tried. */
	session->tell_failed = error != session->error && is_worth_telling(error);
	session->tell_armed = false;
	session->error = error;
	if (session->guest->present && session->config) {
		session->state = WATCH_WAITING;
		set_retry(session);
	} else {
		session->state = WATCH_LEAVING;
	}
	guest_report(session->guest);
	watch_session_poke(session);
}

/* The position of the process before: what it had released, it had logged. */
static int session_resume(struct watch_session *session)
{
	struct wtrack_status status;
	int r;

	r = session_identify(session, &status);
	if (r < 0)
		return r;
	if (!(status.state & WTRACK_STATE_RING))
		return -ENOBUFS;
	session->resumed_seq = status.events - status.unread + 1;
	session->tell_resumed = true;
	r = watch_session_activate(session);
	if (r != -ESHUTDOWN)
		return r;
	watch_session_fail(session, r);
	return 0;
}

int watch_session_take(struct watch_session *session, int fd)
{
	int r = wtrack_session_open_fd(fd, &session->wtrack);

	if (r < 0) {
		safe_close(fd);
		return r;
	}
	return session_resume(session);
}
