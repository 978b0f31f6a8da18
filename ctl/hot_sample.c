// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Rounds of first-touch sampling: some pages are armed, for their first store alone,
 * and after a while not armed any more. A page costs its guest an arming and a store
 * that is emulated at most, so the number of pages that are armed in a second bounds
 * both.
 */
#include <errno.h>
#include <stdlib.h>

#include <wtrack/wtrack.h>

#include "event.h"
#include "hot.h"
#include "mem.h"
#include "open.h"

/* A VM refuses to arm pages in the first milliseconds after it was attached to. */
#define RETRY_NS	(10 * INT64_C(1000000))
/* Stores to a page from which its rate is known well enough. */
#define ENOUGH_TOUCHES	16
/* Memory that changes all the time has no regions to sample. */
#define TRIES		16

/**
 * struct sampler - a session, and a round of it
 * @hot: the run
 * @session: with WTRACK_RING_ONCE
 * @round_pages: how many are armed in a round
 * @generation: of the memory that the model has
 * @blocks, @nr: of the round
 * @started_ns: when it began
 */
struct sampler {
	struct hot *hot;
	struct wtrack_session *session;
	uint64_t round_pages;
	uint64_t generation;
	struct hot_block *blocks;
	size_t nr;
	uint64_t started_ns;
};

static int fail(struct sampler *sampler, int err, const char *what)
{
	if (err == -ESRCH) {
		stream_stop(&sampler->hot->stream, STREAM_VM_GONE, EXIT_OK);
		return 0;
	}
	return open_fail(sampler->hot->ctl, err, what);
}

/* Where the guest can store to. */
static bool is_memory(const struct wtrack_region *region)
{
	return !(region->flags & (WTRACK_REGION_READONLY |
				  WTRACK_REGION_PRIVATE | WTRACK_REGION_KVM));
}

/* -EAGAIN when the regions changed meanwhile. */
static int read_regions_once(struct sampler *sampler,
			     struct wtrack_range **ranges, size_t *nr)
{
	uint64_t gfn = 0, generation = 0, first = 0;
	struct wtrack_region region;
	bool any = false;
	int r;

	*nr = 0;
	while ((r = wtrack_session_regions_next(sampler->session, &gfn, &region,
						&generation)) > 0) {
		first = any ? first : generation;
		any = true;
		if (generation != first)
			return -EAGAIN;
		if (!is_memory(&region))
			continue;
		*ranges = mem_grow(*ranges, *nr, sizeof(**ranges));
		(*ranges)[(*nr)++] = (struct wtrack_range) { region.gfn,
							     region.nr_pages };
	}
	sampler->generation = generation;
	return r || !any || generation == first ? r : -EAGAIN;
}

static int read_regions(struct sampler *sampler)
{
	struct hot *hot = sampler->hot;
	struct wtrack_range *ranges = NULL;
	int tries = TRIES, r;
	size_t nr;

	do {
		r = read_regions_once(sampler, &ranges, &nr);
	} while (r == -EAGAIN && --tries);
	if (!r)
		hot_model_set_memory(&hot->model, ranges, nr, stream_now_ns());
	free(ranges);
	return r ? fail(sampler, r == -EAGAIN ? -EBUSY : r,
			"reading the memory regions") : 0;
}

static bool is_in_round(const struct sampler *sampler, uint64_t gfn)
{
	size_t i;

	for (i = 0; i < sampler->nr; i++)
		if (gfn - sampler->blocks[i].range.gfn <
		    sampler->blocks[i].range.nr_pages)
			return true;
	return false;
}

/* Of the pages that are hottest so far, those of which too little is known. */
static uint64_t plan_again(struct sampler *sampler, uint64_t max)
{
	struct hot *hot = sampler->hot;
	struct hot_page **pages;
	uint64_t done = 0;
	size_t nr, i;

	pages = hot_model_hottest(&hot->model, 4 * hot->count, &nr);
	for (i = 0; i < nr && done < max; i++) {
		if (pages[i]->touches >= ENOUGH_TOUCHES)
			continue;
		sampler->blocks[sampler->nr++] = (struct hot_block) {
			.range = { pages[i]->gfn, 1 },
		};
		done++;
	}
	free(pages);
	return done;
}

/* Blocks of the plan, each once in a round at most. */
static void plan_fresh(struct sampler *sampler, uint64_t left)
{
	struct hot_model *model = &sampler->hot->model;
	uint64_t blocks = model->nr_blocks;
	struct hot_block block;

	while (blocks-- && left >= model->block_pages &&
	       hot_model_next(model, &block)) {
		left -= block.range.nr_pages;
		sampler->blocks[sampler->nr++] = block;
	}
}

/* A page that comes with its block is not armed by itself as well. */
static void drop_doubles(struct sampler *sampler, size_t nr_again)
{
	struct hot_block *blocks = sampler->blocks;
	size_t all = sampler->nr, i, nr;

	/* Only those of the plan. */
	sampler->blocks = blocks + nr_again;
	sampler->nr = all - nr_again;
	for (i = 0, nr = 0; i < nr_again; i++)
		if (!is_in_round(sampler, blocks[i].range.gfn))
			blocks[nr++] = blocks[i];
	for (i = nr_again; i < all; i++)
		blocks[nr++] = blocks[i];
	sampler->blocks = blocks;
	sampler->nr = nr;
}

static void plan(struct sampler *sampler)
{
	uint64_t again;

	sampler->nr = 0;
	again = plan_again(sampler, sampler->round_pages / 2);
	plan_fresh(sampler, sampler->round_pages - again);
	drop_doubles(sampler, again);
}

/*
 * 0, or -errno when no more can be armed. *@ret_again: the first block was refused
 * just now, and with @patient nothing else was tried.
 */
static int arm_once(struct sampler *sampler, bool patient, bool *ret_again)
{
	struct wtrack_result result;
	struct hot_block *block;
	size_t i;
	int r;

	*ret_again = false;
	for (i = 0; i < sampler->nr; i++) {
		block = &sampler->blocks[i];
		block->armed_at_ns = stream_now_ns();
		r = wtrack_session_add(sampler->session, &block->range, 1,
				       &result, WTRACK_CHANGE_NOWAIT |
				       WTRACK_CHANGE_SKIP_HOLES);
		if (r == -ESRCH || r == -ESHUTDOWN || r == -ENOMEM ||
		    r == -EPERM)
			return r;
		block->armed = result.done;
		*ret_again = patient && !i && !result.done &&
			     result.error == -EAGAIN;
		if (*ret_again)
			break;
	}
	return 0;
}

/*
 * Nothing waits in the module for a page that the VMM provides on demand. All pages
 * are refused for the first milliseconds only.
 */
static int arm(struct sampler *sampler)
{
	struct hot *hot = sampler->hot;
	int tries = TRIES, r = 0;
	bool again = true;

	while (!r && again && stream_now_ns() < hot->until_ns) {
		sampler->started_ns = stream_now_ns();
		r = arm_once(sampler, --tries > 0, &again);
		if (again && stream_wait(&hot->stream, -1, RETRY_NS) ==
			     STREAM_END)
			break;
	}
	return r;
}

/* What the ring had no room for was stored to, at a time that is not known. */
static int touch_resync(struct sampler *sampler)
{
	struct hot_model *model = &sampler->hot->model;
	struct wtrack_resync_range range;
	struct event event = { .type = EVENT_WRITE, .vcpu = -1 };
	uint64_t gfn;
	int r;

	event.time_ns = stream_now_ns();
	while ((r = wtrack_session_resync_next(sampler->session, &range)) > 0)
		for (gfn = range.gfn; gfn < range.gfn + range.nr_pages; gfn++) {
			event.gpa = gfn << EVENT_PAGE_SHIFT;
			hot_model_touch(model, sampler->blocks, sampler->nr,
					&event);
		}
	return r;
}

static int take(struct sampler *sampler)
{
	const struct wtrack_event *from;
	struct event event;
	int r = 0;

	while (!r && (from = wtrack_session_next(sampler->session))) {
		event_from_wtrack(&event, from);
		if (event.type == EVENT_RESYNC)
			r = touch_resync(sampler);
		else if (event.type == EVENT_VM_GONE)
			r = -ESRCH;
		else if (wtrack_event_get_type(from) == WTRACK_EVENT_ENDED)
			r = -ESHUTDOWN;
		else
			hot_model_touch(&sampler->hot->model, sampler->blocks,
					sampler->nr, &event);
	}
	wtrack_session_release(sampler->session);
	return r;
}

/* Pages that were not armed, or whose memory has gone, are refused: that is known. */
static int disarm(struct sampler *sampler)
{
	struct wtrack_range *ranges;
	uint64_t seq;
	size_t i;
	int r;

	ranges = mem_zalloc((sampler->nr + 1) * sizeof(*ranges));
	for (i = 0; i < sampler->nr; i++)
		ranges[i] = sampler->blocks[i].range;
	r = wtrack_session_remove_fenced(sampler->session, ranges, sampler->nr,
					 NULL, 0, &seq);
	free(ranges);
	return r == -ENOENT ? 0 : r;
}

/* Until the round is over, or the command is to end. */
static void wait_until(struct hot *hot, uint64_t until_ns)
{
	uint64_t now = stream_now_ns();
	int64_t left = until_ns > now ? (int64_t)(until_ns - now) : 0;

	hot_show_progress(hot);
	stream_wait(&hot->stream, -1, left);
}

/* 0, or -errno. A round that was cut short counts as what it was. */
static int run_round(struct sampler *sampler)
{
	struct hot *hot = sampler->hot;
	uint64_t ended_ns;
	int r = arm(sampler);

	if (r)
		return r;
	wait_until(hot, sampler->started_ns + HOT_ROUND_NS);
	ended_ns = stream_now_ns();
	r = disarm(sampler);
	if (!r)
		r = take(sampler);
	hot_model_end_round(&hot->model, sampler->blocks, sampler->nr,
			    ended_ns);
	hot->rounds++;
	return r;
}

/* The memory of a guest changes while it runs. */
static int follow_memory(struct sampler *sampler)
{
	struct wtrack_status status;

	if (wtrack_session_get_status(sampler->session, &status,
				      sizeof(status)) ||
	    status.generation == sampler->generation)
		return 0;
	return read_regions(sampler);
}

static int run_rounds(struct sampler *sampler)
{
	struct hot *hot = sampler->hot;
	int r = read_regions(sampler);

	while (!r && hot->stream.reason == STREAM_GOES_ON &&
	       stream_now_ns() < hot->until_ns) {
		plan(sampler);
		if (!sampler->nr)
			return ctl_fail(hot->ctl, EXIT_NOT_FOUND, "the VM has no "
					"memory there; `wtrackctl map` shows "
					"what there is");
		r = run_round(sampler);
		if (r)
			return fail(sampler, r, "sampling");
		r = follow_memory(sampler);
	}
	return r;
}

static uint32_t ring_for(uint64_t pages)
{
	uint32_t records = 64;

	/* Two places are the module's; a page has one record in a round. */
	while (records < pages + 2)
		records *= 2;
	return records;
}

void hot_take_counters(struct hot *hot, struct wtrack_session *session)
{
	struct wtrack_status status;

	if (!wtrack_session_get_status(session, &status, sizeof(status)))
		hot->emulations += status.events + status.merged +
				   status.resync_writes;
}

int hot_sample(struct hot *hot)
{
	struct sampler sampler = { .hot = hot };
	uint32_t records;
	int r;

	sampler.round_pages = hot->cost / HOT_SHARES;
	records = ring_for(sampler.round_pages);
	r = open_sampler(hot->ctl, sampler.round_pages, records,
			 &sampler.session);
	if (r)
		return r;
	sampler.blocks = mem_zalloc(sampler.round_pages *
				    sizeof(*sampler.blocks));
	r = wtrack_session_make_ring(sampler.session, records, WTRACK_RING_ONCE,
				     0, 0);
	if (r)
		r = open_fail(hot->ctl, r, "making the ring");
	else
		r = run_rounds(&sampler);
	hot_take_counters(hot, sampler.session);
	hot->sampled_ns = stream_now_ns();
	wtrack_session_close(sampler.session);
	free(sampler.blocks);
	return r;
}
