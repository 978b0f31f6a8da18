// SPDX-License-Identifier: GPL-2.0-or-later
/* The same for the structs and numbers of the library. */
#include <wtrack/wtrack.h>

#include "pin.h"

#define SIZE(name, size) \
	PIN(sizeof(struct wtrack_ ## name), size)
#define FIELD(name, field, offset, size) \
	PIN(offsetof(struct wtrack_ ## name, field), offset); \
	PIN(sizeof(((struct wtrack_ ## name *)0)->field), size)

/* May grow at the end: the caller tells its size. */
SIZE(info, 72);
FIELD(info, features, 0, 8);
FIELD(info, max_pages, 8, 8);
FIELD(info, min_records, 16, 4);
FIELD(info, max_records, 20, 4);
FIELD(info, max_sessions, 24, 4);
FIELD(info, max_users, 28, 4);
FIELD(info, max_ranges, 32, 4);
FIELD(info, max_latency_us, 36, 4);
FIELD(info, data_bytes, 40, 4);
FIELD(info, max_budget, 44, 4);
FIELD(info, max_period_ms, 48, 4);
FIELD(info, backoff_min_ms, 52, 4);
FIELD(info, backoff_max_ms, 56, 4);
FIELD(info, max_sync_us, 60, 4);
FIELD(info, read_bytes_per_s, 64, 8);

SIZE(status, 184);
FIELD(status, state, 0, 4);
FIELD(status, vm_pid, 4, 4);
FIELD(status, vm_id, 8, 8);
FIELD(status, session_id, 16, 8);
FIELD(status, records, 24, 4);
FIELD(status, unread, 28, 4);
FIELD(status, pages, 32, 8);
FIELD(status, max_pages, 40, 8);
FIELD(status, events, 48, 8);
FIELD(status, merged, 56, 8);
FIELD(status, overflows, 64, 8);
FIELD(status, resync_writes, 72, 8);
FIELD(status, regions_removed, 80, 8);
FIELD(status, wakeups, 88, 8);
FIELD(status, memory_bytes, 96, 8);
FIELD(status, vm_memory_bytes, 104, 8);
FIELD(status, disarms, 112, 8);
FIELD(status, over_budget, 120, 8);
FIELD(status, rearms, 128, 8);
FIELD(status, unreported, 136, 8);
FIELD(status, rights, 144, 8);
FIELD(status, generation, 152, 8);
FIELD(status, absent, 160, 8);
FIELD(status, sync_waits, 168, 8);
FIELD(status, sync_timeouts, 176, 8);

/* Begins with a pointer and a size, of which each machine has its own. */
#define WORDS	(2 * sizeof(void *))
SIZE(restriction, WORDS + 32);
FIELD(restriction, ranges, 0, sizeof(void *));
FIELD(restriction, nr_ranges, sizeof(void *), sizeof(size_t));
FIELD(restriction, max_pages, WORDS, 8);
FIELD(restriction, max_records, WORDS + 8, 4);
FIELD(restriction, budget, WORDS + 12, 4);
FIELD(restriction, period_ms, WORDS + 16, 4);
FIELD(restriction, max_sync_us, WORDS + 20, 4);
FIELD(restriction, rights, WORDS + 24, 8);

/* Come in arrays: sealed. */
SIZE(range, 16);
FIELD(range, gfn, 0, 8);
FIELD(range, nr_pages, 8, 8);

SIZE(result, 40);
FIELD(result, done, 0, 8);
FIELD(result, changed, 8, 8);
FIELD(result, error_gfn, 16, 8);
FIELD(result, error, 24, 4);
FIELD(result, reserved, 28, 4);
FIELD(result, skipped, 32, 8);

SIZE(resync_range, 24);
FIELD(resync_range, gfn, 0, 8);
FIELD(resync_range, nr_pages, 8, 8);
FIELD(resync_range, what, 16, 4);
FIELD(resync_range, reserved, 20, 4);

SIZE(mirror_options, 16);
FIELD(mirror_options, records, 0, 4);
FIELD(mirror_options, ring_flags, 4, 4);
FIELD(mirror_options, watermark, 8, 4);
FIELD(mirror_options, latency_us, 12, 4);

SIZE(mirror_status, 80);
FIELD(mirror_status, pages, 0, 8);
FIELD(mirror_status, live, 8, 8);
FIELD(mirror_status, disarmed, 16, 8);
FIELD(mirror_status, absent, 24, 8);
FIELD(mirror_status, removed, 32, 8);
FIELD(mirror_status, memory_bytes, 40, 8);
FIELD(mirror_status, writes, 48, 8);
FIELD(mirror_status, rereads, 56, 8);
FIELD(mirror_status, conflicts, 64, 8);
FIELD(mirror_status, resyncs, 72, 8);

/* May grow at the end: it belongs to the mirror. */
FIELD(change, what, 0, 4);
FIELD(change, state, 4, 4);
FIELD(change, gpa, 8, 8);
FIELD(change, len, 16, 8);
FIELD(change, old_bytes, 24, sizeof(void *));
FIELD(change, new_bytes, 24 + sizeof(void *), sizeof(void *));
FIELD(change, event, 24 + 2 * sizeof(void *), sizeof(void *));

PIN(WTRACK_MIRROR_LIVE, 1);
PIN(WTRACK_MIRROR_DISARMED, 2);
PIN(WTRACK_MIRROR_ABSENT, 3);
PIN(WTRACK_MIRROR_REMOVED, 4);
PIN(WTRACK_CHANGED_WRITE, 1);
PIN(WTRACK_CHANGED_REREAD, 2);
PIN(WTRACK_CHANGED_STATE, 3);

SIZE(region, 24);
FIELD(region, gfn, 0, 8);
FIELD(region, nr_pages, 8, 8);
FIELD(region, flags, 16, 4);
FIELD(region, reserved, 20, 4);

SIZE(read, 32);
FIELD(read, done, 0, 8);
FIELD(read, seq, 8, 8);
FIELD(read, generation, 16, 8);
FIELD(read, reserved, 24, 8);

PIN(WTRACK_FEAT_FOREIGN_ATTACH, 1);
PIN(WTRACK_FEAT_COALESCE, 2);
PIN(WTRACK_FEAT_VCPU, 4);
PIN(WTRACK_FEAT_RIP, 8);
PIN(WTRACK_FEAT_RESTRICT, 16);
PIN(WTRACK_FEAT_LONG_WRITES, 32);
PIN(WTRACK_FEAT_GUARD, 64);
PIN(WTRACK_FEAT_BUDGET, 128);
PIN(WTRACK_FEAT_NATIVE, 256);
PIN(WTRACK_FEAT_READ, 512);
PIN(WTRACK_FEAT_REGIONS, 1024);
PIN(WTRACK_FEAT_STICKY, 2048);
PIN(WTRACK_FEAT_ONCE, 4096);
PIN(WTRACK_FEAT_SYNC, 8192);
PIN(WTRACK_FEAT_TUNE, 16384);
PIN(WTRACK_FEAT_CONTROL, 32768);
PIN(WTRACK_FEAT_MODES, 65536);

PIN(WTRACK_STATE_ATTACHED, 1);
PIN(WTRACK_STATE_RESTRICTED, 2);
PIN(WTRACK_STATE_RING, 4);
PIN(WTRACK_STATE_COALESCE, 8);
PIN(WTRACK_STATE_RESYNC, 16);
PIN(WTRACK_STATE_VM_GONE, 32);
PIN(WTRACK_STATE_ENDED, 64);

PIN(WTRACK_RIGHT_MEMORY, 1);
PIN(WTRACK_RIGHT_DATA, 2);
PIN(WTRACK_RIGHT_RIP, 4);
PIN(WTRACK_RIGHT_OTHERS, 8);
PIN(WTRACK_RIGHT_CHANGE, 16);
PIN(WTRACK_RIGHT_SYNC, 32);

PIN(WTRACK_RING_COALESCE, 1);
PIN(WTRACK_RING_STOP, 2);
PIN(WTRACK_RING_NATIVE, 4);
PIN(WTRACK_RING_STICKY, 8);
PIN(WTRACK_RING_ONCE, 16);
PIN(WTRACK_RING_SYNC, 32);
PIN(WTRACK_CHANGE_INTR, 1);
PIN(WTRACK_OPEN_INTERACTIVE, 1);
PIN(WTRACK_CHANGE_NOWAIT, 2);
PIN(WTRACK_CHANGE_SKIP_HOLES, 4);
PIN(WTRACK_GFN_TRACKED, 1);
PIN(WTRACK_GFN_RESYNC, 2);
PIN(WTRACK_GFN_DISARMED, 4);
PIN(WTRACK_GFN_ABSENT, 8);
PIN(WTRACK_GFN_END, 0xffffffffffffffffULL);
PIN(WTRACK_RESYNC_REREAD, 0);
PIN(WTRACK_RESYNC_REMOVED, 1);
PIN(WTRACK_RESYNC_DISARMED, 2);
PIN(WTRACK_RESYNC_ABSENT, 3);
PIN(WTRACK_REGION_READONLY, 1);
PIN(WTRACK_REGION_DIRTY_LOG, 2);
PIN(WTRACK_REGION_PRIVATE, 4);
PIN(WTRACK_REGION_KVM, 8);
PIN(WTRACK_READ_INTR, 1);
PIN(WTRACK_READ_NOFAULT, 2);
PIN(WTRACK_EVENT_WRITE, 1);
PIN(WTRACK_EVENT_RESYNC, 2);
PIN(WTRACK_EVENT_REGION_REMOVED, 3);
PIN(WTRACK_EVENT_VM_GONE, 4);
PIN(WTRACK_EVENT_GUARD, 5);
PIN(WTRACK_EVENT_ENDED, 6);
PIN(WTRACK_GUARD_DISARMED, 1);
PIN(WTRACK_GUARD_REARMED, 2);
PIN(WTRACK_GUARD_STOPPED, 3);
PIN(WTRACK_GUARD_CHANGED, 4);
PIN(WTRACK_CAUSE_NONE, 0);
PIN(WTRACK_CAUSE_UNEMULATED, 1);
PIN(WTRACK_CAUSE_PAGE_WALK, 2);
PIN(WTRACK_CAUSE_EVENT, 3);
PIN(WTRACK_CAUSE_BUDGET, 4);
PIN(WTRACK_CAUSE_NESTED, 5);
PIN(WTRACK_CAUSE_UNREPORTED, 6);
PIN(WTRACK_CAUSE_NEW_VCPU, 7);
PIN(WTRACK_CAUSE_OPERAND, 8);
PIN(WTRACK_CAUSE_SPLIT_LOCK, 9);
PIN(WTRACK_CAUSE_NATIVE, 10);
PIN(WTRACK_CAUSE_HOLE, 11);
PIN(WTRACK_CAUSE_MEMORY, 12);
