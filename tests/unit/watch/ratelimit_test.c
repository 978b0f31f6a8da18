// SPDX-License-Identifier: GPL-2.0-or-later
/* What passes, what is held back, and what the summary says of it. */
#include "test.h"

#include "ratelimit.h"

static struct ratelimit limit_of(uint64_t interval_usec, uint32_t burst)
{
	return (struct ratelimit){
		.interval_usec = interval_usec, .burst = burst,
	};
}

/* Does with an event what watches do with it. */
static enum ratelimit_verdict event(struct ratelimit *limit, uint64_t now,
				    uint64_t gfn, uint64_t seq)
{
	enum ratelimit_verdict verdict = ratelimit_ask(limit, now);

	if (verdict == RATELIMIT_PASS)
		ratelimit_passed(limit, now);
	else
		ratelimit_held(limit, gfn, seq, now * 1000);
	return verdict;
}

static void a_burst_passes_and_the_next_closes(void **state)
{
	struct ratelimit limit = limit_of(1000, 3);
	unsigned int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_int_equal(event(&limit, 50, 1, i + 1), RATELIMIT_PASS);
	assert_int_equal(event(&limit, 51, 1, 4), RATELIMIT_CLOSE);
	assert_int_equal(event(&limit, 52, 1, 5), RATELIMIT_HOLD);
	assert_int_equal(ratelimit_end_usec(&limit), 1050);
	assert_int_equal(limit.held.first_seq, 4);
	assert_int_equal(limit.held.last_seq, 5);
	assert_int_equal(limit.held.events, 2);
	assert_int_equal(limit.held.first_ns, 51000);
	assert_int_equal(limit.held.last_ns, 52000);
}

static void summary_is_due_when_the_interval_is_over(void **state)
{
	struct ratelimit limit = limit_of(1000, 1);

	(void)state;
	event(&limit, 0, 1, 1);
	assert_false(ratelimit_is_due(&limit, 5000));
	event(&limit, 10, 1, 2);
	assert_false(ratelimit_is_due(&limit, 999));
	assert_true(ratelimit_is_due(&limit, 1000));
	/* No event passes before the summary is out: order would suffer. */
	assert_int_equal(event(&limit, 1001, 1, 3), RATELIMIT_HOLD);
	ratelimit_reset(&limit);
	assert_false(ratelimit_is_due(&limit, 2000));
	assert_int_equal(event(&limit, 1002, 1, 4), RATELIMIT_PASS);
	assert_int_equal(event(&limit, 1003, 1, 5), RATELIMIT_CLOSE);
	assert_int_equal(ratelimit_end_usec(&limit), 2002);
}

static void early_summary_does_not_open_the_limit(void **state)
{
	struct ratelimit limit = limit_of(1000, 1);

	(void)state;
	event(&limit, 0, 1, 1);
	event(&limit, 10, 1, 2);
	ratelimit_reset(&limit);
	assert_int_equal(event(&limit, 20, 1, 3), RATELIMIT_CLOSE);
	assert_int_equal(limit.held.first_seq, 3);
}

static void slow_events_are_never_held_back(void **state)
{
	struct ratelimit limit = limit_of(1000, 2);
	uint64_t i;

	(void)state;
	for (i = 0; i < 100; i++)
		assert_int_equal(event(&limit, i * 500, 1, i), RATELIMIT_PASS);
}

static void zero_is_no_limit(void **state)
{
	struct ratelimit no_burst = limit_of(1000, 0);
	struct ratelimit no_interval = limit_of(0, 1);
	unsigned int i;

	(void)state;
	for (i = 0; i < 10; i++) {
		assert_int_equal(event(&no_burst, 5, 1, i), RATELIMIT_PASS);
		assert_int_equal(event(&no_interval, 5, 1, i), RATELIMIT_PASS);
	}
}

static void every_held_event_is_on_some_page(void **state)
{
	struct ratelimit limit = limit_of(1000, 1);
	uint64_t seq, sum = 0;
	unsigned int i;

	(void)state;
	event(&limit, 0, 0, 1);
	for (seq = 2; seq < 102; seq++)
		event(&limit, 1, seq % 10, seq);
	assert_int_equal(limit.held.nr_pages, RATELIMIT_PAGES);
	for (i = 0; i < limit.held.nr_pages; i++) {
		assert_int_equal(limit.held.pages[i].events, 10);
		sum += limit.held.pages[i].events;
	}
	assert_int_equal(sum + limit.held.elsewhere, limit.held.events);
	assert_int_equal(limit.held.events, 100);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(a_burst_passes_and_the_next_closes),
		cmocka_unit_test(summary_is_due_when_the_interval_is_over),
		cmocka_unit_test(early_summary_does_not_open_the_limit),
		cmocka_unit_test(slow_events_are_never_held_back),
		cmocka_unit_test(zero_is_no_limit),
		cmocka_unit_test(every_held_event_is_on_some_page),
	};

	return RUN(cases);
}
