// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Pages are read from guest memory.
 *
 * A fence comes first, then the read: all stores made before the fence was
 * called are in the bytes that are read, and have records up to the number that
 * the fence returned. So these records are not applied to the page any more. A
 * later store has a record with a higher number, whether its bytes were read or
 * not.
 *
 * Later records that are in the ring by now are applied ahead of their turn, to
 * the bytes that were read. Otherwise the copy would go from the newest value
 * back to older ones, and forward again, when their turn comes. The result is
 * compared with the copy, and the differences are handed out as changes.
 *
 * Two vCPUs may store to the same bytes between the call of the fence and its return,
 * and the older store have the later record, with a number behind the fence's. The
 * bytes that were read have the newer store; so also the stores of records that are
 * not applied are noted, as those with which later ones may conflict.
 */
#include <errno.h>
#include <string.h>

#include "mirror.h"
#include "sys.h"

/* How many equal bytes separate two changes. */
#define GAP		8
/* The number of records that are looked at ahead. */
#define MOST_AHEAD	4096

static bool is_of_page(int err)
{
	return err == -ENOENT || err == -EOPNOTSUPP || err == -ENXIO ||
	       err == -EHWPOISON || err == -EPERM;
}

/*
 * Consecutive pages. Returns how many were read, 0 and *ret_error if the first
 * cannot be, or why none was.
 */
static int read_run(struct wtrack_mirror *mirror, uint64_t gfn, unsigned int nr,
		    unsigned char *bytes, int *ret_error)
{
	struct wtrack_read read;
	int r;

	r = wtrack_session_read(mirror->session, gfn << GFN_SHIFT, bytes,
				(size_t)nr * PAGE_BYTES, &read, 0);
	if (read.done >= PAGE_BYTES)
		return (int)(read.done / PAGE_BYTES);
	*ret_error = r;
	return is_of_page(r) ? 0 : r;
}

static int fence(struct wtrack_mirror *mirror, uint64_t *ret_seq)
{
	uint64_t taken = mirror->taken;
	int r = wtrack_session_fence(mirror->session, ret_seq);

	if (r < 0)
		return r;
	wtrack__race_fence(&mirror->race, taken, *ret_seq);
	return 0;
}

static void mark_conflict(struct wtrack_mirror *mirror, struct page *page)
{
	wtrack__page_stale(mirror, page);
	page->conflict = true;
}

void wtrack__note_contained(struct wtrack_mirror *mirror, struct page *page,
			    const struct wtrack_event *event)
{
	uint64_t gpa = wtrack_event_get_gpa(event);
	uint64_t seq = wtrack_event_get_seq(event);
	size_t len = wtrack_event_get_len(event);

	if (wtrack__tells_bytes(event, gpa, len))
		wtrack__race_contained(&mirror->race, page, seq, gpa,
				       (uint32_t)len, wtrack__writer_of(event));
	else
		wtrack__race_page(&mirror->race, page, seq);
}

static void write_ahead(struct wtrack_mirror *mirror, struct page *page,
			const struct wtrack_event *event)
{
	uint64_t gpa = wtrack_event_get_gpa(event);
	uint64_t seq = wtrack_event_get_seq(event);
	size_t len = wtrack_event_get_len(event);

	if (!wtrack__tells_bytes(event, gpa, len))
		return;
	if (wtrack__race_ahead(&mirror->race, page, seq, gpa, (uint32_t)len,
			       wtrack__writer_of(event)))
		mark_conflict(mirror, page);
	memcpy(page->target + gpa % PAGE_BYTES, wtrack_event_get_data(event),
	       len);
	mirror->writes++;
}

static void look_at_write(struct wtrack_mirror *mirror,
			  const struct wtrack_event *event, uint64_t contains)
{
	struct page *page = wtrack__page_find(mirror, wtrack_event_get_gpa(event) >>
						      GFN_SHIFT);

	if (!page || !page->target)
		return;
	if (wtrack_event_get_seq(event) <= contains)
		wtrack__note_contained(mirror, page, event);
	else
		write_ahead(mirror, page, event);
}

/*
 * A page that may have been changed by a vCPU which the fence gave up waiting for:
 * the record of its store may come at any time.
 */
static void guard_ahead(struct wtrack_mirror *mirror,
			const struct wtrack_event *event)
{
	uint32_t action = wtrack_event_get_action(event);
	struct page *page = wtrack__page_find(mirror,
					      wtrack_event_get_gfn(event));

	if (page && page->target && action != WTRACK_GUARD_DISARMED &&
	    action != WTRACK_GUARD_REARMED && action != WTRACK_GUARD_STOPPED)
		wtrack__race_page(&mirror->race, page,
				  wtrack_event_get_seq(event));
}

/* Returns the number of the last record that was looked at. */
static uint64_t look_ahead(struct wtrack_mirror *mirror, uint64_t contains)
{
	const struct wtrack_session *session = mirror->session;
	uint64_t pos = session->ring.next;
	const struct wtrack_event *event;

	while (pos - session->ring.next < MOST_AHEAD &&
	       (event = wtrack__ring_ahead(session, pos))) {
		if (wtrack_event_get_type(event) == WTRACK_EVENT_WRITE)
			look_at_write(mirror, event, contains);
		else if (wtrack_event_get_type(event) == WTRACK_EVENT_GUARD)
			guard_ahead(mirror, event);
		else if (wtrack_event_get_type(event) == WTRACK_EVENT_RESYNC)
			break;
		pos++;
	}
	return pos;
}

static void was_read(struct wtrack_mirror *mirror, struct page *page,
		     unsigned char *target)
{
	wtrack__page_unstale(mirror, page);
	wtrack__race_reset(page);
	page->target = target;
}

static void end_reading(struct page *page, uint64_t contains, uint64_t looked)
{
	page->target = NULL;
	page->contains = contains;
	page->looked = looked;
	page->applied = looked > contains ? looked : contains;
}

/* The pages of the list from this link on whose numbers follow each other. */
static unsigned int run_length(const struct link *list, const struct link *link,
			       unsigned int most)
{
	uint64_t gfn = page_of(link, in_stale)->gfn;
	unsigned int nr = 1;

	for (link = link->next; link != list && nr < most; link = link->next)
		if (page_of(link, in_stale)->gfn != gfn + nr++)
			return nr - 1;
	return nr;
}

static void lose_first(struct wtrack_mirror *mirror)
{
	wtrack__page_lose(mirror, page_of(mirror->stale.next, in_stale), true);
}

/*
 * Nothing can be read any more: the VM is gone, or the session was ended. The last
 * event is yet to come, or has.
 */
static int lose_unread(struct wtrack_mirror *mirror, int err)
{
	if (err == -ESHUTDOWN)
		wtrack__lose_all(mirror);
	while (mirror->nr_stale)
		lose_first(mirror);
	mirror->left = 0;
	return 0;
}

static void put_in_batch(struct wtrack_mirror *mirror, unsigned int nr)
{
	struct batch *batch = &mirror->batch;
	struct page *page;

	for (; nr; nr--, batch->nr++) {
		page = page_of(mirror->stale.next, in_stale);
		mirror->conflicts += page->conflict;
		mirror->rereads++;
		was_read(mirror, page, batch->bytes + batch->nr * PAGE_BYTES);
		/* It was found to be tracked again. */
		if (page->state == WTRACK_MIRROR_ABSENT)
			wtrack__page_set_state(mirror, page, page->once ?
					       WTRACK_MIRROR_DISARMED :
					       WTRACK_MIRROR_LIVE);
		batch->pages[batch->nr] = page;
	}
}

/*
 * As many stale pages as the series has to read, and as arm_again() has looked at:
 * also if some of them cannot be read.
 */
static int fill_batch(struct wtrack_mirror *mirror)
{
	struct batch *batch = &mirror->batch;
	unsigned int nr, tried = 0;
	int r, error;

	while (mirror->left && mirror->nr_stale && tried < BATCH) {
		nr = BATCH - tried;
		if (nr > mirror->left)
			nr = (unsigned int)mirror->left;
		nr = run_length(&mirror->stale, mirror->stale.next, nr);
		r = read_run(mirror,
			     page_of(mirror->stale.next, in_stale)->gfn, nr,
			     batch->bytes + batch->nr * PAGE_BYTES, &error);
		if (r < 0)
			return r;
		if (!r && error == -EPERM)
			return error;
		nr = r ? (unsigned int)r : 1;
		mirror->left -= nr;
		tried += nr;
		if (r)
			put_in_batch(mirror, nr);
		else
			lose_first(mirror);
	}
	if (!mirror->nr_stale)
		mirror->left = 0;
	return 0;
}

/* Handle the result for a page that was to be armed again. */
static void was_armed(struct wtrack_mirror *mirror, struct page *page, int err)
{
	/* An event reports that it is removed. */
	page->once = err && err != -ENOENT;
	if (page->state == WTRACK_MIRROR_LIVE ||
	    page->state == WTRACK_MIRROR_DISARMED)
		wtrack__page_set_state(mirror, page, page->once ?
				       WTRACK_MIRROR_DISARMED :
				       WTRACK_MIRROR_LIVE);
}

/*
 * Arm those of the first stale pages that only the session's REARM arms again.
 */
static int arm_again(struct wtrack_mirror *mirror)
{
	struct wtrack_result results[BATCH];
	struct wtrack_range ranges[BATCH];
	struct page *pages[BATCH];
	unsigned int i, nr = 0;
	struct link *link;
	int r;

	for (i = 0, link = mirror->stale.next;
	     i < BATCH && link != &mirror->stale; i++, link = link->next) {
		if (!page_of(link, in_stale)->once)
			continue;
		pages[nr] = page_of(link, in_stale);
		ranges[nr] = (struct wtrack_range) { pages[nr]->gfn, 1 };
		nr++;
	}
	if (!nr)
		return 0;
	r = wtrack_session_rearm(mirror->session, ranges, nr, results,
				 WTRACK_CHANGE_NOWAIT);
	if (r == -EPROTO || r == -ENOTTY)
		return r;
	for (i = 0; i < nr; i++)
		was_armed(mirror, pages[i], results[i].error);
	return 0;
}

/*
 * Reads the stale pages that come first. Afterwards wtrack__read_next() has what
 * is different in them.
 *
 * A record that stands for later stores as well is released before the page is
 * read. But a vCPU that waits continues when the pages are armed and read, see
 * end_series().
 */
int wtrack__read_batch(struct wtrack_mirror *mirror)
{
	struct batch *batch = &mirror->batch;
	uint64_t contains, looked;
	unsigned int i;
	int r;

	batch->nr = batch->at = batch->offset = 0;
	if (!wtrack__session_waits(mirror)) {
		wtrack_session_release(mirror->session);
		mirror->unreleased = 0;
	}
	r = arm_again(mirror);
	if (!r)
		r = fence(mirror, &contains);
	if (r == -ESHUTDOWN)
		return lose_unread(mirror, r);
	if (r < 0)
		return r;
	r = fill_batch(mirror);
	looked = look_ahead(mirror, contains);
	for (i = 0; i < batch->nr; i++)
		end_reading(batch->pages[i], contains, looked);
	if (r == -ESRCH || r == -ESHUTDOWN)
		return lose_unread(mirror, r);
	/* The next call meets the error again. */
	return batch->nr ? 0 : r;
}

static bool same(const unsigned char *a, const unsigned char *b, size_t len)
{
	return !memcmp(a, b, len);
}

/* Returns where bytes differ from here on, or PAGE_BYTES. */
static unsigned int differ_at(const unsigned char *a, const unsigned char *b,
			      unsigned int at)
{
	while (at + GAP <= PAGE_BYTES && same(a + at, b + at, GAP))
		at += GAP;
	while (at < PAGE_BYTES && a[at] == b[at])
		at++;
	return at;
}

/* Returns the end of a difference, up to the next gap. */
static unsigned int differ_end(const unsigned char *a, const unsigned char *b,
			       unsigned int at)
{
	unsigned int end = at;

	for (; at < PAGE_BYTES && at < end + GAP; at++)
		if (a[at] != b[at])
			end = at + 1;
	return end;
}

static void exchange(unsigned char *a, unsigned char *b, unsigned int len)
{
	unsigned char byte;

	for (; len; len--, a++, b++) {
		byte = *a;
		*a = *b;
		*b = byte;
	}
}

/* Exchange the bytes that were read and those of the copy. */
static bool exchange_next(struct wtrack_mirror *mirror, struct page *page,
			  unsigned char *bytes)
{
	unsigned int at = differ_at(page->bytes, bytes, mirror->batch.offset);
	unsigned int len = differ_end(page->bytes, bytes, at) - at;

	if (at == PAGE_BYTES)
		return false;
	mirror->batch.offset = at + len;
	exchange(page->bytes + at, bytes + at, len);
	mirror->change = (struct wtrack_change) {
		.what = WTRACK_CHANGED_REREAD,
		.state = page->state,
		.gpa = (page->gfn << GFN_SHIFT) + at,
		.len = len,
		.old_bytes = bytes + at,
		.new_bytes = page->bytes + at,
	};
	return true;
}

/* The next difference between a page that was read and its copy. */
bool wtrack__read_next(struct wtrack_mirror *mirror)
{
	struct batch *batch = &mirror->batch;

	for (; batch->at < batch->nr; batch->at++, batch->offset = 0)
		if (batch->pages[batch->at] &&
		    exchange_next(mirror, batch->pages[batch->at],
				  batch->bytes + batch->at * PAGE_BYTES))
			return true;
	return false;
}

/*
 * Read new pages: what is read is their copy, without a change. Moves them to
 * @done. @refuse is called for those that cannot be read.
 */
static int read_new(struct wtrack_mirror *mirror, struct link *fresh,
		    struct link *done, unsigned char *bytes, refuse_fn refuse,
		    void *userdata)
{
	struct page *page;
	unsigned int nr;
	int r, i, error;

	while (fresh->next != fresh) {
		page = page_of(fresh->next, in_stale);
		nr = run_length(fresh, fresh->next, BATCH);
		r = read_run(mirror, page->gfn, nr, bytes, &error);
		if (r < 0)
			return r;
		if (!r) {
			wtrack__list_del(&page->in_stale);
			refuse(mirror, page, error, userdata);
		}
		for (i = 0; i < r; i++) {
			page = page_of(fresh->next, in_stale);
			memcpy(page->bytes, bytes + i * PAGE_BYTES, PAGE_BYTES);
			wtrack__list_del(&page->in_stale);
			wtrack__list_add(done, &page->in_stale);
			wtrack__race_reset(page);
			page->target = page->bytes;
		}
	}
	return 0;
}

static void end_new(struct wtrack_mirror *mirror, struct link *done,
		    uint64_t contains)
{
	uint64_t looked;
	struct link *link;
	struct page *page;

	/* Out of the list, so that a conflict can put them into another one. */
	looked = look_ahead(mirror, contains);
	for (link = done->next; link != done; link = done->next) {
		page = page_of(link, in_stale);
		wtrack__list_del(link);
		end_reading(page, contains, looked);
		/* Or what is tracked was not armed. */
		if (page->conflict || page->once)
			wtrack__page_stale(mirror, page);
	}
}

/* Refuse all pages of the list. None of them is in the mirror afterwards. */
void wtrack__refuse_all(struct wtrack_mirror *mirror, struct link *fresh,
			int err, refuse_fn refuse, void *userdata)
{
	struct page *page;

	while (fresh->next != fresh) {
		page = page_of(fresh->next, in_stale);
		wtrack__list_del(&page->in_stale);
		refuse(mirror, page, err, userdata);
	}
}

int wtrack__read_first(struct wtrack_mirror *mirror, struct link *fresh,
		       refuse_fn refuse, void *userdata)
{
	unsigned char *bytes;
	uint64_t contains;
	struct link done;
	int r;

	if (fresh->next == fresh)
		return 0;
	wtrack__list_init(&done);
	bytes = wtrack__sys_alloc(BATCH * PAGE_BYTES);
	r = bytes ? fence(mirror, &contains) : -ENOMEM;
	if (!r)
		r = read_new(mirror, fresh, &done, bytes, refuse, userdata);
	wtrack__sys_free(bytes);
	if (done.next != &done)
		end_new(mirror, &done, contains);
	wtrack__refuse_all(mirror, fresh, r, refuse, userdata);
	return r;
}

static void find_tracked(struct wtrack_mirror *mirror, struct page *page)
{
	uint32_t state;

	if (wtrack_session_query_gfn(mirror->session, page->gfn, NULL,
				     &state) < 0)
		return;
	if (state & WTRACK_GFN_ABSENT)
		wtrack__page_lose(mirror, page, false);
	else if (state & WTRACK_GFN_TRACKED)
		wtrack__page_stale(mirror, page);
}

/* The session may have armed absent pages, and an event that says so not be read. */
void wtrack__find_armed(struct wtrack_mirror *mirror)
{
	struct link *list = &mirror->states[WTRACK_MIRROR_ABSENT];
	struct link *link, *next;

	for (link = list->next; link != list; link = next) {
		next = link->next;
		if (!page_of(link, in_state)->unwatched)
			find_tracked(mirror, page_of(link, in_state));
	}
}

/*
 * Tracks absent pages again, as far as there is memory, and the session does not do
 * so by itself. They are live when they were read.
 */
int wtrack__read_absent(struct wtrack_mirror *mirror)
{
	struct link *list = &mirror->states[WTRACK_MIRROR_ABSENT];
	struct wtrack_range range = { .nr_pages = 1 };
	struct link *link;
	int r;

	for (link = list->next; mirror->nr_unwatched && link != list;
	     link = link->next) {
		if (!page_of(link, in_state)->unwatched)
			continue;
		range.gfn = page_of(link, in_state)->gfn;
		r = wtrack_session_add(mirror->session, &range, 1, NULL,
				       WTRACK_CHANGE_NOWAIT);
		if (!r)
			find_tracked(mirror, page_of(link, in_state));
		else if (r == -ESRCH || r == -ESHUTDOWN)
			return 0;
		else if (r == -EPROTO)
			return r;
	}
	return 0;
}

/*
 * The absent pages that this link begins with in ranges, as many as fit, as far as
 * pages with numbers that follow each other do so here. Returns how many ranges.
 */
static unsigned int put_absent(struct wtrack_mirror *mirror, struct link **at,
			       struct wtrack_range *ranges)
{
	const struct link *list = &mirror->states[WTRACK_MIRROR_ABSENT];
	struct wtrack_range *last = NULL;
	unsigned int nr = 0;
	const struct page *page;

	for (; *at != list; *at = (*at)->next) {
		page = page_of(*at, in_state);
		if (page->unwatched)
			continue;
		if (last && page->gfn == last->gfn + last->nr_pages) {
			last->nr_pages++;
			continue;
		}
		if (nr == BATCH)
			break;
		last = &ranges[nr++];
		*last = (struct wtrack_range) { page->gfn, 1 };
	}
	return nr;
}

/*
 * The session arms absent pages a little after there is memory. A sync arms at
 * once those that it can, so that their events are in the ring then.
 */
int wtrack__arm_absent(struct wtrack_mirror *mirror)
{
	struct link *at = mirror->states[WTRACK_MIRROR_ABSENT].next;
	struct wtrack_range ranges[BATCH];
	struct kvm_wtrack_status status;
	unsigned int nr;
	int r;

	if (mirror->nr_state[WTRACK_MIRROR_ABSENT] == mirror->nr_unwatched)
		return 0;
	r = wtrack__device_get_status(mirror->session->fd, &status);
	if (r < 0 || status.out_generation == mirror->generation)
		return r;
	while ((nr = put_absent(mirror, &at, ranges))) {
		r = wtrack_session_rearm(mirror->session, ranges, nr, NULL,
					 WTRACK_CHANGE_NOWAIT);
		/* An event reports that the VM is gone. */
		if (r == -ESRCH)
			return 0;
		if (r == -ENOMEM || r == -EPROTO || r == -ENOTTY)
			return r;
		/* One of them cannot be armed now. */
		if (r < 0)
			status.out_generation = 0;
	}
	mirror->generation = status.out_generation;
	return 0;
}
