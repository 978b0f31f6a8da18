/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Looks for VMs among the descriptors of processes: of all at start, later of
 * those that KVM's uevents, or callers, name. A process may have a million
 * descriptors, so it goes in small steps between the other work of the event
 * loop, and all processes in the queue get on at the same time.
 *
 * Needs CAP_SYS_PTRACE only: /proc/PID/fdinfo may be read with it, and tells
 * which descriptors come from where KVM's do. Those are copied and looked at.
 */
#ifndef WTRACKD_SCAN_H
#define WTRACKD_SCAN_H

#include <sys/types.h>

struct manager;
struct scans;
struct scan_wait;

int scans_new(struct manager *m, struct scans **ret);
void scans_free(struct scans *scans);

/* All of /proc. m's registry has what it finds when done is called. */
int scans_start(struct scans *scans, void (*done)(struct manager *m));

/*
 * One process, or the one that this thread belongs to. KVM announces a VM
 * before its descriptor is there: with announced it is looked for a few times.
 */
void scan_pid(struct scans *scans, pid_t pid, bool announced);

/* As above, and calls fn afterwards; not when it is cancelled before. */
int scan_pid_wait(struct scans *scans, pid_t pid, void (*fn)(void *userdata),
		  void *userdata, struct scan_wait **ret);
void scan_wait_cancel(struct scan_wait *wait);

#endif
