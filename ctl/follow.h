/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All events of the pages of --gfn and --gpa, one after the other, until
 * something ends the stream.
 */
#ifndef CTL_FOLLOW_H
#define CTL_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtrack/range.h>

#include "command.h"
#include "cost.h"
#include "stream.h"

struct event;
struct wtrack_session;

#define FOLLOW_RECORDS	16384
/* What the module takes, as wtrackd.conf(5) has it. */
#define FOLLOW_MAX_BUDGET	COST_MAX_BUDGET
#define FOLLOW_MAX_PERIOD_MS	4000

/* For the tables of commands that follow. */
#define OPTION_BUDGET { .name = "budget", .type = ARG_STRING, \
	.metavar = "WRITES/TIME", \
	.summary = "let a page go unseen when it has more writes in that time" }
#define OPTION_FULL { .name = "full", \
	.summary = "no budget, whatever that costs the guest" }
#define OPTION_RECORDS { .name = "records", .type = ARG_NUMBER, \
	.metavar = "N", .min = 64, .max = 1 << 20, \
	.summary = "size of the ring (16384)" }

/**
 * struct follow - a session that is followed
 * @ctl: the run
 * @session: the session, with ring and pages; NULL: ticks alone
 * @stream: what ends it
 * @budget, @period_ms: of the session
 * @on_event: gets each event
 * @on_tick: is called each @tick_ns, if that is not 0, and at the end
 * @on_wake: is called when @wake_fd, a poll set that has the session as well,
 *	is ready; NULL without
 * @wake_fd: see there
 * @userdata: for all of them
 * @idle_ns: after that long without events there is one of type IDLE; 0: none
 * @tick_ns: the time between ticks
 *
 * The rest is its own.
 */
struct follow {
	struct ctl *ctl;
	struct wtrack_session *session;
	struct stream stream;
	uint32_t budget;
	uint32_t period_ms;
	void (*on_event)(struct follow *follow, const struct event *event);
	void (*on_tick)(struct follow *follow);
	void (*on_wake)(struct follow *follow);
	int wake_fd;
	void *userdata;
	uint64_t idle_ns;
	uint64_t tick_ns;

	struct cost_meter cost;
	bool idle;			/* was told */
	uint64_t last_ns;		/* when there was an event */
	uint64_t next_tick_ns;
	/*
	 * Pages without memory, whether it was there before or not; when to try
	 * the next time.
	 */
	struct wtrack_range *missing;
	size_t nr_missing;
	uint64_t retry_ns;
	uint64_t delay_ns;
};

/**
 * struct follow_options - what the command line says of a session that is followed
 * @records: size of the ring
 * @budget, @period_ms: 0 without a budget, that is, with --full or --once. When
 *	--budget is not given, the one with which the pages keep to COST_MAX_SHARE
 */
struct follow_options {
	uint32_t records;
	uint32_t budget;
	uint32_t period_ms;
};

/* Also sorts the pages of --gfn and --gpa. 0, or the exit code after ctl_fail(). */
int follow_read_options(struct ctl *ctl, struct follow_options *ret);

/*
 * Reads options, opens session, ring and stream. 0, or the exit code after
 * ctl_fail().
 */
int follow_open(struct follow *follow, struct ctl *ctl, unsigned int flags);

/*
 * After -EPERM for a ring with a budget that nobody asked for: true when the session
 * has none of its own any more, and the ring is to be made again.
 */
bool follow_leaves_budget(struct ctl *ctl, struct wtrack_session *session,
			  int err);

/*
 * Says so, or ends the stream if nobody has asked for it, when the stores that were
 * counted in @cost are more than COST_MAX_SHARE.
 */
void follow_check_cost(struct ctl *ctl, struct stream *stream,
		       struct cost_meter *cost);

/* Some pages could not be added: they are tried again. */
void follow_miss(struct follow *follow);

/* Until the stream ends: then stream_end() is to be called. */
void follow_run(struct follow *follow);
void follow_close(struct follow *follow);

/* "1000/100ms". 0, -EINVAL or -ERANGE. */
int follow_parse_budget(const char *text, uint32_t *ret_budget,
			uint32_t *ret_period_ms);

#endif
