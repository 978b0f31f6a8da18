/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Declarations that the files of the library share. */
#ifndef WTRACK_INTERNAL_H
#define WTRACK_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvm_wtrack.h>

#include <wtrack/wtrack.h>

/* Everything else is hidden: see libwtrack.map. */
#define WTRACK_API __attribute__((visibility("default")))

/* A public constant or field must be the same as the module's. */
#define SAME(pub, uapi) \
	_Static_assert((pub) == (uapi), #pub " differs from " #uapi)
#define SAME_FIELD(pub, pub_field, uapi, uapi_field) \
	SAME(offsetof(pub, pub_field), offsetof(uapi, uapi_field))

#define RESYNC_RANGES	128

/*
 * The consumer's state, not shared with other threads. Counts of records run
 * from the start of the session, as in the ring itself.
 */
struct ring {
	const struct kvm_wtrack_record *records;	/* NULL without ring */
	struct kvm_wtrack_consumer *consumer;
	uint32_t nr_records;
	uint32_t flags;			/* WTRACK_RING_* */
	size_t consumer_bytes;		/* of the mappings */
	size_t records_bytes;
	uint64_t next;			/* the record to hand out next */
	uint64_t released;
	int over;			/* VM_GONE or ENDED was handed out: -errno */
};

struct resync {
	bool pending;			/* handed out, not finished */
	bool started;			/* part of the set was fetched */
	bool last;			/* the module has no more */
	bool cut;			/* ... before the next resync record */
	uint32_t at, nr;		/* of ranges: taken, filled in */
	struct wtrack_resync_range ranges[RESYNC_RANGES];
	/* Stands for a resync record that the previous reader released. */
	bool inherited;
	struct kvm_wtrack_record record;
};

struct wtrack_session {
	int fd;
	uint64_t features;		/* of the module */
	uint32_t max_ranges;		/* that one call may bring */
	uint32_t max_budget, max_period_ms;
	uint32_t max_sync_us;
	/* Settings of the ring that will be made. */
	uint32_t budget, period_ms;
	uint32_t sync_us;
	struct ring ring;
	struct resync resync;
};

/* info.c */
int wtrack__device_open(void);
int wtrack__device_get_info(int fd, struct kvm_wtrack_info *ret);

/* pid.c: what a failure of a call on the process of the pidfd is to callers */
int wtrack__process_error(int pidfd, int err);

/* status.c */
int wtrack__device_get_status(int fd, struct kvm_wtrack_status *ret);

/* ring.c */
int wtrack__ring_map(struct wtrack_session *session,
		     const struct kvm_wtrack_ring *made);
void wtrack__ring_unmap(struct wtrack_session *session);
const struct wtrack_event *
wtrack__ring_ahead(const struct wtrack_session *session, uint64_t pos);
int wtrack__time_left_ms(int timeout_ms, uint64_t start_ms);

/* resync.c */
void wtrack__resync_inherit(struct wtrack_session *session);
const struct wtrack_event *
wtrack__resync_inherited(struct wtrack_session *session);

/* util.c */
int wtrack__retry_ioctl(int fd, unsigned long request, void *arg);
int wtrack__copy_sized(void *ret, size_t size, const void *from,
		       size_t from_size);
int wtrack__load_sized(void *ret, size_t ret_size, const void *from,
		       size_t size);

#endif
