/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A watch on one VM.
 *
 *	WAITING	there is no session: wtrackd is asked for it, or it could not be
 *		opened, and is tried again
 *	STORING	the session is on its way to the service manager, which has to
 *		have it before a write may be told of
 *	ACTIVE	pages are tracked, events are logged
 *	LEAVING	nothing is tracked any more, what is in the ring is logged
 *
 * Events are logged first and released afterwards. Whatever kills the process,
 * the next one finds in the ring what was not released: it may log an event
 * twice, with the same WTRACK_SEQ, but leaves none out.
 */
#ifndef WATCH_SESSION_H
#define WATCH_SESSION_H

#include <sys/queue.h>
#include <systemd/sd-event.h>
#include <wtrack/wtrack.h>

#include "fdstore.h"
#include "guest.h"
#include "journal.h"
#include "ratelimit.h"
#include "watch_config.h"
#include "watch_log.h"

enum watch_session_state {
	WATCH_WAITING,
	WATCH_STORING,
	WATCH_ACTIVE,
	WATCH_LEAVING,
};

/* Pages that should be tracked and are not. */
struct watch_gap {
	struct wtrack_range range;
	uint64_t since_ns;
	uint64_t until_ns;	/* 0 while it lasts */
	int error;
	bool told;		/* that it began */
	bool due;		/* to be tried */
};

struct watch_session {
	LIST_ENTRY(watch_session) link;
	struct guest *guest;
	/* A reference: NULL when the watch was taken away. */
	struct watch_config *config;
	struct watch_counts *counts;	/* a reference, or NULL */
	enum watch_session_state state;

	char *name;			/* of the watch */
	uint64_t vm_id;
	uint64_t id;
	bool has_place;			/* in the fd store */
	char store_name[FDSTORE_NAME_BYTES];	/* "" when not stored */

	struct wtrack_request *request;		/* NULL if none is under way */
	struct opening *opening;		/* while there is one */
	struct wtrack_session *wtrack;		/* NULL in WAITING */
	const struct wtrack_event *event;	/* taken, not logged yet */
	struct ratelimit limit;

	/* watch_budget.c: entries about pages, of this interval */
	uint64_t state_begin_usec;
	uint32_t state_passed;
	bool paused;			/* nothing is read until the next one */

	bool check;			/* poll has something, is it an error? */
	/* poll(2) has reported the end: what is left in the ring has a bound. */
	bool hung_up;
	/* By an administrator: nothing is tracked any more. */
	bool ended;
	bool all_read;			/* ... and the ring is empty */

	/* What was fetched of the resync set and is not logged yet. */
	bool resync;
	bool resync_fetched;
	/* It was begun by another daemon: all pages count, from that range. */
	bool resync_all;
	size_t resync_at;
	struct wtrack_resync_range resync_ranges[WATCH_LOG_RANGES];
	size_t nr_resync;

	/* watch_arm.c */
	struct ranges todo;
	struct watch_gap *gaps;
	size_t nr_gaps;
	uint64_t backoff_usec;
	uint64_t retry_usec;

	/* Entries to be logged as soon as the journal takes them. */
	bool tell_armed;
	bool tell_resumed;
	bool tell_failed;
	uint64_t resumed_seq;
	const char *stopped;
	bool vm_ended;
	int error;

	bool blocked;			/* watch_journal.c */
	sd_event_source *io;
	sd_event_source *answer;
	sd_event_source *work;
	sd_event_source *barrier;
	sd_event_source *barrier_timer;
	sd_event_source *summary_timer;
	sd_event_source *pause_timer;
	sd_event_source *retry_timer;
};

/* watch_session.c. Takes references. */
int watch_session_new(struct guest *guest, const char *name,
		      struct watch_config *config, struct watch_counts *counts,
		      struct watch_session **ret);
void watch_session_free(struct watch_session *session);
/* Also out of the fd store. */
void watch_session_drop(struct watch_session *session);
/* Its descriptor, and what hangs on it; it stays open in the fd store. */
void watch_session_close(struct watch_session *session);
/* It is in the fd store, with that name. */
void watch_session_stored_as(struct watch_session *session,
			     const char *store_name);
void watch_session_unstore(struct watch_session *session);
void watch_drop_source(sd_event_source **source);
/* Has it end, when all that is in the ring is logged. @why is constant. */
void watch_session_leave(struct watch_session *session, const char *why);
/* Has watch_session_work() be called soon. */
void watch_session_poke(struct watch_session *session);
struct watch_origin watch_session_origin(const struct watch_session *session);
int watch_session_activate(struct watch_session *session);
/* The watch has another configuration, for which the same ring will do. */
int watch_session_apply(struct watch_session *session);
/* ... or has another one, for which it may take another ring. */
void watch_session_change(struct watch_session *session,
			  struct watch_config *config);

/* watch_open.c: asks wtrackd for it; if that fails it is tried again later. */
void watch_session_open(struct watch_session *session);
/* Goes on with one that was stored; @fd is taken over. */
int watch_session_take(struct watch_session *session, int fd);
/*
 * It does not work: logged, given up, and tried anew if there is a VM. One that an
 * administrator has ended is read to its end first.
 */
void watch_session_fail(struct watch_session *session, int error);

/* watch_drain.c: a bounded part of what there is to do. May free it. */
void watch_session_work(struct watch_session *session);

/*
 * watch_event.c. These send guest->entry: 0; -EAGAIN or -ENOTCONN when the
 * journal does not take it now.
 */
int watch_send(struct watch_session *session);
int watch_on_event(struct watch_session *session,
		   const struct wtrack_event *event);
/* What is held back so far: 1 when it was something. */
int watch_tell_suppressed(struct watch_session *session);
/* watch_resync.c: 1, or as above, or why the session does not work. */
int watch_step_resync(struct watch_session *session);

/*
 * watch_arm.c. One step: 1 when something was done, 0 when there is nothing to
 * do, or why the session does not work.
 */
int watch_arm_step(struct watch_session *session);
/* All that the watch wants is to be tracked, whether it is or not. */
int watch_arm_all(struct watch_session *session);
/* Nothing is left to be tried for the first time. */
bool watch_arm_is_done(const struct watch_session *session);
/* These pages were tracked until then. */
int watch_arm_lost(struct watch_session *session,
		   const struct wtrack_range *range, uint64_t since_ns);
/* watch_gap.c. A vCPU faults on its pages: not worth an entry, as long as it is so. */
bool watch_gap_is_short(const struct watch_gap *gap);
/* An entry for gaps that have to be told of: 1, or 0 for none. */
int watch_arm_entry(struct watch_session *session,
		    const struct watch_origin *origin,
		    struct journal_entry *entry);
/* That entry is logged. */
void watch_arm_told(struct watch_session *session);
void watch_arm_clear(struct watch_session *session);

/*
 * watch_budget.c. May there be an entry about a write of the user's VMs? It is for
 * the caller to hold it back if not.
 */
bool watch_user_may(struct watch_session *session, uint64_t now_usec);
void watch_user_told(struct watch_session *session, uint64_t now_usec);
/*
 * May there be an entry about pages? 1; 0 when the session is paused instead,
 * which an entry says; or what watch_send() says of that.
 */
int watch_state_may(struct watch_session *session);
/* Poll tells of the end: what is left is read without a pause. */
void watch_session_hung_up(struct watch_session *session);
void watch_state_told(struct watch_session *session);
void watch_users_free(struct shared *shared);

/* watch_journal.c: nothing of it is read until all are unblocked. */
void watch_session_block(struct watch_session *session);
void guest_unblock(struct guest *guest);
/* Unblocks them when the journal has room. */
void guest_wait_for_journal(struct guest *guest, int error);

#endif
