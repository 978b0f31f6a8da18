// SPDX-License-Identifier: GPL-2.0-or-later
/* wtrackctl top: rates, order, keys, and what fits on a screen. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include <wtrack/event.h>
#include <wtrack/status.h>

#include "model.h"
#include "text.h"
#include "test.h"
#include "top_view.h"

#define SECOND	UINT64_C(1000000000)
#define ROWS	24
#define COLUMNS	80

static struct vm vms[3];
static struct session sessions[40];
static struct model model;
static struct top_model top;
static struct top_view view;
static struct top_line lines[60];

static int setup(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++)
		vms[i] = (struct vm) {
			.path = (char *)"", .pid = 100 + (int)i, .fd = 9,
			.uid = 4000000000, .name = (char *)"guest",
			.nr_sessions = i, .vm_id = i,
		};
	for (i = 0; i < 40; i++)
		sessions[i] = (struct session) {
			.id = i + 1, .kind = (char *)"client", .vm = &vms[i % 2],
			.client_uid = 4000000000, .client_pid = 7,
			.records = 64, .unread = 16,
		};
	model = (struct model) {
		.vms = vms, .nr_vms = 3, .sessions = sessions, .nr_sessions = 3,
	};
	top_init(&top);
	top_view_init(&view);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	top_done(&top);
	return 0;
}

static const struct top_row *row(enum top_kind kind, size_t i)
{
	assert_true(i < top.lists[kind].nr);
	return &top.lists[kind].rows[i];
}

static bool is_rate(double rate, double wanted)
{
	return rate > wanted - 0.01 && rate < wanted + 0.01;
}

static void rates_are_between_two_looks(void **state)
{
	(void)state;
	sessions[0].counters.events = 1000;
	top_update(&top, &model, 5 * SECOND);
	assert_true(is_rate(row(TOP_SESSIONS, 0)->rate, 0));
	sessions[0].counters.events = 1500;
	sessions[0].counters.merged = 100;
	sessions[2].counters.resync_writes = 20;
	sessions[1].counters.events = 4;
	top_update(&top, &model, 7 * SECOND);
	assert_true(is_rate(row(TOP_SESSIONS, 0)->rate, 300));
	assert_true(is_rate(row(TOP_SESSIONS, 1)->rate, 2));
	assert_true(is_rate(row(TOP_SESSIONS, 2)->rate, 10));
}

/* 40 a second are 40, and not 120 because three sessions see each of them. */
static void rates_of_a_vm_are_those_of_its_guest(void **state)
{
	size_t i;

	(void)state;
	vms[0].vm_id = 7;
	vms[0].writes = 100;
	for (i = 0; i < 3; i++)
		sessions[i].vm = &vms[0];
	top_update(&top, &model, 5 * SECOND);
	vms[0].writes += 80;
	vms[1].writes += 20;
	for (i = 0; i < 3; i++)
		sessions[i].counters.events += 80;
	top_update(&top, &model, 7 * SECOND);
	assert_true(is_rate(row(TOP_SESSIONS, 2)->rate, 40));
	assert_true(is_rate(row(TOP_VMS, 0)->rate, 40));
	assert_true(is_rate(row(TOP_VMS, 1)->rate, 10));
	assert_true(is_rate(row(TOP_VMS, 2)->rate, 0));
	assert_true(is_rate(top.rate, 50));
	assert_int_equal(row(TOP_VMS, 0)->total, 180);
}

static void draw(size_t rows, size_t columns)
{
	size_t i;

	top_view_draw(&view, &top, rows, columns, lines);
	for (i = 0; i < rows; i++)
		assert_int_equal(text_width(lines[i].text), columns);
}

static bool on_screen(const char *text)
{
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (strstr(lines[i].text, text))
			return true;
	return false;
}

static bool is_share(double share, double wanted)
{
	return share > wanted - 1e-9 && share < wanted + 1e-9;
}

/*
 * Stores for which the guard disarmed their pages are emulations as well. Each of the
 * sessions counts them.
 */
static void shares_are_of_the_time_of_a_vcpu(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		sessions[i].vm = &vms[1];
		sessions[i].counters.disarms = 1000;
	}
	vms[1].vm_id = 7;
	vms[1].writes = 0;
	top_update(&top, &model, 5 * SECOND);
	vms[1].writes = 20000;
	sessions[0].counters.disarms += 400;
	sessions[1].counters.disarms += 2000;
	sessions[1].counters.events += 22000;
	top_update(&top, &model, 7 * SECOND);
	assert_true(is_share(top_row_share(TOP_VMS, row(TOP_VMS, 1)),
			     11000 * 4728e-9));
	assert_true(is_share(top_row_share(TOP_SESSIONS, row(TOP_SESSIONS, 1)),
			     11000 * 4728e-9));
	assert_true(is_share(top_row_share(TOP_SESSIONS, row(TOP_SESSIONS, 0)),
			     0));
	assert_true(is_share(top.share, 11000 * 4728e-9));
	draw(ROWS, COLUMNS);
	assert_true(on_screen("5.2 % vCPU"));
	assert_true(on_screen(" VCPU% "));
	assert_true(on_screen("  5.2 "));
}

/* The module numbers the VM anew with its next session, and counts from 0. */
static void a_vm_whose_sessions_went_begins_anew(void **state)
{
	(void)state;
	vms[0].vm_id = 7;
	vms[0].writes = 100;
	top_update(&top, &model, SECOND);
	vms[0].vm_id = 8;
	vms[0].writes = 150;
	top_update(&top, &model, 2 * SECOND);
	assert_true(is_rate(row(TOP_VMS, 0)->rate, 0));
	vms[0].writes = 190;
	top_update(&top, &model, 3 * SECOND);
	assert_true(is_rate(row(TOP_VMS, 0)->rate, 40));
	vms[0].vm_id = vms[0].writes = 0;
	top_update(&top, &model, 4 * SECOND);
	assert_true(is_rate(row(TOP_VMS, 0)->rate, 0));
}

/* A session that is new has a past, but no rate yet; a counter never falls. */
static void new_sessions_have_no_rate(void **state)
{
	(void)state;
	top_update(&top, &model, SECOND);
	model.nr_sessions = 4;
	sessions[3].counters.events = 1000000;
	top_update(&top, &model, 2 * SECOND);
	assert_true(is_rate(row(TOP_SESSIONS, 3)->rate, 0));
	sessions[3].counters.events = 5;
	top_update(&top, &model, 3 * SECOND);
	assert_true(is_rate(row(TOP_SESSIONS, 3)->rate, 0));
}

static void rows_stay_while_the_daemon_is_away(void **state)
{
	(void)state;
	top_update(&top, &model, SECOND);
	top_update(&top, NULL, 2 * SECOND);
	assert_int_equal(top.lists[TOP_VMS].nr, 3);
	assert_int_equal(top.lists[TOP_SESSIONS].nr, 3);
}

static void write_pages(uint64_t gfn, unsigned int times)
{
	struct event event = { .type = EVENT_WRITE, .gpa = gfn << 12,
			       .len = 8 };

	while (times--)
		top_event(&top, &event);
}

static void guard(uint64_t gfn, uint32_t action)
{
	struct event event = { .type = EVENT_GUARD, .gpa = gfn << 12,
			       .code = action };

	top_event(&top, &event);
}

static void pages_are_counted_and_sorted(void **state)
{
	(void)state;
	top_update(&top, &model, SECOND);
	write_pages(5, 10);
	write_pages(3, 30);
	top_update(&top, &model, 2 * SECOND);
	write_pages(5, 20);
	guard(3, WTRACK_GUARD_DISARMED);
	top_update(&top, &model, 4 * SECOND);
	top_sort(&top.lists[TOP_PAGES_PANE], TOP_BY_RATE, false);
	assert_int_equal(row(TOP_PAGES_PANE, 0)->id, 5);
	assert_true(is_rate(row(TOP_PAGES_PANE, 0)->rate, 10));
	assert_true(is_rate(row(TOP_PAGES_PANE, 1)->rate, 0));
	assert_true(row(TOP_PAGES_PANE, 1)->unseen);
	assert_int_equal(row(TOP_PAGES_PANE, 1)->losses, 1);
	top_sort(&top.lists[TOP_PAGES_PANE], TOP_BY_ID, false);
	assert_int_equal(row(TOP_PAGES_PANE, 0)->id, 3);
	top_sort(&top.lists[TOP_PAGES_PANE], TOP_BY_TOTAL, true);
	assert_int_equal(row(TOP_PAGES_PANE, 1)->total, 30);
	guard(3, WTRACK_GUARD_REARMED);
	top_update(&top, &model, 5 * SECOND);
	top_sort(&top.lists[TOP_PAGES_PANE], TOP_BY_ID, false);
	assert_false(row(TOP_PAGES_PANE, 0)->unseen);
}

static void a_small_terminal_is_enough(void **state)
{
	(void)state;
	model.nr_sessions = 40;
	view.has_pages = true;
	view.pages_of = "100";
	write_pages(0x8000, 3);
	top_update(&top, &model, SECOND);
	draw(ROWS, COLUMNS);
	assert_true(on_screen("3 VMs  40 sessions"));
	assert_true(on_screen("> VMs (3) by rate"));
	assert_true(on_screen("Sessions (40)"));
	assert_true(on_screen("Pages of 100 (1)"));
	assert_true(on_screen("0x8000"));
	assert_true(on_screen("q quit"));
	assert_int_equal(view.panes[TOP_VMS].height, 3);
	assert_int_equal(view.panes[TOP_PAGES_PANE].height, 1);
	assert_int_equal(view.panes[TOP_SESSIONS].height, ROWS - 2 - 6 - 4);
}

static void any_size_is_drawn(void **state)
{
	size_t rows, columns;

	(void)state;
	model.nr_sessions = 40;
	view.has_pages = true;
	write_pages(0x8000, 3);
	top_update(&top, &model, SECOND);
	for (rows = 1; rows < 60; rows += 2)
		for (columns = 1; columns < 300; columns += 29)
			draw(rows, columns);
}

static void names_are_cut_not_wrapped(void **state)
{
	(void)state;
	vms[0].name = (char *)"\xc3\xa4\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2"
		"\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2";
	vms[1].name = (char *)"\x1b[2Jevil\nname that is long";
	vms[2].name = (char *)"";
	vms[2].comm = (char *)"qemu";
	top_update(&top, &model, SECOND);
	draw(ROWS, COLUMNS);
	assert_true(on_screen("\\x1b[2Jevil"));
	assert_true(on_screen("qemu"));
}

static void press(enum top_key key)
{
	top_view_key(&view, &top, key);
	draw(ROWS, COLUMNS);
}

static size_t selected_line(void)
{
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (lines[i].look == LOOK_SELECTED)
			return i;
	return 0;
}

static void keys_move_through_lists(void **state)
{
	int i;

	(void)state;
	model.nr_sessions = 40;
	top_update(&top, &model, SECOND);
	draw(ROWS, COLUMNS);
	assert_int_equal(selected_line(), 3);
	press(TOP_KEY_DOWN);
	press(TOP_KEY_DOWN);
	press(TOP_KEY_DOWN);
	assert_int_equal(selected_line(), 5);
	press(TOP_KEY_NEXT_PANE);
	assert_int_equal(view.focus, TOP_SESSIONS);
	press(TOP_KEY_END);
	assert_int_equal(view.panes[TOP_SESSIONS].selected, 39);
	assert_int_equal(selected_line(), ROWS - 2);
	for (i = 0; i < 100; i++)
		press(TOP_KEY_PAGE_UP);
	assert_int_equal(view.panes[TOP_SESSIONS].first, 0);
	press(TOP_KEY_PAGE_DOWN);
	assert_true(view.panes[TOP_SESSIONS].selected > 5);
	/* There are but two lists. */
	press(TOP_KEY_NEXT_PANE);
	assert_int_equal(view.focus, TOP_VMS);
	press(TOP_KEY_PREVIOUS_PANE);
	assert_int_equal(view.focus, TOP_SESSIONS);
	/* Sessions went meanwhile. */
	model.nr_sessions = 1;
	top_update(&top, &model, 2 * SECOND);
	draw(ROWS, COLUMNS);
	assert_int_equal(view.panes[TOP_SESSIONS].selected, 0);
}

static void keys_change_the_view(void **state)
{
	(void)state;
	top_update(&top, &model, SECOND);
	press(TOP_KEY_SORT);
	assert_true(on_screen("VMs (3) by number"));
	press(TOP_KEY_REVERSE);
	assert_true(on_screen("by number, reversed"));
	assert_int_equal(row(TOP_VMS, 0)->id >> 32, 102);
	press(TOP_KEY_PAUSE);
	assert_true(on_screen("PAUSED"));
	press(TOP_KEY_SLOWER);
	assert_int_equal(view.interval_ns, 2 * SECOND);
	press(TOP_KEY_HELP);
	assert_true(on_screen("sort by rate, number or writes"));
	press(TOP_KEY_QUIT);
	assert_false(view.quit);
	press(TOP_KEY_OTHER);
	press(TOP_KEY_QUIT);
	assert_true(view.quit);
}

static void intervals_have_bounds(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 20; i++)
		press(TOP_KEY_FASTER);
	assert_true(view.interval_ns >= SECOND / 10);
	for (i = 0; i < 20; i++)
		press(TOP_KEY_SLOWER);
	assert_true(view.interval_ns <= 60 * SECOND);
}

static void messages_are_in_the_last_line(void **state)
{
	(void)state;
	view.message = "wtrackd does not answer";
	top_update(&top, &model, SECOND);
	draw(ROWS, COLUMNS);
	assert_ptr_equal(strstr(lines[ROWS - 1].text, view.message),
			 lines[ROWS - 1].text);
	assert_int_equal(lines[ROWS - 1].look, LOOK_WARNING);
}

#define HERE(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		HERE(rates_are_between_two_looks),
		HERE(rates_of_a_vm_are_those_of_its_guest),
		HERE(shares_are_of_the_time_of_a_vcpu),
		HERE(a_vm_whose_sessions_went_begins_anew),
		HERE(new_sessions_have_no_rate),
		HERE(rows_stay_while_the_daemon_is_away),
		HERE(pages_are_counted_and_sorted),
		HERE(a_small_terminal_is_enough),
		HERE(any_size_is_drawn),
		HERE(names_are_cut_not_wrapped),
		HERE(keys_move_through_lists),
		HERE(keys_change_the_view),
		HERE(intervals_have_bounds),
		HERE(messages_are_in_the_last_line),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return RUN(cases);
}
