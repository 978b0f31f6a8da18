// SPDX-License-Identifier: GPL-2.0-or-later
/* Sums of events, whatever the events are. */
#include <stdlib.h>

#include <wtrack/event.h>
#include <wtrack/resync.h>

#include "ranges.h"
#include "report.h"
#include "test.h"
#include "timeline.h"

#define START	UINT64_C(1000000000)

static struct report report;

static int setup(void **state)
{
	(void)state;
	report_init(&report, START);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	report_done(&report);
	return 0;
}

static void add(int type, uint64_t gfn, uint64_t ns, uint32_t code)
{
	struct event event = {
		.type = type, .gpa = gfn << 12, .time_ns = START + ns,
		.code = code, .cause = WTRACK_CAUSE_BUDGET, .vcpu = 1,
		.len = 8, .total = 8, .nr_pages = 4, .has_rip = true,
		.rip = 0x1000 + gfn,
	};

	if (type != EVENT_WRITE)
		event.len = 0;
	report_add(&report, &event);
}

static const struct tally_entry *page(uint64_t gfn)
{
	return tally_get(&report.pages, gfn);
}

static void writes_are_counted_by_page_and_instruction(void **state)
{
	struct tally_entry **list;
	size_t nr;

	(void)state;
	add(EVENT_WRITE, 7, 10, 0);
	add(EVENT_WRITE, 9, 20, 0);
	add(EVENT_WRITE, 9, 30, 0);
	report_finish(&report);
	assert_int_equal(report.writes, 3);
	assert_int_equal(report.bytes, 24);
	assert_int_equal(report.lens[LEN_8], 3);
	assert_int_equal(page(9)->count, 2);
	assert_int_equal(page(9)->first_ns, START + 20);
	assert_int_equal(page(9)->last_ns, START + 30);
	assert_int_equal(report_pages_written(&report), 2);
	assert_int_equal(report.end_ns, START + 30);
	assert_false(report_has_losses(&report));
	list = tally_sorted(&report.rips, TALLY_BY_COUNT, 1, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(list[0]->key, 0x1009);
	free(list);
}

static void stores_in_parts_have_one_length(void **state)
{
	struct event event = { .type = EVENT_WRITE, .len = 24, .total = 60,
			       .more = true, .vcpu = -1 };

	(void)state;
	report_add(&report, &event);
	report_add(&report, &event);
	event.more = false;
	event.len = 12;
	report_add(&report, &event);
	assert_int_equal(report.writes, 3);
	assert_int_equal(report.bytes, 60);
	assert_int_equal(report.lens[LEN_OTHER], 1);
	assert_int_equal(report.vcpus.nr, 0);
}

static void unseen_time_is_summed_up(void **state)
{
	(void)state;
	add(EVENT_GUARD, 7, 100, WTRACK_GUARD_DISARMED);
	add(EVENT_GUARD, 7, 110, WTRACK_GUARD_DISARMED);
	add(EVENT_GUARD, 7, 150, WTRACK_GUARD_REARMED);
	add(EVENT_GUARD, 7, 160, WTRACK_GUARD_REARMED);
	add(EVENT_GUARD, 7, 170, WTRACK_GUARD_CHANGED);
	add(EVENT_GUARD, 7, 200, WTRACK_GUARD_STOPPED);
	add(EVENT_WRITE, 8, 300, 0);
	report_finish(&report);
	assert_int_equal(page(7)->unseen_ns, 50 + 100);
	assert_int_equal(page(7)->losses, 3);
	assert_int_equal(report.nr_gaps, 3);
	assert_int_equal(report.gaps[0].start_ns, START + 100);
	assert_int_equal(report.gaps[0].end_ns, START + 150);
	assert_false(report.gaps[0].open);
	assert_int_equal(report.gaps[1].end_ns, START + 170);
	assert_true(report.gaps[2].open);
	assert_int_equal(report.gaps[2].end_ns, START + 300);
	assert_true(report_has_losses(&report));
}

static void an_overflow_is_one_however_many_ranges_it_has(void **state)
{
	struct event event = { .type = EVENT_RESYNC, .seq = 1, .nr_pages = 2 };

	(void)state;
	report_add(&report, &event);
	event.gpa = 0x5000;
	report_add(&report, &event);
	event.seq = 2;
	report_add(&report, &event);
	assert_int_equal(report.overflows, 2);
	assert_int_equal(report.nr_gaps, 3);
	assert_int_equal(report.missing, 0);
}

static void add_overflow(uint64_t gfn, uint64_t nr, uint64_t from, uint64_t to,
			 uint32_t code)
{
	struct event event = {
		.type = EVENT_RESYNC,
		.gpa = gfn << EVENT_PAGE_SHIFT,
		.nr_pages = nr,
		.time_ns = START + from,
		.until_ns = to ? START + to : 0,
		.code = code,
	};

	report_add(&report, &event);
}

/* From when the ring was full to when the pages were fetched. */
static void an_overflow_takes_its_time(void **state)
{
	(void)state;
	add(EVENT_WRITE, 7, 10, 0);
	add_overflow(7, 2, 100, 180, WTRACK_RESYNC_REREAD);
	/* What an older recording does not tell. */
	add_overflow(7, 1, 200, 0, WTRACK_RESYNC_REREAD);
	add_overflow(8, 1, 300, 290, WTRACK_RESYNC_REREAD);
	report_finish(&report);
	assert_int_equal(page(7)->unseen_ns, 80);
	assert_int_equal(page(7)->losses, 2);
	assert_int_equal(page(8)->unseen_ns, 80);
	assert_int_equal(page(8)->losses, 2);
	assert_int_equal(report.gaps[0].start_ns, START + 100);
	assert_int_equal(report.gaps[0].end_ns, START + 180);
	assert_false(report.gaps[0].open);
	assert_int_equal(report.gaps[1].end_ns, START + 200);
	assert_int_equal(report.gaps[2].end_ns, START + 300);
}

/* The ring has no place for what the guard does while it is full. */
static void an_overflow_tells_what_the_guard_did(void **state)
{
	(void)state;
	add_overflow(7, 1, 100, 150, WTRACK_RESYNC_DISARMED);
	add(EVENT_GUARD, 7, 190, WTRACK_GUARD_REARMED);
	add(EVENT_GUARD, 8, 200, WTRACK_GUARD_DISARMED);
	add_overflow(8, 1, 220, 260, WTRACK_RESYNC_REREAD);
	add_overflow(9, 1, 270, 280, WTRACK_RESYNC_DISARMED);
	add(EVENT_WRITE, 1, 300, 0);
	report_finish(&report);
	assert_int_equal(page(7)->unseen_ns, 90);
	assert_int_equal(page(8)->unseen_ns, 60);
	assert_int_equal(page(9)->unseen_ns, 30);
	assert_false(report.gaps[0].open);
	assert_int_equal(report.gaps[0].end_ns, START + 190);
	assert_true(report.gaps[3].open);
}

/* However many pages a file claims. */
static void an_overflow_of_everything_is_bounded(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		add_overflow(0, UINT64_C(1) << 40, 100, 180,
			     WTRACK_RESYNC_REREAD);
	report_finish(&report);
	assert_int_equal(report.nr_all_gaps, 100);
	assert_int_equal(page(0)->unseen_ns, 80);
}

static void memory_that_returns_ends_its_gap(void **state)
{
	(void)state;
	add(EVENT_REGION_REMOVED, 0x100, 10, 0);
	assert_false(report_has_losses(&report));
	add(EVENT_REGION_RETURNED, 0x102, 50, 0);
	add(EVENT_REGION_REMOVED, 0x200, 60, 0);
	report_finish(&report);
	assert_false(report.gaps[0].open);
	assert_int_equal(report.gaps[0].end_ns, START + 50);
	assert_true(report.gaps[1].open);
	assert_true(report_has_losses(&report));
}

static void missing_numbers_are_counted(void **state)
{
	static const uint64_t numbers[] = { 1, 2, 5, 0, 5, 6, 4, UINT64_MAX,
					    3 };
	struct event event = { .type = EVENT_WRITE };
	size_t i;

	(void)state;
	for (i = 0; i < 7; i++) {
		event.seq = numbers[i];
		report_add(&report, &event);
	}
	assert_int_equal(report.missing, 2);
	for (; i < 9; i++) {
		event.seq = numbers[i];
		report_add(&report, &event);
	}
	assert_int_equal(report.missing, UINT64_MAX - 7 + 2);
}

/* More pages than are kept apart, and more gaps: it stays bounded. */
static void there_may_be_any_number_of_pages(void **state)
{
	uint64_t gfn;

	(void)state;
	for (gfn = 0; gfn < REPORT_PAGES + 5; gfn++) {
		add(EVENT_WRITE, gfn << 3, gfn, 0);
		if (gfn < REPORT_GAPS * 2)
			add(EVENT_GUARD, gfn << 3, gfn, WTRACK_GUARD_DISARMED);
	}
	report_finish(&report);
	assert_int_equal(report.pages.nr, REPORT_PAGES);
	assert_int_equal(report.pages.other, 5);
	assert_int_equal(report.rips.nr, REPORT_RIPS);
	assert_int_equal(report.nr_gaps, REPORT_GAPS);
	assert_int_equal(report.nr_all_gaps, REPORT_GAPS * 2);
	assert_int_equal(page(8 * (REPORT_GAPS * 2 - 1))->unseen_ns,
			 REPORT_PAGES + 5 - REPORT_GAPS * 2);
}

static void garbage_is_added_up(void **state)
{
	unsigned char bytes[sizeof(struct event)];
	unsigned int seed = 3, i;
	struct event event;
	size_t at;

	(void)state;
	for (i = 0; i < 20000; i++) {
		for (at = 0; at < sizeof(bytes); at++)
			bytes[at] = (unsigned char)rand_r(&seed);
		memcpy(&event, bytes, sizeof(event));
		event.type = rand_r(&seed) % 20;
		event.code %= 7;
		event.more = event.page = event.has_rip = i & 1;
		report_add(&report, &event);
	}
	report_finish(&report);
	assert_int_equal(report.events, 20000);
	assert_true(report.nr_gaps == REPORT_GAPS);
}

static uint64_t sum_of(const struct timeline *timeline)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < timeline->nr; i++)
		sum += timeline->bins[i];
	return sum;
}

static void a_timeline_fits_any_time(void **state)
{
	struct timeline timeline;

	(void)state;
	timeline_init(&timeline, START);
	timeline_add(&timeline, START, 1);
	timeline_add(&timeline, START + 63999999, 2);
	assert_int_equal(timeline.width_ns, 1000000);
	assert_int_equal(timeline.nr, 64);
	timeline_add(&timeline, START + 64000000, 4);
	assert_int_equal(timeline.width_ns, 2000000);
	assert_int_equal(timeline.nr, 33);
	assert_int_equal(timeline.bins[31], 2);
	assert_int_equal(timeline.bins[32], 4);
	timeline_add(&timeline, START - 5, 8);
	assert_int_equal(timeline.bins[0], 9);
	assert_int_equal(timeline_max(&timeline), 9);
	timeline_add(&timeline, UINT64_MAX, 16);
	assert_true(timeline.nr <= TIMELINE_BINS);
	assert_int_equal(sum_of(&timeline), 31);
}

static void ranges_are_merged(void **state)
{
	struct wtrack_range ranges[] = {
		{ 20, 5 }, { 1, 2 }, { 3, 1 }, { 22, 1 }, { 24, 6 }, { 1, 1 },
	};
	struct wtrack_range common;

	(void)state;
	assert_int_equal(ranges_merge(ranges, 6), 2);
	assert_int_equal(ranges[0].gfn, 1);
	assert_int_equal(ranges[0].nr_pages, 3);
	assert_int_equal(ranges[1].gfn, 20);
	assert_int_equal(ranges[1].nr_pages, 10);
	assert_int_equal(ranges_pages(ranges, 2), 13);
	assert_int_equal(ranges_merge(ranges, 0), 0);
	common = ranges_common(&ranges[1], &(struct wtrack_range) { 25, 100 });
	assert_int_equal(common.gfn, 25);
	assert_int_equal(common.nr_pages, 5);
	common = ranges_common(&ranges[1], &(struct wtrack_range) { 30, 1 });
	assert_int_equal(common.nr_pages, 0);
}

#define HERE(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		HERE(writes_are_counted_by_page_and_instruction),
		HERE(stores_in_parts_have_one_length),
		HERE(unseen_time_is_summed_up),
		HERE(an_overflow_is_one_however_many_ranges_it_has),
		HERE(an_overflow_takes_its_time),
		HERE(an_overflow_tells_what_the_guard_did),
		HERE(an_overflow_of_everything_is_bounded),
		HERE(memory_that_returns_ends_its_gap),
		HERE(missing_numbers_are_counted),
		HERE(there_may_be_any_number_of_pages),
		HERE(garbage_is_added_up),
		HERE(a_timeline_fits_any_time),
		HERE(ranges_are_merged),
	};

	return RUN(cases);
}
