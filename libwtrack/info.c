// SPDX-License-Identifier: LGPL-2.1-or-later
#include <errno.h>

#include "internal.h"
#include "sys.h"

SAME(WTRACK_FEAT_FOREIGN_ATTACH, KVM_WTRACK_FEAT_FOREIGN_ATTACH);
SAME(WTRACK_FEAT_COALESCE, KVM_WTRACK_FEAT_COALESCE);
SAME(WTRACK_FEAT_VCPU, KVM_WTRACK_FEAT_VCPU);
SAME(WTRACK_FEAT_RIP, KVM_WTRACK_FEAT_RIP);
SAME(WTRACK_FEAT_RESTRICT, KVM_WTRACK_FEAT_RESTRICT);
SAME(WTRACK_FEAT_LONG_WRITES, KVM_WTRACK_FEAT_LONG_WRITES);
SAME(WTRACK_FEAT_GUARD, KVM_WTRACK_FEAT_GUARD);
SAME(WTRACK_FEAT_BUDGET, KVM_WTRACK_FEAT_BUDGET);
SAME(WTRACK_FEAT_NATIVE, KVM_WTRACK_FEAT_NATIVE);
SAME(WTRACK_FEAT_READ, KVM_WTRACK_FEAT_READ);
SAME(WTRACK_FEAT_REGIONS, KVM_WTRACK_FEAT_REGIONS);
SAME(WTRACK_FEAT_STICKY, KVM_WTRACK_FEAT_STICKY);
SAME(WTRACK_FEAT_ONCE, KVM_WTRACK_FEAT_ONCE);
SAME(WTRACK_FEAT_SYNC, KVM_WTRACK_FEAT_SYNC);
SAME(WTRACK_FEAT_TUNE, KVM_WTRACK_FEAT_TUNE);
SAME(WTRACK_FEAT_CONTROL, KVM_WTRACK_FEAT_CONTROL);
SAME(WTRACK_FEAT_MODES, KVM_WTRACK_FEAT_MODES);

/*
 * ENOENT and EPERM have other meanings in this interface: no memory at a page,
 * and refused by the session's restriction.
 */
int wtrack__device_open(void)
{
	int fd = wtrack__sys_open(KVM_WTRACK_DEVICE);

	if (fd == -ENOENT || fd == -ENXIO)
		return -ENODEV;
	if (fd == -EPERM)
		return -EACCES;
	return fd;
}

/* The library reads only rings of the layout that its header describes. */
static bool info_is_sane(const struct kvm_wtrack_info *info)
{
	return info->out_max_ranges > 0 &&
	       info->out_record_bytes == sizeof(struct kvm_wtrack_record) &&
	       info->out_data_bytes == KVM_WTRACK_DATA_BYTES;
}

int wtrack__device_get_info(int fd, struct kvm_wtrack_info *ret)
{
	struct kvm_wtrack_info args = { .size = sizeof(args) };
	int r = wtrack__retry_ioctl(fd, KVM_WTRACK_INFO, &args);

	if (r < 0)
		return r;
	if (!info_is_sane(&args))
		return -EPROTO;
	*ret = args;
	return 0;
}

WTRACK_API int wtrack_get_info(struct wtrack_info *ret, size_t size)
{
	struct kvm_wtrack_info args;
	struct wtrack_info info;
	int fd, r;

	fd = wtrack__device_open();
	if (fd < 0)
		return fd;
	r = wtrack__device_get_info(fd, &args);
	wtrack__sys_close(fd);
	if (r < 0)
		return r;
	info = (struct wtrack_info) {
		.features = args.out_features,
		.max_pages = args.out_max_pages,
		.min_records = args.out_min_records,
		.max_records = args.out_max_records,
		.max_sessions = args.out_max_sessions,
		.max_users = args.out_max_users,
		.max_ranges = args.out_max_ranges,
		.max_latency_us = args.out_max_latency_us,
		.data_bytes = args.out_data_bytes,
		.max_budget = args.out_max_budget,
		.max_period_ms = args.out_max_period_ms,
		.backoff_min_ms = args.out_backoff_min_ms,
		.backoff_max_ms = args.out_backoff_max_ms,
		.read_bytes_per_s = args.out_read_bytes_per_s,
		.max_sync_us = args.out_max_sync_us,
	};
	return wtrack__copy_sized(ret, size, &info, sizeof(info));
}
