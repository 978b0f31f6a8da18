// SPDX-License-Identifier: LGPL-2.1-or-later
#include "internal.h"

SAME(WTRACK_STATE_ATTACHED, KVM_WTRACK_STATE_ATTACHED);
SAME(WTRACK_STATE_RESTRICTED, KVM_WTRACK_STATE_RESTRICTED);
SAME(WTRACK_STATE_RING, KVM_WTRACK_STATE_RING);
SAME(WTRACK_STATE_COALESCE, KVM_WTRACK_STATE_COALESCE);
SAME(WTRACK_STATE_RESYNC, KVM_WTRACK_STATE_RESYNC);
SAME(WTRACK_STATE_VM_GONE, KVM_WTRACK_STATE_VM_GONE);
SAME(WTRACK_STATE_ENDED, KVM_WTRACK_STATE_ENDED);

int wtrack__device_get_status(int fd, struct kvm_wtrack_status *ret)
{
	struct kvm_wtrack_status args = { .size = sizeof(args) };
	int r = wtrack__retry_ioctl(fd, KVM_WTRACK_STATUS, &args);

	if (r < 0)
		return r;
	*ret = args;
	return 0;
}

WTRACK_API int wtrack_session_get_status(struct wtrack_session *session,
					 struct wtrack_status *ret, size_t size)
{
	struct kvm_wtrack_status args;
	struct wtrack_status status;
	int r;

	r = wtrack__device_get_status(session->fd, &args);
	if (r < 0)
		return r;
	status = (struct wtrack_status) {
		.state = args.out_state,
		.vm_pid = args.out_vm_pid,
		.vm_id = args.out_vm_id,
		.session_id = args.out_session_id,
		.records = args.out_records,
		.unread = args.out_unread,
		.pages = args.out_pages,
		.max_pages = args.out_max_pages,
		.events = args.out_events,
		.merged = args.out_merged,
		.overflows = args.out_overflows,
		.resync_writes = args.out_resync_writes,
		.regions_removed = args.out_regions_removed,
		.wakeups = args.out_wakeups,
		.memory_bytes = args.out_memory_bytes,
		.vm_memory_bytes = args.out_vm_memory_bytes,
		.disarms = args.out_disarms,
		.over_budget = args.out_over_budget,
		.rearms = args.out_rearms,
		.unreported = args.out_unreported,
		.rights = args.out_rights,
		.generation = args.out_generation,
		.absent = args.out_absent,
		.sync_waits = args.out_sync_waits,
		.sync_timeouts = args.out_sync_timeouts,
	};
	return wtrack__copy_sized(ret, size, &status, sizeof(status));
}
