// SPDX-License-Identifier: GPL-2.0-or-later
/* Events become changes of the shadow. */
#include "mediator.h"

/* The words that a store touched. An event never crosses a page. */
static void read_words(struct mediator *m, int page,
		       const struct wtrack_event *event)
{
	unsigned int offset = wtrack_event_get_gpa(event) % PAGE_BYTES;
	unsigned int end = offset + wtrack_event_get_len(event);
	unsigned int i;

	for (i = offset / 8; i * 8 < end; i++)
		shadow_read_word(m, page, i);
}

/* Events of a table that is unlinked by now may be late, but not too late. */
static bool is_due(const struct mediator *m, int page)
{
	return page != NO_PAGE &&
	       (track_has(m, page) || m->seq <= m->fence[page]);
}

/*
 * Stores to the page are not seen, or are seen again. What was told before the
 * page was removed is not true any more: adding arms it.
 */
static void on_guard(struct mediator *m, int page,
		     const struct wtrack_event *event)
{
	if (m->seq <= m->fence[page])
		return;
	switch (wtrack_event_get_action(event)) {
	case WTRACK_GUARD_DISARMED:
		m->counts.disarmed++;
		m->disarmed[page] = true;
		break;
	case WTRACK_GUARD_REARMED:
		m->counts.rearmed++;
		m->disarmed[page] = false;
		m->stale[page] = true;
		break;
	default:
		m->stale[page] = true;
	}
}

static void on_write(struct mediator *m, int page,
		     const struct wtrack_event *event)
{
	if (wtrack_event_is_page(event)) {
		m->stale[page] = true;
	} else if (track_has(m, page)) {
		read_words(m, page, event);
		replica_write(m, page, event);
	}
}

static void on_page_event(struct mediator *m, const struct wtrack_event *event)
{
	uint64_t gfn = wtrack_event_get_gfn(event);
	int page = gpu_page_at(gfn);

	if (!is_due(m, page))
		mediator_mismatch(m, "event %llu of gfn %#llx, which is not tracked",
				  (unsigned long long)m->seq,
				  (unsigned long long)gfn);
	else if (wtrack_event_get_type(event) == WTRACK_EVENT_GUARD)
		on_guard(m, page, event);
	else
		on_write(m, page, event);
}

static void read_again(struct mediator *m, int page)
{
	if (page == NO_PAGE || !track_has(m, page))
		return;
	m->counts.pages_read++;
	shadow_read_page(m, page);
}

static void resync_page(struct mediator *m, int page, bool disarmed)
{
	if (page == NO_PAGE || !track_has(m, page))
		return;
	m->disarmed[page] = disarmed;
	read_again(m, page);
}

static void on_resync(struct mediator *m)
{
	struct wtrack_resync_range range;
	uint64_t i;
	int r;

	m->counts.resyncs++;
	while ((r = wtrack_session_resync_next(m->session, &range)) > 0) {
		/* Nobody takes memory away here: we removed it ourselves. */
		if (range.what == WTRACK_RESYNC_REMOVED ||
		    range.what == WTRACK_RESYNC_ABSENT)
			continue;
		for (i = 0; i < range.nr_pages; i++)
			resync_page(m, gpu_page_at(range.gfn + i),
				    range.what == WTRACK_RESYNC_DISARMED);
	}
	mediator_check(r, "resync");
}

static void on_event(struct mediator *m, const struct wtrack_event *event)
{
	if (wtrack_event_get_seq(event) != ++m->seq)
		mediator_mismatch(m, "event %llu instead of %llu",
				  (unsigned long long)wtrack_event_get_seq(event),
				  (unsigned long long)m->seq);
	m->counts.records++;
	switch (wtrack_event_get_type(event)) {
	case WTRACK_EVENT_WRITE:
	case WTRACK_EVENT_GUARD:
		on_page_event(m, event);
		break;
	case WTRACK_EVENT_RESYNC:
		on_resync(m);
		break;
	}
}

/*
 * In a coalescing session, a store to a page that has an unread event makes no
 * event of its own: the event has to be released before the page is read, so
 * that a store which the reading misses makes one. The directory comes first:
 * what it does not link any more need not be read.
 */
static void read_stale(struct mediator *m)
{
	int page;

	for (page = PAGE_DIRECTORY; page >= 0; page--) {
		if (!m->stale[page])
			continue;
		m->stale[page] = false;
		read_again(m, page);
	}
}

/*
 * No event tells of the stores to these pages: whenever their contents are
 * needed, they are read. The directory comes first.
 */
void read_disarmed(struct mediator *m)
{
	int page;

	for (page = PAGE_DIRECTORY; page >= 0; page--)
		if (m->disarmed[page])
			read_again(m, page);
}

/* Until nothing is left. */
void drain(struct mediator *m)
{
	const struct wtrack_event *event;
	uint64_t before;

	do {
		before = m->seq;
		while ((event = wtrack_session_next(m->session)))
			on_event(m, event);
		wtrack_session_release(m->session);
		read_stale(m);
	} while (m->seq != before);
}
