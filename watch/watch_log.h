/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What watches write to the journal. Each function fills in an entry, which
 * replaces what stood in it; wtrackd.catalog explains them.
 */
#ifndef WATCH_LOG_H
#define WATCH_LOG_H

#include <wtrack/wtrack.h>

#include "journal.h"
#include "ranges.h"
#include "ratelimit.h"

/* So many ranges are in one entry. */
#define WATCH_LOG_RANGES	32

/* Whose entry it is. */
struct watch_origin {
	const char *watch;
	int vm_pid;		/* 0 when unknown */
	const char *vm_name;	/* "" when unknown */
	uint64_t session_id;	/* SEQ counts within it */
};

void watch_log_write(struct journal_entry *entry,
		     const struct watch_origin *origin,
		     const struct wtrack_event *event);
void watch_log_guard(struct journal_entry *entry,
		     const struct watch_origin *origin,
		     const struct wtrack_event *event);

/* @event is the first that is held back. */
void watch_log_limited(struct journal_entry *entry,
		       const struct watch_origin *origin,
		       const struct ratelimit *limit,
		       const struct wtrack_event *event);
/* Entries about its pages were too many: it is not read for a while. */
void watch_log_paused(struct journal_entry *entry,
		      const struct watch_origin *origin,
		      const struct ratelimit *limit);
void watch_log_suppressed(struct journal_entry *entry,
			  const struct watch_origin *origin,
			  const struct held_back *held);

void watch_log_overflow(struct journal_entry *entry,
			const struct watch_origin *origin,
			const struct wtrack_event *event);
/* At most WATCH_LOG_RANGES; @last when no further entry follows. */
void watch_log_resync(struct journal_entry *entry,
		      const struct watch_origin *origin,
		      const struct wtrack_resync_range *ranges, size_t nr,
		      bool last);

void watch_log_removed(struct journal_entry *entry,
		       const struct watch_origin *origin,
		       const struct wtrack_event *event);
/* Not tracked since @since_ns, because of @error. */
void watch_log_gap(struct journal_entry *entry,
		   const struct watch_origin *origin,
		   const struct ranges *pages, uint64_t since_ns, int error);
/* Tracked again since @until_ns. */
void watch_log_rearmed(struct journal_entry *entry,
		       const struct watch_origin *origin,
		       const struct ranges *pages, uint64_t since_ns,
		       uint64_t until_ns);

void watch_log_armed(struct journal_entry *entry,
		     const struct watch_origin *origin,
		     const struct ranges *pages);
/* @seq is the first event that was not logged for certain. */
void watch_log_resumed(struct journal_entry *entry,
		       const struct watch_origin *origin, uint64_t seq);
void watch_log_ended(struct journal_entry *entry,
		     const struct watch_origin *origin);
void watch_log_stopped(struct journal_entry *entry,
		       const struct watch_origin *origin, const char *why);
void watch_log_failed(struct journal_entry *entry,
		      const struct watch_origin *origin, int error);

#endif
