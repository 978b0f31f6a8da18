// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <search.h>
#include <stdlib.h>

#include <wtrack/event.h>

#include "event.h"
#include "hot_model.h"
#include "mem.h"

/* A record that is older than its arming, by a clock's grain. */
#define LEAST_NS	UINT64_C(1000)

void hot_model_init(struct hot_model *model, uint64_t round_pages)
{
	*model = (struct hot_model) { .block_pages = HOT_BLOCK_PAGES };
	while (model->block_pages > 1 && model->block_pages * 4 > round_pages)
		model->block_pages /= 2;
}

void hot_model_done(struct hot_model *model)
{
	tdestroy(model->tree, free);
	free(model->regions);
	*model = (struct hot_model) { 0 };
}

static uint64_t blocks_of(const struct hot_model *model,
			  const struct wtrack_range *region)
{
	return (region->nr_pages + model->block_pages - 1) / model->block_pages;
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	uint64_t rest;

	for (; b; a = b, b = rest)
		rest = a % b;
	return a;
}

/*
 * Steps of the golden section of all blocks: at any time those that were seen are
 * spread evenly over memory, and after nr_blocks steps each was seen once.
 */
static uint64_t make_stride(uint64_t nr_blocks)
{
	uint64_t stride = (uint64_t)((double)nr_blocks * 0.6180339887498949);

	stride = stride ? stride : 1;
	while (common_divisor(stride, nr_blocks) != 1)
		stride++;
	return stride;
}

void hot_model_set_memory(struct hot_model *model,
			  const struct wtrack_range *regions, size_t nr,
			  uint64_t seed)
{
	size_t i;

	free(model->regions);
	model->regions = mem_zalloc(nr * sizeof(*regions));
	model->nr_regions = nr;
	model->pages = 0;
	model->nr_blocks = 0;
	for (i = 0; i < nr; i++) {
		model->regions[i] = regions[i];
		model->pages += regions[i].nr_pages;
		model->nr_blocks += blocks_of(model, &regions[i]);
	}
	model->left = model->nr_blocks;
	if (!model->nr_blocks)
		return;
	model->next = seed % model->nr_blocks;
	model->stride = make_stride(model->nr_blocks);
}

static struct wtrack_range block_range(const struct hot_model *model,
				       uint64_t number)
{
	const struct wtrack_range *region = model->regions;
	struct wtrack_range range;

	for (; number >= blocks_of(model, region); region++)
		number -= blocks_of(model, region);
	range.gfn = region->gfn + number * model->block_pages;
	range.nr_pages = region->nr_pages - number * model->block_pages;
	if (range.nr_pages > model->block_pages)
		range.nr_pages = model->block_pages;
	return range;
}

bool hot_model_next(struct hot_model *model, struct hot_block *ret)
{
	if (!model->nr_blocks)
		return false;
	if (!model->left) {
		model->left = model->nr_blocks;
		model->passes++;
		model->pass_ns += model->round_ns;
	}
	*ret = (struct hot_block) {
		.range = block_range(model, model->next),
		.first = !model->passes,
		.known_ns = model->pass_ns,
	};
	model->left--;
	model->next = (model->next + model->stride) % model->nr_blocks;
	return true;
}

static int by_gfn(const void *a, const void *b)
{
	const struct hot_page *one = a, *other = b;

	return one->gfn < other->gfn ? -1 : one->gfn > other->gfn;
}

struct hot_page *hot_model_find(const struct hot_model *model, uint64_t gfn)
{
	const struct hot_page key = { .gfn = gfn };
	void *node = tfind(&key, &model->tree, by_gfn);

	return node ? *(struct hot_page **)node : NULL;
}

static struct hot_page *get_page(struct hot_model *model, uint64_t gfn,
				 uint64_t armed_ns)
{
	struct hot_page *page = hot_model_find(model, gfn);

	if (page)
		return page;
	if (model->nr_found == HOT_MAX_PAGES) {
		model->not_kept++;
		return NULL;
	}
	page = mem_zalloc(sizeof(*page));
	page->gfn = gfn;
	page->armed_ns = armed_ns;
	if (!tsearch(page, &model->tree, by_gfn)) {
		free(page);
		model->not_kept++;
		return NULL;
	}
	model->nr_found++;
	return page;
}

static struct hot_block *block_of(struct hot_block *blocks, size_t nr,
				  uint64_t gfn)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (gfn >= blocks[i].range.gfn &&
		    gfn - blocks[i].range.gfn < blocks[i].range.nr_pages)
			return &blocks[i];
	return NULL;
}

/* The majority, if there is one: by Boyer and Moore. */
static void vote(struct hot_page *page, const struct event *event)
{
	if (!event->has_rip)
		return;
	if (!page->rip_votes)
		page->rip = event->rip;
	if (page->rip == event->rip)
		page->rip_votes++;
	else
		page->rip_votes--;
}

/* What says nothing about a store of the guest. */
static bool is_no_store(const struct event *event)
{
	if (event->type == EVENT_WRITE)
		return false;
	switch (event->cause) {
	case WTRACK_CAUSE_NONE:
	case WTRACK_CAUSE_BUDGET:
	case WTRACK_CAUSE_HOLE:
	case WTRACK_CAUSE_MEMORY:
	case WTRACK_CAUSE_NEW_VCPU:
	case WTRACK_CAUSE_PAGE_WALK:
		return true;
	default:
		return event->code == WTRACK_GUARD_REARMED;
	}
}

void hot_model_touch(struct hot_model *model, struct hot_block *blocks,
		     size_t nr, const struct event *event)
{
	struct hot_block *block = block_of(blocks, nr, event_gfn(event));
	struct hot_page *page;
	uint64_t ns = LEAST_NS;

	if (!block || (event->type != EVENT_WRITE && event->type != EVENT_GUARD) ||
	    event->more)
		return;
	page = get_page(model, event_gfn(event), block->known_ns);
	if (!page)
		return;
	if (event->type == EVENT_GUARD)
		page->cause = event->cause;
	if (event->time_ns > block->armed_at_ns + LEAST_NS)
		ns = event->time_ns - block->armed_at_ns;
	page->since_ns = ns;
	page->walks += event->cause == WTRACK_CAUSE_PAGE_WALK &&
		       event->type == EVENT_GUARD;
	if (is_no_store(event))
		return;
	vote(page, event);
	page->touches++;
	block->touched++;
}

/* Of the first pass: how many pages of how many. */
static void add_block(struct hot_model *model, const struct hot_block *block)
{
	double y = (double)block->touched, m = (double)block->armed;

	model->sampled += block->armed;
	model->written += block->touched;
	model->sampled_blocks++;
	model->sum_yy += y * y;
	model->sum_ym += y * m;
	model->sum_mm += m * m;
}

/*
 * A page that was stored to was armed until then; the others all the time. Pages
 * that are not known are not looked at: what is known of them is the plan's.
 */
static void end_block(struct hot_model *model, const struct hot_block *block,
		      uint64_t now_ns)
{
	uint64_t ns = now_ns - block->armed_at_ns, gfn = block->range.gfn;
	struct hot_page *page;

	model->armings += block->armed;
	if (!block->armed)
		return;
	for (; gfn < block->range.gfn + block->range.nr_pages; gfn++) {
		page = hot_model_find(model, gfn);
		if (!page)
			continue;
		page->armed_ns += page->since_ns ? page->since_ns : ns;
		page->since_ns = 0;
	}
	if (block->first)
		add_block(model, block);
}

void hot_model_end_round(struct hot_model *model, struct hot_block *blocks,
			 size_t nr, uint64_t now_ns)
{
	size_t i;

	for (i = 0; i < nr; i++)
		end_block(model, &blocks[i], now_ns);
	if (nr)
		model->round_ns = now_ns - blocks[0].armed_at_ns;
}

static void begin_page(const void *node, VISIT visit, void *closure)
{
	struct hot_page *page = *(struct hot_page *const *)node;
	const uint64_t *now_ns = closure;

	if ((visit == postorder || visit == leaf) && page->chosen) {
		page->since_ns = *now_ns;
		page->rip_votes = 0;
	}
}

void hot_model_begin_count(struct hot_model *model, uint64_t now_ns)
{
	twalk_r(model->tree, begin_page, &now_ns);
}

static void stop_seeing(struct hot_page *page, uint64_t now_ns)
{
	if (page->since_ns && now_ns > page->since_ns)
		page->seen_ns += now_ns - page->since_ns;
	page->since_ns = 0;
}

void hot_model_count(struct hot_model *model, const struct event *event)
{
	struct hot_page *page = hot_model_find(model, event_gfn(event));

	if (!page || !page->chosen || event->more)
		return;
	if (event->type == EVENT_WRITE) {
		page->stores++;
		vote(page, event);
	}
	if (event->type != EVENT_GUARD)
		return;
	page->stores += !is_no_store(event);
	if (event->cause != WTRACK_CAUSE_BUDGET && event->cause)
		page->cause = event->cause;
	if (event->code == WTRACK_GUARD_REARMED)
		page->since_ns = event->time_ns;
	else if (event->code != WTRACK_GUARD_CHANGED)
		stop_seeing(page, event->time_ns);
}

static void end_page(const void *node, VISIT visit, void *closure)
{
	struct hot_page *page = *(struct hot_page *const *)node;
	const uint64_t *now_ns = closure;

	if ((visit == postorder || visit == leaf) && page->chosen)
		stop_seeing(page, *now_ns);
}

void hot_model_end_count(struct hot_model *model, uint64_t now_ns)
{
	twalk_r(model->tree, end_page, &now_ns);
}

bool hot_page_is_counted(const struct hot_page *page)
{
	return page->chosen && page->seen_ns;
}

double hot_page_rate(const struct hot_page *page)
{
	if (hot_page_is_counted(page))
		return (double)page->stores * 1e9 / (double)page->seen_ns;
	if (!page->armed_ns)
		return 0;
	return (double)page->touches * 1e9 / (double)page->armed_ns;
}

double hot_page_error(const struct hot_page *page)
{
	uint64_t nr = hot_page_is_counted(page) ? page->stores : page->touches;

	return nr ? hot_page_rate(page) / sqrt((double)nr) : 0;
}

struct listing {
	struct hot_page **pages;
	size_t nr;
	size_t tables;
};

static void list_page(const void *node, VISIT visit, void *closure)
{
	struct hot_page *page = *(struct hot_page *const *)node;
	struct listing *listing = closure;

	if (visit != postorder && visit != leaf)
		return;
	if (page->touches)
		listing->pages[listing->nr++] = page;
	else if (page->walks)
		listing->tables++;
}

static struct listing list_all(const struct hot_model *model)
{
	struct listing listing = { 0 };

	listing.pages = mem_zalloc((model->nr_found + 1) *
				   sizeof(*listing.pages));
	twalk_r(model->tree, list_page, &listing);
	return listing;
}

static int by_rate(const void *a, const void *b)
{
	const struct hot_page *one = *(struct hot_page *const *)a;
	const struct hot_page *other = *(struct hot_page *const *)b;
	double x = hot_page_rate(one), y = hot_page_rate(other);

	if (x > y || x < y)
		return x > y ? -1 : 1;
	return by_gfn(one, other);
}

struct hot_page **hot_model_hottest(const struct hot_model *model, size_t max,
				    size_t *ret_nr)
{
	struct listing listing = list_all(model);

	qsort(listing.pages, listing.nr, sizeof(*listing.pages), by_rate);
	*ret_nr = listing.nr < max ? listing.nr : max;
	return listing.pages;
}

size_t hot_model_page_tables(const struct hot_model *model)
{
	struct listing listing = list_all(model);

	free(listing.pages);
	return listing.tables;
}

/* A ratio of blocks of different size, of a population that is finite. */
double hot_model_written(const struct hot_model *model, double *ret_error)
{
	double n = (double)model->sampled_blocks, all = (double)model->pages;
	double m = (double)model->sampled, share, squares, variance;

	*ret_error = 0;
	if (!model->sampled)
		return 0;
	share = (double)model->written / m;
	squares = model->sum_yy - 2 * share * model->sum_ym +
		  share * share * model->sum_mm;
	if (n > 1 && m < all && squares > 0) {
		variance = (1 - m / all) * n / (n - 1) * squares / (m * m);
		*ret_error = sqrt(variance) * all;
	}
	return share * all;
}
