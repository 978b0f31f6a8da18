// SPDX-License-Identifier: GPL-2.0-or-later
/* Adding and removing ranges while signals come; answers without sense. */
#include "ranges.h"
#include "test.h"

/*
 * However the signals fall, each page is handled exactly once: removing a page
 * twice would be an error, and counting it twice a lie.
 */
static void signals_change_no_result(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_result results[NR];
	struct wtrack_range ranges[NR];
	size_t i;

	(void)state;
	fill(ranges);
	fake.refuse[8] = EPERM;
	fake.refuse[9] = ENOSPC;
	fake.refuse[14] = EPERM;
	for (fake.pages_to_signal = 1; fake.pages_to_signal < 60;
	     fake.pages_to_signal++) {
		assert_int_equal(wtrack_session_add(session, ranges, NR,
						    results, 0), -EPERM);
		assert_int_equal(nr_tracked(), NR * 3 - 3);
		assert_int_equal(wtrack_session_remove(session, ranges, NR,
						       results, 0), -EPERM);
		assert_int_equal(nr_tracked(), 0);
		for (i = 0; i < NR; i++)
			if (i != 2 && i != 3)
				check(&results[i], 3, 3, 0, 0);
		check(&results[2], 1, 1, -EPERM, 8);
		check(&results[3], 2, 2, -EPERM, 14);
	}
	wtrack_session_close(session);
}

/* A module may stop behind the last page of a range and not count the range. */
static void uncount_last(unsigned long request, void *args)
{
	struct kvm_wtrack_remove *rm = args;
	struct kvm_wtrack_change *last;

	if (request != KVM_WTRACK_REMOVE || !rm->out_nr_changes)
		return;
	last = (struct kvm_wtrack_change *)(uintptr_t)rm->changes +
	       rm->out_nr_changes;
	if (rm->out_nr_changes == rm->nr_changes || !last->out_done)
		rm->out_nr_changes--;
}

static void range_that_is_done_but_not_counted_is_not_repeated(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_result results[NR];
	struct wtrack_range ranges[NR];
	size_t i;

	(void)state;
	fill(ranges);
	assert_int_equal(wtrack_session_add(session, ranges, NR, NULL, 0), 0);
	fake.pages_to_signal = 3;
	fake.distort = uncount_last;
	assert_int_equal(wtrack_session_remove(session, ranges, NR, results, 0),
			 0);
	for (i = 0; i < NR; i++)
		check(&results[i], 3, 3, 0, 0);
	wtrack_session_close(session);
}

static void caller_may_want_to_be_interrupted(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range ranges[3] = { { 10, 3 }, { 20, 3 }, { 30, 3 } };
	struct wtrack_result results[3];

	(void)state;
	fake.pages_to_signal = 4;
	assert_int_equal(wtrack_session_add(session, ranges, 3, results,
					    WTRACK_CHANGE_INTR), -EINTR);
	check(&results[0], 3, 3, 0, 0);
	check(&results[1], 1, 1, -EINTR, 21);
	check(&results[2], 0, 0, -EINTR, 30);
	assert_int_equal(fake.nr_calls[FAKE_ADD], 1);
	wtrack_session_close(session);
}

static int nonsense;

static void distort_change(unsigned long request, void *args)
{
	struct kvm_wtrack_add *add = args;
	struct kvm_wtrack_change *changes;

	if (request != KVM_WTRACK_ADD)
		return;
	changes = (struct kvm_wtrack_change *)(uintptr_t)add->changes;
	if (nonsense == 0)
		add->out_nr_changes = add->nr_changes + 1;
	else if (nonsense == 1)
		add->out_nr_changes = add->nr_changes - 1;
	else if (nonsense == 2)
		changes[1].out_failed = 1000;
	else
		changes[1].out_done = UINT64_MAX;
}

static void answers_that_do_not_add_up_end_the_call(void **state)
{
	struct wtrack_session *session = fake_session(8, 0);
	struct wtrack_range ranges[2] = { { 10, 3 }, { 20, 3 } };
	struct wtrack_result results[2];

	(void)state;
	fake.distort = distort_change;
	for (nonsense = 0; nonsense < 2; nonsense++)
		assert_int_equal(wtrack_session_add(session, ranges, 2, results,
						    0), -EPROTO);
	fake.pages_to_signal = 4;
	for (; nonsense < 4; nonsense++)
		assert_int_equal(wtrack_session_add(session, ranges, 2, results,
						    0), -EPROTO);
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(signals_change_no_result),
		CASE(range_that_is_done_but_not_counted_is_not_repeated),
		CASE(caller_may_want_to_be_interrupted),
		CASE(answers_that_do_not_add_up_end_the_call),
	};

	return RUN(cases);
}
