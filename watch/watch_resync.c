// SPDX-License-Identifier: GPL-2.0-or-later
/* After an overflow: which pages a reader of the journal has to read again. */
#include "util.h"
#include "watch_session.h"

/*
 * The next range of the set into the entry's list. When it is not known what
 * another process has fetched, it is fetched to its end, and then all of the
 * watch's pages take its place.
 */
static int fetch_range(struct watch_session *session)
{
	struct wtrack_resync_range *range =
		&session->resync_ranges[session->nr_resync];
	int r;

	r = wtrack_session_resync_next(session->wtrack, range);
	if (r < 0)
		return r;
	if (!r) {
		session->resync_fetched = true;
		return 0;
	}
	if (!session->resync_all)
		session->nr_resync++;
	if (range->what != WTRACK_RESYNC_REMOVED ||
	    session->state != WATCH_ACTIVE || session->ended)
		return 0;
	return watch_arm_lost(session,
			      &(struct wtrack_range){ range->gfn,
						      range->nr_pages },
			      now_ns());
}

static void add_all(struct watch_session *session)
{
	const struct ranges *all = &session->config->ranges;

	while (session->resync_at < all->nr &&
	       session->nr_resync < WATCH_LOG_RANGES) {
		const struct wtrack_range *range =
			&all->at[session->resync_at++];

		session->resync_ranges[session->nr_resync++] =
			(struct wtrack_resync_range){
				range->gfn, range->nr_pages,
				WTRACK_RESYNC_REREAD, 0 };
	}
	session->resync_all = session->resync_at < all->nr;
}

int watch_step_resync(struct watch_session *session)
{
	const struct watch_origin origin = watch_session_origin(session);
	bool last;
	int r;

	if (!session->resync_fetched && session->nr_resync < WATCH_LOG_RANGES) {
		r = fetch_range(session);
		return r < 0 ? r : 1;
	}
	if (session->resync_all && session->config && !session->nr_resync)
		add_all(session);
	last = session->resync_fetched &&
	       !(session->resync_all && session->config);
	r = watch_state_may(session);
	if (r <= 0)
		return r;
	watch_log_resync(&session->guest->entry, &origin,
			 session->resync_ranges, session->nr_resync, last);
	r = watch_send(session);
	if (r < 0)
		return r;
	watch_state_told(session);
	session->nr_resync = 0;
	session->resync = !last;
	return 1;
}
