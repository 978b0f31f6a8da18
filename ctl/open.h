/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions for commands that watch a guest. */
#ifndef CTL_OPEN_H
#define CTL_OPEN_H

#include <stdbool.h>
#include <stdint.h>

#include <wtrack/wtrack.h>

#include "ctl.h"

/**
 * open_session() - a session on the VM of --vm or the first argument
 * @ctl: the run
 * @max_records: the ring that will be made, which counts against the user's
 *	limits
 * @ret: where to store the session, which is limited to the pages of --gfn and
 *	--gpa, if there are any
 *
 * Through the daemon. Without one, and with rights enough, directly.
 *
 * Return: 0, or the exit code after ctl_fail().
 */
int open_session(struct ctl *ctl, uint32_t max_records,
		 struct wtrack_session **ret);

/**
 * open_sync_session() - a session for whose reader vCPUs can be made to wait
 * @ctl: the run
 * @max_records: as with open_session()
 * @ret: where to store it, limited as that of open_session()
 *
 * The daemon gives such a session to root alone by default. To others it is given by
 * the device, if they may open it.
 *
 * Return: as open_session().
 */
int open_sync_session(struct ctl *ctl, uint32_t max_records,
		      struct wtrack_session **ret);

/**
 * open_reader() - a session that looks at the VM's memory and tracks nothing
 * @ctl: the run
 * @ret: where to store it, limited as that of open_session()
 *
 * Return: as open_session().
 */
int open_reader(struct ctl *ctl, struct wtrack_session **ret);

/**
 * open_sampler() - a session that tracks some pages of the VM at a time
 * @ctl: the run
 * @max_pages: how many, wherever they are
 * @max_records: the ring that will be made
 * @ret: where to store it, limited as that of open_session()
 *
 * Return: as open_session().
 */
int open_sampler(struct ctl *ctl, uint64_t max_pages, uint32_t max_records,
		 struct wtrack_session **ret);

/* ctl_fail() for an error of libwtrack. */
int open_fail(struct ctl *ctl, int err, const char *what);

/**
 * open_pages() - add the pages of --gfn and --gpa
 * @ctl: the run
 * @session: the session, with a ring
 * @ret_all: set to false when there is no memory for some of the pages
 *
 * Pages that are refused are told of one by one; it fails only when none is
 * left.
 *
 * Return: 0, or the exit code after ctl_fail().
 */
int open_pages(struct ctl *ctl, struct wtrack_session *session, bool *ret_all);

/* Adds the pages of --gfn and --gpa. As open_pages(). */
int open_mirror_pages(struct ctl *ctl, struct wtrack_mirror *mirror);

#endif
