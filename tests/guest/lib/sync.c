// SPDX-License-Identifier: GPL-2.0-or-later
#include <poll.h>
#include <unistd.h>

#include "sync.h"
#include "tap.h"

struct wt *wt_session_sync(int vm_fd, uint32_t records)
{
	WT_ARG(ring, r, .records = records, .flags = KVM_WTRACK_RING_F_SYNC,
	       .sync_us = SYNC_US);
	int fd = wt_open();

	wt_attach(fd, vm_fd);
	CHECK_ERRNO(__wt_ring(fd, &r), 0);
	return wt_from_fd(fd);
}

struct kvm_wtrack_release wt_look(int fd)
{
	WT_ARG(release, r, .flags = KVM_WTRACK_RELEASE_F_LOOK);

	CHECK_ERRNO(__wt_release(fd, &r), 0);
	CHECK(r.out_signalled <= r.out_waiters);
	return r;
}

uint64_t wt_sync_timeouts(int fd)
{
	struct kvm_wtrack_status st;

	wt_status(fd, &st);
	CHECK(st.out_sync_timeouts <= st.out_sync_waits);
	return st.out_sync_timeouts;
}

uint64_t wt_sync_waits(int fd)
{
	struct kvm_wtrack_status st;

	wt_status(fd, &st);
	return st.out_sync_waits;
}

void sync_next(struct wt *wt, struct kvm_wtrack_record *rec)
{
	struct pollfd p = { .fd = wt->fd, .events = POLLIN };
	const struct kvm_wtrack_record *next;

	while (!(next = wt_peek(wt)))
		poll(&p, 1, 1);
	*rec = *next;
	wt->next++;
}

static void skip(struct wt *wt, const struct kvm_wtrack_record *rec)
{
	static struct wt_resync set;

	wt_release(wt);
	if (rec->type == KVM_WTRACK_RECORD_RESYNC)
		wt_resync(wt->fd, &set);
}

bool sync_is_held(const struct wt *wt, unsigned int vcpus)
{
	return wt_look(wt->fd).out_waiters == vcpus;
}

void sync_take(struct wt *wt, struct kvm_wtrack_record *rec)
{
	const uint32_t skipped = KVM_WTRACK_RECORD_F_ASYNC |
				 KVM_WTRACK_RECORD_F_MORE;

	for (;;) {
		sync_next(wt, rec);
		if (rec->type == KVM_WTRACK_RECORD_WRITE &&
		    !(rec->flags & skipped))
			return;
		skip(wt, rec);
	}
}

bool sync_is_past(uint64_t time_ns)
{
	return clock_ns() > time_ns + 2 * SYNC_US * 1000ULL;
}

bool sync_wait_held(const struct wt *wt, const struct kvm_wtrack_record *rec,
		    unsigned int vcpus)
{
	uint64_t timeouts = wt_sync_timeouts(wt->fd);

	while (!sync_is_held(wt, vcpus)) {
		if (wt_sync_timeouts(wt->fd) != timeouts ||
		    sync_is_past(rec->time_ns))
			return false;
		sync_nap();
	}
	return true;
}

bool sync_try_hold(struct wt *wt, struct kvm_wtrack_record *rec,
		   unsigned int vcpus)
{
	sync_take(wt, rec);
	return sync_wait_held(wt, rec, vcpus);
}

void sync_hold(struct wt *wt, struct kvm_wtrack_record *rec)
{
	while (!sync_try_hold(wt, rec, 1))
		wt_release(wt);
}

void sync_nap(void)
{
	usleep(100);
}

uint64_t sync_word(const void *at)
{
	return __atomic_load_n((const uint64_t *)at, __ATOMIC_SEQ_CST);
}
