/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * At most so many entries in each interval, and an account of the others.
 *
 * From the first event that is held back all are, until the interval is over:
 * what was held back is without holes in the session's sequence, and the entry
 * that opens it and whatever is logged next tell exactly which events these
 * are, also to the reader of a journal in which the summary is missing.
 */
#ifndef RATELIMIT_H
#define RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* So many pages are named in a summary. */
#define RATELIMIT_PAGES	8

struct ratelimit_page {
	uint64_t gfn;
	uint64_t events;
};

struct held_back {
	uint64_t events;
	uint64_t first_seq;
	uint64_t last_seq;
	uint64_t first_ns;
	uint64_t last_ns;
	struct ratelimit_page pages[RATELIMIT_PAGES];
	unsigned int nr_pages;
	/* Events on pages that had no place above. */
	uint64_t elsewhere;
};

struct ratelimit {
	uint64_t interval_usec;
	/* 0 of either: no limit. */
	uint32_t burst;
	uint32_t passed;
	bool started;
	uint64_t begin_usec;
	struct held_back held;
};

enum ratelimit_verdict {
	RATELIMIT_PASS,
	/* The first one of this interval that is held back. */
	RATELIMIT_CLOSE,
	RATELIMIT_HOLD,
};

/* What to do with an event at @now_usec; it is accounted for by the caller. */
enum ratelimit_verdict ratelimit_ask(const struct ratelimit *limit,
				     uint64_t now_usec);
/* Somebody else's limit is reached: nothing passes until the interval is over. */
void ratelimit_use_up(struct ratelimit *limit, uint64_t now_usec);
void ratelimit_passed(struct ratelimit *limit, uint64_t now_usec);
void ratelimit_held(struct ratelimit *limit, uint64_t gfn, uint64_t seq,
		    uint64_t time_ns);

/* Something was held back, and the interval is over. */
bool ratelimit_is_due(const struct ratelimit *limit, uint64_t now_usec);
/* When it will be over. */
uint64_t ratelimit_end_usec(const struct ratelimit *limit);
/* The summary is out; the interval goes on if it is not over. */
void ratelimit_reset(struct ratelimit *limit);

#endif
