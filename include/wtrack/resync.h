/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What to do when the ring was full: which pages to re-read. */
#ifndef WTRACK_RESYNC_H
#define WTRACK_RESYNC_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wtrack_session;

/* Writes were not recorded one by one: re-read these pages. */
#define WTRACK_RESYNC_REREAD	UINT32_C(0)
/*
 * They are not tracked any more: their memory was removed from the guest. (Or
 * the session removed them itself while a write to them was on its way here.)
 */
#define WTRACK_RESYNC_REMOVED	UINT32_C(1)
/*
 * As REREAD, but the guard has disarmed them: stores to them are not seen now.
 * An event with WTRACK_GUARD_REARMED, or this set, tells when they are again.
 * (event.h)
 */
#define WTRACK_RESYNC_DISARMED	UINT32_C(2)
/*
 * They are absent: they have no memory, and the session tracks them because it has
 * WTRACK_RING_STICKY. An event with WTRACK_GUARD_REARMED, or this set, tells when
 * there is memory again. (event.h)
 */
#define WTRACK_RESYNC_ABSENT	UINT32_C(3)

/**
 * struct wtrack_resync_range - pages of the resync set
 * @gfn: number of the first page
 * @nr_pages: how many
 * @what: WTRACK_RESYNC_*
 * @reserved: 0
 */
struct wtrack_resync_range {
	uint64_t gfn;
	uint64_t nr_pages;
	uint32_t what;
	uint32_t reserved;
};

/**
 * wtrack_session_resync_next() - the next range to re-read after an overflow
 * @session: the session
 * @ret: where to store the range
 *
 * When the ring is full the module closes it behind one event of type
 * WTRACK_EVENT_RESYNC, and keeps the pages that are written to in a set
 * instead. On that event, fetch the set to its end and re-read its pages from
 * guest memory:
 *
 *	case WTRACK_EVENT_RESYNC:
 *		while ((r = wtrack_session_resync_next(session, &range)) > 0)
 *			reread(&range);
 *		if (r < 0)
 *			fail(r);
 *		break;
 *
 * Then continue with the ring. Pages may be written to while they are re-read:
 * that is an event again, or brings another resync. If the ring is full again
 * before the set was fetched to its end, the function returns 0, and what is
 * left of the set comes with the next event of type WTRACK_EVENT_RESYNC.
 *
 * Releases all events that were handed out, the one of type
 * WTRACK_EVENT_RESYNC included; none of them is valid after the call. Without
 * such an event it does nothing. Consumer thread.
 *
 * Return: 1 with a range, 0 when there are no more or there was no
 * WTRACK_EVENT_RESYNC, or
 *	-EBUSY		the position in the ring was overwritten by another
 *			holder of the session
 *	-ENOBUFS	the session has no ring
 *	-ENOMEM		no memory
 *	-EPROTO		the module answered nonsense
 * After a failure the resync is not finished: call it again.
 * Since: 1.0
 */
int wtrack_session_resync_next(struct wtrack_session *session,
			       struct wtrack_resync_range *ret);

#ifdef __cplusplus
}
#endif

#endif
