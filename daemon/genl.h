/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The module's account, by generic netlink: dumps at start and after a loss,
 * notices in between, and the kernel's word when the module comes and goes.
 *
 * Nothing here keeps the module from being removed.
 */
#ifndef WTRACKD_GENL_H
#define WTRACKD_GENL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <wtrack/wtrack.h>

#include "session.h"
#include "vm.h"

struct genl;
struct genl_ranges;
struct manager;

int genl_new(struct manager *m, struct genl **ret);
void genl_free(struct genl *genl);
/* Is the family there? It is not loaded by asking. */
bool genl_is_up(const struct genl *genl);

/*
 * Asks for all VMs and sessions, and hands what the answer says to
 * session.c. Takes as long as the kernel needs: no request of ours waits for
 * another process.
 */
int genl_refresh(struct genl *genl);
/* In the next turn of the event loop. */
void genl_refresh_soon(struct genl *genl);

/*
 * What a session tracks, which may be a lot: comes in pieces, from the event
 * loop. The last call of fn has nr 0 and the result; the handle is gone then.
 * fn must not cancel.
 */
typedef void (*genl_ranges_fn)(void *userdata,
			       const struct wtrack_range *ranges, size_t nr,
			       int result);
int genl_get_ranges(struct genl *genl, uint64_t session_id, genl_ranges_fn fn,
		    void *userdata, struct genl_ranges **ret);
void genl_ranges_cancel(struct genl_ranges *ranges);

/*
 * Ends a session that any process holds, and calls fn with 0 or a negative errno:
 * -ENOENT when there is no such session, -ESHUTDOWN when it was ended before. The
 * handle is gone then. Once it is forgotten, fn is not called.
 */
struct genl_end;
typedef void (*genl_end_fn)(void *userdata, int result);
int genl_end_session(struct genl *genl, uint64_t session_id, genl_end_fn fn,
		     void *userdata, struct genl_end **ret);
void genl_end_forget(struct genl_end *end);

/* As dumped. */
struct genl_vm {
	uint64_t id;
	pid_t pid;
	struct vm_counters counters;
};

struct genl_session {
	uint64_t id, vm_id;
	pid_t opener_pid;
	uid_t opener_uid;
	struct session_counters counters;
};

#endif
