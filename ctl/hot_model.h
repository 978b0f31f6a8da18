/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of the pages that a guest writes to, made of samples. It computes:
 * it opens no session and asks for no time.
 *
 * Of a page that is armed for its first store alone, two things are learned: whether
 * the guest stored to it while it was armed, and when. With k first stores in the
 * time E that the page was armed in all, the guest stores to it k/E times a second,
 * give or take k/E divided by the root of k, if its stores do not depend on each
 * other. Stores that come in bursts count as one.
 */
#ifndef CTL_HOT_MODEL_H
#define CTL_HOT_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtrack/range.h>

/* Pages that are armed together at most: neighbours share a large page of the host. */
#define HOT_BLOCK_PAGES		32
/* Written pages that are kept apart; further ones are only counted. */
#define HOT_MAX_PAGES		65536

struct event;

/**
 * struct hot_page - a page of which a store was noticed
 * @gfn: which
 * @touches: first stores, of all times it was armed
 * @armed_ns: how long it was armed in all of them
 * @walks: how often the processor used it as a page table instead
 * @cause: why the guard disarmed it, WTRACK_CAUSE_*; 0 if it did not
 * @stores: those that were counted one by one
 * @seen_ns: in this time; 0 if they were not counted
 * @since_ns: while they are counted: since when it is observed, or 0
 * @rip, @rip_votes: the instruction that stored most often, or among the most
 *	frequent ones, if @rip_votes is not 0
 * @chosen: is counted
 */
struct hot_page {
	uint64_t gfn;
	uint64_t touches;
	uint64_t armed_ns;
	uint64_t walks;
	uint32_t cause;
	uint64_t stores;
	uint64_t seen_ns;
	uint64_t since_ns;
	uint64_t rip;
	uint64_t rip_votes;
	bool chosen;
};

/**
 * struct hot_block - pages that are armed together
 * @range: which
 * @first: the plan has them for the first time
 * @known_ns: for how long the plan had them armed before
 * @armed_at_ns: when they were armed
 * @armed: how many pages of it were armed; 0 when they were refused
 * @touched: how many pages were stored to
 */
struct hot_block {
	struct wtrack_range range;
	bool first;
	uint64_t known_ns;
	uint64_t armed_at_ns;
	uint64_t armed;
	uint64_t touched;
};

/**
 * struct hot_model - all of it
 * @regions, @nr_regions: the memory that is looked at, in ascending order
 * @pages: of all of them
 * @block_pages: of a block, unless it is the last of a region
 * @nr_blocks, @next, @stride, @left: the plan: each block once in a pass, in an
 *	order that is spread over all memory
 * @passes: complete ones
 * @round_ns: how long the last round was
 * @pass_ns: for how long each page was armed in all complete passes
 * @tree, @nr_found: struct hot_page, by their gfn
 * @not_kept: stores to further pages
 * @armings: pages that were armed, all in all
 * @sampled, @written: pages of the first pass that were armed, and were stored to
 * @sampled_blocks, @sum_yy, @sum_ym, @sum_mm: of the first pass, for the error
 */
struct hot_model {
	struct wtrack_range *regions;
	size_t nr_regions;
	uint64_t pages;
	uint64_t block_pages;
	uint64_t nr_blocks;
	uint64_t next;
	uint64_t stride;
	uint64_t left;
	uint64_t passes;
	uint64_t round_ns;
	uint64_t pass_ns;
	void *tree;
	size_t nr_found;
	uint64_t not_kept;
	uint64_t armings;
	uint64_t sampled;
	uint64_t written;
	uint64_t sampled_blocks;
	double sum_yy;
	double sum_ym;
	double sum_mm;
};

/* @round_pages: how many pages a round arms at most. */
void hot_model_init(struct hot_model *model, uint64_t round_pages);
void hot_model_done(struct hot_model *model);

/* The memory is this now: what was found stays, the plan begins again. */
void hot_model_set_memory(struct hot_model *model,
			  const struct wtrack_range *regions, size_t nr,
			  uint64_t seed);

/* The next block of the plan. False when there is no memory. */
bool hot_model_next(struct hot_model *model, struct hot_block *ret);

/*
 * An event of a session with WTRACK_RING_ONCE that had these blocks armed. Each
 * page has one at most.
 */
void hot_model_touch(struct hot_model *model, struct hot_block *blocks,
		     size_t nr, const struct event *event);
/* The blocks are not armed any more, since @now_ns. */
void hot_model_end_round(struct hot_model *model, struct hot_block *blocks,
			 size_t nr, uint64_t now_ns);

/* Events of a session that counts: all pages that are chosen, from then on. */
void hot_model_begin_count(struct hot_model *model, uint64_t now_ns);
void hot_model_count(struct hot_model *model, const struct event *event);
void hot_model_end_count(struct hot_model *model, uint64_t now_ns);

struct hot_page *hot_model_find(const struct hot_model *model, uint64_t gfn);
/*
 * The pages with the highest rates, at most @max: an array to be freed, whose
 * entries are the model's. Page tables are not among them.
 */
struct hot_page **hot_model_hottest(const struct hot_model *model, size_t max,
				    size_t *ret_nr);
/* Pages of which only the guard's walks are known. */
size_t hot_model_page_tables(const struct hot_model *model);

/* Stores a second, and the standard error. */
double hot_page_rate(const struct hot_page *page);
double hot_page_error(const struct hot_page *page);
bool hot_page_is_counted(const struct hot_page *page);

/* How many of all pages are written while one is armed, and the error. */
double hot_model_written(const struct hot_model *model, double *ret_error);

#endif
