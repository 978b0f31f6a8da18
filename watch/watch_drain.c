// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a watch does when it is called: a bounded number of steps, so that the
 * other duties of the daemon get their turn. Whenever the journal has no room
 * it stops where it is, and the ring keeps what comes meanwhile: that may
 * overflow it, and then the entries say so.
 */
#include <errno.h>

#include "util.h"
#include "watch_session.h"

/* Of one call. */
#define MAX_COST	256
/* Arming some thousand pages takes as long as logging some entries. */
#define ARM_COST	64

static bool tell(struct watch_session *session, bool *flag, int *ret)
{
	if (!*flag)
		return false;
	*ret = watch_send(session);
	if (!*ret) {
		*flag = false;
		*ret = 1;
	}
	return true;
}

/* Entries that do not come from the ring: 1 when one was logged. */
static int step_tell(struct watch_session *session)
{
	const struct watch_origin origin = watch_session_origin(session);
	struct journal_entry *entry = &session->guest->entry;
	int r;

	if (ratelimit_is_due(&session->limit, now_usec()))
		return watch_tell_suppressed(session);
	if (session->tell_failed)
		watch_log_failed(entry, &origin, session->error);
	if (tell(session, &session->tell_failed, &r))
		return r;
	if (session->tell_resumed)
		watch_log_resumed(entry, &origin, session->resumed_seq);
	if (tell(session, &session->tell_resumed, &r))
		return r;
	if (session->tell_armed && watch_arm_is_done(session))
		watch_log_armed(entry, &origin,
				&session->config->ranges);
	if (watch_arm_is_done(session) && tell(session, &session->tell_armed, &r))
		return r;
	if (session->paused)
		return 0;
	r = watch_arm_entry(session, &origin, entry);
	if (r <= 0)
		return r;
	r = watch_state_may(session);
	if (r <= 0)
		return r;
	/* The entry that says why there is a pause may have been in its place. */
	r = watch_arm_entry(session, &origin, entry);
	if (r > 0)
		r = watch_send(session);
	if (r < 0)
		return r;
	watch_arm_told(session);
	watch_state_told(session);
	return 1;
}

/* There is no event: will there be one? */
static int look_for_end(struct watch_session *session)
{
	int r;

	if (!session->check)
		return 0;
	session->check = false;
	wtrack_session_release(session->wtrack);
	r = wtrack_session_wait(session->wtrack, 0);
	if (r == -ESRCH) {
		session->vm_ended = true;
		return 1;
	}
	if (r == -ESHUTDOWN) {
		session->ended = session->all_read = true;
		return 1;
	}
	return r == -EIO ? r : 0;
}

static int step_event(struct watch_session *session)
{
	int r;

	if (!session->event)
		session->event = wtrack_session_next(session->wtrack);
	if (!session->event)
		return look_for_end(session);
	session->check = false;
	r = watch_on_event(session, session->event);
	if (r < 0)
		return r;
	/* It stays for the time after the pause. */
	if (session->paused)
		return 0;
	session->event = NULL;
	return 1;
}

/* All is logged but that it is over: 1 when that is, too. */
static int step_last(struct watch_session *session)
{
	const struct watch_origin origin = watch_session_origin(session);
	struct journal_entry *entry = &session->guest->entry;
	int r;

	r = watch_tell_suppressed(session);
	if (r)
		return r;
	if (session->vm_ended)
		watch_log_ended(entry, &origin);
	else if (session->stopped)
		watch_log_stopped(entry, &origin, session->stopped);
	else
		return 0;
	return watch_send(session);
}

/* What the step cost, 0 when there is nothing to do, or why it cannot be. */
static int step(struct watch_session *session)
{
	int r;

	r = step_tell(session);
	if (r || !session->wtrack || session->state == WATCH_STORING)
		return r;
	if (session->paused)
		return 0;
	if (session->state == WATCH_ACTIVE && !session->vm_ended &&
	    !session->ended) {
		r = watch_arm_step(session);
		if (r)
			return r < 0 ? r : ARM_COST;
	}
	return session->resync ? watch_step_resync(session) :
				 step_event(session);
}

static int run_steps(struct watch_session *session)
{
	int cost = 0, r;

	do {
		r = step(session);
		cost += r;
	} while (r > 0 && cost < MAX_COST);
	/* What was taken and not logged is not given back. */
	if (session->wtrack && !session->event)
		wtrack_session_release(session->wtrack);
	return r;
}

static bool is_over(const struct watch_session *session)
{
	return session->vm_ended || session->state == WATCH_LEAVING;
}

/* It was ended, and stays to say so: -ESHUTDOWN when all else is logged. */
static int step_ended(struct watch_session *session)
{
	int r = watch_tell_suppressed(session);

	return r ? r : -ESHUTDOWN;
}

void watch_session_work(struct watch_session *session)
{
	int r;

	if (session->blocked)
		return;
	r = run_steps(session);
	if (!r && is_over(session)) {
		r = step_last(session);
		if (!r) {
			watch_session_free(session);
			return;
		}
	} else if (!r && session->all_read) {
		r = step_ended(session);
	}
	if (r > 0) {
		watch_session_poke(session);
	} else if (r == -EAGAIN || r == -ENOTCONN) {
		watch_session_block(session);
		guest_wait_for_journal(session->guest, r);
	} else if (r < 0) {
		watch_session_fail(session, r);
	}
}
