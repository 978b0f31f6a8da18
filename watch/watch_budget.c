// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many entries a guest may cause. Writes that are too many are held back and
 * summed up (ratelimit.h). Entries about what becomes of the pages, removals,
 * overflows, gaps, are not: a watch that has used up its budget of them is paused
 * until the interval is over. Its ring keeps what comes meanwhile, and its overflow
 * says which pages, so that nothing is lost but the guest is not listened to.
 *
 * Both also count for the user of the VM. A user may have many VMs, and all of
 * them together fill the journal with at most USER_SHARE times what one watch may.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "util.h"
#include "watch_session.h"

#define USER_SHARE	10

struct watch_user {
	LIST_ENTRY(watch_user) link;
	uid_t uid;
	uint64_t begin_usec;
	uint64_t passed;
};

static bool is_limited(const struct watch_session *session)
{
	return session->limit.burst && session->limit.interval_usec;
}

static uint64_t interval_of(const struct watch_session *session)
{
	return session->limit.interval_usec;
}

static bool is_over(uint64_t begin_usec, const struct watch_session *session,
		    uint64_t now)
{
	return !begin_usec || now - begin_usec >= interval_of(session);
}

/* The user's, or NULL: no entry yet, which is as good as none any more. Locked. */
static struct watch_user *find_user(const struct shared *shared, uid_t uid)
{
	struct watch_user *user;

	LIST_FOREACH(user, &shared->users, link)
		if (user->uid == uid)
			return user;
	return NULL;
}

static struct watch_user *get_user(struct shared *shared, uid_t uid)
{
	struct watch_user *user = find_user(shared, uid);

	if (user)
		return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = uid;
	LIST_INSERT_HEAD(&shared->users, user, link);
	return user;
}

static uint64_t user_burst(const struct watch_session *session)
{
	uint64_t burst = session->guest->shared->user_burst;

	return (burst > session->limit.burst ? burst : session->limit.burst) *
	       USER_SHARE;
}

/* Until when there is to be no entry for the user, 0 if there may be one. */
static uint64_t user_waits_until(struct watch_session *session, uint64_t now)
{
	struct shared *shared = session->guest->shared;
	const struct watch_user *user;
	uint64_t until = 0;

	if (!is_limited(session))
		return 0;
	pthread_mutex_lock(&shared->lock);
	user = find_user(shared, session->guest->uid);
	if (user && !is_over(user->begin_usec, session, now) &&
	    user->passed >= user_burst(session))
		until = user->begin_usec + interval_of(session);
	pthread_mutex_unlock(&shared->lock);
	return until;
}

bool watch_user_may(struct watch_session *session, uint64_t now_usec)
{
	return !user_waits_until(session, now_usec);
}

void watch_user_told(struct watch_session *session, uint64_t now_usec)
{
	struct shared *shared = session->guest->shared;
	struct watch_user *user;

	if (!is_limited(session))
		return;
	pthread_mutex_lock(&shared->lock);
	user = get_user(shared, session->guest->uid);
	if (user && is_over(user->begin_usec, session, now_usec)) {
		user->begin_usec = now_usec;
		user->passed = 0;
	}
	if (user)
		user->passed++;
	pthread_mutex_unlock(&shared->lock);
}

static bool session_may(const struct watch_session *session, uint64_t now)
{
	return !is_limited(session) ||
	       is_over(session->state_begin_usec, session, now) ||
	       session->state_passed < session->limit.burst;
}

void watch_state_told(struct watch_session *session)
{
	uint64_t now = now_usec();

	if (is_over(session->state_begin_usec, session, now)) {
		session->state_begin_usec = now;
		session->state_passed = 0;
	}
	session->state_passed++;
	watch_user_told(session, now);
}

static void go_on(struct watch_session *session)
{
	session->paused = false;
	session->check = true;
	if (session->io)
		(void)sd_event_source_set_io_events(session->io, EPOLLIN);
	watch_session_poke(session);
}

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	(void)source;
	(void)usec;
	go_on(userdata);
	return 0;
}

void watch_session_hung_up(struct watch_session *session)
{
	session->hung_up = true;
	if (session->paused)
		go_on(session);
}

static int pause_until(struct watch_session *session, uint64_t usec)
{
	const struct watch_origin origin = watch_session_origin(session);
	int r;

	watch_log_paused(&session->guest->entry, &origin, &session->limit);
	r = watch_send(session);
	if (r < 0)
		return r;
	watch_drop_source(&session->pause_timer);
	r = sd_event_add_time(session->guest->event,
			      &session->pause_timer, CLOCK_MONOTONIC, usec, 0,
			      on_pause_over, session);
	if (r < 0)
		return r;
	session->paused = true;
	/* EPOLLHUP, which reports an end, comes nevertheless. */
	if (session->io)
		(void)sd_event_source_set_io_events(session->io, 0);
	return 0;
}

int watch_state_may(struct watch_session *session)
{
	uint64_t now = now_usec(), until;

	/* What is left of one that ends has a bound. */
	if (session->hung_up || session->vm_ended || session->ended ||
	    session->state == WATCH_LEAVING)
		return 1;
	if (session->paused)
		return 0;
	if (!session_may(session, now))
		until = session->state_begin_usec + interval_of(session);
	else
		until = user_waits_until(session, now);
	return until ? pause_until(session, until) : 1;
}

void watch_users_free(struct shared *shared)
{
	struct watch_user *user;

	while ((user = LIST_FIRST(&shared->users))) {
		LIST_REMOVE(user, link);
		free(user);
	}
}
