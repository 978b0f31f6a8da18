// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include <wtrack/wtrack.h>

#include "diff.h"
#include "follow.h"
#include "open.h"

/* Between two looks at signals and times. */
#define BATCH		256

/* Disarmed pages are read, and memory that is back is found, so often. */
#define SYNC_NS		UINT64_C(250000000)
/* How long a vCPU waits where the module's bound is not known: that of a release. */
#define SYNC_US		100000

static int set_sync(struct diff *diff)
{
	struct wtrack_info info;
	uint32_t timeout_us = SYNC_US;
	int r;

	if (!wtrack_get_info(&info, sizeof(info)))
		timeout_us = info.max_sync_us;
	r = wtrack_session_set_sync(diff->session, timeout_us);
	return r ? open_fail(diff->ctl, r, "having vCPUs wait") : 0;
}

int diff_open(struct diff *diff, struct ctl *ctl, unsigned int ring_flags)
{
	bool sync = ring_flags & WTRACK_RING_SYNC;
	struct follow_options options;
	struct wtrack_mirror_options wanted = { .ring_flags = ring_flags };
	int r;

	diff->ctl = ctl;
	r = follow_read_options(ctl, &options);
	if (r)
		return r;
	r = sync ? open_sync_session(ctl, options.records, &diff->session) :
		   open_session(ctl, options.records, &diff->session);
	if (r)
		return r;
	wanted.records = options.records;
	r = wtrack_session_set_budget(diff->session, options.budget,
				      options.period_ms);
	if (r)
		r = open_fail(ctl, r, "--budget");
	if (!r && sync)
		r = set_sync(diff);
	if (!r && diff->on_session)
		r = diff->on_session(diff);
	if (!r) {
		r = wtrack_mirror_new(diff->session, &wanted, sizeof(wanted),
				      &diff->mirror);
		if (follow_leaves_budget(ctl, diff->session, r))
			r = wtrack_mirror_new(diff->session, &wanted,
					      sizeof(wanted), &diff->mirror);
		if (r)
			r = open_fail(ctl, r, "making the mirror");
	}
	if (!r)
		r = open_mirror_pages(ctl, diff->mirror);
	if (!r)
		r = stream_begin(&diff->stream, ctl);
	if (r)
		diff_close(diff);
	return r;
}

static void end(struct diff *diff, int err)
{
	if (err == -ESRCH)
		stream_stop(&diff->stream, STREAM_VM_GONE, EXIT_OK);
	else
		stream_stop(&diff->stream, STREAM_ERROR,
			    open_fail(diff->ctl, err, "following the changes"));
}

/* True when there are more. */
static bool take_changes(struct diff *diff,
			 int (*next)(struct wtrack_mirror *mirror,
				     const struct wtrack_change **ret))
{
	const struct wtrack_change *change;
	int nr = 0, r = 1;

	/* What has --count end it is the last that is shown. */
	while (nr++ < BATCH && diff->stream.reason == STREAM_GOES_ON &&
	       (r = next(diff->mirror, &change)) > 0) {
		diff->cost.stores += change->what == WTRACK_CHANGED_WRITE;
		diff->on_change(diff, change);
	}
	if (r < 0 && r != -EBUSY)
		end(diff, r);
	else if (r <= 0 && diff->on_quiet)
		diff->on_quiet(diff);
	return r > 0 && diff->stream.reason == STREAM_GOES_ON;
}

/* Are there pages that only a sync looks at? */
static bool needs_sync(const struct diff *diff)
{
	struct wtrack_mirror_status status;

	return !wtrack_mirror_get_status(diff->mirror, &status,
					 sizeof(status)) &&
	       (status.disarmed || status.absent);
}

/*
 * A sync waits for stores that are under way, and reads pages that are disarmed: an
 * update, which does neither, follows each event, and a sync comes now and then.
 */
void diff_run(struct diff *diff)
{
	int fd = wtrack_mirror_get_fd(diff->mirror);
	uint64_t next_sync = stream_now_ns() + SYNC_NS;
	enum stream_wait wait;
	int64_t left;
	bool more;

	do {
		more = take_changes(diff, wtrack_mirror_update);
		if (!more && stream_now_ns() >= next_sync) {
			if (needs_sync(diff))
				while (take_changes(diff, wtrack_mirror_sync))
					;
			next_sync = stream_now_ns() + SYNC_NS;
		}
		follow_check_cost(diff->ctl, &diff->stream, &diff->cost);
		left = more ? 0 : needs_sync(diff) ? (int64_t)SYNC_NS : -1;
		wait = stream_wait(&diff->stream, fd, left);
	} while (wait != STREAM_END);
}

void diff_close(struct diff *diff)
{
	wtrack_mirror_close(diff->mirror);
	wtrack_session_close(diff->session);
}
