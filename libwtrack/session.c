// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "internal.h"
#include "sys.h"

SAME(WTRACK_RIGHT_MEMORY, KVM_WTRACK_RIGHT_MEMORY);
SAME(WTRACK_RIGHT_DATA, KVM_WTRACK_RIGHT_DATA);
SAME(WTRACK_RIGHT_RIP, KVM_WTRACK_RIGHT_RIP);
SAME(WTRACK_RIGHT_OTHERS, KVM_WTRACK_RIGHT_OTHERS);
SAME(WTRACK_RIGHT_CHANGE, KVM_WTRACK_RIGHT_CHANGE);
SAME(WTRACK_RIGHT_SYNC, KVM_WTRACK_RIGHT_SYNC);

/*
 * Features of every module that was ever released. A module that lacks one of
 * them cannot keep the library's promises, although its calls look the same.
 * Later features are checked where they are used.
 */
#define NEEDED \
	(KVM_WTRACK_FEAT_FOREIGN_ATTACH | KVM_WTRACK_FEAT_COALESCE | \
	 KVM_WTRACK_FEAT_VCPU | KVM_WTRACK_FEAT_RIP | \
	 KVM_WTRACK_FEAT_RESTRICT | KVM_WTRACK_FEAT_LONG_WRITES | \
	 KVM_WTRACK_FEAT_GUARD | KVM_WTRACK_FEAT_BUDGET | \
	 KVM_WTRACK_FEAT_NATIVE | KVM_WTRACK_FEAT_READ | \
	 KVM_WTRACK_FEAT_REGIONS | KVM_WTRACK_FEAT_TUNE)

/* The descriptor is the caller's until this succeeds. */
static int session_new(int fd, struct wtrack_session **ret)
{
	struct wtrack_session *session;
	struct kvm_wtrack_info info;
	int r;

	r = wtrack__device_get_info(fd, &info);
	if (r < 0)
		return r;
	if (~info.out_features & NEEDED)
		return -EPROTO;
	session = wtrack__sys_alloc(sizeof(*session));
	if (!session)
		return -ENOMEM;
	session->fd = fd;
	session->features = info.out_features;
	session->max_ranges = info.out_max_ranges;
	session->max_budget = info.out_max_budget;
	session->max_period_ms = info.out_max_period_ms;
	session->max_sync_us = info.out_max_sync_us;
	*ret = session;
	return 0;
}

WTRACK_API int wtrack_session_open(struct wtrack_session **ret)
{
	int fd, r;

	fd = wtrack__device_open();
	if (fd < 0)
		return fd;
	r = session_new(fd, ret);
	if (r < 0)
		wtrack__sys_close(fd);
	return r;
}

WTRACK_API int wtrack_session_attach(struct wtrack_session *session, int vm_fd)
{
	struct kvm_wtrack_attach args = {
		.size = sizeof(args),
		.vm_fd = vm_fd,
	};

	return wtrack__retry_ioctl(session->fd, KVM_WTRACK_ATTACH, &args);
}

WTRACK_API int wtrack_session_open_vm_fd(int vm_fd, struct wtrack_session **ret)
{
	struct wtrack_session *session;
	int r;

	r = wtrack_session_open(&session);
	if (r < 0)
		return r;
	r = wtrack_session_attach(session, vm_fd);
	if (r < 0) {
		wtrack_session_close(session);
		return r;
	}
	*ret = session;
	return 0;
}

static bool is_power_of_two(uint32_t n)
{
	return n && !(n & (n - 1));
}

/*
 * Is the position between the oldest and the newest record? It is, unless
 * another holder of the session changed it.
 */
static bool position_is_sane(const struct wtrack_session *session,
			     const struct kvm_wtrack_status *status)
{
	return status->out_events - session->ring.released <=
	       session->ring.nr_records;
}

static int session_map(struct wtrack_session *session,
		       const struct kvm_wtrack_status *status)
{
	struct kvm_wtrack_ring made = {
		.records = status->out_records,
		.out_record_bytes = status->out_record_bytes,
		.out_consumer_offset = status->out_consumer_offset,
		.out_consumer_bytes = status->out_consumer_bytes,
		.out_records_offset = status->out_records_offset,
		.out_records_bytes = status->out_records_bytes,
	};

	if (!is_power_of_two(status->out_records))
		return -EPROTO;
	return wtrack__ring_map(session, &made);
}

/* Continue where the previous reader stopped. */
static int session_take_over(struct wtrack_session *session)
{
	struct kvm_wtrack_status status;
	int r;

	r = wtrack__device_get_status(session->fd, &status);
	if (r < 0)
		return r;
	if (!(status.out_state & KVM_WTRACK_STATE_RING))
		return 0;
	r = session_map(session, &status);
	if (r < 0)
		return r;
	session->ring.flags = status.out_ring_flags;
	if (!position_is_sane(session, &status)) {
		wtrack__ring_unmap(session);
		return -EIO;
	}
	if ((status.out_state & KVM_WTRACK_STATE_RESYNC) && !status.out_unread)
		wtrack__resync_inherit(session);
	return 0;
}

WTRACK_API int wtrack_session_open_fd(int session_fd,
				      struct wtrack_session **ret)
{
	struct wtrack_session *session;
	int r;

	r = session_new(session_fd, &session);
	if (r < 0)
		return r;
	r = session_take_over(session);
	if (r < 0) {
		wtrack__sys_free(session);
		return r;
	}
	*ret = session;
	return 0;
}

WTRACK_API void wtrack_session_close(struct wtrack_session *session)
{
	if (!session)
		return;
	wtrack__ring_unmap(session);
	wtrack__sys_close(session->fd);
	wtrack__sys_free(session);
}

WTRACK_API int wtrack_session_get_fd(const struct wtrack_session *session)
{
	return session->fd;
}

WTRACK_API int
wtrack_session_restrict(struct wtrack_session *session,
			const struct wtrack_restriction *restriction,
			size_t size)
{
	struct kvm_wtrack_restrict args = { .size = sizeof(args) };
	struct wtrack_restriction limits;
	int r;

	r = wtrack__load_sized(&limits, sizeof(limits), restriction, size);
	if (r < 0)
		return r;
	if (limits.nr_ranges > session->max_ranges)
		return -ERANGE;
	if (limits.nr_ranges)
		args.ranges = (uintptr_t)limits.ranges;
	args.nr_ranges = (uint32_t)limits.nr_ranges;
	args.max_records = limits.max_records;
	args.max_pages = limits.max_pages;
	args.budget = limits.budget;
	args.period_ms = limits.period_ms;
	args.max_sync_us = limits.max_sync_us;
	args.rights = limits.rights;
	return wtrack__retry_ioctl(session->fd, KVM_WTRACK_RESTRICT, &args);
}
