// SPDX-License-Identifier: GPL-2.0-or-later
#include <err.h>
#include <string.h>

#include "copy.h"

enum { BATCH = 4096 };

void copy_reread(struct copy *copy, uint64_t gfn)
{
	vm_read(copy->vm, gfn, 1, copy->bytes + gfn * PAGE_BYTES);
	copy->pages[gfn].rereads++;
	copy->rereads++;
}

/* To be re-read when the events so far are released. */
static void note(struct copy *copy, uint64_t gfn)
{
	struct page *page = &copy->pages[gfn];

	if (page->stale)
		return;
	page->stale = true;
	copy->stale[copy->nr_stale++] = gfn;
}

static void release(struct copy *copy)
{
	wtrack_session_release(copy->session);
	while (copy->nr_stale) {
		uint64_t gfn = copy->stale[--copy->nr_stale];

		copy->pages[gfn].stale = false;
		copy_reread(copy, gfn);
	}
}

static void set_disarmed(struct copy *copy, uint64_t gfn, bool disarmed)
{
	struct page *page = &copy->pages[gfn];

	copy->disarmed += disarmed - page->disarmed;
	page->disarmed = disarmed;
}

static void apply_write(struct copy *copy, const struct wtrack_event *event)
{
	uint64_t gpa = wtrack_event_get_gpa(event);
	struct page *page = &copy->pages[gpa / PAGE_BYTES];

	memcpy(copy->bytes + gpa, wtrack_event_get_data(event),
	       wtrack_event_get_len(event));
	wtrack_event_get_rip(event, &page->rip);
	page->writes++;
	copy->writes++;
}

static void apply_guard(struct copy *copy, const struct wtrack_event *event)
{
	uint64_t gfn = wtrack_event_get_gfn(event);
	unsigned int cause = wtrack_event_get_cause(event);
	struct page *page = &copy->pages[gfn];

	switch (wtrack_event_get_action(event)) {
	case WTRACK_GUARD_DISARMED:
		set_disarmed(copy, gfn, true);
		copy->disarms[cause % NR_CAUSES]++;
		page->causes[cause % NR_CAUSES]++;
		break;
	case WTRACK_GUARD_REARMED:
		set_disarmed(copy, gfn, false);
		copy->rearms++;
		break;
	case WTRACK_GUARD_CHANGED:
		page->causes[cause % NR_CAUSES]++;
		copy->changed++;
		break;
	default:
		copy->lost++;
	}
}

static void resync(struct copy *copy)
{
	struct wtrack_resync_range range;
	int r;

	copy->resyncs++;
	while ((r = wtrack_session_resync_next(copy->session, &range)) > 0) {
		for (uint64_t i = 0; i < range.nr_pages; i++) {
			set_disarmed(copy, range.gfn + i,
				     range.what == WTRACK_RESYNC_DISARMED);
			note(copy, range.gfn + i);
		}
		if (range.what == WTRACK_RESYNC_REMOVED)
			copy->lost += range.nr_pages;
	}
	copy_check(r, "resync");
}

static void apply(struct copy *copy, const struct wtrack_event *event)
{
	int type = wtrack_event_get_type(event);
	uint64_t gfn = wtrack_event_get_gfn(event);

	if (wtrack_event_get_seq(event) != ++copy->seq) {
		copy->seq = wtrack_event_get_seq(event);
		copy->gaps++;
	}
	if (type == WTRACK_EVENT_WRITE || type == WTRACK_EVENT_GUARD) {
		if (gfn >= RAM_PAGES)
			errx(1, "an event of page %#llx",
			     (unsigned long long)gfn);
		copy->pages[gfn].seq = copy->seq;
		if (wtrack_event_is_page(event))
			note(copy, gfn);
	}
	if (type == WTRACK_EVENT_WRITE)
		apply_write(copy, event);
	else if (type == WTRACK_EVENT_GUARD)
		apply_guard(copy, event);
	else if (type == WTRACK_EVENT_RESYNC)
		resync(copy);
	else if (type == WTRACK_EVENT_REGION_REMOVED)
		copy->lost += wtrack_event_get_nr_tracked(event);
	else
		errx(1, "an event of type %d", type);
}

void copy_step(struct copy *copy)
{
	const struct wtrack_event *event;
	unsigned int nr = 0;

	if (!copy->session)
		return;
	while ((event = wtrack_session_next(copy->session))) {
		apply(copy, event);
		if (++nr % BATCH == 0)
			release(copy);
	}
	release(copy);
}

