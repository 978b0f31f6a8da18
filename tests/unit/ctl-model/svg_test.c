// SPDX-License-Identifier: GPL-2.0-or-later
/* Heat maps: what is in the grid, and that the picture is one. */
#include <stdio.h>
#include <stdlib.h>

#include <wtrack/event.h>

#include "heat.h"
#include "report.h"
#include "svg.h"
#include "test.h"
#include "units.h"

#define START	UINT64_C(1000000000)
#define SPAN	(HEAT_COLUMNS * UINT64_C(1000))

static struct event events[1 << 16];
static size_t nr_events;
static struct report report;
static struct heat heat;

static void add(int type, uint64_t gfn, uint64_t ns, uint32_t code)
{
	events[nr_events++] = (struct event) {
		.type = type, .gpa = gfn << 12, .time_ns = START + ns,
		.code = code, .len = type == EVENT_WRITE ? 8 : 0, .total = 8,
		.nr_pages = 4, .vcpu = -1,
	};
}

static void make(void)
{
	size_t i;

	report_init(&report, START);
	for (i = 0; i < nr_events; i++)
		report_add(&report, &events[i]);
	report_finish(&report);
	heat_init(&heat, &report);
	for (i = 0; i < nr_events; i++)
		heat_add(&heat, &events[i]);
	heat_finish(&heat);
}

static int setup(void **state)
{
	(void)state;
	nr_events = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	heat_done(&heat);
	report_done(&report);
	return 0;
}

static bool unseen(size_t row, size_t column)
{
	return heat_cell(&heat, row, column)->unseen;
}

static void few_pages_have_a_row_each(void **state)
{
	(void)state;
	add(EVENT_WRITE, 0x90, 0, 0);
	add(EVENT_WRITE, 0x80, 0, 0);
	add(EVENT_WRITE, 0x80, SPAN / 2, 0);
	add(EVENT_WRITE, 0x81, SPAN, 0);
	make();
	assert_int_equal(heat.nr_rows, 3);
	assert_int_equal(heat.rows[0].first_gfn, 0x80);
	assert_int_equal(heat.rows[0].writes, 2);
	assert_false(heat.rows[1].gap_before);
	assert_true(heat.rows[2].gap_before);
	assert_int_equal(heat_cell(&heat, 0, 0)->writes, 1);
	assert_int_equal(heat_cell(&heat, 0, 79)->writes, 1);
	assert_int_equal(heat_cell(&heat, 1, HEAT_COLUMNS - 1)->writes, 1);
	assert_int_equal(heat_cell(&heat, 2, 0)->writes, 1);
	assert_int_equal(heat.columns[0], 2);
	assert_int_equal(heat_max(&heat), 1);
}

static void many_pages_share_rows(void **state)
{
	uint64_t gfn, sum = 0;
	size_t row;

	(void)state;
	for (gfn = 0; gfn < 1000; gfn++)
		add(EVENT_WRITE, gfn * 3, gfn, 0);
	make();
	assert_true(heat.nr_rows <= HEAT_ROWS && heat.nr_rows > HEAT_ROWS / 2);
	for (row = 0; row < heat.nr_rows; row++)
		sum += heat.rows[row].writes;
	assert_int_equal(sum, 1000);
	assert_int_equal(heat.rows[heat.nr_rows - 1].last_gfn, 999 * 3);
}

static void gaps_cover_their_time(void **state)
{
	(void)state;
	add(EVENT_WRITE, 0x80, 0, 0);
	add(EVENT_WRITE, 0x81, 0, 0);
	add(EVENT_RESYNC, 0x80, SPAN / 8, 0);
	add(EVENT_GUARD, 0x80, SPAN / 4, WTRACK_GUARD_DISARMED);
	add(EVENT_GUARD, 0x80, SPAN / 2, WTRACK_GUARD_REARMED);
	add(EVENT_GUARD, 0x81, SPAN * 3 / 4, WTRACK_GUARD_DISARMED);
	add(EVENT_WRITE, 0x80, SPAN, 0);
	make();
	assert_false(unseen(0, 38));
	assert_true(unseen(0, 40) && unseen(0, 60) && unseen(0, 79));
	assert_false(unseen(0, 82));
	assert_false(unseen(1, 60));
	assert_true(unseen(1, 120) && unseen(1, HEAT_COLUMNS - 1));
	assert_true(unseen(0, 19) && unseen(1, 19));
	assert_true(heat.overflows[19]);
	assert_false(heat.overflows[20]);
}

static void overflows_cover_their_time(void **state)
{
	struct event event = {
		.type = EVENT_RESYNC,
		.gpa = 0x80 << EVENT_PAGE_SHIFT,
		.nr_pages = 1,
		.time_ns = START + SPAN / 4,
		.until_ns = START + SPAN / 2,
	};

	(void)state;
	add(EVENT_WRITE, 0x80, 0, 0);
	add(EVENT_WRITE, 0x81, 0, 0);
	events[nr_events++] = event;
	add(EVENT_WRITE, 0x80, SPAN, 0);
	make();
	assert_false(unseen(0, 38));
	assert_true(unseen(0, 40) && unseen(0, 60) && unseen(0, 79));
	assert_false(unseen(0, 82));
	assert_false(unseen(1, 60));
	assert_true(heat.overflows[39] && !heat.overflows[60]);
}

/* Balanced tags, no scripts, nothing from elsewhere. */
static void check_picture(const char *svg)
{
	const char *at;
	int depth = 0, max = 0;

	for (at = svg; (at = strchr(at, '<')); at++) {
		const char *end = strchr(at, '>');

		assert_non_null(end);
		if (at[1] == '/')
			depth--;
		else if (end[-1] != '/')
			depth++;
		max = depth > max ? depth : max;
		assert_true(depth >= 0);
	}
	assert_int_equal(depth, 0);
	assert_true(max >= 3);
	assert_null(strstr(svg, "<script"));
	assert_null(strstr(svg, "href"));
	assert_null(strstr(svg, "nan"));
	assert_null(strstr(svg, "inf"));
	assert_null(strchr(svg, '\x1b'));
}

static char *draw(const struct rec_meta *meta)
{
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	svg_write(to, &heat, meta);
	fclose(to);
	check_picture(text);
	return text;
}

static void names_cannot_break_the_picture(void **state)
{
	struct rec_meta meta = some_meta;
	char *svg;

	(void)state;
	add(EVENT_WRITE, 0x80, 0, 0);
	make();
	meta.vm_name = (char *)"</text><script>\"&'\x1b[0m\xff\xc3\xa4";
	svg = draw(&meta);
	assert_non_null(strstr(svg, "&lt;/text&gt;&lt;script&gt;&quot;&amp;'"
			       "\xef\xbf\xbd[0m\xef\xbf\xbd\xc3\xa4 (pid"));
	free(svg);
}

static void there_is_a_picture_of_nothing(void **state)
{
	char *svg;

	(void)state;
	make();
	svg = draw(&some_meta);
	assert_non_null(strstr(svg, "No writes were recorded."));
	free(svg);
}

static void there_is_a_picture_of_garbage(void **state)
{
	unsigned int seed = 5, i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		add(rand_r(&seed) % 20, (uint64_t)rand_r(&seed) << 20,
		    (uint64_t)rand_r(&seed) << (rand_r(&seed) % 40),
		    (uint32_t)rand_r(&seed) % 6);
		events[i].nr_pages = (uint64_t)rand_r(&seed) << 33;
	}
	make();
	free(draw(&some_meta));
}

static void the_picture_says_what_is_in_a_cell(void **state)
{
	char *svg;
	int i;

	(void)state;
	for (i = 0; i < 34; i++)
		add(EVENT_WRITE, 0x8001, 0, 0);
	add(EVENT_WRITE, 0x8000, SPAN, 0);
	make();
	svg = draw(&some_meta);
	assert_non_null(strstr(svg, "<title>0x8001, 0 ns to 1.00 us: 34 writes"
			       "</title>"));
	assert_non_null(strstr(svg, ">35 writes to 2 of 5 tracked pages in "
			       "160 us from 2026-09-21 14:13:20 UTC<"));
	free(svg);
}

static void colours_grow_with_the_count(void **state)
{
	static const uint32_t counts[] = { 1, 2, 8, 9, 100, 5000, UINT32_MAX };
	uint32_t steps[SVG_LEVELS];
	int nr, level;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		nr = svg_levels(counts[i], steps);
		assert_int_equal(nr, counts[i] < SVG_LEVELS ? counts[i] :
							      SVG_LEVELS);
		assert_int_equal(steps[0], 1);
		for (level = 1; level < nr; level++)
			assert_true(steps[level] > steps[level - 1]);
		assert_true(steps[nr - 1] <= counts[i]);
		assert_int_equal(svg_level(steps, nr, counts[i]),
				 nr > 1 ? SVG_LEVELS : SVG_LEVELS / 2);
		assert_int_equal(svg_level(steps, nr, 1),
				 nr > 1 ? 1 : SVG_LEVELS / 2);
	}
	assert_int_equal(svg_levels(0, steps), 0);
}

static void numbers_are_written_for_people(void **state)
{
	char text[UNITS_SIZE];
	struct units_axis axis;

	(void)state;
	assert_string_equal(units_count(999, text), "999");
	assert_string_equal(units_count(1234, text), "1.2k");
	assert_string_equal(units_count(35999999, text), "35M");
	assert_string_equal(units_count(UINT64_MAX, text), "18E");
	assert_string_equal(units_exact(0, text), "0");
	assert_string_equal(units_exact(UINT64_MAX, text),
			    "18,446,744,073,709,551,615");
	assert_string_equal(units_time(1500, text), "1.50 us");
	assert_string_equal(units_time(200000000000, text), "3 min 20 s");
	assert_string_equal(units_rate(0.53, text), "0.5");
	axis = units_axis(12500000000, 8);
	assert_string_equal(axis.unit, "s");
	assert_int_equal(axis.step_ns, 2000000000);
	axis = units_axis(1000000000, 8);
	assert_int_equal(axis.step_ns, 200000000);
	assert_int_equal(axis.decimals, 1);
	assert_true(units_axis(0, 8).step_ns >= 1);
	assert_true(UINT64_MAX / units_axis(UINT64_MAX, 8).step_ns <= 8);
}

#define HERE(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		HERE(few_pages_have_a_row_each),
		HERE(many_pages_share_rows),
		HERE(gaps_cover_their_time),
		HERE(overflows_cover_their_time),
		HERE(names_cannot_break_the_picture),
		HERE(there_is_a_picture_of_nothing),
		HERE(there_is_a_picture_of_garbage),
		HERE(the_picture_says_what_is_in_a_cell),
		CASE(colours_grow_with_the_count),
		CASE(numbers_are_written_for_people),
	};

	return RUN(cases);
}
