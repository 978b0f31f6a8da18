/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What this host's kvm-wtrack can do. */
#ifndef WTRACK_INFO_H
#define WTRACK_INFO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Features. Ask for these bits, never for a kernel or module version. */

/* A session can be opened on another process' VM. */
#define WTRACK_FEAT_FOREIGN_ATTACH	(UINT64_C(1) << 0)
/* WTRACK_RING_COALESCE is known. */
#define WTRACK_FEAT_COALESCE		(UINT64_C(1) << 1)
/* Write events tell which vCPU wrote. */
#define WTRACK_FEAT_VCPU		(UINT64_C(1) << 2)
/* Write events carry the guest's instruction pointer. */
#define WTRACK_FEAT_RIP			(UINT64_C(1) << 3)
/* wtrack_session_restrict() works. */
#define WTRACK_FEAT_RESTRICT		(UINT64_C(1) << 4)
/* Long writes come in parts, none of them cut off. */
#define WTRACK_FEAT_LONG_WRITES		(UINT64_C(1) << 5)
/* No store to a tracked page can hang or kill its guest: see event.h. */
#define WTRACK_FEAT_GUARD		(UINT64_C(1) << 6)
/* wtrack_session_set_budget() and the budget of a restriction work. */
#define WTRACK_FEAT_BUDGET		(UINT64_C(1) << 7)
/* WTRACK_RING_NATIVE is known. */
#define WTRACK_FEAT_NATIVE		(UINT64_C(1) << 8)
/* WTRACK_RING_STICKY is known. */
#define WTRACK_FEAT_STICKY		(UINT64_C(1) << 11)
/* WTRACK_RING_ONCE and wtrack_session_rearm() are known. */
#define WTRACK_FEAT_ONCE		(UINT64_C(1) << 12)
/* WTRACK_RING_SYNC is known. */
#define WTRACK_FEAT_SYNC		(UINT64_C(1) << 13)
/* Wake-up and budget of a ring can be changed. */
#define WTRACK_FEAT_TUNE		(UINT64_C(1) << 14)
/* An administrator can end a session. */
#define WTRACK_FEAT_CONTROL		(UINT64_C(1) << 15)
/* wtrack_event_is_l2() and wtrack_event_is_smm() tell. */
#define WTRACK_FEAT_MODES		(UINT64_C(1) << 16)

/* wtrack_session_read() works. */
#define WTRACK_FEAT_READ		(UINT64_C(1) << 9)
/* wtrack_session_regions_next() works. */
#define WTRACK_FEAT_REGIONS		(UINT64_C(1) << 10)

/**
 * struct wtrack_info - features and limits
 * @features: WTRACK_FEAT_* bits
 * @max_pages: pages that one session may track
 * @min_records: smallest ring
 * @max_records: largest ring
 * @max_sessions: sessions on one VM
 * @max_users: sessions that may track one page
 * @max_ranges: ranges that wtrack_session_restrict() takes; the other calls on
 *	ranges have no such limit
 * @max_latency_us: longest latency that a watermark may have
 * @data_bytes: most bytes of data in one event
 * @max_budget: largest budget
 * @max_period_ms: longest period of a budget
 * @backoff_min_ms: for how long the guard leaves a page disarmed at first
 * @backoff_max_ms: and for how long at most, when it has to disarm the page
 *	again and again: the time doubles
 * @max_sync_us: longest time of wtrack_session_set_sync()
 * @read_bytes_per_s: bytes, of whole pages, that a session reads in a second at
 *	most
 *
 * A later version may append fields.
 */
struct wtrack_info {
	uint64_t features;
	uint64_t max_pages;
	uint32_t min_records;
	uint32_t max_records;
	uint32_t max_sessions;
	uint32_t max_users;
	uint32_t max_ranges;
	uint32_t max_latency_us;
	uint32_t data_bytes;
	uint32_t max_budget;
	uint32_t max_period_ms;
	uint32_t backoff_min_ms;
	uint32_t backoff_max_ms;
	uint32_t max_sync_us;
	uint64_t read_bytes_per_s;
};

/**
 * wtrack_get_info() - ask for features and limits
 * @ret: where to store them
 * @size: sizeof(struct wtrack_info) as the caller knows it; of a longer struct
 *	than the library knows, the rest is set to 0
 *
 * Needs neither a VM nor a session. Any thread, any time.
 *
 * Return: 0, or
 *	-EACCES		/dev/kvm-wtrack may not be opened
 *	-EINVAL		@size is 0
 *	-EMFILE, -ENFILE no descriptor is left
 *	-ENODEV		this host has no kvm-wtrack
 *	-EPROTO		the module answered nonsense
 * Since: 1.0
 */
int wtrack_get_info(struct wtrack_info *ret, size_t size);

#ifdef __cplusplus
}
#endif

#endif
