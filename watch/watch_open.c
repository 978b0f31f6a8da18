// SPDX-License-Identifier: GPL-2.0-or-later
/* A watch's session is opened, or taken out of the fd store. */
#include <errno.h>
#include <sys/epoll.h>

#include "log.h"
#include "manager.h"
#include "session.h"
#include "util.h"
#include "watch_session.h"

/* The service manager answers at once, or is in trouble of its own. */
#define BARRIER_USEC	5000000
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

static unsigned int nr_stored(const struct watches *watches)
{
	const struct watch_session *session;
	unsigned int nr = 0;

	LIST_FOREACH(session, &watches->sessions, link)
		nr += *session->store_name != '\0';
	return nr;
}

/*
 * Nothing is tracked before the session is where a crash does not reach it: a
 * write is told of by the next daemon, too, or never was.
 */
static int session_store(struct watch_session *session)
{
	int fd, r;

	r = fdstore_name(session->name, session->vm_id, session->vm_pid,
			 session->store_name);
	if (r < 0)
		return r;
	r = fdstore_put(session->store_name,
			wtrack_session_get_fd(session->wtrack));
	if (!r)
		r = fdstore_barrier(&fd);
	if (r == -ENOTCONN)
		return watch_session_activate(session);
	if (r < 0)
		return r;
	r = sd_event_add_io(session->watches->manager->event, &session->barrier, fd, EPOLLIN,
			    on_stored, session);
	if (r < 0) {
		safe_close(fd);
		return r;
	}
	(void)sd_event_source_set_io_fd_own(session->barrier, 1);
	session->state = WATCH_STORING;
	return sd_event_add_time_relative(session->watches->manager->event,
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
	const struct watch_config *config = session->watch->config;
	uint32_t watermark = config->ring_records / RING_PARTS;
	uint32_t latency_usec = LATENCY_USEC;

	if (watermark <= 1)
		watermark = latency_usec = 0;
	return wtrack_session_make_ring(session->wtrack, config->ring_records,
					0, watermark, latency_usec);
}

static int session_open(struct watch_session *session)
{
	const struct watch_config *config = session->watch->config;
	struct wtrack_status status;
	struct session *account;
	int r;

	/* One too many would be dropped by the store without a word to us. */
	if (nr_stored(session->watches) >= session->watches->store_max)
		return -ENOSPC;
	r = session_open_own(session->vm, &session->wtrack, &account);
	if (r < 0)
		return r;
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

void watch_session_open(struct watch_session *session)
{
	int r;

	watch_drop_source(&session->retry_timer);
	r = session_open(session);
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
 * The VM that is gone, and the module that comes, tell of themselves; a VM
 * that is confidential stays so.
 */
static void set_retry(struct watch_session *session)
{
	int error = session->error;

	if (error == -ESRCH || error == -ENODEV || error == -EOPNOTSUPP)
		return;
	session->retry_usec *= 2;
	if (session->retry_usec < RETRY_MIN_USEC)
		session->retry_usec = RETRY_MIN_USEC;
	if (session->retry_usec > RETRY_MAX_USEC)
		session->retry_usec = RETRY_MAX_USEC;
	(void)sd_event_add_time_relative(session->watches->manager->event,
					 &session->retry_timer,
					 CLOCK_MONOTONIC, session->retry_usec,
					 0, on_retry, session);
}

void watch_session_fail(struct watch_session *session, int error)
{
	watch_session_unstore(session);
	watch_session_close(session);
	/* Once, however often it is tried. */
	session->tell_failed = error != session->error && error != -ESRCH &&
			       error != -ENODEV;
	session->tell_armed = false;
	session->error = error;
	if (session->vm && session->watch) {
		session->state = WATCH_WAITING;
		set_retry(session);
	} else {
		session->state = WATCH_LEAVING;
	}
	watch_announce(session->watch);
	watch_session_poke(session);
}

/* The position of the daemon before: what it had released, it had logged. */
static int session_resume(struct watch_session *session)
{
	struct wtrack_status status;
	int r;

	r = session_identify(session, &status);
	if (r < 0)
		return r;
	if (!(status.state & WTRACK_STATE_RING))
		return -ENOBUFS;
	if (!session->vm_pid)
		session->vm_pid = status.vm_pid;
	session->resumed_seq = status.events - status.unread + 1;
	session->tell_resumed = true;
	return watch_session_activate(session);
}

int watch_session_take(struct watch_session *session, int fd)
{
	struct session *account;
	int r;

	r = wtrack_session_open_fd(fd, &session->wtrack);
	if (r < 0) {
		safe_close(fd);
		return r;
	}
	r = session_adopt_own(session->watches->manager, session->wtrack,
			      &account);
	if (r < 0)
		log_debug("watch %s: its session has no account (error %d)",
			  session->name, -r);
	return session_resume(session);
}
