// SPDX-License-Identifier: GPL-2.0-or-later
/* An event of a watch becomes an entry of the journal, or is held back. */
#include <errno.h>
#include <string.h>

#include "log.h"
#include "util.h"
#include "watch_session.h"

static uint64_t now_usec_of(struct watch_session *session)
{
	uint64_t usec = 0;

	(void)sd_event_now(session->guest->event, CLOCK_MONOTONIC,
			   &usec);
	return usec;
}

/* An entry that the journal will never take is as good as sent. */
int watch_send(struct watch_session *session)
{
	struct guest *guest = session->guest;
	int r;

	r = journal_send(&guest->journal, &guest->entry);
	if (r == 0 || r == -EAGAIN || r == -ENOTCONN)
		return r;
	if (log_may(LOG_KIND_OTHER, (uid_t)-1))
		log_warning("watch %s: the journal refused an entry: %s",
			    session->name, strerror(-r));
	return 0;
}

int watch_tell_suppressed(struct watch_session *session)
{
	const struct watch_origin origin = watch_session_origin(session);
	int r;

	if (!session->limit.held.events)
		return 0;
	watch_log_suppressed(&session->guest->entry, &origin,
			     &session->limit.held);
	r = watch_send(session);
	if (r < 0)
		return r;
	ratelimit_reset(&session->limit);
	return 1;
}

static int on_interval_over(sd_event_source *source, uint64_t usec,
			    void *userdata)
{
	(void)source;
	(void)usec;
	watch_session_work(userdata);
	return 0;
}

static void set_summary_timer(struct watch_session *session)
{
	sd_event_source_unref(session->summary_timer);
	session->summary_timer = NULL;
	(void)sd_event_add_time(session->guest->event,
				&session->summary_timer, CLOCK_MONOTONIC,
				ratelimit_end_usec(&session->limit), 0,
				on_interval_over, session);
}

static void hold(struct watch_session *session,
		 const struct wtrack_event *event)
{
	ratelimit_held(&session->limit, wtrack_event_get_gfn(event),
		       wtrack_event_get_seq(event),
		       wtrack_event_get_time_ns(event));
	if (session->counts)
		__atomic_add_fetch(&session->counts->suppressed, 1,
				   __ATOMIC_RELAXED);
}

static int close_limit(struct watch_session *session,
		       const struct wtrack_event *event)
{
	const struct watch_origin origin = watch_session_origin(session);
	int r;

	watch_log_limited(&session->guest->entry, &origin, &session->limit,
			  event);
	r = watch_send(session);
	if (r < 0)
		return r;
	hold(session, event);
	set_summary_timer(session);
	return 0;
}

static int log_event_entry(struct watch_session *session,
			   const struct wtrack_event *event)
{
	const struct watch_origin origin = watch_session_origin(session);
	int r;

	if (wtrack_event_get_type(event) == WTRACK_EVENT_WRITE)
		watch_log_write(&session->guest->entry, &origin, event);
	else
		watch_log_guard(&session->guest->entry, &origin, event);
	r = watch_send(session);
	if (!r) {
		ratelimit_passed(&session->limit, now_usec_of(session));
		watch_user_told(session, now_usec());
	}
	return r;
}

/* What the watch may, or less when the user's VMs have had too much together. */
static enum ratelimit_verdict ask(struct watch_session *session)
{
	uint64_t now = now_usec_of(session);
	enum ratelimit_verdict verdict = ratelimit_ask(&session->limit, now);

	if (verdict != RATELIMIT_PASS || watch_user_may(session, now_usec()))
		return verdict;
	ratelimit_use_up(&session->limit, now);
	return RATELIMIT_CLOSE;
}

static int on_limited(struct watch_session *session,
		      const struct wtrack_event *event)
{
	int r = 0;

	switch (ask(session)) {
	case RATELIMIT_PASS:
		r = log_event_entry(session, event);
		break;
	case RATELIMIT_CLOSE:
		r = close_limit(session, event);
		break;
	case RATELIMIT_HOLD:
		hold(session, event);
		break;
	}
	if (!r && session->counts)
		__atomic_add_fetch(&session->counts->events, 1,
				   __ATOMIC_RELAXED);
	return r;
}

static int on_overflow(struct watch_session *session,
		       const struct wtrack_event *event)
{
	const struct watch_origin origin = watch_session_origin(session);
	int r;

	watch_log_overflow(&session->guest->entry, &origin, event);
	r = watch_send(session);
	if (r < 0)
		return r;
	session->resync = true;
	session->resync_fetched = false;
	session->nr_resync = 0;
	/* The library's word for one that the process before had begun. */
	session->resync_all = wtrack_event_get_seq(event) <
			      session->resumed_seq;
	session->resync_at = 0;
	return 0;
}

static int on_removed(struct watch_session *session,
		      const struct wtrack_event *event)
{
	const struct watch_origin origin = watch_session_origin(session);
	const struct wtrack_range range = {
		.gfn = wtrack_event_get_gfn(event),
		.nr_pages = wtrack_event_get_nr_pages(event),
	};
	int r;

	watch_log_removed(&session->guest->entry, &origin, event);
	r = watch_send(session);
	if (r < 0 || session->state != WATCH_ACTIVE || session->ended)
		return r;
	return watch_arm_lost(session, &range,
			      wtrack_event_get_time_ns(event));
}

/* An entry about pages: the guest decides how many of these there are. */
static int on_state(struct watch_session *session, int r)
{
	if (r >= 0)
		watch_state_told(session);
	return r;
}

/* In the order in which things happened: the summary goes first. */
int watch_on_event(struct watch_session *session,
		   const struct wtrack_event *event)
{
	int type = wtrack_event_get_type(event);
	int r;

	if (type == WTRACK_EVENT_WRITE || type == WTRACK_EVENT_GUARD)
		return on_limited(session, event);
	r = watch_tell_suppressed(session);
	if (r < 0)
		return r;
	if (type == WTRACK_EVENT_RESYNC || type == WTRACK_EVENT_REGION_REMOVED) {
		r = watch_state_may(session);
		if (r <= 0)
			return r;
	}
	switch (type) {
	case WTRACK_EVENT_RESYNC:
		return on_state(session, on_overflow(session, event));
	case WTRACK_EVENT_REGION_REMOVED:
		return on_state(session, on_removed(session, event));
	case WTRACK_EVENT_VM_GONE:
		session->vm_ended = true;
		return 0;
	case WTRACK_EVENT_ENDED:
		session->ended = session->all_read = true;
		return 0;
	default:
		return 0;
	}
}
