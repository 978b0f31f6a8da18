// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Offset and size of every field of the kernel interface, and every number in
 * it. The same for C and C++, 64 and 32 bits. What was released never changes;
 * new fields take the place of reserved ones or go behind.
 */
#include <stddef.h>

#include <linux/kvm_wtrack.h>

#include "pin.h"

#define SIZE(name, size) \
	PIN(sizeof(struct kvm_wtrack_ ## name), size)
#define FIELD(name, field, offset, size) \
	PIN(offsetof(struct kvm_wtrack_ ## name, field), offset); \
	PIN(sizeof(((struct kvm_wtrack_ ## name *)0)->field), size)

SIZE(info, 112);
FIELD(info, size, 0, 4);
FIELD(info, flags, 4, 4);
FIELD(info, out_features, 8, 8);
FIELD(info, out_max_pages, 16, 8);
FIELD(info, out_min_records, 24, 4);
FIELD(info, out_max_records, 28, 4);
FIELD(info, out_max_sessions, 32, 4);
FIELD(info, out_max_users, 36, 4);
FIELD(info, out_max_ranges, 40, 4);
FIELD(info, out_max_latency_us, 44, 4);
FIELD(info, out_record_bytes, 48, 4);
FIELD(info, out_data_bytes, 52, 4);
FIELD(info, out_max_budget, 56, 4);
FIELD(info, out_max_period_ms, 60, 4);
FIELD(info, out_backoff_min_ms, 64, 4);
FIELD(info, out_backoff_max_ms, 68, 4);
FIELD(info, out_max_read_bytes, 72, 8);
FIELD(info, out_read_bytes_per_s, 80, 8);
FIELD(info, out_max_sync_us, 88, 4);
FIELD(info, __reserved0, 92, 4);
FIELD(info, __reserved, 96, 16);

SIZE(attach, 48);
FIELD(attach, size, 0, 4);
FIELD(attach, flags, 4, 4);
FIELD(attach, vm_fd, 8, 4);
FIELD(attach, __reserved0, 12, 4);
FIELD(attach, out_vm_id, 16, 8);
FIELD(attach, out_session_id, 24, 8);
FIELD(attach, __reserved, 32, 16);

SIZE(status, 288);
FIELD(status, size, 0, 4);
FIELD(status, flags, 4, 4);
FIELD(status, out_state, 8, 4);
FIELD(status, out_vm_pid, 12, 4);
FIELD(status, out_vm_id, 16, 8);
FIELD(status, out_session_id, 24, 8);
FIELD(status, out_records, 32, 4);
FIELD(status, out_unread, 36, 4);
FIELD(status, out_pages, 40, 8);
FIELD(status, out_max_pages, 48, 8);
FIELD(status, out_events, 56, 8);
FIELD(status, out_merged, 64, 8);
FIELD(status, out_overflows, 72, 8);
FIELD(status, out_resync_writes, 80, 8);
FIELD(status, out_regions_removed, 88, 8);
FIELD(status, out_wakeups, 96, 8);
FIELD(status, out_memory_bytes, 104, 8);
FIELD(status, out_vm_memory_bytes, 112, 8);
FIELD(status, out_disarms, 120, 8);
FIELD(status, out_over_budget, 128, 8);
FIELD(status, out_rearms, 136, 8);
FIELD(status, out_unreported, 144, 8);
FIELD(status, out_ring_flags, 152, 4);
FIELD(status, out_record_bytes, 156, 4);
FIELD(status, out_consumer_offset, 160, 8);
FIELD(status, out_consumer_bytes, 168, 8);
FIELD(status, out_records_offset, 176, 8);
FIELD(status, out_records_bytes, 184, 8);
FIELD(status, out_rights, 192, 8);
FIELD(status, out_generation, 200, 8);
FIELD(status, out_watermark, 208, 4);
FIELD(status, out_latency_us, 212, 4);
FIELD(status, out_budget, 216, 4);
FIELD(status, out_period_ms, 220, 4);
FIELD(status, out_absent, 224, 8);
FIELD(status, out_sync_waits, 232, 8);
FIELD(status, out_sync_timeouts, 240, 8);
FIELD(status, out_sync_us, 248, 4);
FIELD(status, __reserved0, 252, 4);
FIELD(status, __reserved, 256, 32);

SIZE(range, 16);
FIELD(range, gfn, 0, 8);
FIELD(range, nr_pages, 8, 8);

SIZE(restrict, 72);
FIELD(restrict, size, 0, 4);
FIELD(restrict, flags, 4, 4);
FIELD(restrict, ranges, 8, 8);
FIELD(restrict, nr_ranges, 16, 4);
FIELD(restrict, max_records, 20, 4);
FIELD(restrict, max_pages, 24, 8);
FIELD(restrict, budget, 32, 4);
FIELD(restrict, period_ms, 36, 4);
FIELD(restrict, rights, 40, 8);
FIELD(restrict, max_sync_us, 48, 4);
FIELD(restrict, __reserved0, 52, 4);
FIELD(restrict, __reserved, 56, 16);

SIZE(ring, 88);
FIELD(ring, size, 0, 4);
FIELD(ring, flags, 4, 4);
FIELD(ring, records, 8, 4);
FIELD(ring, watermark, 12, 4);
FIELD(ring, latency_us, 16, 4);
FIELD(ring, budget, 20, 4);
FIELD(ring, period_ms, 24, 4);
FIELD(ring, sync_us, 28, 4);
FIELD(ring, out_record_bytes, 32, 4);
FIELD(ring, __reserved0, 36, 4);
FIELD(ring, out_consumer_offset, 40, 8);
FIELD(ring, out_consumer_bytes, 48, 8);
FIELD(ring, out_records_offset, 56, 8);
FIELD(ring, out_records_bytes, 64, 8);
FIELD(ring, __reserved, 72, 16);

SIZE(tune, 48);
FIELD(tune, size, 0, 4);
FIELD(tune, flags, 4, 4);
FIELD(tune, watermark, 8, 4);
FIELD(tune, latency_us, 12, 4);
FIELD(tune, budget, 16, 4);
FIELD(tune, period_ms, 20, 4);
FIELD(tune, sync_us, 24, 4);
FIELD(tune, __reserved0, 28, 4);
FIELD(tune, __reserved, 32, 16);

SIZE(change, 64);
FIELD(change, gfn, 0, 8);
FIELD(change, nr_pages, 8, 8);
FIELD(change, out_done, 16, 8);
FIELD(change, out_changed, 24, 8);
FIELD(change, out_failed, 32, 8);
FIELD(change, out_error_gfn, 40, 8);
FIELD(change, out_error, 48, 4);
FIELD(change, __reserved, 52, 4);
FIELD(change, out_skipped, 56, 8);

SIZE(add, 48);
FIELD(add, size, 0, 4);
FIELD(add, flags, 4, 4);
FIELD(add, changes, 8, 8);
FIELD(add, nr_changes, 16, 4);
FIELD(add, out_nr_changes, 20, 4);
FIELD(add, out_failed_pages, 24, 8);
FIELD(add, __reserved, 32, 16);

SIZE(rearm, 48);
FIELD(rearm, size, 0, 4);
FIELD(rearm, flags, 4, 4);
FIELD(rearm, changes, 8, 8);
FIELD(rearm, nr_changes, 16, 4);
FIELD(rearm, out_nr_changes, 20, 4);
FIELD(rearm, out_failed_pages, 24, 8);
FIELD(rearm, __reserved, 32, 16);

SIZE(remove, 56);
FIELD(remove, size, 0, 4);
FIELD(remove, flags, 4, 4);
FIELD(remove, changes, 8, 8);
FIELD(remove, nr_changes, 16, 4);
FIELD(remove, out_nr_changes, 20, 4);
FIELD(remove, out_failed_pages, 24, 8);
FIELD(remove, out_seq, 32, 8);
FIELD(remove, __reserved, 40, 16);

SIZE(query, 56);
FIELD(query, size, 0, 4);
FIELD(query, flags, 4, 4);
FIELD(query, ranges, 8, 8);
FIELD(query, nr_ranges, 16, 4);
FIELD(query, out_nr_ranges, 20, 4);
FIELD(query, gfn, 24, 8);
FIELD(query, out_next_gfn, 32, 8);
FIELD(query, __reserved, 40, 16);

SIZE(query_gfn, 40);
FIELD(query_gfn, size, 0, 4);
FIELD(query_gfn, flags, 4, 4);
FIELD(query_gfn, gfn, 8, 8);
FIELD(query_gfn, out_users, 16, 4);
FIELD(query_gfn, out_state, 20, 4);
FIELD(query_gfn, __reserved, 24, 16);

SIZE(resync_range, 24);
FIELD(resync_range, gfn, 0, 8);
FIELD(resync_range, nr_pages, 8, 8);
FIELD(resync_range, what, 16, 4);
FIELD(resync_range, __reserved, 20, 4);

SIZE(resync, 48);
FIELD(resync, size, 0, 4);
FIELD(resync, flags, 4, 4);
FIELD(resync, ranges, 8, 8);
FIELD(resync, nr_ranges, 16, 4);
FIELD(resync, out_nr_ranges, 20, 4);
FIELD(resync, out_more, 24, 4);
FIELD(resync, __reserved0, 28, 4);
FIELD(resync, __reserved, 32, 16);

SIZE(fence, 32);
FIELD(fence, size, 0, 4);
FIELD(fence, flags, 4, 4);
FIELD(fence, out_seq, 8, 8);
FIELD(fence, __reserved, 16, 16);

SIZE(region, 24);
FIELD(region, gfn, 0, 8);
FIELD(region, nr_pages, 8, 8);
FIELD(region, flags, 16, 4);
FIELD(region, __reserved, 20, 4);

SIZE(regions, 64);
FIELD(regions, size, 0, 4);
FIELD(regions, flags, 4, 4);
FIELD(regions, regions, 8, 8);
FIELD(regions, nr_regions, 16, 4);
FIELD(regions, out_nr_regions, 20, 4);
FIELD(regions, gfn, 24, 8);
FIELD(regions, out_next_gfn, 32, 8);
FIELD(regions, out_generation, 40, 8);
FIELD(regions, __reserved, 48, 16);

SIZE(read, 80);
FIELD(read, size, 0, 4);
FIELD(read, flags, 4, 4);
FIELD(read, gpa, 8, 8);
FIELD(read, len, 16, 8);
FIELD(read, buffer, 24, 8);
FIELD(read, out_done, 32, 8);
FIELD(read, out_seq, 40, 8);
FIELD(read, out_generation, 48, 8);
FIELD(read, out_error, 56, 4);
FIELD(read, __reserved0, 60, 4);
FIELD(read, __reserved, 64, 16);

SIZE(release, 32);
FIELD(release, size, 0, 4);
FIELD(release, flags, 4, 4);
FIELD(release, out_waiters, 8, 4);
FIELD(release, out_signalled, 12, 4);
FIELD(release, __reserved, 16, 16);

/* What the module writes is in another cache line than what the reader does. */
SIZE(consumer, 72);
FIELD(consumer, pos, 0, 8);
FIELD(consumer, __reserved0, 8, 56);
FIELD(consumer, waiters, 64, 4);
FIELD(consumer, __reserved1, 68, 4);

SIZE(record, 64);
FIELD(record, seq, 0, 8);
FIELD(record, type, 8, 1);
FIELD(record, len, 9, 1);
FIELD(record, flags, 10, 2);
FIELD(record, vcpu, 12, 2);
FIELD(record, total, 14, 2);
FIELD(record, gpa, 16, 8);
FIELD(record, time_ns, 24, 8);
FIELD(record, rip, 32, 8);
FIELD(record, data, 40, 24);
FIELD(record, region.nr_pages, 40, 8);
FIELD(record, region.nr_tracked, 48, 8);
FIELD(record, guard.action, 40, 4);
FIELD(record, guard.cause, 44, 4);

/* Magic 0xd7; no direction and no size in the numbers. */
PIN(KVM_WTRACK_INFO, 0xd700);
PIN(KVM_WTRACK_ATTACH, 0xd701);
PIN(KVM_WTRACK_STATUS, 0xd702);
PIN(KVM_WTRACK_RESTRICT, 0xd703);
PIN(KVM_WTRACK_RING, 0xd704);
PIN(KVM_WTRACK_TUNE, 0xd705);
PIN(KVM_WTRACK_ADD, 0xd706);
PIN(KVM_WTRACK_REMOVE, 0xd707);
PIN(KVM_WTRACK_REARM, 0xd708);
PIN(KVM_WTRACK_QUERY, 0xd709);
PIN(KVM_WTRACK_QUERY_GFN, 0xd70a);
PIN(KVM_WTRACK_RESYNC, 0xd70b);
PIN(KVM_WTRACK_FENCE, 0xd70c);
PIN(KVM_WTRACK_REGIONS, 0xd70d);
PIN(KVM_WTRACK_READ, 0xd70e);
PIN(KVM_WTRACK_RELEASE, 0xd70f);

PIN(KVM_WTRACK_FEAT_FOREIGN_ATTACH, 1);
PIN(KVM_WTRACK_FEAT_COALESCE, 2);
PIN(KVM_WTRACK_FEAT_VCPU, 4);
PIN(KVM_WTRACK_FEAT_RIP, 8);
PIN(KVM_WTRACK_FEAT_RESTRICT, 16);
PIN(KVM_WTRACK_FEAT_LONG_WRITES, 32);
PIN(KVM_WTRACK_FEAT_GUARD, 64);
PIN(KVM_WTRACK_FEAT_BUDGET, 128);
PIN(KVM_WTRACK_FEAT_NATIVE, 256);
PIN(KVM_WTRACK_FEAT_READ, 512);
PIN(KVM_WTRACK_FEAT_REGIONS, 1024);
PIN(KVM_WTRACK_FEAT_STICKY, 2048);
PIN(KVM_WTRACK_FEAT_ONCE, 4096);
PIN(KVM_WTRACK_FEAT_SYNC, 8192);
PIN(KVM_WTRACK_FEAT_TUNE, 16384);
PIN(KVM_WTRACK_FEAT_CONTROL, 32768);
PIN(KVM_WTRACK_FEAT_MODES, 65536);

PIN(KVM_WTRACK_STATE_ATTACHED, 1);
PIN(KVM_WTRACK_STATE_RESTRICTED, 2);
PIN(KVM_WTRACK_STATE_RING, 4);
PIN(KVM_WTRACK_STATE_COALESCE, 8);
PIN(KVM_WTRACK_STATE_RESYNC, 16);
PIN(KVM_WTRACK_STATE_VM_GONE, 32);
PIN(KVM_WTRACK_STATE_ENDED, 64);

PIN(KVM_WTRACK_RIGHT_MEMORY, 1);
PIN(KVM_WTRACK_RIGHT_DATA, 2);
PIN(KVM_WTRACK_RIGHT_RIP, 4);
PIN(KVM_WTRACK_RIGHT_OTHERS, 8);
PIN(KVM_WTRACK_RIGHT_CHANGE, 16);
PIN(KVM_WTRACK_RIGHT_SYNC, 32);

PIN(KVM_WTRACK_RING_F_COALESCE, 1);
PIN(KVM_WTRACK_RING_F_STOP, 2);
PIN(KVM_WTRACK_RING_F_NATIVE, 4);
PIN(KVM_WTRACK_RING_F_STICKY, 8);
PIN(KVM_WTRACK_RING_F_ONCE, 16);
PIN(KVM_WTRACK_RING_F_SYNC, 32);
PIN(KVM_WTRACK_TUNE_F_WAKEUP, 1);
PIN(KVM_WTRACK_TUNE_F_BUDGET, 2);
PIN(KVM_WTRACK_TUNE_F_SYNC, 4);
PIN(KVM_WTRACK_ADD_F_NOWAIT, 1);
PIN(KVM_WTRACK_ADD_F_SKIP_HOLES, 2);
PIN(KVM_WTRACK_REARM_F_NOWAIT, 1);
PIN(KVM_WTRACK_REMOVE_F_FENCE, 1);
PIN(KVM_WTRACK_RELEASE_F_LOOK, 1);
PIN(KVM_WTRACK_GFN_TRACKED, 1);
PIN(KVM_WTRACK_GFN_RESYNC, 2);
PIN(KVM_WTRACK_GFN_DISARMED, 4);
PIN(KVM_WTRACK_GFN_ABSENT, 8);
PIN(KVM_WTRACK_RESYNC_REREAD, 0);
PIN(KVM_WTRACK_RESYNC_REMOVED, 1);
PIN(KVM_WTRACK_RESYNC_DISARMED, 2);
PIN(KVM_WTRACK_RESYNC_ABSENT, 3);
PIN(KVM_WTRACK_REGION_F_READONLY, 1);
PIN(KVM_WTRACK_REGION_F_DIRTY_LOG, 2);
PIN(KVM_WTRACK_REGION_F_PRIVATE, 4);
PIN(KVM_WTRACK_REGION_F_KVM, 8);
PIN(KVM_WTRACK_READ_F_NOFAULT, 1);

PIN(KVM_WTRACK_RECORD_WRITE, 1);
PIN(KVM_WTRACK_RECORD_RESYNC, 2);
PIN(KVM_WTRACK_RECORD_REGION_REMOVED, 3);
PIN(KVM_WTRACK_RECORD_VM_GONE, 4);
PIN(KVM_WTRACK_RECORD_GUARD, 5);
PIN(KVM_WTRACK_RECORD_ENDED, 6);
PIN(KVM_WTRACK_RECORD_F_MORE, 1);
PIN(KVM_WTRACK_RECORD_F_PAGE, 2);
PIN(KVM_WTRACK_RECORD_F_VCPU, 4);
PIN(KVM_WTRACK_RECORD_F_RIP, 8);
PIN(KVM_WTRACK_RECORD_F_L2, 16);
PIN(KVM_WTRACK_RECORD_F_SMM, 32);
PIN(KVM_WTRACK_RECORD_F_ONCE, 64);
PIN(KVM_WTRACK_RECORD_F_ASYNC, 128);
PIN(KVM_WTRACK_RECORD_F_NO_DATA, 256);
PIN(KVM_WTRACK_GUARD_DISARMED, 1);
PIN(KVM_WTRACK_GUARD_REARMED, 2);
PIN(KVM_WTRACK_GUARD_STOPPED, 3);
PIN(KVM_WTRACK_GUARD_CHANGED, 4);
PIN(KVM_WTRACK_CAUSE_NONE, 0);
PIN(KVM_WTRACK_CAUSE_UNEMULATED, 1);
PIN(KVM_WTRACK_CAUSE_PAGE_WALK, 2);
PIN(KVM_WTRACK_CAUSE_EVENT, 3);
PIN(KVM_WTRACK_CAUSE_BUDGET, 4);
PIN(KVM_WTRACK_CAUSE_NESTED, 5);
PIN(KVM_WTRACK_CAUSE_UNREPORTED, 6);
PIN(KVM_WTRACK_CAUSE_NEW_VCPU, 7);
PIN(KVM_WTRACK_CAUSE_OPERAND, 8);
PIN(KVM_WTRACK_CAUSE_SPLIT_LOCK, 9);
PIN(KVM_WTRACK_CAUSE_NATIVE, 10);
PIN(KVM_WTRACK_CAUSE_HOLE, 11);
PIN(KVM_WTRACK_CAUSE_MEMORY, 12);
PIN(KVM_WTRACK_DATA_BYTES, 24);
PIN(KVM_WTRACK_MAGIC, 0xd7);
PIN(sizeof(KVM_WTRACK_DEVICE), sizeof("/dev/kvm-wtrack"));
