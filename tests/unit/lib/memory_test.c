// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading the guest's memory, and asking what there is of it. */
#include "test.h"

#define PAGE_BYTES	4096
#define BYTES		(8 * PAGE_BYTES)

static unsigned char truth[BYTES], got[BYTES];

/* Memory in which no two places look the same. */
static void fill_memory(void)
{
	size_t i;

	for (i = 0; i < BYTES; i++)
		truth[i] = (unsigned char)(i * 7 + i / 251);
	fake_memory_write(0, truth, BYTES);
}

static void read_is_what_memory_has(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	const size_t at[] = { 0, 1, 4095, 4096, 9999, 10000, 10001 };
	const size_t lens[] = { 1, 7, 8, 4096, 4097, 9999, 10001 };
	struct wtrack_read result;
	size_t i, j;

	(void)state;
	fill_memory();
	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		for (j = 0; j < sizeof(lens) / sizeof(lens[0]); j++) {
			memset(got, 0xee, BYTES);
			assert_int_equal(wtrack_session_read(session, at[i], got,
						lens[j], &result, 0), 0);
			assert_int_equal(result.done, lens[j]);
			assert_memory_equal(got, truth + at[i], lens[j]);
			assert_int_equal(got[lens[j]], 0xee);
		}
	wtrack_session_close(session);
}

static void long_reads_take_several_calls(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);

	(void)state;
	fill_memory();
	assert_int_equal(wtrack_session_read(session, 0, got, BYTES, NULL, 0),
			 0);
	assert_memory_equal(got, truth, BYTES);
	assert_int_equal(fake.nr_calls[FAKE_READ],
			 (BYTES + FAKE_READ_BYTES - 1) / FAKE_READ_BYTES);
	wtrack_session_close(session);
}

static void nothing_is_read_of_no_length(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_read result = { .done = 99 };

	(void)state;
	assert_int_equal(wtrack_session_read(session, 0, NULL, 0, &result, 0), 0);
	assert_int_equal(result.done, 0);
	assert_int_equal(fake.nr_calls[FAKE_READ], 0);
	wtrack_session_close(session);
}

/* Behind the limit of a call, too. */
static void it_stops_at_what_cannot_be_read(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	const int errors[] = { EBUSY, EHWPOISON, ENOMEM, ENXIO, EPERM };
	struct wtrack_read result;
	size_t i;

	(void)state;
	fill_memory();
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		fake.unreadable[5] = errors[i];
		memset(got, 0xee, BYTES);
		assert_int_equal(wtrack_session_read(session, 100, got, BYTES - 100,
						     &result, 0), -errors[i]);
		assert_int_equal(result.done, 5 * PAGE_BYTES - 100);
		assert_memory_equal(got, truth + 100, result.done);
		assert_int_equal(got[result.done], 0xee);
	}
	fake.unreadable[5] = 0;
	fake_region_removed(5, 1);
	assert_int_equal(wtrack_session_read(session, 5 * PAGE_BYTES, got, 1,
					     &result, 0), -ENOENT);
	assert_int_equal(result.done, 0);
	wtrack_session_close(session);
}

static void nofault_takes_what_is_there(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_read result;

	(void)state;
	fill_memory();
	fake.unreadable[1] = EAGAIN;
	assert_int_equal(wtrack_session_read(session, 0, got, BYTES, &result,
					     WTRACK_READ_NOFAULT), -EAGAIN);
	assert_int_equal(result.done, PAGE_BYTES);
	assert_int_equal(wtrack_session_read(session, 0, got, BYTES, &result, 0),
			 0);
	assert_memory_equal(got, truth, BYTES);
	wtrack_session_close(session);
}

static void a_signal_ends_it_if_wanted(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_read result;

	(void)state;
	fill_memory();
	fake.bytes_to_signal = 3000;
	assert_int_equal(wtrack_session_read(session, 0, got, BYTES, &result, 0),
			 0);
	assert_int_equal(result.done, BYTES);
	assert_memory_equal(got, truth, BYTES);
	memset(got, 0xee, BYTES);
	assert_int_equal(wtrack_session_read(session, 0, got, BYTES, &result,
					     WTRACK_READ_INTR), -EINTR);
	assert_int_equal(result.done, 3000);
	assert_memory_equal(got, truth, 3000);
	assert_int_equal(got[3000], 0xee);
	wtrack_session_close(session);
}

static void flags_are_checked(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_read result = { .done = 99 };

	(void)state;
	assert_int_equal(wtrack_session_read(session, 0, got, 1, &result, 4),
			 -EINVAL);
	assert_int_equal(result.done, 0);
	assert_int_equal(fake.nr_calls[FAKE_READ], 0);
	assert_int_equal(wtrack_session_read(session, UINT64_C(1) << 52, got, 1,
					     NULL, 0), -EINVAL);
	wtrack_session_close(session);
}

static void a_read_tells_which_events_it_contains(void **state)
{
	struct wtrack_session *session = fake_session(64, 0);
	struct wtrack_read result;
	uint64_t word, generation = 0;

	(void)state;
	fake_store(3, 0x1111);
	fake_store(3, 0x2222);
	generation = fake.generation;
	assert_int_equal(wtrack_session_read(session, 3 * PAGE_BYTES, &word, 8,
					     &result, 0), 0);
	assert_int_equal(word, 0x2222);
	assert_int_equal(result.seq, 2);
	assert_int_equal(result.generation, generation);
	wtrack_session_close(session);
}

static struct wtrack_read seen;
static int calls;

/* Stores and changes of the regions between the calls of one read. */
static void change_between(unsigned long request, void *args)
{
	(void)args;
	if (request != KVM_WTRACK_READ)
		return;
	calls++;
	fake_store(100, 1);
	fake.generation += 2;
}

static void of_several_calls_the_first_counts(void **state)
{
	struct wtrack_session *session = fake_session(64, 0);
	uint64_t generation = fake.generation;

	(void)state;
	fake_store(3, 0x1111);
	calls = 0;
	fake.distort = change_between;
	assert_int_equal(wtrack_session_read(session, 0, got, BYTES, &seen, 0),
			 0);
	fake.distort = NULL;
	assert_true(calls > 1);
	assert_int_equal(seen.seq, 1);
	assert_int_equal(seen.generation, generation);
	wtrack_session_close(session);
}

static void failures_of_the_call_are_told(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	const int errors[] = { EFAULT, ENOMEM, ENOTTY, ESRCH };
	struct wtrack_read result;
	size_t i;

	(void)state;
	fill_memory();
	for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		fake_fail(FAKE_READ, 2, errors[i]);
		assert_int_equal(wtrack_session_read(session, 0, got, BYTES,
						     &result, 0), -errors[i]);
		assert_int_equal(result.done, FAKE_READ_BYTES);
	}
	wtrack_session_close(session);
}

static enum { TOO_MUCH, NOTHING, NO_ERRNO } nonsense;

static void talk_nonsense(unsigned long request, void *args)
{
	struct kvm_wtrack_read *read = args;

	if (request != KVM_WTRACK_READ)
		return;
	if (nonsense == TOO_MUCH)
		read->out_done = read->len + 1;
	else
		read->out_done = 0;
	if (nonsense == NO_ERRNO)
		read->out_error = 4096;
}

static void nonsense_is_not_believed(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_read result;

	(void)state;
	fake.distort = talk_nonsense;
	for (nonsense = TOO_MUCH; nonsense <= NO_ERRNO; nonsense++) {
		assert_int_equal(wtrack_session_read(session, 0, got, 100,
						     &result, 0), -EPROTO);
		assert_int_equal(result.done, 0);
	}
	wtrack_session_close(session);
}

static void regions_come_in_order(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	const struct wtrack_region want[] = {
		{ .gfn = 0, .nr_pages = 10 },
		{ .gfn = 20, .nr_pages = 1, .flags = WTRACK_REGION_READONLY },
		{ .gfn = 21, .nr_pages = FAKE_PAGES - 22 },
	};
	struct wtrack_region region;
	uint64_t gfn = 0, generation;
	size_t n = 0;

	(void)state;
	fake_region_removed(10, 10);
	fake_region_removed(FAKE_PAGES - 1, 1);
	fake_region_added(20, 1, KVM_WTRACK_REGION_F_READONLY);
	while (wtrack_session_regions_next(session, &gfn, &region,
					   &generation) > 0) {
		assert_true(n < 3);
		assert_memory_equal(&region, &want[n], sizeof(region));
		assert_int_equal(generation, fake.generation);
		n++;
	}
	assert_int_equal(n, 3);
	assert_int_equal(gfn, WTRACK_GFN_END);
	assert_int_equal(wtrack_session_regions_next(session, &gfn, &region,
						     NULL), 0);
	wtrack_session_close(session);
}

static void a_guest_without_memory_has_a_generation(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_region region = { .gfn = 99 };
	uint64_t gfn = 0, generation = 0;
	struct wtrack_status status;

	(void)state;
	fake_region_removed(0, FAKE_PAGES);
	assert_int_equal(wtrack_session_regions_next(session, &gfn, &region,
						     &generation), 0);
	assert_int_equal(region.gfn, 99);
	assert_int_equal(generation, fake.generation);
	assert_int_equal(wtrack_session_get_status(session, &status,
						   sizeof(status)), 0);
	assert_int_equal(status.generation, fake.generation);
	wtrack_session_close(session);
}

static int empty_answers;

/* The module may stop before it found something. */
static void find_nothing_yet(unsigned long request, void *args)
{
	struct kvm_wtrack_regions *regions = args;

	if (request != KVM_WTRACK_REGIONS || !empty_answers)
		return;
	empty_answers--;
	regions->out_nr_regions = 0;
	regions->out_next_gfn = regions->gfn + 1;
}

static void an_empty_answer_is_not_the_end(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_region region;
	uint64_t gfn = 0;

	(void)state;
	fake_region_removed(0, 100);
	empty_answers = 5;
	fake.distort = find_nothing_yet;
	assert_int_equal(wtrack_session_regions_next(session, &gfn, &region,
						     NULL), 1);
	assert_int_equal(region.gfn, 100);
	wtrack_session_close(session);
}

static int lie;

static void lie_about_regions(unsigned long request, void *args)
{
	struct kvm_wtrack_regions *regions = args;
	struct kvm_wtrack_region *region =
		(void *)(uintptr_t)regions->regions;

	if (request != KVM_WTRACK_REGIONS)
		return;
	switch (lie) {
	case 0:
		regions->out_nr_regions = 2;
		break;
	case 1:
		regions->out_next_gfn = regions->gfn;
		break;
	case 2:
		region->nr_pages = 0;
		break;
	case 3:
		region->gfn = regions->gfn - 1;
		break;
	case 4:
		region->gfn = 0;
		region->nr_pages = UINT64_MAX;
		break;
	}
}

static void nonsense_about_regions_is_not_believed(void **state)
{
	struct wtrack_session *session = fake_session(0, 0);
	struct wtrack_region region = { .gfn = 99 };
	uint64_t gfn = 5, generation = 7;

	(void)state;
	fake.distort = lie_about_regions;
	for (lie = 0; lie < 5; lie++) {
		assert_int_equal(wtrack_session_regions_next(session, &gfn,
					&region, &generation), -EPROTO);
		assert_int_equal(gfn, 5);
		assert_int_equal(region.gfn, 99);
		assert_int_equal(generation, 7);
	}
	fake.distort = NULL;
	fake_fail_times(FAKE_REGIONS, 1, 3, EINTR);
	assert_int_equal(wtrack_session_regions_next(session, &gfn, &region,
						     NULL), 1);
	fake_fail(FAKE_REGIONS, 1, ESRCH);
	gfn = 0;
	assert_int_equal(wtrack_session_regions_next(session, &gfn, &region,
						     NULL), -ESRCH);
	wtrack_session_close(session);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(read_is_what_memory_has),
		CASE(long_reads_take_several_calls),
		CASE(nothing_is_read_of_no_length),
		CASE(it_stops_at_what_cannot_be_read),
		CASE(nofault_takes_what_is_there),
		CASE(a_signal_ends_it_if_wanted),
		CASE(flags_are_checked),
		CASE(a_read_tells_which_events_it_contains),
		CASE(of_several_calls_the_first_counts),
		CASE(failures_of_the_call_are_told),
		CASE(nonsense_is_not_believed),
		CASE(regions_come_in_order),
		CASE(a_guest_without_memory_has_a_generation),
		CASE(an_empty_answer_is_not_the_end),
		CASE(nonsense_about_regions_is_not_believed),
	};

	return RUN(cases);
}
