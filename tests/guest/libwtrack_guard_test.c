// SPDX-License-Identifier: GPL-2.0-or-later
/* libwtrack: what the guard does, told by events, the resync set and counters. */
#include <errno.h>

#include "guest.h"
#include "session.h"

enum { BUDGET = 10, LONG_MS = 4000, SHORT_MS = 200, SECOND_MS = 1000 };

static struct wtrack_session *session_with(struct vm *vm, uint32_t period_ms,
					   unsigned int flags)
{
	struct wtrack_session *s;

	CHECK_OK(wtrack_session_open_vm_fd(vm->fd, &s));
	CHECK_OK(wtrack_session_set_budget(s, BUDGET, period_ms));
	CHECK_OK(wtrack_session_make_ring(s, 64, flags, 0, 0));
	return s;
}

static void expect_stores(struct wtrack_session *s, unsigned int nr)
{
	const struct wtrack_event *e;

	for (; nr; nr--) {
		e = wtrack_session_next(s);
		CHECK(e);
		CHECK_EQ(wtrack_event_get_type(e), WTRACK_EVENT_WRITE);
	}
}

static const struct wtrack_event *expect_guard(struct wtrack_session *s,
					       uint32_t action, uint32_t cause)
{
	const struct wtrack_event *e = wtrack_session_next(s);

	CHECK(e);
	CHECK_EQ(wtrack_event_get_type(e), WTRACK_EVENT_GUARD);
	CHECK_EQ(wtrack_event_get_action(e), action);
	CHECK_EQ(wtrack_event_get_cause(e), cause);
	CHECK_EQ(wtrack_event_get_gfn(e), VM_DATA_GFN);
	CHECK_EQ(wtrack_event_get_len(e), 0);
	return e;
}

static uint32_t state_of(struct wtrack_session *s)
{
	uint32_t state;

	CHECK_OK(wtrack_session_query_gfn(s, VM_DATA_GFN, NULL, &state));
	return state;
}

CASE(a_page_over_its_budget_is_disarmed_and_armed_again)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wtrack_session *s = session_with(vm, SHORT_MS, 0);
	const struct wtrack_event *e;
	uint64_t rip;

	session_track(s, 1);
	vcpu_call(v, g_store8, VM_DATA, 1, 100, 8);
	expect_stores(s, BUDGET);
	e = expect_guard(s, WTRACK_GUARD_DISARMED, WTRACK_CAUSE_BUDGET);
	CHECK_EQ(wtrack_event_get_gpa(e), VM_DATA + 8 * (BUDGET - 1));
	CHECK_EQ(wtrack_event_get_vcpu(e), 0);
	CHECK_OK(wtrack_event_get_rip(e, &rip));
	CHECK(!wtrack_event_is_page(e));
	wtrack_session_release(s);
	CHECK_EQ(wtrack_session_wait(s, SECOND_MS), 1);
	e = expect_guard(s, WTRACK_GUARD_REARMED, WTRACK_CAUSE_NONE);
	CHECK(wtrack_event_is_page(e));
	CHECK_WTRACK(wtrack_event_get_vcpu(e), ENODATA, "does not tell");
	CHECK_WTRACK(wtrack_event_get_rip(e, &rip), ENODATA, "does not tell");
	vcpu_call(v, g_store8, VM_DATA, 1, 1, 8);
	expect_stores(s, 1);
	CHECK(!wtrack_session_next(s));
}

CASE(what_is_disarmed_is_told_by_state_and_counters)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wtrack_session *s = session_with(vm, LONG_MS, 0);
	struct wtrack_status status;

	session_track(s, 1);
	CHECK_EQ(state_of(s), WTRACK_GFN_TRACKED);
	vcpu_call(v, g_store8, VM_DATA, 1, 100, 8);
	CHECK_EQ(state_of(s), WTRACK_GFN_TRACKED | WTRACK_GFN_DISARMED);
	CHECK_OK(wtrack_session_add(s, &(struct wtrack_range){ VM_DATA_GFN, 1 },
				    1, NULL, 0));
	CHECK_EQ(state_of(s), WTRACK_GFN_TRACKED);
	status = session_status(s);
	CHECK_EQ(status.disarms, 1);
	CHECK_EQ(status.over_budget, 1);
	CHECK_EQ(status.rearms, 1);
	CHECK_EQ(status.unreported, 0);
}

CASE(a_session_that_stops_gives_the_page_up)
{
	struct vm *vm = vm_new(1);
	struct vcpu *v = vcpu_new(vm);
	struct wtrack_session *s = session_with(vm, LONG_MS, WTRACK_RING_STOP);

	session_track(s, 1);
	vcpu_call(v, g_store8, VM_DATA, 1, 100, 8);
	expect_stores(s, BUDGET);
	expect_guard(s, WTRACK_GUARD_STOPPED, WTRACK_CAUSE_BUDGET);
	CHECK_SOON(!state_of(s));
	CHECK_EQ(session_status(s).pages, 0);
}

CASE(the_resync_set_tells_what_is_disarmed)
{
	struct vm *vm = vm_new(2);
	struct vcpu *v = vcpu_new(vm);
	struct wtrack_session *s, *other = session_on(vm, 64, 0);
	struct wtrack_resync_range range;

	/* Of a session without a budget the other page fills the ring. */
	s = session_with(vm, LONG_MS, 0);
	session_track(s, 2);
	CHECK_OK(wtrack_session_add(other,
				    &(struct wtrack_range){ VM_DATA_GFN + 1, 1 },
				    1, NULL, 0));
	vcpu_call(v, g_store8, VM_DATA + PAGE, 1, 70, 8);
	vcpu_call(v, g_store8, VM_DATA, 1, 100, 8);
	while (wtrack_session_next(s))
		;
	CHECK_EQ(wtrack_session_resync_next(s, &range), 1);
	CHECK_EQ(range.gfn, VM_DATA_GFN);
	CHECK_EQ(range.nr_pages, 1);
	CHECK_EQ(range.what, WTRACK_RESYNC_DISARMED);
	CHECK_EQ(wtrack_session_resync_next(s, &range), 1);
	CHECK_EQ(range.gfn, VM_DATA_GFN + 1);
	CHECK_EQ(range.what, WTRACK_RESYNC_REREAD);
	CHECK_EQ(wtrack_session_resync_next(s, &range), 0);
}

CASE(info_has_the_bounds_that_set_budget_goes_by)
{
	struct wtrack_session *s;
	struct wtrack_info info;

	CHECK_OK(wtrack_get_info(&info, sizeof(info)));
	CHECK(info.features & WTRACK_FEAT_GUARD);
	CHECK(info.features & WTRACK_FEAT_BUDGET);
	CHECK(info.backoff_min_ms && info.backoff_max_ms);
	CHECK_OK(wtrack_session_open_vm_fd(vm_new(1)->fd, &s));
	CHECK_WTRACK(wtrack_session_set_budget(s, info.max_budget + 1, 1),
		     ERANGE, "out of bounds");
	CHECK_WTRACK(wtrack_session_set_budget(s, 1, info.max_period_ms + 1),
		     ERANGE, "out of bounds");
	CHECK_WTRACK(wtrack_session_set_budget(s, 1, 0), EINVAL, "malformed");
	CHECK_OK(wtrack_session_set_budget(s, info.max_budget,
					   info.max_period_ms));
	CHECK_OK(wtrack_session_make_ring(s, 64, 0, 0, 0));
	/* The same of a ring that is there. */
	CHECK_WTRACK(wtrack_session_set_budget(s, info.max_budget + 1, 1),
		     ERANGE, "out of bounds");
	CHECK_WTRACK(wtrack_session_set_budget(s, 1, 0), EINVAL, "malformed");
	CHECK_OK(wtrack_session_set_budget(s, 1, 1));
	CHECK_OK(wtrack_session_set_budget(s, 0, 0));
}
