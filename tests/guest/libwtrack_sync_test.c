// SPDX-License-Identifier: GPL-2.0-or-later
/* libwtrack: synchronous sessions, and mirrors of them. */
#include <unistd.h>

#include "guest.h"
#include "session.h"
#include "sync.h"

/* g_store8_forever counts into the first page, which is tracked, and the second. */
enum { PAGES = 2 };

struct setup {
	struct vm *vm;
	struct vcpu *v;
	struct wtrack_session *session;
	struct wtrack_mirror *mirror;
};

static unsigned int rounds(unsigned int stock)
{
	return host_is_debug() ? stock / 10 : stock;
}

static void init(struct setup *s, unsigned int ring_flags)
{
	const struct wtrack_mirror_options options = {
		.records = 64, .ring_flags = ring_flags,
	};
	const struct wtrack_range page = { VM_DATA_GFN, 1 };

	s->vm = vm_new(PAGES);
	s->v = vcpu_new(s->vm);
	CHECK_OK(wtrack_session_open_vm_fd(s->vm->fd, &s->session));
	CHECK_OK(wtrack_session_set_sync(s->session, SYNC_US));
	CHECK_OK(wtrack_mirror_new(s->session, &options, sizeof(options),
				   &s->mirror));
	CHECK_OK(wtrack_mirror_add(s->mirror, &page, 1, NULL, 0));
	vcpu_start(s->v, g_store8_forever, VM_DATA, PAGES);
}

static void done(struct setup *s)
{
	wtrack_mirror_close(s->mirror);
	wtrack_session_close(s->session);
	vcpu_stop(s->v);
}

static uint32_t waiters(const struct setup *s)
{
	uint32_t nr;

	CHECK_OK(wtrack_session_get_waiters(s->session, &nr, NULL));
	return nr;
}

/* Until the vCPU waits behind this store; false when it has gone on. */
static bool is_held(const struct setup *s, const struct wtrack_change *change)
{
	uint64_t time_ns = wtrack_event_get_time_ns(change->event);

	while (!waiters(s)) {
		if (sync_is_past(time_ns))
			return false;
		sync_nap();
	}
	return true;
}

/* The next store that is waited for; all before it is worked through. */
static const struct wtrack_change *next_store(struct setup *s)
{
	const struct wtrack_change *change;
	int r;

	for (;;) {
		r = wtrack_mirror_update(s->mirror, &change);
		CHECK(r >= 0);
		if (!r)
			CHECK(wtrack_mirror_wait(s->mirror, -1) == 1);
		else if (change->what == WTRACK_CHANGED_WRITE &&
			 !wtrack_event_is_async(change->event))
			return change;
	}
}

static bool is_copy(const struct setup *s, uint64_t value)
{
	return sync_word(wtrack_mirror_page(s->mirror, VM_DATA_GFN)) == value;
}

/*
 * The caller looks at a change while the vCPU that made it waits exactly behind it;
 * the vCPU goes on when there is no change left.
 */
static void check_updates(unsigned int ring_flags)
{
	unsigned int n = 0, want = rounds(200);
	const struct wtrack_change *change;
	uint64_t value, last = 0, timeouts;
	struct setup s;
	bool held, behind;

	init(&s, WTRACK_RING_SYNC | ring_flags);
	while (n < want) {
		tap_trying("change %u", n);
		timeouts = session_status(s.session).sync_timeouts;
		change = next_store(&s);
		value = sync_word(change->new_bytes);
		held = is_held(&s, change);
		CHECK(is_copy(&s, value));
		sync_nap();
		behind = sync_word(s.vm->data) == value &&
			 sync_word(s.vm->data + PAGE) == value - 1;
		held = held && waiters(&s);
		if (held)
			CHECK(behind);
		if (last &&
		    session_status(s.session).sync_timeouts == timeouts)
			CHECK_EQ(value, last + PAGES);
		/* To its end, which is when the vCPU goes on. */
		CHECK_OK(wtrack_mirror_update(s.mirror, NULL));
		held = held && session_status(s.session).sync_timeouts == timeouts;
		last = held ? value : 0;
		n += held;
	}
	done(&s);
}

CASE_WITHIN(the_guest_goes_on_when_an_update_is_at_its_end, 60)
{
	check_updates(0);
}

/* It arms the page again before, so that each store of the vCPU is a change. */
CASE_WITHIN(an_update_arms_what_was_touched_before_the_guest_goes_on, 60)
{
	check_updates(WTRACK_RING_ONCE);
}

/* It does not wait for the vCPU, and lets it go on as well. */
CASE_WITHIN(a_sync_is_exact_for_a_vcpu_that_waits, 60)
{
	unsigned int n = 0, want = rounds(100);
	const struct wtrack_change *change;
	uint64_t value, timeouts;
	struct setup s;
	bool held, exact;

	init(&s, WTRACK_RING_SYNC);
	while (n < want) {
		tap_trying("sync %u", n);
		timeouts = session_status(s.session).sync_timeouts;
		change = next_store(&s);
		value = sync_word(change->new_bytes);
		held = is_held(&s, change);
		CHECK_OK(wtrack_mirror_sync(s.mirror, NULL));
		exact = is_copy(&s, value);
		if (held && session_status(s.session).sync_timeouts == timeouts) {
			CHECK(exact);
			n++;
		}
	}
	done(&s);
}

/* Events alone: the vCPU goes on when its event is released. */
CASE_WITHIN(a_release_lets_the_guest_go_on, 60)
{
	unsigned int n = 0, want = rounds(200);
	const struct wtrack_range page = { VM_DATA_GFN, 1 };
	struct vm *vm = vm_new(PAGES);
	struct vcpu *v = vcpu_new(vm);
	const struct wtrack_event *event;
	struct wtrack_session *session;
	uint64_t last = 0, timeouts = 0;

	CHECK_OK(wtrack_session_open_vm_fd(vm->fd, &session));
	CHECK_OK(wtrack_session_set_sync(session, SYNC_US));
	CHECK_OK(wtrack_session_make_ring(session, 64, WTRACK_RING_SYNC, 0, 0));
	CHECK_OK(wtrack_session_add(session, &page, 1, NULL, 0));
	vcpu_start(v, g_store8_forever, VM_DATA, PAGES);
	while (n < want) {
		CHECK(wtrack_session_wait(session, -1) == 1);
		event = wtrack_session_next(session);
		if (!event || wtrack_event_get_type(event) != WTRACK_EVENT_WRITE)
			continue;
		if (last && session_status(session).sync_timeouts == timeouts) {
			CHECK_EQ(sync_word(wtrack_event_get_data(event)),
				 last + PAGES);
			n++;
		}
		last = sync_word(wtrack_event_get_data(event));
		timeouts = session_status(session).sync_timeouts;
		wtrack_session_release(session);
	}
	wtrack_session_close(session);
	vcpu_stop(v);
}
