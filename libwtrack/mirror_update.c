// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Events become changes of the copy.
 *
 * The calls from one that returned 0 to the next that does are a series. It takes
 * events until there is none, or so many that the ring would be full; then it
 * reads the pages that have become stale by then. What came meanwhile is taken
 * and read in another round, so that the copy of a guest that is quiet is exact
 * at the end; but there is an end, even if two vCPUs never cease to store to the
 * same bytes. A sync takes what there was at its fence, and has one round.
 */
#include <errno.h>
#include <string.h>

#include "mirror.h"
#include "sys.h"

#define ROUNDS		4
#define LOOK_MS		100
/* So many resync sets are cut in a sync before it reads all pages instead. */
#define MOST_CUTS	4

/*
 * Must the page be read instead? Another holder of the session can have records
 * in use overwritten, so that their contents make no sense.
 */
bool wtrack__tells_bytes(const struct wtrack_event *event, uint64_t gpa,
			 size_t len)
{
	return !wtrack_event_is_page(event) && wtrack_event_has_data(event) &&
	       len && gpa % PAGE_BYTES + len <= PAGE_BYTES;
}

uint32_t wtrack__writer_of(const struct wtrack_event *event)
{
	int vcpu = wtrack_event_get_vcpu(event);

	return vcpu < 0 ? NOBODY : (uint32_t)vcpu;
}

/*
 * A record that was not released yet when the page was read may have got more
 * stores since, in a session that merges them.
 */
static void reread(struct wtrack_mirror *mirror, struct page *page,
		   uint64_t seq)
{
	if (wtrack__session_merges(mirror) || seq > page->contains)
		wtrack__page_stale(mirror, page);
}

static bool is_tracked(const struct page *page)
{
	return page->state == WTRACK_MIRROR_LIVE ||
	       page->state == WTRACK_MIRROR_DISARMED;
}

/*
 * The session does not observe the page any more. The page is armed again
 * before it is read; that may be later, if it is tracked and cannot be read
 * now. If the record was late, the page may be armed again already, which does
 * no harm.
 */
static void note_once(struct wtrack_mirror *mirror, struct page *page)
{
	page->once = true;
	if (page->state != WTRACK_MIRROR_ABSENT)
		wtrack__page_stale(mirror, page);
}

static bool apply_store(struct wtrack_mirror *mirror, struct page *page,
			const struct wtrack_event *event, uint64_t gpa,
			size_t len, uint32_t writer)
{
	unsigned char *bytes = page->bytes + gpa % PAGE_BYTES;

	if (wtrack__race_store(&mirror->race, page, mirror->taken, gpa,
			       (uint32_t)len, writer)) {
		page->conflict = true;
		wtrack__page_stale(mirror, page);
	}
	memcpy(mirror->old, bytes, len);
	memcpy(bytes, wtrack_event_get_data(event), len);
	mirror->writes++;
	mirror->change = (struct wtrack_change) {
		.what = WTRACK_CHANGED_WRITE,
		.state = page->state,
		.gpa = gpa,
		.len = len,
		.old_bytes = mirror->old,
		.new_bytes = bytes,
		.event = event,
	};
	return true;
}

/* Each of these returns whether there is a change to hand out. */
static bool on_write(struct wtrack_mirror *mirror,
		     const struct wtrack_event *event)
{
	uint64_t gpa = wtrack_event_get_gpa(event), seq = mirror->taken;
	size_t len = wtrack_event_get_len(event);
	uint32_t writer = wtrack__writer_of(event);
	struct page *page = wtrack__page_find(mirror, gpa >> GFN_SHIFT);
	bool changed = false;

	if (page && is_tracked(page)) {
		if (seq > page->looked && seq <= page->contains)
			wtrack__note_contained(mirror, page, event);
		if (!wtrack__tells_bytes(event, gpa, len))
			reread(mirror, page, seq);
		else if (seq > page->applied)
			changed = apply_store(mirror, page, event, gpa, len,
					      writer);
	}
	if (page && page->state != WTRACK_MIRROR_REMOVED &&
	    wtrack_event_is_once(event))
		note_once(mirror, page);
	wtrack__race_told(&mirror->race, seq, writer,
			  wtrack_event_has_more(event));
	return changed;
}

/* It is not tracked any more. */
static void stop(struct wtrack_mirror *mirror, struct page *page)
{
	wtrack__page_set_state(mirror, page, WTRACK_MIRROR_REMOVED);
	wtrack__page_unstale(mirror, page);
}

static void on_guard(struct wtrack_mirror *mirror,
		     const struct wtrack_event *event)
{
	struct page *page = wtrack__page_find(mirror,
					      wtrack_event_get_gfn(event));
	uint64_t seq = mirror->taken;

	if (!page || seq <= page->born)
		return;
	if (wtrack_event_is_once(event)) {
		note_once(mirror, page);
		return;
	}
	switch (wtrack_event_get_action(event)) {
	case WTRACK_GUARD_DISARMED:
		wtrack__page_set_state(mirror, page, WTRACK_MIRROR_DISARMED);
		break;
	case WTRACK_GUARD_STOPPED:
		stop(mirror, page);
		break;
	case WTRACK_GUARD_REARMED:
		page->once = false;
		wtrack__page_set_state(mirror, page, WTRACK_MIRROR_LIVE);
		reread(mirror, page, seq);
		break;
	default:
		wtrack__race_page(&mirror->race, page, seq);
		reread(mirror, page, seq);
	}
}

static bool is_there(const struct wtrack_mirror *mirror, const struct page *page)
{
	uint32_t state;

	return wtrack_session_query_gfn(mirror->session, page->gfn, NULL,
					&state) >= 0 &&
	       state & WTRACK_GFN_TRACKED && !(state & WTRACK_GFN_ABSENT);
}

/*
 * The page may have been added, and read, after the removal: then no event
 * reports the memory that it has.
 */
static void remove_page(struct wtrack_mirror *mirror, struct page *page,
			void *userdata)
{
	uint64_t seq = mirror->taken;

	(void)userdata;
	if (page->state == WTRACK_MIRROR_REMOVED || seq <= page->born ||
	    (seq <= page->contains && is_there(mirror, page)))
		return;
	wtrack__page_lose(mirror, page, !wtrack__session_is_sticky(mirror));
}

static void on_removal(struct wtrack_mirror *mirror,
		       const struct wtrack_event *event)
{
	const struct wtrack_range range = {
		.gfn = wtrack_event_get_gfn(event),
		.nr_pages = wtrack_event_get_nr_pages(event),
	};

	wtrack__page_each(mirror, &range, remove_page, NULL);
}

/*
 * The session was ended, and nothing is tracked for it or can be read by it any
 * more. The guest keeps running.
 */
void wtrack__lose_all(struct wtrack_mirror *mirror)
{
	struct link *list;
	int state;

	for (state = WTRACK_MIRROR_LIVE; state < WTRACK_MIRROR_REMOVED; state++) {
		list = &mirror->states[state];
		while (list->next != list)
			stop(mirror, page_of(list->next, in_state));
	}
}

static bool apply(struct wtrack_mirror *mirror,
		  const struct wtrack_event *event)
{
	switch (wtrack_event_get_type(event)) {
	case WTRACK_EVENT_WRITE:
		return on_write(mirror, event);
	case WTRACK_EVENT_GUARD:
		on_guard(mirror, event);
		break;
	case WTRACK_EVENT_REGION_REMOVED:
		on_removal(mirror, event);
		break;
	case WTRACK_EVENT_RESYNC:
		mirror->resync = true;
		mirror->resyncs++;
		break;
	case WTRACK_EVENT_ENDED:
		wtrack__lose_all(mirror);
		break;
	}
	return false;
}

static void resync_page(struct wtrack_mirror *mirror, struct page *page,
			void *userdata)
{
	uint32_t what = *(const uint32_t *)userdata;

	if (what == WTRACK_RESYNC_ABSENT) {
		wtrack__page_lose(mirror, page, false);
		return;
	}
	if (what == WTRACK_RESYNC_REMOVED) {
		if (is_tracked(page) && wtrack__session_stops(mirror))
			stop(mirror, page);
		else if (page->state != WTRACK_MIRROR_REMOVED)
			/* Also if it was about to be read. */
			wtrack__page_lose(mirror, page, true);
		return;
	}
	if (what == WTRACK_RESYNC_DISARMED && wtrack__session_is_once(mirror))
		note_once(mirror, page);
	else
		wtrack__page_set_state(mirror, page,
				       what == WTRACK_RESYNC_DISARMED ?
				       WTRACK_MIRROR_DISARMED :
				       WTRACK_MIRROR_LIVE);
	wtrack__page_stale(mirror, page);
}

static void read_all_of(struct wtrack_mirror *mirror, uint8_t state)
{
	struct link *list = &mirror->states[state], *link;

	for (link = list->next; link != list; link = link->next)
		wtrack__page_stale(mirror, page_of(link, in_state));
}

/*
 * The ring was filled and closed again before the set was fetched to its end. What
 * is left of the set follows the new record, which may have a higher number than
 * the sync's fence, but is surely published when another fence returns. Where that
 * does not come to an end, the sync reads all pages that are tracked.
 */
static void sync_rest_of_set(struct wtrack_mirror *mirror)
{
	if (++mirror->cuts < MOST_CUTS &&
	    !wtrack_session_fence(mirror->session, &mirror->sync_seq))
		return;
	read_all_of(mirror, WTRACK_MIRROR_LIVE);
	read_all_of(mirror, WTRACK_MIRROR_DISARMED);
	wtrack__find_armed(mirror);
}

/*
 * Fetch the set. It has the present state of a page, whenever the page was added.
 */
static int resync(struct wtrack_mirror *mirror)
{
	struct wtrack_resync_range range;
	struct wtrack_range pages;
	int r;

	mirror->unreleased = 0;
	while ((r = wtrack_session_resync_next(mirror->session, &range)) > 0) {
		pages = (struct wtrack_range) { range.gfn, range.nr_pages };
		wtrack__page_each(mirror, &pages, resync_page, &range.what);
	}
	if (r < 0)
		return r;
	mirror->resync = false;
	if (mirror->syncing && mirror->session->resync.cut)
		sync_rest_of_set(mirror);
	return 0;
}

/* The longest run of pages that is at the head of the list. */
static bool tell_state(struct wtrack_mirror *mirror)
{
	struct link *list = &mirror->untold;
	struct page *page;
	uint64_t gfn = 0, nr = 0;
	uint8_t state = 0;

	while (list->next != list) {
		page = page_of(list->next, in_untold);
		if (nr && (page->state != state || page->gfn != gfn + nr))
			break;
		wtrack__list_del(&page->in_untold);
		if (page->told == page->state && !nr)
			continue;
		if (!nr++)
			gfn = page->gfn;
		state = page->told = page->state;
	}
	mirror->change = (struct wtrack_change) {
		.what = WTRACK_CHANGED_STATE,
		.state = state,
		.gpa = gfn << GFN_SHIFT,
		.len = nr << GFN_SHIFT,
	};
	return nr;
}

static void release(struct wtrack_mirror *mirror)
{
	wtrack_session_release(mirror->session);
	mirror->unreleased = 0;
}

/* Should the series take another event? */
static bool takes(const struct wtrack_mirror *mirror)
{
	if (mirror->syncing)
		return mirror->taken < mirror->sync_seq;
	return mirror->events < mirror->session->ring.nr_records;
}

/* The next event, if the series takes one. */
static const struct wtrack_event *take(struct wtrack_mirror *mirror)
{
	struct wtrack_session *session = mirror->session;
	const struct wtrack_event *event;

	if (!takes(mirror))
		return NULL;
	if (mirror->unreleased >= session->ring.nr_records / 2)
		release(mirror);
	event = wtrack_session_next(session);
	if (!event)
		return NULL;
	mirror->taken = wtrack_event_get_seq(event);
	mirror->unreleased++;
	mirror->events++;
	return event;
}

/*
 * Mark pages to be read without an event: in a sync all disarmed pages; in any
 * case pages that could not be armed before and that only this call arms again.
 */
static int read_unseen(struct wtrack_mirror *mirror)
{
	struct link *list = &mirror->states[WTRACK_MIRROR_DISARMED];
	struct link *link;

	for (link = list->next; link != list; link = link->next)
		if (mirror->syncing || page_of(link, in_state)->once)
			wtrack__page_stale(mirror, page_of(link, in_state));
	return mirror->syncing ? wtrack__read_absent(mirror) : 0;
}

static int end_series(struct wtrack_mirror *mirror)
{
	/* Until all is read, poll(2) shall have something to report. */
	if (!mirror->nr_stale)
		release(mirror);
	mirror->syncing = false;
	mirror->reading = false;
	mirror->events = 0;
	mirror->rounds = 0;
	return mirror->session->ring.over;
}

/* All stale pages were read. Is that all? */
static bool is_last_round(struct wtrack_mirror *mirror, bool any)
{
	mirror->reading = false;
	return mirror->syncing || !any || ++mirror->rounds == ROUNDS;
}

static int begin_reading(struct wtrack_mirror *mirror)
{
	int r = 0;

	if (mirror->syncing || !mirror->rounds)
		r = read_unseen(mirror);
	if (r < 0)
		return r;
	mirror->reading = true;
	mirror->left = mirror->nr_stale;
	return 0;
}

/*
 * One step of a series. Returns 1 with a change, 0 to continue, -EALREADY at
 * its end.
 */
static int step(struct wtrack_mirror *mirror)
{
	const struct wtrack_event *event;
	int r;

	if (tell_state(mirror) || wtrack__read_next(mirror))
		return 1;
	if (mirror->resync)
		return resync(mirror);
	if (mirror->reading && mirror->left)
		return wtrack__read_batch(mirror);
	if (mirror->reading)
		return is_last_round(mirror, mirror->batch.nr) ? -EALREADY : 0;
	event = take(mirror);
	if (event)
		return apply(mirror, event);
	r = begin_reading(mirror);
	mirror->batch.nr = 0;
	return r;
}

static int run(struct wtrack_mirror *mirror, const struct wtrack_change **ret)
{
	int r;

	do {
		r = step(mirror);
	} while (!r || (r > 0 && !ret));
	if (r == -EALREADY)
		return end_series(mirror);
	if (r > 0)
		*ret = &mirror->change;
	return r;
}

WTRACK_API int wtrack_mirror_update(struct wtrack_mirror *mirror,
				    const struct wtrack_change **ret)
{
	mirror->syncing = false;
	return run(mirror, ret);
}

WTRACK_API int wtrack_mirror_sync(struct wtrack_mirror *mirror,
				  const struct wtrack_change **ret)
{
	uint64_t taken = mirror->taken;
	int r;

	if (!mirror->syncing) {
		r = wtrack__arm_absent(mirror);
		if (r < 0)
			return r;
		r = wtrack_session_fence(mirror->session, &mirror->sync_seq);
		/*
		 * The copy is not exact any more; hand out the remaining
		 * changes.
		 */
		if (r == -ESHUTDOWN)
			return run(mirror, ret) ?: -ESHUTDOWN;
		if (r < 0)
			return r;
		wtrack__race_fence(&mirror->race, taken, mirror->sync_seq);
		mirror->syncing = true;
		mirror->cuts = 0;
		mirror->reading = false;
	}
	return run(mirror, ret);
}

static bool has_work(const struct wtrack_mirror *mirror)
{
	return mirror->nr_stale || mirror->unreleased || mirror->resync ||
	       mirror->batch.at < mirror->batch.nr ||
	       mirror->untold.next != &mirror->untold;
}

/*
 * Are there pages for which no event reports when they have memory, or can be
 * armed?
 */
static bool has_to_look(const struct wtrack_mirror *mirror)
{
	return mirror->nr_unwatched ||
	       (mirror->nr_state[WTRACK_MIRROR_DISARMED] &&
		wtrack__session_is_once(mirror));
}

static int look(struct wtrack_mirror *mirror)
{
	const struct link *list = &mirror->states[WTRACK_MIRROR_DISARMED];
	struct link *link;

	for (link = list->next; link != list; link = link->next)
		if (page_of(link, in_state)->once)
			wtrack__page_stale(mirror, page_of(link, in_state));
	return wtrack__read_absent(mirror);
}

WTRACK_API int wtrack_mirror_wait(struct wtrack_mirror *mirror, int timeout_ms)
{
	uint64_t start_ms = wtrack__sys_now_ms();
	int left_ms = timeout_ms, r;

	for (;;) {
		if (has_work(mirror))
			return 1;
		if (!has_to_look(mirror))
			return wtrack_session_wait(mirror->session, left_ms);
		r = wtrack_session_wait(mirror->session,
					left_ms < 0 || left_ms > LOOK_MS ?
					LOOK_MS : left_ms);
		if (r)
			return r;
		r = look(mirror);
		if (r < 0)
			return r;
		left_ms = wtrack__time_left_ms(timeout_ms, start_ms);
		if (!left_ms && !has_work(mirror))
			return 0;
	}
}
