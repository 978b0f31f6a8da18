// SPDX-License-Identifier: GPL-2.0-or-later
/* libwtrack: ranges in any number, told exactly, whatever comes between. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

#include "module.h"
#include "session.h"

static struct vm *sparse_vm(uint64_t pages)
{
	return vm_new_with(mem_sparse(pages * PAGE), pages);
}

/* Four pages from each to the next. */
static void set_ranges(struct wtrack_range *ranges, unsigned int nr,
		       uint64_t nr_pages)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		ranges[i].gfn = VM_DATA_GFN + i * 4;
		ranges[i].nr_pages = nr_pages;
	}
}

static void check_query(struct wtrack_session *session, unsigned int nr)
{
	struct wtrack_range r[100];
	uint64_t gfn = 0, seen = 0;
	int i, n;

	while ((n = wtrack_session_query(session, &gfn, r, 100)) > 0)
		for (i = 0; i < n; i++, seen++) {
			CHECK_EQ(r[i].gfn, VM_DATA_GFN + seen * 4);
			CHECK_EQ(r[i].nr_pages, 3);
		}
	CHECK_OK(n);
	CHECK_EQ(gfn, WTRACK_GFN_END);
	CHECK_EQ(seen, nr);
}

/* More of them than one call of the module may bring. */
CASE_WITHIN(ten_thousand_ranges_are_added_queried_and_removed, 60)
{
	enum { NR = 10000 };
	struct wtrack_session *s = session_on(sparse_vm(NR * 4), 64, 0);
	struct wtrack_result *results = calloc(NR, sizeof(*results));
	struct wtrack_range *ranges = calloc(NR, sizeof(*ranges));
	struct wtrack_info info;
	uint64_t seq = 77;
	unsigned int i;

	CHECK(ranges && results);
	CHECK_OK(wtrack_get_info(&info, sizeof(info)));
	CHECK(info.max_ranges < NR);
	set_ranges(ranges, NR, 3);
	CHECK_OK(wtrack_session_add(s, ranges, NR, results, 0));
	for (i = 0; i < NR; i++)
		CHECK_EQ(results[i].changed, 3);
	check_query(s, NR);
	set_ranges(ranges, NR, 4);
	CHECK_WTRACK(wtrack_session_remove_fenced(s, ranges, NR, results, 0,
						  &seq),
		     ENOENT, "does not track it");
	for (i = 0; i < NR; i++) {
		CHECK_EQ(results[i].done, 3);
		CHECK_ERRNO(-results[i].error, ENOENT);
		CHECK_EQ(results[i].error_gfn, VM_DATA_GFN + i * 4 + 3);
	}
	CHECK_EQ(seq, 0);
	CHECK_EQ(session_status(s).pages, 0);
}

static int add_one(struct wtrack_session *s, uint64_t gfn)
{
	struct wtrack_range range = { gfn, 1 };

	return wtrack_session_add(s, &range, 1, NULL, 0);
}

static uint32_t state_of(struct wtrack_session *s, uint64_t gfn, uint32_t users)
{
	uint32_t got, state;

	CHECK_OK(wtrack_session_query_gfn(s, gfn, &got, &state));
	CHECK_EQ(got, users);
	return state;
}

CASE(pages_that_cannot_be_tracked_say_why)
{
	struct vm *vm = vm_new(4);
	struct wtrack_session *s = session_on(vm, 64, 0);
	struct wtrack_session *other = session_on(vm, 64, 0);
	struct wtrack_range wrong[] = { { 5, 0 }, { 1ULL << 40, 1 } };

	vm_slot(vm, VM_SLOT_EXTRA, VM_HIGH, mem_shared(PAGE), PAGE,
		KVM_MEM_READONLY);
	CHECK_WTRACK(add_one(s, VM_HIGH / PAGE), EOPNOTSUPP, "read-only");
	CHECK_WTRACK(add_one(s, VM_HIGH / PAGE + 1), ENOENT,
		     "no memory at this page");
	CHECK_WTRACK(wtrack_session_add(s, &wrong[0], 1, NULL, 0), EINVAL,
		     "an empty range");
	CHECK_WTRACK(wtrack_session_add(s, &wrong[1], 1, NULL, 0), EINVAL,
		     "malformed");
	CHECK_WTRACK(wtrack_session_add(s, wrong, 0, NULL, 1U << 31), EINVAL,
		     "unknown flag");
	module_set_param("max_users", 1);
	CHECK_OK(add_one(other, VM_DATA_GFN));
	CHECK_WTRACK(add_one(s, VM_DATA_GFN), EOVERFLOW, "as many sessions");
	CHECK_EQ(state_of(s, VM_DATA_GFN, 1), 0);
	CHECK_EQ(state_of(other, VM_DATA_GFN, 1), WTRACK_GFN_TRACKED);
	module_set_param("max_pages", 2);
	CHECK_OK(add_one(s, VM_DATA_GFN + 1));
	CHECK_OK(add_one(s, VM_DATA_GFN + 2));
	CHECK_WTRACK(add_one(s, VM_DATA_GFN + 3), ENOSPC, "page limit");
	CHECK_EQ(session_status(s).pages, 2);
	CHECK_WTRACK(wtrack_session_query(s, &wrong[0].gfn, wrong, 0), EINVAL,
		     "malformed");
	CHECK_WTRACK(wtrack_session_query_gfn(s, 1ULL << 40, NULL, NULL),
		     EINVAL, "malformed");
}

CASE(a_restricted_session_stays_inside)
{
	const struct wtrack_range allowed = { VM_DATA_GFN, 3 };
	const struct wtrack_restriction limits = {
		.ranges = &allowed, .nr_ranges = 1,
		.max_pages = 2, .max_records = 64,
		.rights = WTRACK_RIGHT_DATA | WTRACK_RIGHT_CHANGE,
	};
	const struct wtrack_restriction frozen = {
		.rights = WTRACK_RIGHT_DATA,
	};
	struct vm *vm = vm_new(4);
	struct wtrack_session *s;

	CHECK_OK(wtrack_session_open_vm_fd(vm->fd, &s));
	CHECK_OK(wtrack_session_restrict(s, &limits, sizeof(limits)));
	CHECK_EQ(session_status(s).state,
		 WTRACK_STATE_ATTACHED | WTRACK_STATE_RESTRICTED);
	CHECK_OK(wtrack_session_restrict(s, &limits, sizeof(limits)));
	CHECK_EQ(session_status(s).rights, limits.rights);
	CHECK_WTRACK(wtrack_session_make_ring(s, 128, 0, 0, 0), EPERM,
		     "restriction");
	CHECK_OK(wtrack_session_make_ring(s, 64, 0, 0, 0));
	CHECK_WTRACK(add_one(s, VM_DATA_GFN + 3), EPERM, "restriction");
	CHECK_WTRACK(wtrack_session_query_gfn(s, VM_DATA_GFN + 3, NULL, NULL),
		     EPERM, "restriction");
	CHECK_OK(add_one(s, VM_DATA_GFN + 2));
	CHECK_OK(add_one(s, VM_DATA_GFN + 1));
	CHECK_WTRACK(add_one(s, VM_DATA_GFN), ENOSPC, "page limit");
	CHECK_EQ(session_status(s).max_pages, 2);
	CHECK_OK(wtrack_session_restrict(s, &frozen, sizeof(frozen)));
	CHECK_WTRACK(add_one(s, VM_DATA_GFN + 2), EPERM, "restriction");
	wtrack_session_close(s);
	s = session_on(vm, 64, 0);
	CHECK_WTRACK(wtrack_session_restrict(s, &limits, sizeof(limits)),
		     EBUSY, "restrict a session to what");
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void alarm_every(unsigned int us)
{
	struct itimerval t = { { 0, us }, { 0, us } };
	struct sigaction sa = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &sa, NULL);
	CHECK_SYS(!setitimer(ITIMER_REAL, &t, NULL));
}

enum { MANY = 1 << 17 };

static unsigned int interval_us(void)
{
	return host_is_debug() ? 50000 : 5000;
}

/* The library goes on where the module was interrupted. */
CASE_WITHIN(signals_change_no_result, 60)
{
	struct wtrack_session *s = session_on(sparse_vm(MANY), 64, 0);
	struct wtrack_range range = { VM_DATA_GFN - 5, MANY + 10 };
	struct wtrack_result result;
	unsigned int i;

	alarm_every(interval_us());
	for (i = 0; i < 3; i++) {
		CHECK_WTRACK(wtrack_session_add(s, &range, 1, &result, 0),
			     ENOENT, "no memory at this page");
		CHECK_EQ(result.done, MANY);
		CHECK_EQ(result.changed, MANY);
		CHECK_EQ(result.error_gfn, VM_DATA_GFN - 5);
		CHECK_EQ(session_status(s).pages, MANY);
		CHECK_WTRACK(wtrack_session_remove(s, &range, 1, &result, 0),
			     ENOENT, "does not track it");
		CHECK_EQ(result.done, MANY);
		CHECK_EQ(result.changed, MANY);
		CHECK_EQ(session_status(s).pages, 0);
	}
	alarm_every(0);
}

CASE_WITHIN(who_wants_to_be_interrupted_is_told_how_far_it_came, 60)
{
	struct wtrack_session *s = session_on(sparse_vm(MANY), 64, 0);
	struct wtrack_range range = { VM_DATA_GFN, MANY };
	struct wtrack_result result;
	unsigned int interrupted = 0;
	int r;

	alarm_every(interval_us());
	for (;;) {
		r = wtrack_session_add(s, &range, 1, &result,
				       WTRACK_CHANGE_INTR);
		if (!r)
			break;
		CHECK_WTRACK(r, EINTR, "call again to continue");
		CHECK_EQ(result.error, r);
		CHECK_EQ(result.error_gfn, range.gfn + result.done);
		range.gfn += result.done;
		range.nr_pages -= result.done;
		interrupted++;
	}
	alarm_every(0);
	tap_note("interrupted %u times", interrupted);
	CHECK(interrupted > 0);
	CHECK_EQ(session_status(s).pages, MANY);
}
