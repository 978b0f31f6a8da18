// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries of the journal for pages that are not tracked, or are again. */
#include <errno.h>
#include <stdlib.h>

#include "util.h"
#include "watch_session.h"

/* Pages that a vCPU faults on are tracked a moment later, as a rule. */
#define SHORT_NS	UINT64_C(1000000000)

bool watch_gap_is_short(const struct watch_gap *gap)
{
	return gap->error == -EAGAIN && !gap->told && !gap->until_ns &&
	       now_ns() - gap->since_ns < SHORT_NS;
}

/* That such pages were not tracked is not told, so nor is that they are. */
static bool was_short(const struct watch_gap *gap)
{
	return gap->error == -EAGAIN && !gap->told && gap->until_ns;
}

static bool has_to_be_told(const struct watch_gap *gap)
{
	return gap->until_ns || (!gap->told && !watch_gap_is_short(gap));
}

/* One entry is enough for both. */
static bool belongs_to(const struct watch_gap *gap,
		       const struct watch_gap *first)
{
	return has_to_be_told(gap) && !gap->until_ns == !first->until_ns &&
	       gap->error == first->error &&
	       (!gap->until_ns || gap->since_ns == first->since_ns);
}

static struct watch_gap *first_to_tell(struct watch_session *session)
{
	size_t i;

	for (i = 0; i < session->nr_gaps; i++)
		if (has_to_be_told(&session->gaps[i]))
			return &session->gaps[i];
	return NULL;
}

/*
 * Calls fn for each gap of the next entry, which are as many as its list of
 * pages has room for.
 */
static int each_of_entry(struct watch_session *session, struct ranges *pages,
			 void (*fn)(struct watch_gap *gap,
				    struct watch_gap *first))
{
	struct watch_gap *first = first_to_tell(session);
	struct watch_gap copy = *first;
	struct watch_gap *gap;
	int r = 0;

	for (gap = first; gap < session->gaps + session->nr_gaps; gap++) {
		if (pages->nr == WATCH_LOG_RANGES)
			break;
		if (!belongs_to(gap, &copy))
			continue;
		r = ranges_add(pages, &gap->range);
		if (r < 0)
			break;
		fn(gap, first);
	}
	return r;
}

static void take_newest(struct watch_gap *gap, struct watch_gap *first)
{
	if (gap->until_ns > first->until_ns)
		first->until_ns = gap->until_ns;
}

static void mark_told(struct watch_gap *gap, struct watch_gap *first)
{
	(void)first;
	gap->told = true;
	if (gap->until_ns)
		gap->range.nr_pages = 0;
}

static void drop_empty(struct watch_session *session)
{
	size_t from, to = 0;

	for (from = 0; from < session->nr_gaps; from++)
		if (session->gaps[from].range.nr_pages)
			session->gaps[to++] = session->gaps[from];
	session->nr_gaps = to;
}

static void drop_short(struct watch_session *session)
{
	size_t i;

	for (i = 0; i < session->nr_gaps; i++)
		if (was_short(&session->gaps[i]))
			session->gaps[i].range.nr_pages = 0;
	drop_empty(session);
}

int watch_arm_entry(struct watch_session *session,
		    const struct watch_origin *origin,
		    struct journal_entry *entry)
{
	struct ranges pages = { 0 };
	struct watch_gap *first;
	int r;

	drop_short(session);
	first = first_to_tell(session);
	if (!first)
		return 0;
	r = each_of_entry(session, &pages, take_newest);
	if (!r && first->until_ns)
		watch_log_rearmed(entry, origin, &pages, first->since_ns,
				  first->until_ns);
	else if (!r)
		watch_log_gap(entry, origin, &pages, first->since_ns,
			      first->error);
	ranges_clear(&pages);
	return r < 0 ? r : 1;
}

void watch_arm_told(struct watch_session *session)
{
	struct ranges pages = { 0 };

	(void)each_of_entry(session, &pages, mark_told);
	ranges_clear(&pages);
	drop_empty(session);
}

void watch_arm_clear(struct watch_session *session)
{
	ranges_clear(&session->todo);
	free(session->gaps);
	session->gaps = NULL;
	session->nr_gaps = 0;
	session->backoff_usec = 0;
}
