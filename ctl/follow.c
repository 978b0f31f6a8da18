// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <wtrack/wtrack.h>

#include "event.h"
#include "follow.h"
#include "mem.h"
#include "open.h"
#include "ranges.h"

/* Between two looks at signals and times. */
#define BATCH		256

#define MISSING_MAX	65536
#define DELAY_MIN_NS	UINT64_C(1000000)
#define DELAY_MAX_NS	UINT64_C(1000000000)

static void hand_out(struct follow *follow, const struct event *event)
{
	if (event_is_loss(event))
		follow->stream.losses++;
	follow->cost.stores += event->type == EVENT_WRITE && !event->more;
	follow->on_event(follow, event);
}

static void add_missing(struct follow *follow, const struct wtrack_range *range)
{
	if (!range->nr_pages || follow->nr_missing == MISSING_MAX)
		return;
	follow->missing = mem_grow(follow->missing, follow->nr_missing,
				   sizeof(*range));
	follow->missing[follow->nr_missing++] = *range;
}

/* The part of @asked in front of what is tracked. */
static void add_gap(struct follow *follow, const struct wtrack_range *asked,
		    uint64_t from, uint64_t to)
{
	const struct wtrack_range gap = { from, to - from };
	const struct wtrack_range part = ranges_common(asked, &gap);

	add_missing(follow, &part);
}

/*
 * Only what is not tracked is tried again: to add a page is to arm it, and the
 * guard may have had its reason.
 */
static void miss_of(struct follow *follow, const struct wtrack_range *asked)
{
	uint64_t end = asked->gfn + asked->nr_pages, at = asked->gfn;
	uint64_t next = asked->gfn;
	struct wtrack_range tracked;

	while (next < end &&
	       wtrack_session_query(follow->session, &next, &tracked, 1) > 0 &&
	       tracked.gfn < end) {
		add_gap(follow, asked, at, tracked.gfn > at ? tracked.gfn : at);
		at = tracked.gfn + tracked.nr_pages;
	}
	if (at < end)
		add_gap(follow, asked, at, end);
}

void follow_miss(struct follow *follow)
{
	const struct args *args = &follow->ctl->args;
	size_t i;

	for (i = 0; i < args->nr_ranges; i++)
		miss_of(follow, &args->ranges[i]);
	follow->delay_ns = DELAY_MIN_NS;
}

/* What went of the pages that were asked for comes back with its memory. */
static void lose(struct follow *follow, const struct event *event)
{
	struct wtrack_range region = { event_gfn(event), event->nr_pages };
	const struct args *args = &follow->ctl->args;
	struct wtrack_range part;
	size_t i;

	for (i = 0; i < args->nr_ranges; i++) {
		part = ranges_common(&args->ranges[i], &region);
		add_missing(follow, &part);
	}
	follow->nr_missing = ranges_merge(follow->missing, follow->nr_missing);
	follow->delay_ns = DELAY_MIN_NS;
	follow->retry_ns = 0;
}

/* True when the range is tracked again, all of it. */
static bool regain(struct follow *follow, const struct wtrack_range *range)
{
	struct event event = {
		.type = EVENT_REGION_RETURNED,
		.gpa = range->gfn << EVENT_PAGE_SHIFT,
		.nr_pages = range->nr_pages,
		.vcpu = -1,
	};
	struct wtrack_result result;

	wtrack_session_add(follow->session, range, 1, &result, 0);
	event.time_ns = stream_now_ns();
	event.nr_tracked = result.changed;
	if (result.changed)
		hand_out(follow, &event);
	return result.done == range->nr_pages;
}

static void regain_all(struct follow *follow, uint64_t now)
{
	size_t i, left = 0;

	if (!follow->nr_missing || now < follow->retry_ns)
		return;
	for (i = 0; i < follow->nr_missing; i++)
		if (!regain(follow, &follow->missing[i]))
			follow->missing[left++] = follow->missing[i];
	follow->nr_missing = left;
	follow->retry_ns = now + follow->delay_ns;
	if (follow->delay_ns < DELAY_MAX_NS)
		follow->delay_ns *= 2;
}

static void fail(struct follow *follow, int err, const char *what)
{
	stream_stop(&follow->stream, STREAM_ERROR,
		    open_fail(follow->ctl, err, what));
}

/* Each range is an event; so is that there is none. */
static void resync(struct follow *follow, struct event *event)
{
	struct wtrack_resync_range range;
	bool any = false;
	int r;

	while ((r = wtrack_session_resync_next(follow->session, &range)) > 0) {
		any = true;
		event_set_resync_range(event, &range, stream_now_ns());
		hand_out(follow, event);
		if (range.what == WTRACK_RESYNC_REMOVED)
			lose(follow, event);
	}
	if (r < 0)
		fail(follow, r, "reading what was written");
	if (r || any)
		return;
	event->until_ns = stream_now_ns();
	hand_out(follow, event);
}

static void take(struct follow *follow, const struct wtrack_event *from)
{
	struct event event;

	/* Waiting tells the same, as an error. */
	if (wtrack_event_get_type(from) == WTRACK_EVENT_ENDED)
		return;
	event_from_wtrack(&event, from);
	if (event.type == EVENT_RESYNC) {
		resync(follow, &event);
		return;
	}
	hand_out(follow, &event);
	if (event.type == EVENT_REGION_REMOVED)
		lose(follow, &event);
	else if (event.type == EVENT_VM_GONE)
		stream_stop(&follow->stream, STREAM_VM_GONE, EXIT_OK);
}

static void drain(struct follow *follow)
{
	const struct wtrack_event *event;
	int nr = 0;

	while (nr++ < BATCH && follow->stream.reason == STREAM_GOES_ON &&
	       (event = wtrack_session_next(follow->session)))
		take(follow, event);
	wtrack_session_release(follow->session);
	follow->last_ns = stream_now_ns();
	follow->idle = false;
}

static void on_ready(struct follow *follow)
{
	int r = 0;

	if (follow->on_wake)
		follow->on_wake(follow);
	if (follow->session)
		r = wtrack_session_wait(follow->session, 0);
	if (r > 0)
		drain(follow);
	else if (r == -ESRCH)
		stream_stop(&follow->stream, STREAM_VM_GONE, EXIT_OK);
	else if (r < 0 && r != -EINTR)
		fail(follow, r, "waiting for writes");
}

static void on_time(struct follow *follow, uint64_t now)
{
	struct event idle = { .type = EVENT_IDLE, .time_ns = now, .vcpu = -1 };

	regain_all(follow, now);
	follow_check_cost(follow->ctl, &follow->stream, &follow->cost);
	if (follow->tick_ns && now >= follow->next_tick_ns) {
		follow->next_tick_ns = now + follow->tick_ns;
		follow->on_tick(follow);
	}
	if (!follow->idle_ns || follow->idle ||
	    now - follow->last_ns < follow->idle_ns)
		return;
	follow->idle = true;
	hand_out(follow, &idle);
}

/* How long nothing but an event has to be done. */
static int64_t time_left(const struct follow *follow, uint64_t now)
{
	uint64_t until = INT64_MAX;

	if (follow->nr_missing && follow->retry_ns < until)
		until = follow->retry_ns;
	if (follow->tick_ns && follow->next_tick_ns < until)
		until = follow->next_tick_ns;
	if (follow->idle_ns && !follow->idle &&
	    follow->last_ns + follow->idle_ns < until)
		until = follow->last_ns + follow->idle_ns;
	if (until == INT64_MAX)
		return -1;
	return until > now ? (int64_t)(until - now) : 0;
}

static void start(struct follow *follow)
{
	const struct args *args = &follow->ctl->args;
	struct event event = {
		.type = EVENT_STARTED,
		.time_ns = follow->stream.started_ns,
		.nr_tracked = ranges_pages(args->ranges, args->nr_ranges),
		.vcpu = -1,
	};
	struct wtrack_status status;

	follow->last_ns = follow->stream.started_ns;
	follow->next_tick_ns = follow->last_ns + follow->tick_ns;
	if (!follow->session)
		return;
	if (!wtrack_session_get_status(follow->session, &status,
				       sizeof(status)))
		event.nr_pages = status.pages;
	hand_out(follow, &event);
}

static int fd_of(const struct follow *follow)
{
	if (follow->on_wake)
		return follow->wake_fd;
	return follow->session ? wtrack_session_get_fd(follow->session) : -1;
}

void follow_run(struct follow *follow)
{
	int fd = fd_of(follow);
	enum stream_wait wait;

	start(follow);
	do {
		wait = stream_wait(&follow->stream, fd,
				   time_left(follow, stream_now_ns()));
		if (wait == STREAM_READY)
			on_ready(follow);
		if (wait != STREAM_END)
			on_time(follow, stream_now_ns());
	} while (wait != STREAM_END);
	if (follow->tick_ns)
		follow->on_tick(follow);
}

void follow_close(struct follow *follow)
{
	wtrack_session_close(follow->session);
	free(follow->missing);
}
