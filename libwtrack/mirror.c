// SPDX-License-Identifier: LGPL-2.1-or-later
/* The life of a mirror, and its pages: adding, removing and queries. */
#include <errno.h>
#include <string.h>

#include "mirror.h"
#include "sys.h"

#define USUAL_RECORDS	4096
#define FEWEST_RECORDS	64
#define MOST_GFNS	(UINT64_C(1) << (52 - GFN_SHIFT))
#define RANGES		64

bool wtrack__session_stops(const struct wtrack_mirror *mirror)
{
	return mirror->session->ring.flags & WTRACK_RING_STOP;
}

bool wtrack__session_is_once(const struct wtrack_mirror *mirror)
{
	return mirror->session->ring.flags & WTRACK_RING_ONCE;
}

bool wtrack__session_is_sticky(const struct wtrack_mirror *mirror)
{
	return mirror->session->ring.flags & WTRACK_RING_STICKY;
}

bool wtrack__session_waits(const struct wtrack_mirror *mirror)
{
	return mirror->session->ring.flags & WTRACK_RING_SYNC;
}

bool wtrack__session_merges(const struct wtrack_mirror *mirror)
{
	return mirror->session->ring.flags & WTRACK_RING_COALESCE;
}

static bool are_default(const struct wtrack_mirror_options *options)
{
	return !options->records && !options->ring_flags &&
	       !options->watermark && !options->latency_us;
}

/* Pages outlive their memory, if the module can do that. */
static uint32_t ring_flags(const struct wtrack_session *session,
			   const struct wtrack_mirror_options *options)
{
	if (session->features & WTRACK_FEAT_STICKY)
		return options->ring_flags | WTRACK_RING_STICKY;
	return options->ring_flags;
}

/* The restriction of the session may want a smaller ring. */
static int make_usual_ring(struct wtrack_session *session,
			   const struct wtrack_mirror_options *options)
{
	uint32_t records = USUAL_RECORDS;
	int r;

	do {
		r = wtrack_session_make_ring(session, records,
					     ring_flags(session, options),
					     options->watermark,
					     options->latency_us);
		records /= 2;
	} while ((r == -EPERM || r == -ERANGE) && records >= FEWEST_RECORDS);
	return r;
}

static int make_ring(struct wtrack_session *session,
		     const struct wtrack_mirror_options *options)
{
	if (session->ring.records)
		return are_default(options) ? 0 : -EBUSY;
	if (!options->records)
		return make_usual_ring(session, options);
	return wtrack_session_make_ring(session, options->records,
					ring_flags(session, options),
					options->watermark,
					options->latency_us);
}

static void mirror_free(struct wtrack_mirror *mirror)
{
	wtrack__page_drop_all(mirror);
	wtrack__race_exit(&mirror->race);
	wtrack__sys_free(mirror->batch.bytes);
	wtrack__sys_free(mirror);
}

static struct wtrack_mirror *mirror_alloc(struct wtrack_session *session)
{
	struct wtrack_mirror *mirror = wtrack__sys_alloc(sizeof(*mirror));
	int state;

	if (!mirror)
		return NULL;
	mirror->session = session;
	for (state = 0; state < STATES; state++)
		wtrack__list_init(&mirror->states[state]);
	wtrack__list_init(&mirror->stale);
	wtrack__list_init(&mirror->untold);
	mirror->batch.bytes = wtrack__sys_alloc(BATCH * PAGE_BYTES);
	if (mirror->batch.bytes && !wtrack__race_init(&mirror->race))
		return mirror;
	mirror_free(mirror);
	return NULL;
}

WTRACK_API int wtrack_mirror_new(struct wtrack_session *session,
				 const struct wtrack_mirror_options *options,
				 size_t size, struct wtrack_mirror **ret)
{
	struct wtrack_mirror_options wanted = { 0 };
	struct wtrack_mirror *mirror;
	int r = 0;

	if (options)
		r = wtrack__load_sized(&wanted, sizeof(wanted), options, size);
	if (r < 0)
		return r;
	mirror = mirror_alloc(session);
	if (!mirror)
		return -ENOMEM;
	r = make_ring(session, &wanted);
	if (r < 0) {
		mirror_free(mirror);
		return r;
	}
	mirror->taken = session->ring.next;
	*ret = mirror;
	return 0;
}

/*
 * Without memory, which wtrack_session_remove() takes. What is gone by itself is
 * removed as well.
 */
static void untrack(struct wtrack_mirror *mirror, uint64_t gfn, uint64_t nr)
{
	struct kvm_wtrack_change change;
	struct kvm_wtrack_remove args;
	int r;

	do {
		change = (struct kvm_wtrack_change) {
			.gfn = gfn, .nr_pages = nr,
		};
		args = (struct kvm_wtrack_remove) {
			.size = sizeof(args),
			.changes = (uintptr_t)&change,
			.nr_changes = 1,
		};
		r = wtrack__sys_ioctl(mirror->session->fd, KVM_WTRACK_REMOVE,
				      &args);
	} while (r == -EINTR);
}

/* In runs, as far as pages with numbers that follow each other do so here. */
static void untrack_all(struct wtrack_mirror *mirror)
{
	uint64_t from = 0, nr = 0, gfn;
	struct link *list, *link;
	int state;

	for (state = WTRACK_MIRROR_LIVE; state < STATES; state++) {
		list = &mirror->states[state];
		for (link = list->next; link != list; link = link->next) {
			gfn = page_of(link, in_state)->gfn;
			if (nr && gfn != from + nr) {
				untrack(mirror, from, nr);
				nr = 0;
			}
			if (!nr++)
				from = gfn;
		}
	}
	if (nr)
		untrack(mirror, from, nr);
}

WTRACK_API void wtrack_mirror_close(struct wtrack_mirror *mirror)
{
	if (!mirror)
		return;
	untrack_all(mirror);
	mirror_free(mirror);
}

/* What add() works on. */
struct adding {
	const struct wtrack_range *ranges;
	struct wtrack_result *results;	/* may be NULL */
	size_t nr;
	struct link fresh;
	bool looks;			/* not all of them are armed, maybe */
	int refused;			/* the first reason, or 0 */
};

static bool is_in(const struct wtrack_range *range, uint64_t gfn)
{
	return gfn - range->gfn < range->nr_pages;
}

/* The page was tracked, but cannot be in the mirror. */
static void refuse_gfn(struct wtrack_mirror *mirror, struct adding *adding,
		       uint64_t gfn, int err)
{
	struct wtrack_result *result;
	size_t i;

	untrack(mirror, gfn, 1);
	if (!adding->refused)
		adding->refused = err;
	for (i = 0; adding->results && i < adding->nr; i++) {
		if (!is_in(&adding->ranges[i], gfn))
			continue;
		result = &adding->results[i];
		result->done--;
		result->changed -= !!result->changed;
		if (!result->error || gfn < result->error_gfn) {
			result->error = err;
			result->error_gfn = gfn;
		}
	}
}

static void refuse_page(struct wtrack_mirror *mirror, struct page *page,
			int err, void *userdata)
{
	uint64_t gfn = page->gfn;

	/* Its memory has gone since it was added. */
	if (wtrack__session_is_sticky(mirror) &&
	    (err == -ENOENT || err == -EOPNOTSUPP)) {
		wtrack__page_lose(mirror, page, true);
		return;
	}
	wtrack__page_free(mirror, page);
	refuse_gfn(mirror, userdata, gfn, err);
}

/* The page is tracked. WTRACK_GFN_* of it, if not all that is tracked is armed. */
static uint32_t state_of(const struct wtrack_mirror *mirror,
			 const struct adding *adding, uint64_t gfn)
{
	uint32_t state;

	return adding->looks &&
	       wtrack_session_query_gfn(mirror->session, gfn, NULL,
					&state) >= 0 ? state : 0;
}

/* The page has to be read. Its copy follows the guest's stores from then on. */
static void adopt_memory(struct wtrack_mirror *mirror, struct adding *adding,
			 struct page *page, bool disarmed)
{
	page->once = disarmed && wtrack__session_is_once(mirror);
	wtrack__page_set_state(mirror, page, disarmed && !page->once ?
			       WTRACK_MIRROR_DISARMED : WTRACK_MIRROR_LIVE);
	wtrack__page_unstale(mirror, page);
	wtrack__list_add(&adding->fresh, &page->in_stale);
}

/* Is the page new, or treated as new? */
static void adopt_page(struct wtrack_mirror *mirror, struct adding *adding,
		       uint64_t gfn)
{
	struct page *page = wtrack__page_find(mirror, gfn);
	uint32_t state;

	if (page && (page->state == WTRACK_MIRROR_LIVE ||
		     page->state == WTRACK_MIRROR_DISARMED))
		return;
	state = state_of(mirror, adding, gfn);
	if (!page) {
		page = wtrack__page_new(mirror, gfn);
		if (!page) {
			refuse_gfn(mirror, adding, gfn, -ENOMEM);
			return;
		}
		page->born = mirror->removed;
	}
	if (state & WTRACK_GFN_ABSENT)
		wtrack__page_lose(mirror, page, false);
	else
		adopt_memory(mirror, adding, page,
			     state & WTRACK_GFN_DISARMED);
}

static void adopt_run(struct wtrack_mirror *mirror, struct adding *adding,
		      uint64_t gfn, uint64_t end)
{
	for (; gfn < end; gfn++)
		adopt_page(mirror, adding, gfn);
}

/* Find the tracked part of a range, when not all of it may be tracked. */
static int adopt_tracked(struct wtrack_mirror *mirror, struct adding *adding,
			 const struct wtrack_range *range)
{
	struct wtrack_range tracked[RANGES];
	uint64_t gfn = range->gfn, from, to, end = gfn + range->nr_pages;
	int i, n;

	if (range->gfn >= MOST_GFNS || range->nr_pages > MOST_GFNS)
		return 0;
	while (gfn < end && (n = wtrack_session_query(mirror->session, &gfn,
						      tracked, RANGES)) > 0)
		for (i = 0; i < n; i++) {
			from = tracked[i].gfn;
			to = from + tracked[i].nr_pages;
			adopt_run(mirror, adding,
				  from > range->gfn ? from : range->gfn,
				  to < end ? to : end);
		}
	return gfn < end && n < 0 ? n : 0;
}

static int adopt(struct wtrack_mirror *mirror, struct adding *adding, bool all)
{
	const struct wtrack_range *range;
	size_t i;
	int r = 0;

	for (i = 0; !r && i < adding->nr; i++) {
		range = &adding->ranges[i];
		if (all)
			adopt_run(mirror, adding, range->gfn,
				  range->gfn + range->nr_pages);
		else
			r = adopt_tracked(mirror, adding, range);
	}
	return r;
}

/*
 * Is any page of the session absent? Events report pages that become absent
 * later.
 */
static int find_absent(struct wtrack_mirror *mirror, struct adding *adding)
{
	struct kvm_wtrack_status status;
	int r;

	if (!wtrack__session_is_sticky(mirror))
		return 0;
	r = wtrack__device_get_status(mirror->session->fd, &status);
	adding->looks |= !r && status.out_absent;
	return r;
}

WTRACK_API int wtrack_mirror_add(struct wtrack_mirror *mirror,
				 const struct wtrack_range *ranges,
				 size_t nr_ranges,
				 struct wtrack_result *results,
				 unsigned int flags)
{
	struct adding adding = {
		.ranges = ranges, .results = results, .nr = nr_ranges,
	};
	int added, r;

	wtrack__list_init(&adding.fresh);
	added = wtrack_session_add(mirror->session, ranges, nr_ranges, results,
				   flags);
	/* Some of the refused pages may be tracked already. */
	adding.looks = added < 0;
	r = find_absent(mirror, &adding);
	if (!r)
		r = adopt(mirror, &adding, !added &&
			  !(flags & WTRACK_CHANGE_SKIP_HOLES));
	if (!r)
		r = wtrack__read_first(mirror, &adding.fresh, refuse_page,
				       &adding);
	else
		wtrack__refuse_all(mirror, &adding.fresh, r, refuse_page,
				   &adding);
	if (added < 0)
		return added;
	return r < 0 ? r : adding.refused;
}

static void count_and_free(struct wtrack_mirror *mirror, struct page *page,
			   void *userdata)
{
	++*(uint64_t *)userdata;
	wtrack__page_free(mirror, page);
}

/* A call that failed may have come this far. */
static void free_untracked(struct wtrack_mirror *mirror, struct page *page,
			   void *userdata)
{
	uint32_t state;

	(void)userdata;
	if (wtrack_session_query_gfn(mirror->session, page->gfn, NULL,
				     &state) >= 0 &&
	    !(state & WTRACK_GFN_TRACKED))
		wtrack__page_free(mirror, page);
}

static bool are_valid(const struct wtrack_range *ranges, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!ranges[i].nr_pages || ranges[i].gfn >= MOST_GFNS ||
		    ranges[i].nr_pages > MOST_GFNS - ranges[i].gfn)
			return false;
	return true;
}

/* Ranges may overlap: a page may be freed that a later one has as well. */
WTRACK_API int wtrack_mirror_remove(struct wtrack_mirror *mirror,
				    const struct wtrack_range *ranges,
				    size_t nr_ranges)
{
	uint64_t seq = mirror->removed, nr;
	size_t i;
	int r;

	if (!are_valid(ranges, nr_ranges))
		return -EINVAL;
	r = wtrack_session_remove_fenced(mirror->session, ranges, nr_ranges,
					 NULL, 0, &seq);
	if (r < 0 && r != -ENOENT && r != -ESRCH &&
	    r != -ESHUTDOWN) {
		for (i = 0; i < nr_ranges; i++)
			wtrack__page_each(mirror, &ranges[i], free_untracked,
					  NULL);
		return r;
	}
	if (seq > mirror->removed)
		mirror->removed = seq;
	for (i = 0, r = 0; i < nr_ranges; i++) {
		nr = 0;
		wtrack__page_each(mirror, &ranges[i], count_and_free, &nr);
		if (nr < ranges[i].nr_pages)
			r = -ENOENT;
	}
	return r;
}

static void make_stale(struct wtrack_mirror *mirror, struct page *page,
		       void *userdata)
{
	(void)userdata;
	if (page->state == WTRACK_MIRROR_LIVE ||
	    page->state == WTRACK_MIRROR_DISARMED)
		wtrack__page_stale(mirror, page);
}

WTRACK_API void wtrack_mirror_reread(struct wtrack_mirror *mirror,
				     const struct wtrack_range *ranges,
				     size_t nr_ranges)
{
	size_t i;

	for (i = 0; i < nr_ranges; i++)
		wtrack__page_each(mirror, &ranges[i], make_stale, NULL);
}

WTRACK_API int wtrack_mirror_get_fd(const struct wtrack_mirror *mirror)
{
	return wtrack_session_get_fd(mirror->session);
}

WTRACK_API const void *wtrack_mirror_page(const struct wtrack_mirror *mirror,
					  uint64_t gfn)
{
	const struct page *page = wtrack__page_find(mirror, gfn);

	return page ? page->bytes : NULL;
}

WTRACK_API int wtrack_mirror_get_state(const struct wtrack_mirror *mirror,
				       uint64_t gfn)
{
	const struct page *page = wtrack__page_find(mirror, gfn);

	return page ? page->state : -ENOENT;
}

WTRACK_API int wtrack_mirror_get_status(const struct wtrack_mirror *mirror,
					struct wtrack_mirror_status *ret,
					size_t size)
{
	const struct wtrack_mirror_status status = {
		.pages = mirror->table.nr,
		.live = mirror->nr_state[WTRACK_MIRROR_LIVE],
		.disarmed = mirror->nr_state[WTRACK_MIRROR_DISARMED],
		.absent = mirror->nr_state[WTRACK_MIRROR_ABSENT],
		.removed = mirror->nr_state[WTRACK_MIRROR_REMOVED],
		.memory_bytes = sizeof(*mirror) + BATCH * PAGE_BYTES +
			mirror->race.nr_clocks * sizeof(*mirror->race.clock) +
			mirror->table.size * sizeof(*mirror->table.pages) +
			mirror->table.nr * sizeof(struct page),
		.writes = mirror->writes,
		.rereads = mirror->rereads,
		.conflicts = mirror->conflicts,
		.resyncs = mirror->resyncs,
	};

	return wtrack__copy_sized(ret, size, &status, sizeof(status));
}
