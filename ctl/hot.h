/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One run of `wtrackctl hot`. */
#ifndef CTL_HOT_H
#define CTL_HOT_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl.h"
#include "hot_model.h"
#include "stream.h"

struct wtrack_session;

/* For how long the pages of a round are armed, unless one is stored to before. */
#define HOT_ROUNDS_PER_SECOND	5
#define HOT_ROUND_NS	(UINT64_C(1000000000) / HOT_ROUNDS_PER_SECOND)
/* A second has parts of one round more than that: so the bound holds in any second. */
#define HOT_SHARES	(HOT_ROUNDS_PER_SECOND + 1)
/*
 * What --cost may be: at least that one page is counted, with a store in each of the
 * periods of which a second has a part; at most what a ring has room for.
 */
#define HOT_MIN_COST	12
#define HOT_MAX_COST	(16000 * HOT_SHARES)
/*
 * What it is when nobody says so. An arming costs its guest no more than an emulated
 * store, and each arming brings one store at most: so both together stay below
 * COST_MAX_SHARE.
 */
#define HOT_COST	5000

/**
 * struct hot - what it works on
 * @ctl: the run
 * @stream: waits, and ends with a signal
 * @model: what is known
 * @cost: stores that may be emulated in a second, and pages that may be armed
 * @count: how many pages are counted and listed
 * @until_ns: when sampling ends; and
 * @end_ns: when counting does
 * @counting: sampling is over
 * @rounds: of sampling
 * @started_ns, @sampled_ns, @ended_ns: when it began, when sampling was over, when
 *	all was
 * @emulations: stores that were emulated or unseen because of our sessions, as their
 *	counters say
 * @shown_ns: when progress was shown
 */
struct hot {
	struct ctl *ctl;
	struct stream stream;
	struct hot_model model;
	uint64_t cost;
	size_t count;
	uint64_t until_ns;
	uint64_t end_ns;
	bool counting;
	uint64_t rounds;
	uint64_t started_ns;
	uint64_t sampled_ns;
	uint64_t ended_ns;
	uint64_t emulations;
	uint64_t shown_ns;
};

/* Sampling, then counting. 0, or the exit code after ctl_fail(). */
int hot_sample(struct hot *hot);
int hot_count(struct hot *hot);

/* On stderr, now and then. */
void hot_show_progress(struct hot *hot);
void hot_print(const struct hot *hot);

/* Adds what the session's counters say to @emulations. */
void hot_take_counters(struct hot *hot, struct wtrack_session *session);

#endif
