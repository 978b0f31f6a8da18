/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A look into one process: which of its descriptors are VMs, and what it is called.
 *
 * A process may have whoever looks wait for as long as it likes, within execve(2) for
 * example, and may have more to look at than anybody wants to. So each look has a
 * thread of its own, which uses nothing of the rest of the daemon, and a user's
 * processes have a few of these threads at a time.
 *
 * A look takes no descriptor of a process. One of a file system in user space, closed
 * here, would keep the thread in the kernel until its server answers, and SIGKILL
 * would not help: the daemon could not end, nor the next one begin. Nor does a look
 * read fdinfo, where the kernel prints all items of an epoll set. The links in
 * /proc/PID/fd are enough. They need CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.
 */
#ifndef WTRACKD_LOOK_H
#define WTRACKD_LOOK_H

#include <sys/types.h>

#include "proc.h"

/* Threads at a time: for processes of one user, and of all. */
#define LOOKS_PER_USER	4
#define LOOKS		64

struct look;
struct looks;
struct manager;

struct look_result {
	int error;		/* 0, or a negative errno; then there is no more: */
	int pidfd;
	struct proc_info info;	/* if a VM was found */
	int *found;		/* descriptors, one of each VM, by kcmp(2) */
	unsigned int nr_found;
	unsigned int nr_left_out;	/* beyond VMS_PER_PROCESS */
};

/* What it takes out of the result it sets to NULL, or -1. */
typedef void (*look_fn)(void *userdata, struct look_result *result);

/*
 * Takes CAP_DAC_READ_SEARCH from the caller's thread, and so from all that it makes:
 * those that look take it again, for /proc/PID/fd of other users. The daemon reads its
 * configuration as the user that it runs as.
 */
void looks_have_capability_alone(void);

int looks_new(struct manager *m, struct looks **ret);
/* Threads that are still under way end later, and call nobody. */
void looks_free(struct looks *looks);

/*
 * Of several descriptors of one VM, the result has one that is among known, which
 * is taken over, and from malloc(3). uid is the user on whose account it is:
 * proc_account(). fn is called once, from the event loop, and the handle is gone then.
 *
 * -EBUSY: the user, or all of them, have as many as may be. known stays the caller's
 * if it fails.
 */
int look_start(struct looks *looks, pid_t pid, uid_t uid, int *known,
	       unsigned int nr_known, look_fn fn, void *userdata,
	       struct look **ret);
/* Nobody wants to know any more; it counts until it is over all the same. */
void look_forget(struct look *look);

#endif
