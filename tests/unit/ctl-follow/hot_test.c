// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wtrackctl hot, from its options to what it prints: which pages it finds, and that
 * it keeps to the bound whatever the guest does.
 */
#include <json-c/json.h>
#include <pthread.h>
#include <stdatomic.h>
#include <signal.h>

#include "ctl.h"
#include "hot.h"
#include "run.h"

static struct json_object *answer;
static uint64_t most_armed;
static atomic_bool ended;

static int setup(void **state)
{
	run_setup(state);
	most_armed = 0;
	ended = false;
	return 0;
}

static int teardown(void **state)
{
	json_object_put(answer);
	answer = NULL;
	return run_teardown(state);
}

static struct json_object *member(struct json_object *obj, const char *key)
{
	struct json_object *value;

	assert_true(json_object_object_get_ex(obj, key, &value));
	return value;
}

static double number(const char *part, const char *key)
{
	return json_object_get_double(member(member(answer, part), key));
}

static struct json_object *page(size_t i)
{
	return json_object_array_get_idx(member(answer, "pages"), i);
}

static void read_answer(void)
{
	json_object_put(answer);
	answer = json_tokener_parse(run_output);
	assert_non_null(answer);
	assert_string_equal(json_object_get_string(member(answer, "command")),
			    "hot");
}

/* In one step: what is tracked now stays so until it is stored to. */
static void store_to_tracked(uint64_t gfn, uint64_t value)
{
	pthread_mutex_lock(&fake.lock);
	if (fake.tracked[gfn] && fake_unread() < FAKE_RECORDS / 2)
		fake_store(gfn, value);
	pthread_mutex_unlock(&fake.lock);
}

static void note_armed(void)
{
	uint64_t armed = 0, gfn;

	pthread_mutex_lock(&fake.lock);
	for (gfn = 0; gfn < FAKE_PAGES; gfn++)
		armed += fake.tracked[gfn];
	pthread_mutex_unlock(&fake.lock);
	if (armed > most_armed)
		most_armed = armed;
}

/* Until nothing was tracked for so long that the command must have ended. */
static bool goes_on(void)
{
	return !ended;
}

static void store_to_two(void)
{
	uint64_t value = 0;

	while (goes_on()) {
		store_to_tracked(0x123, value++);
		store_to_tracked(0xabc, value++);
		usleep(500);
	}
}

static void store_everywhere(void)
{
	uint64_t gfn;

	while (goes_on()) {
		for (gfn = 0; gfn < FAKE_PAGES; gfn++)
			store_to_tracked(gfn, gfn);
		note_armed();
		usleep(500);
	}
}

/* The guest ends when the command has: a session that is closed tracks nothing. */
static int run_hot(guest_fn guest, const char *option, const char *other)
{
	pthread_t thread;
	int code;

	ended = false;
	(void)pthread_create(&thread, NULL,
			     (void *(*)(void *))(void (*)(void))guest, NULL);
	code = run_ctl(NULL, "hot", VM_PID, "--json=short", "--timeout=1",
		       option, other, NULL);
	ended = true;
	pthread_join(thread, NULL);
	read_answer();
	return code;
}

static void finds_what_is_written(void **state)
{
	size_t i;

	(void)state;
	do
		assert_int_equal(run_hot(store_to_two, "--full", NULL), EXIT_OK);
	while (json_object_array_length(member(answer, "pages")) < 2);
	assert_int_equal(json_object_array_length(member(answer, "pages")), 2);
	for (i = 0; i < 2; i++) {
		uint64_t gfn = json_object_get_uint64(member(page(i), "gfn"));

		assert_true(gfn == 0x123 || gfn == 0xabc);
		assert_string_equal(json_object_get_string(member(page(i),
								  "how")),
				    "counted");
		assert_true(json_object_get_uint64(member(page(i), "seen")));
	}
	assert_true(number("sampled", "pages") == FAKE_PAGES);
	assert_true(number("sampled", "sampled") == FAKE_PAGES);
	assert_true(number("sampled", "written") == 2);
	assert_true(number("sampled", "error") == 0);
}

/*
 * A guest that stores to each page as soon as it is armed. What is in the ring when
 * the last round ends was made in its time.
 */
static void keeps_to_the_bound(void **state)
{
	double bound = 500, seconds;

	(void)state;
	assert_int_equal(run_hot(store_everywhere, "--cost=500", NULL), EXIT_OK);
	seconds = number("cost", "seconds") + 1.0 / HOT_ROUNDS_PER_SECOND;
	assert_true(number("cost", "bound") == bound);
	assert_true(number("cost", "emulations") > 0);
	assert_true(number("cost", "armings") <= bound * seconds);
	assert_true(most_armed > 0);
	assert_true(most_armed <= (uint64_t)bound / HOT_SHARES);
	/* The budget of the pages that are counted. */
	assert_int_equal(fake.ring.budget, 500 / 12 / 10);
	assert_int_equal(fake.ring.period_ms, 100);
}

/* So that an owner may do it to a VM of any size. */
static void asks_for_what_a_round_takes(void **state)
{
	(void)state;
	fake.daemon.error = NULL;
	fake.daemon.message = NULL;
	assert_int_equal(run_hot(store_to_two, "--cost=500", "--count=3"),
			 EXIT_OK);
	assert_true(fake.daemon.max_pages <= 100);
}

static void holes_are_left_alone(void **state)
{
	uint64_t gfn;

	(void)state;
	for (gfn = 0x200; gfn < FAKE_PAGES; gfn++)
		fake.absent[gfn] = true;
	for (gfn = 0; gfn < 0x100; gfn++)
		fake.region_flags[gfn] = KVM_WTRACK_REGION_F_READONLY;
	assert_int_equal(run_hot(store_everywhere, "--full", NULL), EXIT_OK);
	assert_true(number("sampled", "pages") == 0x100);
	assert_int_equal(most_armed, 0x100);
}

static void no_memory_is_told(void **state)
{
	uint64_t gfn;

	(void)state;
	for (gfn = 0; gfn < FAKE_PAGES; gfn++)
		fake.absent[gfn] = true;
	assert_int_equal(run_ctl(NULL, "hot", VM_PID, NULL), EXIT_NOT_FOUND);
	assert_non_null(strstr(run_errors, "no memory"));
}

/* A VM refuses pages at first; one that is refused for good is left out. */
static void refused_pages_are_tried_again(void **state)
{
	(void)state;
	refuse(0, 0x10, EAGAIN);
	assert_int_equal(run_hot(store_to_two, "--full", NULL), EXIT_OK);
	assert_true(number("sampled", "sampled") == FAKE_PAGES - 0x10);
}

static void stop_it(void)
{
	usleep(50000);
	kill(getpid(), SIGTERM);
}

static void signal_ends_it_with_what_is_known(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(stop_it, "hot", VM_PID, "--timeout=1h", NULL),
			 EXIT_OK);
	assert_int_equal(run_count("Cost: "), 1);
	assert_int_equal(run_count("No pages."), 1);
}

static void end_of_the_vm_ends_it(void **state)
{
	(void)state;
	assert_int_equal(run_ctl(fake_vm_gone, "hot", VM_PID, "--timeout=1h",
				 NULL), EXIT_OK);
	assert_int_equal(run_count("Cost: "), 1);
}

/* Once it is tracked, for the first time. */
static void store_to_one_for_a_while(void)
{
	bool tracked;

	do {
		pthread_mutex_lock(&fake.lock);
		tracked = fake.tracked[0x123];
		if (tracked)
			fake_store(0x123, 1);
		pthread_mutex_unlock(&fake.lock);
		usleep(500);
	} while (!tracked);
}

static void text_says_how_it_is_known(void **state)
{
	pthread_t thread;

	(void)state;
	do {
		ended = false;
		(void)pthread_create(&thread, NULL,
				     (void *(*)(void *))(void (*)(void))
				     store_to_two, NULL);
		assert_int_equal(run_ctl(NULL, "hot", VM_PID, "--timeout=1",
					 "--full", NULL), EXIT_OK);
		ended = true;
		pthread_join(thread, NULL);
	} while (run_count("  counted  ") < 2);
	assert_int_equal(run_count("GFN  "), 1);
	assert_int_equal(run_count("  counted  "), 2);
	assert_int_equal(run_count("0x123  0x123000  "), 1);
	assert_int_equal(run_count("2 pages.\n"), 1);
	assert_int_equal(run_count("Sampled: 4,096 of 4,096 pages"), 1);
	assert_int_equal(run_count("of 96000 at most"), 1);
	assert_string_equal(run_errors, "");
}

/* Neither budget is allowed: the rates that were estimated are shown. */
static void estimates_are_shown_without_counts(void **state)
{
	int code;

	(void)state;
	fake_fail_times(FAKE_RING, 2, 2, EPERM);
	code = run_ctl(store_to_one_for_a_while, "hot", VM_PID, "--timeout=1",
		       "--full", NULL);
	assert_int_equal(code, EXIT_PERMISSION);
	assert_non_null(strstr(run_errors, "--cost"));
	assert_int_equal(run_count("  estimated  "), 1);
	assert_int_equal(run_count("Cost: "), 1);
}

static void wrong_options_are_usage_errors(void **state)
{
	static const char *const wrong[] = {
		"--cost=11", "--cost=96001", "--count=0", "--count=101",
		"--timeout=0.9", "--gfn=", "--interval=1",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(run_ctl(NULL, "hot", VM_PID, wrong[i], NULL),
				 EXIT_USAGE);
	assert_int_equal(run_ctl(NULL, "hot", NULL), EXIT_USAGE);
	assert_int_equal(run_ctl(NULL, "hot", VM_PID, "--full", "--cost=10",
				 NULL), EXIT_USAGE);
}

#undef CASE
#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(finds_what_is_written),
		CASE(keeps_to_the_bound),
		CASE(asks_for_what_a_round_takes),
		CASE(holes_are_left_alone),
		CASE(no_memory_is_told),
		CASE(refused_pages_are_tried_again),
		CASE(signal_ends_it_with_what_is_known),
		CASE(end_of_the_vm_ends_it),
		CASE(text_says_how_it_is_known),
		CASE(estimates_are_shown_without_counts),
		CASE(wrong_options_are_usage_errors),
	};

	return RUN(cases);
}
