// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "ratelimit.h"

static bool interval_is_over(const struct ratelimit *limit, uint64_t now_usec)
{
	return !limit->started ||
	       now_usec - limit->begin_usec >= limit->interval_usec;
}

enum ratelimit_verdict ratelimit_ask(const struct ratelimit *limit,
				     uint64_t now_usec)
{
	if (limit->held.events)
		return RATELIMIT_HOLD;
	if (!limit->burst || !limit->interval_usec ||
	    interval_is_over(limit, now_usec) || limit->passed < limit->burst)
		return RATELIMIT_PASS;
	return RATELIMIT_CLOSE;
}

void ratelimit_use_up(struct ratelimit *limit, uint64_t now_usec)
{
	if (interval_is_over(limit, now_usec)) {
		limit->started = true;
		limit->begin_usec = now_usec;
	}
	limit->passed = limit->burst;
}

void ratelimit_passed(struct ratelimit *limit, uint64_t now_usec)
{
	if (interval_is_over(limit, now_usec)) {
		limit->started = true;
		limit->begin_usec = now_usec;
		limit->passed = 0;
	}
	limit->passed++;
}

static void count_page(struct held_back *held, uint64_t gfn)
{
	unsigned int i;

	for (i = 0; i < held->nr_pages; i++)
		if (held->pages[i].gfn == gfn) {
			held->pages[i].events++;
			return;
		}
	if (held->nr_pages == RATELIMIT_PAGES)
		held->elsewhere++;
	else
		held->pages[held->nr_pages++] =
			(struct ratelimit_page){ gfn, 1 };
}

void ratelimit_held(struct ratelimit *limit, uint64_t gfn, uint64_t seq,
		    uint64_t time_ns)
{
	struct held_back *held = &limit->held;

	if (!held->events) {
		held->first_seq = seq;
		held->first_ns = time_ns;
	}
	held->events++;
	held->last_seq = seq;
	held->last_ns = time_ns;
	count_page(held, gfn);
}

bool ratelimit_is_due(const struct ratelimit *limit, uint64_t now_usec)
{
	return limit->held.events && interval_is_over(limit, now_usec);
}

uint64_t ratelimit_end_usec(const struct ratelimit *limit)
{
	return limit->begin_usec + limit->interval_usec;
}

void ratelimit_reset(struct ratelimit *limit)
{
	memset(&limit->held, 0, sizeof(limit->held));
}
