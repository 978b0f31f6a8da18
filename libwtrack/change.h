/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Adding, arming again and removing ranges. */
#ifndef WTRACK_CHANGE_H
#define WTRACK_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <wtrack/range.h>

enum change_kind { CHANGE_ADD, CHANGE_REARM, CHANGE_REMOVE };

/* The call of the user, and the state while it is worked through. */
struct work {
	struct wtrack_session *session;
	enum change_kind kind;
	bool fence;			/* with CHANGE_REMOVE */
	const struct wtrack_range *ranges;
	struct wtrack_result *results;	/* may be NULL */
	size_t nr;
	unsigned int flags;

	struct kvm_wtrack_change *changes;
	int refused;			/* first reason, or 0 */
	bool fenced;			/* seq is valid */
	uint64_t seq;
};

/* Returns as wtrack_session_add(), _rearm() and _remove() do. */
int wtrack__change_run(struct work *work);

#endif
