/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions on VMs of processes that the client, or the daemon, may not trace:
 * wtrack-attach attaches them, a process for each. What the VMM can make wait is
 * that process, and nothing here.
 */
#ifndef WTRACKD_ATTACH_H
#define WTRACKD_ATTACH_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Processes at a time: for a user, and of these for VMs of one process. They count
 * until they have ended, which may be long after the answer.
 */
#define ATTACHES_PER_USER	16
#define ATTACHES_PER_VMM	4
/* What comes later than that is not waited for. */
#define ATTACH_USEC	(UINT64_C(10) * 1000000)

struct attach;
struct manager;
struct vm;

/*
 * 0 when the session is attached, or
 *
 *	-EACCES		the kernel does not let even wtrack-attach do it
 *	-ESRCH		the VM or its process is gone
 *	-ETIMEDOUT	the process has not given the descriptor
 *	-EPIPE		wtrack-attach has ended without an answer
 *	and those of ATTACH
 */
typedef void (*attach_fn)(void *userdata, int result);

/*
 * Begins to attach the session to the VM, for a user; the descriptor stays the
 * caller's. fn is called once, from the event loop, and the handle is gone then.
 * -EBUSY when too many of this user are under way, and -ECONNREFUSED, or what
 * connect(2) says, when the socket of wtrack-attach is not there.
 */
int attach_start(struct manager *m, uid_t uid, int session_fd,
		 const struct vm *vm, attach_fn fn, void *userdata,
		 struct attach **ret);
/* Nobody wants to know any more; it counts until it is over all the same. */
void attach_forget(struct attach *attach);
void attaches_free(struct manager *m);

#endif
