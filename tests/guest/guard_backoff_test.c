// SPDX-License-Identifier: GPL-2.0-or-later
/* How long a page is left alone after the guard has disarmed it. */
#include <stdio.h>

#include "guest.h"
#include "module.h"
#include "tap.h"
#include "trip.h"

/*
 * The module counts ticks. A page may be armed late, but never early by the clock
 * of ticks, which trip_wait() reads.
 */
enum { TICK_MS = 8, LATE_MS = 500 };

static void set_bounds(unsigned int min_ms, unsigned int max_ms)
{
	module_set_param("guard_min_ms", min_ms);
	module_set_param("guard_max_ms", max_ms);
}

static void check_time(uint64_t ms, uint64_t want)
{
	tap_trying("%llu ms, not %llu", (unsigned long long)ms,
		   (unsigned long long)want);
	CHECK(ms + TICK_MS >= want);
	CHECK(ms <= want + LATE_MS * (host_is_debug() ? 4 : 1));
}

CASE(a_page_that_keeps_tripping_is_left_alone_ever_longer)
{
	static const unsigned int want[] = { 16, 32, 64, 128, 256, 512, 512 };
	struct trip t;
	unsigned int i;

	set_bounds(16, 512);
	trip_init_plain(&t, 1);
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		trip(&t, 0);
		check_time(trip_wait(&t), want[i]);
	}
	trip_check_armed(&t, 0);
}

static void trip_often(struct trip *t, uint64_t page, unsigned int times)
{
	while (times--) {
		trip(t, page);
		trip_wait(t);
	}
}

static bool is_armed(struct trip *t, uint64_t page)
{
	return !(trip_state(t, page) & KVM_WTRACK_GFN_DISARMED);
}

/* The one that keeps tripping is disarmed first, and armed last. */
CASE(each_page_has_a_time_of_its_own)
{
	struct trip t;

	set_bounds(16, 4000);
	trip_init_plain(&t, 2);
	trip_often(&t, 0, 8);
	trip(&t, 0);
	trip(&t, 1);
	CHECK_SOON(is_armed(&t, 1));
	CHECK(!is_armed(&t, 0));
}

/*
 * It would be left alone for 1000 ms now, and that is forgotten after four times
 * as long. The other page, which was not in peace, is disarmed before it, and is
 * armed behind it.
 */
CASE_WITHIN(a_page_that_was_in_peace_starts_from_the_shortest_again, 60)
{
	struct trip t;

	set_bounds(16, 1000);
	trip_init_plain(&t, 2);
	trip_often(&t, 0, 7);
	trip_often(&t, 1, 10);
	trip(&t, 1);
	trip(&t, 0);
	CHECK_SOON(is_armed(&t, 0));
	CHECK(!is_armed(&t, 1));
}

CASE(the_bounds_are_what_info_reports)
{
	struct kvm_wtrack_info info;

	set_bounds(24, 800);
	wt_info(&info);
	CHECK_EQ(info.out_backoff_min_ms, 24);
	CHECK_EQ(info.out_backoff_max_ms, 800);
}

static void check_param(const char *param)
{
	tap_trying("%s", param);
	CHECK_ERRNO(module_try_param(param, "7"), ERANGE);
	CHECK_ERRNO(module_try_param(param, "0"), ERANGE);
	CHECK_ERRNO(module_try_param(param, "4001"), ERANGE);
	CHECK_ERRNO(module_try_param(param, "long"), EINVAL);
	CHECK_ERRNO(module_try_param(param, "8"), 0);
	CHECK_ERRNO(module_try_param(param, "4000"), 0);
}

CASE(parameters_outside_of_their_bounds_are_refused)
{
	check_param("guard_min_ms");
	check_param("guard_max_ms");
}

/* The longest comes first: no page waits longer than that. */
CASE(a_minimum_above_the_maximum_counts_as_the_maximum)
{
	struct trip t;
	unsigned int i;

	set_bounds(4000, 40);
	trip_init_plain(&t, 1);
	for (i = 0; i < 3; i++) {
		trip(&t, 0);
		check_time(trip_wait(&t), 40);
	}
}

CASE(a_disarmed_page_is_so_in_a_query)
{
	const uint32_t tracked = KVM_WTRACK_GFN_TRACKED;
	struct trip t;

	set_bounds(300, 300);
	trip_init_plain(&t, 2);
	CHECK_EQ(trip_state(&t, 0), tracked);
	trip(&t, 0);
	CHECK_EQ(trip_state(&t, 0), tracked | KVM_WTRACK_GFN_DISARMED);
	CHECK_EQ(trip_state(&t, 1), tracked);
	trip_wait(&t);
	CHECK_EQ(trip_state(&t, 0), tracked);
	CHECK_EQ(wt_query_pages(t.wt->fd), 2);
}

CASE(what_is_stored_while_disarmed_is_not_recorded)
{
	struct trip t;

	set_bounds(4000, 4000);
	trip_init_plain(&t, 1);
	trip(&t, 0);
	vcpu_call(t.v, g_store8, VM_DATA, 1, 100, 8);
	mirror_step(&t.mirror);
	CHECK_EQ(t.mirror.writes, 0);
	mirror_finish(&t.mirror);
}

CASE(to_add_a_disarmed_page_again_arms_it_at_once)
{
	uint64_t began = clock_ns();
	struct trip t;

	set_bounds(4000, 4000);
	trip_init_plain(&t, 2);
	trip(&t, 0);
	vcpu_call(t.v, g_store8, VM_DATA, 1, 100, 8);
	CHECK_ERRNO(__wt_add_page(t.wt->fd, VM_DATA_GFN), 0);
	CHECK_EQ(trip_state(&t, 0), KVM_WTRACK_GFN_TRACKED);
	mirror_step(&t.mirror);
	CHECK_EQ(mirror_guard(&t.mirror, KVM_WTRACK_GUARD_REARMED), 1);
	CHECK_EQ(mirror_disarmed(&t.mirror), 0);
	CHECK(clock_ns() - began < 4000 * 1000000ULL);
	trip_check_armed(&t, 0);
	/* And it is not armed a second time later. */
	sleep_ms(4300);
	mirror_step(&t.mirror);
	CHECK_EQ(mirror_guard(&t.mirror, KVM_WTRACK_GUARD_REARMED), 1);
}

CASE(counters_say_what_the_records_say)
{
	struct kvm_wtrack_status s;
	struct trip t;
	unsigned int i;

	set_bounds(16, 16);
	trip_init_plain(&t, 4);
	for (i = 0; i < 8; i++) {
		trip(&t, i % 4);
		trip_wait(&t);
	}
	wt_status(t.wt->fd, &s);
	CHECK_EQ(s.out_disarms, 8);
	CHECK_EQ(s.out_over_budget, 0);
	CHECK_EQ(s.out_rearms, 8);
	CHECK_EQ(s.out_unreported, 0);
	CHECK_EQ(s.out_pages, 4);
}
