/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks for VMs among the descriptors of processes: of all at start, later of
 * those that KVM's uevents, or callers, name. Threads do that (look.h): a process
 * that has them wait, or has a million descriptors, is waited for by nobody who
 * wants something of another user's.
 */
#ifndef WTRACKD_SCAN_H
#define WTRACKD_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* A request that concerns a process waits for its look no longer than that. */
#define SCAN_WAIT_USEC	(UINT64_C(10) * 1000000)

/*
 * Processes of a user, other than root, that wait to be looked at, beside those of the
 * first scan. A user may have the looks wait, and make one process after the other
 * meanwhile.
 */
#define SCANS_PER_USER	2048

struct manager;
struct scans;
struct scan_wait;

int scans_new(struct manager *m, struct scans **ret);
void scans_free(struct scans *scans);

/*
 * All of /proc. m's registry has what it finds when done is called, which is after
 * two seconds at the latest: of processes that take longer it has it later.
 */
int scans_start(struct scans *scans, void (*done)(struct manager *m));

/*
 * One process, or the one that this thread belongs to. KVM announces a VM
 * before its descriptor is there: with announced it is looked for a few times.
 */
void scan_pid(struct scans *scans, pid_t pid, bool announced);

/*
 * As above, and calls fn afterwards, with 0, or with -ETIMEDOUT when that takes too
 * long; not when it is cancelled before. -EBUSY: too many of its user's wait.
 */
int scan_pid_wait(struct scans *scans, pid_t pid,
		  void (*fn)(void *userdata, int result), void *userdata,
		  struct scan_wait **ret);
void scan_wait_cancel(struct scan_wait *wait);

#endif
