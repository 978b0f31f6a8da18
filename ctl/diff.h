/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changes in the pages of --gfn and --gpa, with the bytes of before: a mirror
 * of them (wtrack/mirror.h) that is followed until something ends the stream.
 */
#ifndef CTL_DIFF_H
#define CTL_DIFF_H

#include <stdint.h>

#include <wtrack/mirror.h>

#include "command.h"
#include "cost.h"
#include "stream.h"

/**
 * struct diff - a mirror that is followed
 * @ctl: the run
 * @stream: what ends it
 * @session: the session, closed by diff_close()
 * @mirror: the mirror, which has the pages
 * @on_session: is called when there is a session, and no page is tracked yet. Returns
 *	0, or the exit code after ctl_fail(); may be NULL
 * @on_change: gets each change
 * @on_quiet: is called when no further change can be had for now, and at the start;
 *	may be NULL
 * @userdata: for all of them
 */
struct diff {
	struct ctl *ctl;
	struct stream stream;
	struct wtrack_session *session;
	struct wtrack_mirror *mirror;
	int (*on_session)(struct diff *diff);
	void (*on_change)(struct diff *diff,
			  const struct wtrack_change *change);
	void (*on_quiet)(struct diff *diff);
	void *userdata;

	struct cost_meter cost;		/* its own */
};

/*
 * Opens the session and the mirror with what --budget and --records say, and adds the
 * pages. @ring_flags: WTRACK_RING_*; with WTRACK_RING_SYNC a vCPU waits for as long as
 * the module allows. 0, or the exit code after ctl_fail().
 */
int diff_open(struct diff *diff, struct ctl *ctl, unsigned int ring_flags);

/* Until the stream ends: then stream_end() is to be called. */
void diff_run(struct diff *diff);
void diff_close(struct diff *diff);

#endif
