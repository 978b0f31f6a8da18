/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session of libwtrack, for the tests of the library on the real module. */
#ifndef GUEST_SESSION_H
#define GUEST_SESSION_H

#include <string.h>

#include <wtrack/wtrack.h>

#include "tap.h"
#include "vm.h"

/* What a result points to, and still points to after a failure. */
#define NO_SESSION	((struct wtrack_session *)8)

/* The library returned this error, and its text has these words in it. */
#define CHECK_WTRACK(got, err, words)					\
	do {								\
		int r_ = (got);						\
									\
		tap_check_errno(__FILE__, __LINE__, #got, -r_, err);	\
		if (!strstr(wtrack_strerror(r_), words))		\
			tap_fail(__FILE__, __LINE__, "%s: %s", #got,	\
				 wtrack_strerror(r_));			\
	} while (0)

#define CHECK_OK(got)	CHECK_WTRACK(got, 0, "no error")

/* A session on the VM with a ring, without pages. */
static inline struct wtrack_session *session_on(struct vm *vm, uint32_t records,
						unsigned int flags)
{
	struct wtrack_session *session;

	CHECK_OK(wtrack_session_open_vm_fd(vm->fd, &session));
	CHECK_OK(wtrack_session_make_ring(session, records, flags, 0, 0));
	return session;
}

/* Track that many pages at VM_DATA. */
static inline void session_track(struct wtrack_session *session, uint64_t pages)
{
	struct wtrack_range range = { VM_DATA_GFN, pages };
	struct wtrack_result result;

	CHECK_OK(wtrack_session_add(session, &range, 1, &result, 0));
	CHECK_EQ(result.done, pages);
	CHECK_EQ(result.changed, pages);
}

static inline struct wtrack_status session_status(struct wtrack_session *session)
{
	struct wtrack_status status;

	CHECK_OK(wtrack_session_get_status(session, &status, sizeof(status)));
	return status;
}

/* Hands out and releases all that is there; how many events that were. */
static inline uint64_t session_drain(struct wtrack_session *session)
{
	uint64_t n = 0;

	while (wtrack_session_next(session))
		n++;
	wtrack_session_release(session);
	return n;
}

#endif /* GUEST_SESSION_H */
