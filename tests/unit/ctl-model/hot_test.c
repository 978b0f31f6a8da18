// SPDX-License-Identifier: GPL-2.0-or-later
/* wtrackctl hot: the plan, rates with their errors, what is known of all memory. */
#include <math.h>
#include <stdlib.h>

#include <wtrack/event.h>

#include "hot_model.h"
#include "test.h"

#define MS	UINT64_C(1000000)
#define SECOND	(1000 * MS)
#define ROUND	(200 * MS)
#define NEAR(a, b)	assert_true(fabs((a) - (b)) <= 1e-6 * fabs(b))

static struct hot_model model;

static int setup(void **state)
{
	(void)state;
	hot_model_init(&model, 1000);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hot_model_done(&model);
	return 0;
}

static struct event write_at(uint64_t gfn, uint64_t time_ns)
{
	return (struct event) {
		.type = EVENT_WRITE, .gpa = gfn << EVENT_PAGE_SHIFT, .len = 8,
		.time_ns = time_ns, .vcpu = -1,
	};
}

static struct event guard_at(uint64_t gfn, uint64_t time_ns, uint32_t action,
			     uint32_t cause)
{
	return (struct event) {
		.type = EVENT_GUARD, .gpa = gfn << EVENT_PAGE_SHIFT,
		.time_ns = time_ns, .code = action, .cause = cause, .vcpu = -1,
	};
}

/* A round of one page: stored to after that time, if it is not 0. */
static void look_at(uint64_t gfn, uint64_t after_ns)
{
	struct hot_block block = {
		.range = { gfn, 1 }, .armed_at_ns = SECOND, .armed = 1,
	};
	struct event event = write_at(gfn, SECOND + after_ns);

	if (after_ns)
		hot_model_touch(&model, &block, 1, &event);
	hot_model_end_round(&model, &block, 1, SECOND + ROUND);
}

/* In a pass each page is in one block, in whatever order, and none beyond. */
static void each_page_comes_once_in_a_pass(void **state)
{
	static const struct wtrack_range regions[] = {
		{ 0, 160 }, { 0x100, 1 }, { 0x1000, 1000 }, { 0x2000, 31 },
	};
	static unsigned char seen[0x3000];
	struct hot_block block;
	uint64_t pages = 0, i, pass;

	(void)state;
	hot_model_set_memory(&model, regions, 4, 12345);
	assert_int_equal(model.pages, 1192);
	for (pass = 1; pass <= 3; pass++) {
		for (i = 0; i < model.nr_blocks; i++) {
			assert_true(hot_model_next(&model, &block));
			assert_true(block.range.nr_pages <= HOT_BLOCK_PAGES);
			assert_int_equal(block.first, pass == 1);
			for (pages = 0; pages < block.range.nr_pages; pages++)
				seen[block.range.gfn + pages]++;
		}
		assert_int_equal(seen[0], pass);
		assert_int_equal(seen[0x100], pass);
		assert_int_equal(seen[0x13e7], pass);
		assert_int_equal(seen[0x201e], pass);
	}
	for (i = 0, pages = 0; i < sizeof(seen); i++)
		pages += seen[i];
	assert_int_equal(pages, 3 * 1192);
	hot_model_set_memory(&model, NULL, 0, 0);
	assert_false(hot_model_next(&model, &block));
}

/* A tenth of the plan has a tenth of each part of memory, or close to it. */
static void plan_is_spread_over_memory(void **state)
{
	const struct wtrack_range region = { 0, 32 * 1000 };
	unsigned int parts[10] = { 0 }, i;
	struct hot_block block;

	(void)state;
	hot_model_set_memory(&model, &region, 1, 7);
	for (i = 0; i < 100; i++) {
		assert_true(hot_model_next(&model, &block));
		parts[block.range.gfn / 3200]++;
	}
	for (i = 0; i < 10; i++)
		assert_in_range(parts[i], 8, 12);
}

/* However few pages a round may arm, no page is left out for good. */
static void small_rounds_have_small_blocks(void **state)
{
	const struct wtrack_range region = { 0, 100 };
	struct hot_block block;

	(void)state;
	hot_model_init(&model, 20);
	hot_model_set_memory(&model, &region, 1, 0);
	assert_true(hot_model_next(&model, &block));
	assert_int_equal(block.range.nr_pages, 4);
	hot_model_done(&model);
	hot_model_init(&model, 1);
	hot_model_set_memory(&model, &region, 1, 0);
	assert_true(hot_model_next(&model, &block));
	assert_int_equal(block.range.nr_pages, 1);
}

/* Four first stores in 10 + 20 + 30 + 40 ms, and a round without one. */
static void rate_is_first_stores_by_the_time_armed(void **state)
{
	const struct hot_page *page;

	(void)state;
	look_at(7, 10 * MS);
	look_at(7, 20 * MS);
	look_at(7, 30 * MS);
	look_at(7, 40 * MS);
	page = hot_model_find(&model, 7);
	assert_int_equal(page->touches, 4);
	NEAR(hot_page_rate(page), 40.0);
	NEAR(hot_page_error(page), 20.0);
	look_at(7, 0);
	NEAR(hot_page_rate(page), 4 / 0.3);
	assert_false(hot_page_is_counted(page));
	assert_null(hot_model_find(&model, 8));
	assert_int_equal(model.armings, 5);
}

/* What the plan saw of it before counts as well, without a store. */
static void earlier_passes_count(void **state)
{
	const struct wtrack_range region = { 0, 8 };
	struct hot_block block;
	struct event event = write_at(3, 2 * SECOND + 100 * MS);

	(void)state;
	hot_model_set_memory(&model, &region, 1, 0);
	hot_model_next(&model, &block);
	block.armed_at_ns = SECOND;
	block.armed = 8;
	hot_model_end_round(&model, &block, 1, SECOND + ROUND);
	hot_model_next(&model, &block);
	block.armed_at_ns = 2 * SECOND;
	block.armed = 8;
	hot_model_touch(&model, &block, 1, &event);
	hot_model_end_round(&model, &block, 1, 2 * SECOND + ROUND);
	NEAR(hot_page_rate(hot_model_find(&model, 3)), 1 / 0.3);
	/* The first pass alone is the sample. */
	assert_int_equal(model.sampled, 8);
	assert_int_equal(model.written, 0);
}

/* A record that is older than the arming, by clocks that differ. */
static void time_is_never_none(void **state)
{
	struct hot_block block = {
		.range = { 5, 1 }, .armed_at_ns = SECOND, .armed = 1,
	};
	struct event event = write_at(5, 3);

	(void)state;
	hot_model_touch(&model, &block, 1, &event);
	hot_model_end_round(&model, &block, 1, SECOND + ROUND);
	NEAR(hot_page_rate(hot_model_find(&model, 5)), 1e6);
}

/* Not of a block of the round, not a store: nothing is made of it. */
static void other_events_are_nothing(void **state)
{
	struct hot_block block = {
		.range = { 5, 1 }, .armed_at_ns = SECOND, .armed = 1,
	};
	struct event event = write_at(6, SECOND + MS);

	(void)state;
	hot_model_touch(&model, &block, 1, &event);
	event = write_at(5, SECOND + MS);
	event.more = true;
	hot_model_touch(&model, &block, 1, &event);
	event.type = EVENT_REGION_REMOVED;
	event.more = false;
	hot_model_touch(&model, &block, 1, &event);
	assert_int_equal(model.nr_found, 0);
}

/* A page table is walked at each access: that is no store, and not hot. */
static void page_tables_are_not_listed(void **state)
{
	struct hot_block blocks[] = {
		{ .range = { 5, 1 }, .armed_at_ns = SECOND, .armed = 1 },
		{ .range = { 9, 1 }, .armed_at_ns = SECOND, .armed = 1 },
	};
	struct event event = guard_at(5, SECOND + MS, WTRACK_GUARD_DISARMED,
				      WTRACK_CAUSE_PAGE_WALK);
	struct hot_page **pages;
	size_t nr;

	(void)state;
	hot_model_touch(&model, blocks, 2, &event);
	event = guard_at(9, SECOND + MS, WTRACK_GUARD_DISARMED,
			 WTRACK_CAUSE_UNEMULATED);
	hot_model_touch(&model, blocks, 2, &event);
	hot_model_end_round(&model, blocks, 2, SECOND + ROUND);
	pages = hot_model_hottest(&model, 10, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(pages[0]->gfn, 9);
	assert_int_equal(pages[0]->cause, WTRACK_CAUSE_UNEMULATED);
	assert_int_equal(hot_model_page_tables(&model), 1);
	free(pages);
}

static void hottest_come_first(void **state)
{
	struct hot_page **pages;
	size_t nr;

	(void)state;
	look_at(1, 100 * MS);
	look_at(2, 1 * MS);
	look_at(3, 10 * MS);
	look_at(4, 100 * MS);
	pages = hot_model_hottest(&model, 3, &nr);
	assert_int_equal(nr, 3);
	assert_int_equal(pages[0]->gfn, 2);
	assert_int_equal(pages[1]->gfn, 3);
	assert_int_equal(pages[2]->gfn, 1);
	free(pages);
}

/* 50 stores in half a second, then over its budget, then 10 in a fifth of one. */
static void counting_leaves_out_what_is_not_seen(void **state)
{
	struct hot_page *page;
	struct event event;
	int i;

	(void)state;
	look_at(7, 100 * MS);
	look_at(8, 100 * MS);
	page = hot_model_find(&model, 7);
	page->chosen = true;
	hot_model_begin_count(&model, 10 * SECOND);
	event = write_at(7, 10 * SECOND);
	for (i = 0; i < 50; i++)
		hot_model_count(&model, &event);
	event = guard_at(7, 10 * SECOND + 500 * MS, WTRACK_GUARD_DISARMED,
			 WTRACK_CAUSE_BUDGET);
	hot_model_count(&model, &event);
	event = guard_at(7, 11 * SECOND, WTRACK_GUARD_REARMED,
			 WTRACK_CAUSE_NONE);
	hot_model_count(&model, &event);
	event = write_at(7, 11 * SECOND);
	for (i = 0; i < 10; i++)
		hot_model_count(&model, &event);
	/* One of several parts, and of a page that is not counted. */
	event.more = true;
	hot_model_count(&model, &event);
	event = write_at(8, 11 * SECOND);
	hot_model_count(&model, &event);
	hot_model_end_count(&model, 11 * SECOND + 200 * MS);
	assert_true(hot_page_is_counted(page));
	assert_int_equal(page->stores, 60);
	assert_int_equal(page->cause, 0);
	NEAR(hot_page_rate(page), 60 / 0.7);
	NEAR(hot_page_error(page), 60 / 0.7 / sqrt(60));
	assert_false(hot_page_is_counted(hot_model_find(&model, 8)));
}

static void most_frequent_instruction_is_named(void **state)
{
	struct event event = write_at(7, 10 * SECOND);
	struct hot_page *page;
	int i;

	(void)state;
	look_at(7, 100 * MS);
	page = hot_model_find(&model, 7);
	page->chosen = true;
	assert_int_equal(page->rip_votes, 0);
	hot_model_begin_count(&model, 10 * SECOND);
	event.has_rip = true;
	for (i = 0; i < 30; i++) {
		event.rip = i % 3 ? 0x1000 : 0x2000 + (uint64_t)i;
		hot_model_count(&model, &event);
	}
	assert_true(page->rip_votes);
	assert_int_equal(page->rip, 0x1000);
}

/*
 * 10 of 100 blocks of 32 pages, of which each has 4 pages written: 400 of all, and
 * no error between blocks. Then blocks with none and with 8.
 */
static void written_pages_are_estimated(void **state)
{
	const struct wtrack_range region = { 0, 3200 };
	struct hot_block block;
	struct event event;
	double error;
	int i, j, half;

	(void)state;
	for (half = 0; half < 2; half++) {
		hot_model_done(&model);
		hot_model_init(&model, 1000);
		hot_model_set_memory(&model, &region, 1, 0);
		for (i = 0; i < 10; i++) {
			hot_model_next(&model, &block);
			block.armed_at_ns = SECOND;
			block.armed = 32;
			for (j = 0; j < (half ? i % 2 * 8 : 4); j++) {
				event = write_at(block.range.gfn + (uint64_t)j,
						 SECOND + MS);
				hot_model_touch(&model, &block, 1, &event);
			}
			hot_model_end_round(&model, &block, 1, SECOND + ROUND);
		}
		NEAR(hot_model_written(&model, &error), 400.0);
		/* Half of the blocks are 4 above the mean, half 4 below. */
		if (half)
			NEAR(error, 3200 * sqrt(0.9 * 10 / 9 * 160 / 320 / 320));
		else
			assert_true(error < 1e-6);
	}
}

/* There is a limit to what is kept, and what is beyond is told. */
static void pages_beyond_the_limit_are_counted(void **state)
{
	struct hot_block block = {
		.range = { 0, HOT_MAX_PAGES + 5 }, .armed_at_ns = SECOND,
		.armed = HOT_MAX_PAGES + 5,
	};
	struct event event;
	uint64_t gfn;

	(void)state;
	for (gfn = 0; gfn < HOT_MAX_PAGES + 5; gfn++) {
		event = write_at(gfn, SECOND + MS);
		hot_model_touch(&model, &block, 1, &event);
	}
	assert_int_equal(model.nr_found, HOT_MAX_PAGES);
	assert_int_equal(model.not_kept, 5);
}

#undef CASE
#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(each_page_comes_once_in_a_pass),
		CASE(plan_is_spread_over_memory),
		CASE(small_rounds_have_small_blocks),
		CASE(rate_is_first_stores_by_the_time_armed),
		CASE(earlier_passes_count),
		CASE(time_is_never_none),
		CASE(other_events_are_nothing),
		CASE(page_tables_are_not_listed),
		CASE(hottest_come_first),
		CASE(counting_leaves_out_what_is_not_seen),
		CASE(most_frequent_instruction_is_named),
		CASE(written_pages_are_estimated),
		CASE(pages_beyond_the_limit_are_counted),
	};

	return RUN(cases);
}
