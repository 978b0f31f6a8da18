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

#include "config.h"
#include "manager.h"
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

/* The session's, or NULL: it has none yet, which is as good as an unused one. */
static struct watch_user *find_user(const struct watch_session *session)
{
	struct watch_user *user;

	LIST_FOREACH(user, &session->watches->users, link)
		if (user->uid == session->uid)
			return user;
	return NULL;
}

static struct watch_user *get_user(struct watch_session *session)
{
	struct watch_user *user = find_user(session);

	if (user)
		return user;
	user = calloc(1, sizeof(*user));
	if (!user)
		return NULL;
	user->uid = session->uid;
	LIST_INSERT_HEAD(&session->watches->users, user, link);
	return user;
}

static uint64_t user_burst(const struct watch_session *session)
{
	uint64_t burst = session->watches->manager->config.rate_limit_burst;

	return (burst > session->limit.burst ? burst : session->limit.burst) *
	       USER_SHARE;
}

bool watch_user_may(struct watch_session *session, uint64_t now_usec)
{
	const struct watch_user *user = find_user(session);

	return !is_limited(session) || !user ||
	       is_over(user->begin_usec, session, now_usec) ||
	       user->passed < user_burst(session);
}

void watch_user_told(struct watch_session *session, uint64_t now_usec)
{
	struct watch_user *user;

	if (!is_limited(session))
		return;
	user = get_user(session);
	if (!user)
		return;
	if (is_over(user->begin_usec, session, now_usec)) {
		user->begin_usec = now_usec;
		user->passed = 0;
	}
	user->passed++;
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

static int on_pause_over(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct watch_session *session = userdata;

	(void)source;
	(void)usec;
	session->paused = false;
	session->check = true;
	if (session->io && !session->blocked)
		(void)sd_event_source_set_enabled(session->io, SD_EVENT_ON);
	watch_session_poke(session);
	return 0;
}

static int pause_until(struct watch_session *session, uint64_t usec)
{
	const struct watch_origin origin = watch_session_origin(session);
	int r;

	watch_log_paused(&session->watches->entry, &origin, &session->limit);
	r = watch_send(session);
	if (r < 0)
		return r;
	watch_drop_source(&session->pause_timer);
	r = sd_event_add_time(session->watches->manager->event,
			      &session->pause_timer, CLOCK_MONOTONIC, usec, 0,
			      on_pause_over, session);
	if (r < 0)
		return r;
	session->paused = true;
	if (session->io)
		(void)sd_event_source_set_enabled(session->io, SD_EVENT_OFF);
	return 0;
}

int watch_state_may(struct watch_session *session)
{
	const struct watch_user *user = find_user(session);
	uint64_t now = now_usec();
	int r;

	/* What is left of one that ends has a bound. */
	if (session->vm_ended || session->state == WATCH_LEAVING)
		return 1;
	if (session->paused)
		return 0;
	if (!session_may(session, now))
		r = pause_until(session, session->state_begin_usec +
				interval_of(session));
	else if (!watch_user_may(session, now))
		r = pause_until(session, user->begin_usec +
				interval_of(session));
	else
		return 1;
	return r;
}

void watch_users_free(struct watches *watches)
{
	struct watch_user *user;

	while ((user = LIST_FIRST(&watches->users))) {
		LIST_REMOVE(user, link);
		free(user);
	}
}
