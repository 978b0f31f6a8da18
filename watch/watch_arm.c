// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keeps all pages of a watch tracked. The module does not tell when memory
 * comes back, so what is missing is tried again and again: after a millisecond
 * at first, then after twice as long each time, so that what is missed is at
 * most about as long as the memory was away, or five seconds.
 *
 * Pages are added without waiting for vCPUs. KVM may be handling a fault on a page,
 * for as long as it takes to bring the page in, and neither the other pages of the
 * watch nor the events that there are have to wait for that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"
#include "watch_session.h"

/* Pages of one step: the other watches on the VM wait for it. */
#define STEP_PAGES	16384
#define BACKOFF_MIN_USEC	1000
#define BACKOFF_MAX_USEC	5000000

static int gap_add(struct watch_session *session, struct wtrack_range range,
		   const struct watch_gap *like)
{
	struct watch_gap *gaps;

	while (range.nr_pages) {
		gaps = reallocarray(session->gaps, session->nr_gaps + 1,
				    sizeof(*gaps));
		if (!gaps)
			return -ENOMEM;
		session->gaps = gaps;
		gaps += session->nr_gaps++;
		*gaps = *like;
		gaps->range = range;
		if (range.nr_pages > STEP_PAGES)
			gaps->range.nr_pages = STEP_PAGES;
		range.gfn += gaps->range.nr_pages;
		range.nr_pages -= gaps->range.nr_pages;
	}
	return 0;
}

static int gaps_add(struct watch_session *session, const struct ranges *ranges,
		    const struct watch_gap *like)
{
	size_t i;
	int r = 0;

	for (i = 0; !r && i < ranges->nr; i++)
		r = gap_add(session, ranges->at[i], like);
	return r;
}

/* What the session tracks, from @gfn on until @end at least. */
static int query_tracked(struct watch_session *session, uint64_t gfn,
			 uint64_t end, struct ranges *tracked)
{
	struct wtrack_range found[64];
	int i, n, r = 0;

	do {
		n = wtrack_session_query(session->wtrack, &gfn, found,
					 ARRAY_SIZE(found));
		for (i = 0; !r && i < n; i++)
			r = ranges_add(tracked, &found[i]);
	} while (!r && n > 0 && gfn < end);
	return r ? r : n < 0 ? n : 0;
}

/* Some of its pages were refused, not always those behind the first. */
static int gaps_in(struct watch_session *session,
		   const struct wtrack_range *range, int error)
{
	const struct watch_gap like = {
		.since_ns = now_ns(), .error = error,
	};
	struct ranges all = { 0 }, tracked = { 0 }, missing = { 0 };
	int r;

	r = ranges_add(&all, range);
	if (!r)
		r = query_tracked(session, range->gfn,
				  range->gfn + range->nr_pages, &tracked);
	if (!r)
		r = ranges_subtract(&all, &tracked, &missing);
	if (!r)
		r = gaps_add(session, &missing, &like);
	ranges_clear(&all);
	ranges_clear(&tracked);
	ranges_clear(&missing);
	return r;
}

/*
 * 0 when all of it is tracked now, 1 when some is not, or what makes the
 * session useless. That the VM is gone an event will tell as well.
 */
static int try_range(struct watch_session *session,
		     const struct wtrack_range *range, int *ret_error)
{
	int r;

	r = wtrack_session_add(session->wtrack, range, 1, NULL,
			       WTRACK_CHANGE_NOWAIT);
	switch (r) {
	case 0:
		return 0;
	case -EINVAL:
	case -ENOBUFS:
	case -EPROTO:
	case -ESHUTDOWN:
	case -ESRCH:
		return r;
	default:
		*ret_error = r;
		return 1;
	}
}

static int step_todo(struct watch_session *session)
{
	struct wtrack_range step = session->todo.at[0];
	struct ranges done = { &step, 1 }, left;
	int error, r;

	if (step.nr_pages > STEP_PAGES)
		step.nr_pages = STEP_PAGES;
	r = try_range(session, &step, &error);
	if (r > 0)
		r = gaps_in(session, &step, error);
	if (r < 0)
		return r;
	r = ranges_subtract(&session->todo, &done, &left);
	if (r < 0)
		return r;
	ranges_clear(&session->todo);
	session->todo = left;
	return 1;
}

static int step_gap(struct watch_session *session, struct watch_gap *gap)
{
	int error, r;

	gap->due = false;
	r = try_range(session, &gap->range, &error);
	if (r < 0)
		return r;
	if (r)
		gap->error = error;
	else
		gap->until_ns = now_ns();
	return 1;
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct watch_session *session = userdata;
	size_t i;

	(void)source;
	(void)usec;
	for (i = 0; i < session->nr_gaps; i++)
		session->gaps[i].due = !session->gaps[i].until_ns;
	watch_session_poke(session);
	return 0;
}

static bool retry_is_set(struct watch_session *session)
{
	int enabled = SD_EVENT_OFF;

	if (session->retry_timer)
		(void)sd_event_source_get_enabled(session->retry_timer,
						  &enabled);
	return enabled != SD_EVENT_OFF;
}

static int set_retry(struct watch_session *session)
{
	uint64_t wait = session->backoff_usec;

	if (!wait)
		wait = BACKOFF_MIN_USEC;
	session->backoff_usec = wait * 2;
	if (session->backoff_usec > BACKOFF_MAX_USEC)
		session->backoff_usec = BACKOFF_MAX_USEC;
	sd_event_source_unref(session->retry_timer);
	session->retry_timer = NULL;
	return sd_event_add_time_relative(session->guest->event,
					  &session->retry_timer,
					  CLOCK_MONOTONIC, wait, wait / 8,
					  on_retry, session);
}

static int step(struct watch_session *session)
{
	bool open = false;
	size_t i;

	if (session->todo.nr)
		return step_todo(session);
	for (i = 0; i < session->nr_gaps; i++) {
		if (session->gaps[i].due)
			return step_gap(session, &session->gaps[i]);
		open |= !session->gaps[i].until_ns;
	}
	if (!open)
		session->backoff_usec = 0;
	else if (!retry_is_set(session))
		return set_retry(session);
	return 0;
}

int watch_arm_step(struct watch_session *session)
{
	int r = step(session);

	if (r != -ESRCH)
		return r;
	/* Nothing is tracked any more, and nothing ever will be. */
	watch_arm_clear(session);
	session->tell_armed = false;
	return 1;
}

/* What another configuration wanted. */
static int remove_others(struct watch_session *session,
			 const struct ranges *wanted)
{
	struct ranges tracked = { 0 }, others = { 0 };
	int r;

	r = query_tracked(session, 0, WTRACK_GFN_END, &tracked);
	if (!r)
		r = ranges_subtract(&tracked, wanted, &others);
	/* What it does not track any more by now is fine as well. */
	if (!r && others.nr)
		(void)wtrack_session_remove(session->wtrack, others.at,
					    others.nr, NULL, 0);
	ranges_clear(&tracked);
	ranges_clear(&others);
	return r;
}

int watch_arm_all(struct watch_session *session)
{
	const struct ranges *wanted = &session->config->ranges;
	struct ranges todo;
	int r;

	r = remove_others(session, wanted);
	if (r < 0)
		return r;
	r = ranges_copy(wanted, &todo);
	if (r < 0)
		return r;
	watch_arm_clear(session);
	session->todo = todo;
	return 0;
}

static int gaps_known(const struct watch_session *session, struct ranges *ret)
{
	int r = 0;
	size_t i;

	for (i = 0; !r && i < session->nr_gaps; i++)
		if (!session->gaps[i].until_ns)
			r = ranges_add(ret, &session->gaps[i].range);
	return r;
}

int watch_arm_lost(struct watch_session *session,
		   const struct wtrack_range *range, uint64_t since_ns)
{
	/* The entry of the removal tells of it. */
	const struct watch_gap like = {
		.since_ns = since_ns, .error = -ENOENT, .told = true,
		.due = true,
	};
	struct ranges known = { 0 }, kept = { 0 }, wanted = { 0 }, lost = { 0 };
	const struct ranges *all = &session->config->ranges;
	struct wtrack_range copy = *range;
	const struct ranges removed = { &copy, 1 };
	int r;

	r = ranges_subtract(all, &removed, &kept);
	if (!r)
		r = ranges_subtract(all, &kept, &wanted);
	if (!r)
		r = gaps_known(session, &known);
	if (!r)
		r = ranges_subtract(&wanted, &known, &lost);
	if (!r)
		r = gaps_add(session, &lost, &like);
	ranges_clear(&known);
	ranges_clear(&kept);
	ranges_clear(&wanted);
	ranges_clear(&lost);
	return r;
}

bool watch_arm_is_done(const struct watch_session *session)
{
	size_t i;

	for (i = 0; i < session->nr_gaps; i++)
		if (watch_gap_is_short(&session->gaps[i]))
			return false;
	return !session->todo.nr;
}
