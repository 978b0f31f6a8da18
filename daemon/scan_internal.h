/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the scans call each other.
 *
 *	scan.c		whose turn it is, who waits for what, trying again
 *	scan_process.c	the descriptors of one process
 *	scan_all.c	the first scan, of all processes
 */
#ifndef WTRACKD_SCAN_INTERNAL_H
#define WTRACKD_SCAN_INTERNAL_H

#include <dirent.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "scan.h"
#include "vm.h"

struct scan {
	TAILQ_ENTRY(scan) link;
	struct scans *scans;
	pid_t pid;
	int pidfd;
	DIR *dir;
	bool again;		/* asked for once more while under way */
	bool announced;
	unsigned int tries;
	sd_event_source *retry;
	int *found;		/* descriptors of the process, by kcmp(2) */
	unsigned int nr_found;
	unsigned int nr_left_out;
	LIST_HEAD(, scan_wait) waits;
};

TAILQ_HEAD(scan_queue, scan);

struct scans {
	struct manager *manager;
	int anon_mnt_id;
	sd_event_source *work;
	struct scan_queue queue;	/* have something to do */
	struct scan_queue sleeping;	/* will be tried again */
	/* The first scan. */
	pid_t *pids;
	size_t nr_pids, next_pid;
	void (*done)(struct manager *m);
};

/* To be in the queue: the one that is there, or a new one. NULL: no memory. */
struct scan *scan_get(struct scans *scans, pid_t pid);

/*
 * scan_process.c. A few more of the descriptors: 1 when there are others yet, 0
 * when all were looked at, or why that cannot be.
 */
int scan_step(struct scan *scan);
/* The error if it is ours to be short of something: it says nothing of VMs. */
int scan_shortage(int r);
/*
 * All were looked at: takes what is closed out of the registry, and what was
 * found into it. Returns how many are new.
 */
unsigned int scan_register(struct scan *scan);
/* As it was before the first step. */
void scan_reset(struct scan *scan);

/* scan_all.c. The next few processes, while there are some. */
void scans_feed(struct scans *scans);
/* The queue is empty: were they all? */
void scans_finish_first(struct scans *scans);

#endif
