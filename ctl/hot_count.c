// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts the stores to the hottest pages one by one, under a budget that keeps all of
 * them together within the bound. A page that is over its budget is not seen for the
 * rest of the period: its rate is that of the time in which it was seen.
 */
#include <errno.h>
#include <stdlib.h>

#include <wtrack/wtrack.h>

#include "cost.h"
#include "event.h"
#include "hot.h"
#include "mem.h"
#include "open.h"

#define RECORDS		4096
/* The second is for a user whose sessions have a budget with a longer period. */
static const uint32_t periods_ms[] = { 100, 4000 };
#define RETRY_NS	(10 * INT64_C(1000000))
#define TRIES		10

struct counter {
	struct hot *hot;
	struct wtrack_session *session;
	struct wtrack_range *ranges;
	size_t nr;
};

/* No more than can have a store in each of the shorter periods. */
static void choose(struct counter *counter)
{
	struct hot *hot = counter->hot;
	size_t max = cost_budget(hot->cost, 1, periods_ms[0]), i;
	struct hot_page **pages;

	pages = hot_model_hottest(&hot->model,
				  hot->count < max ? hot->count : max,
				  &counter->nr);
	counter->ranges = mem_zalloc((counter->nr + 1) *
				     sizeof(*counter->ranges));
	for (i = 0; i < counter->nr; i++) {
		pages[i]->chosen = true;
		counter->ranges[i] = (struct wtrack_range) { pages[i]->gfn, 1 };
	}
	free(pages);
}

/* -EPERM: the user's sessions are bound to another budget. */
static int make_ring(struct counter *counter, uint32_t period_ms)
{
	uint32_t budget = cost_budget(counter->hot->cost, counter->nr,
				      period_ms);
	int r;

	r = wtrack_session_set_budget(counter->session, budget, period_ms);
	if (!r)
		r = wtrack_session_make_ring(counter->session, RECORDS, 0, 0, 0);
	return r;
}

static int open_counter(struct counter *counter)
{
	struct ctl *ctl = counter->hot->ctl;
	size_t i;
	int r;

	r = open_sampler(ctl, counter->nr, RECORDS, &counter->session);
	if (r)
		return r;
	for (i = 0, r = -EPERM; i < 2 && r == -EPERM; i++)
		r = make_ring(counter, periods_ms[i]);
	return r ? open_fail(ctl, r, "counting within the bound of --cost") : 0;
}

/* True when a page is refused just now. */
static bool arm_once(struct counter *counter)
{
	struct wtrack_result *results;
	struct hot_page *page;
	bool again = false;
	size_t i;

	results = mem_zalloc(counter->nr * sizeof(*results));
	wtrack_session_add(counter->session, counter->ranges, counter->nr,
			   results, WTRACK_CHANGE_NOWAIT);
	for (i = 0; i < counter->nr; i++) {
		page = hot_model_find(&counter->hot->model,
				      counter->ranges[i].gfn);
		page->chosen = results[i].done;
		counter->hot->model.armings += results[i].changed;
		again |= results[i].error == -EAGAIN;
	}
	free(results);
	return again;
}

/*
 * All pages are refused in the first milliseconds. One that is refused for longer
 * stays one whose rate is estimated.
 */
static void arm(struct counter *counter)
{
	int tries = TRIES;

	while (arm_once(counter) && --tries &&
	       stream_wait(&counter->hot->stream, -1, RETRY_NS) != STREAM_END)
		;
}

/* The ring was full: what is in it counts, and the time without it does not. */
static int skip_resync(struct counter *counter)
{
	struct hot_model *model = &counter->hot->model;
	struct wtrack_resync_range range;
	uint64_t full_ns = stream_now_ns();
	int r;

	hot_model_end_count(model, full_ns);
	while ((r = wtrack_session_resync_next(counter->session, &range)) > 0)
		;
	hot_model_begin_count(model, stream_now_ns());
	return r;
}

static int take(struct counter *counter)
{
	const struct wtrack_event *from;
	struct event event;
	int r = 0;

	while (!r && (from = wtrack_session_next(counter->session))) {
		event_from_wtrack(&event, from);
		if (event.type == EVENT_RESYNC)
			r = skip_resync(counter);
		else if (event.type == EVENT_VM_GONE)
			r = -ESRCH;
		else if (wtrack_event_get_type(from) == WTRACK_EVENT_ENDED)
			r = -ESHUTDOWN;
		else
			hot_model_count(&counter->hot->model, &event);
	}
	wtrack_session_release(counter->session);
	return r;
}

static int count_until(struct counter *counter, uint64_t end_ns)
{
	struct hot *hot = counter->hot;
	int fd = wtrack_session_get_fd(counter->session), r = 0;
	enum stream_wait wait;
	uint64_t now;

	while (!r && (now = stream_now_ns()) < end_ns) {
		hot_show_progress(hot);
		wait = stream_wait(&hot->stream, fd, (int64_t)(end_ns - now));
		if (wait == STREAM_END)
			break;
		if (wait == STREAM_READY)
			r = take(counter);
	}
	return r;
}

static int count(struct counter *counter)
{
	struct hot *hot = counter->hot;
	int r;

	arm(counter);
	hot_model_begin_count(&hot->model, stream_now_ns());
	r = count_until(counter, hot->end_ns);
	hot_model_end_count(&hot->model, stream_now_ns());
	if (r == -ESRCH) {
		stream_stop(&hot->stream, STREAM_VM_GONE, EXIT_OK);
		return 0;
	}
	return r ? open_fail(hot->ctl, r, "counting") : 0;
}

int hot_count(struct hot *hot)
{
	struct counter counter = { .hot = hot };
	int r = 0;

	hot->counting = true;
	choose(&counter);
	if (counter.nr && hot->stream.reason == STREAM_GOES_ON) {
		r = open_counter(&counter);
		if (!r)
			r = count(&counter);
		if (counter.session)
			hot_take_counters(hot, counter.session);
		wtrack_session_close(counter.session);
	}
	free(counter.ranges);
	return r;
}
