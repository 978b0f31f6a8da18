// SPDX-License-Identifier: LGPL-2.1-or-later
/* After an overflow: the pages to re-read. */
#include <errno.h>

#include "internal.h"
#include "sys.h"

SAME(WTRACK_RESYNC_REREAD, KVM_WTRACK_RESYNC_REREAD);
SAME(WTRACK_RESYNC_REMOVED, KVM_WTRACK_RESYNC_REMOVED);
SAME(WTRACK_RESYNC_DISARMED, KVM_WTRACK_RESYNC_DISARMED);
SAME(WTRACK_RESYNC_ABSENT, KVM_WTRACK_RESYNC_ABSENT);
SAME(sizeof(struct wtrack_resync_range),
     sizeof(struct kvm_wtrack_resync_range));
SAME_FIELD(struct wtrack_resync_range, gfn,
	   struct kvm_wtrack_resync_range, gfn);
SAME_FIELD(struct wtrack_resync_range, nr_pages,
	   struct kvm_wtrack_resync_range, nr_pages);
SAME_FIELD(struct wtrack_resync_range, what,
	   struct kvm_wtrack_resync_range, what);

void wtrack__resync_inherit(struct wtrack_session *session)
{
	session->resync.inherited = true;
	session->resync.record = (struct kvm_wtrack_record) {
		.seq = session->ring.released,
		.type = KVM_WTRACK_RECORD_RESYNC,
	};
}

const struct wtrack_event *
wtrack__resync_inherited(struct wtrack_session *session)
{
	session->resync.inherited = false;
	session->resync.pending = true;
	return (const struct wtrack_event *)&session->resync.record;
}

static uint32_t resync_room(const struct wtrack_session *session)
{
	return session->max_ranges < RESYNC_RANGES ? session->max_ranges :
						     RESYNC_RANGES;
}

/*
 * When the ring overflows again before the set was fetched to its end, the
 * module refuses to continue: the rest of the set, and more, is fetched after
 * the new resync record.
 */
static int resync_fetch(struct wtrack_session *session)
{
	struct resync *resync = &session->resync;
	struct kvm_wtrack_resync args = {
		.size = sizeof(args),
		.ranges = (uintptr_t)resync->ranges,
		.nr_ranges = resync_room(session),
	};
	int r;

	r = wtrack__retry_ioctl(session->fd, KVM_WTRACK_RESYNC, &args);
	if (r == -EBUSY && resync->started) {
		resync->last = true;
		resync->cut = true;
		return 0;
	}
	if (r < 0)
		return r;
	if (args.out_nr_ranges > args.nr_ranges)
		return -EPROTO;
	resync->started = true;
	resync->cut = false;
	resync->last = !args.out_more;
	resync->nr = args.out_nr_ranges;
	resync->at = 0;
	return 0;
}

static void resync_finish(struct resync *resync)
{
	resync->pending = false;
	resync->started = false;
	resync->last = false;
}

WTRACK_API int wtrack_session_resync_next(struct wtrack_session *session,
					  struct wtrack_resync_range *ret)
{
	struct resync *resync = &session->resync;
	int r;

	if (!session->ring.records)
		return -ENOBUFS;
	if (!resync->pending)
		return 0;
	wtrack_session_release(session);
	while (resync->at == resync->nr) {
		if (resync->last) {
			resync_finish(resync);
			return 0;
		}
		r = resync_fetch(session);
		if (r < 0)
			return r;
	}
	*ret = resync->ranges[resync->at++];
	return 1;
}
