/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the scans call each other.
 *
 *	scan.c		whose turn it is, who waits for what, trying again
 *	scan_process.c	what was found, into the registry
 *	scan_all.c	the first scan, of all processes
 */
#ifndef WTRACKD_SCAN_INTERNAL_H
#define WTRACKD_SCAN_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <systemd/sd-event.h>

#include "look.h"
#include "scan.h"

struct scan {
	TAILQ_ENTRY(scan) link;
	struct scans *scans;
	pid_t pid;
	uid_t uid;		/* on whose account it is looked at */
	struct look *look;	/* under way */
	bool first;		/* of the first scan, and not looked at yet */
	bool again;		/* asked for once more while under way */
	bool announced;
	unsigned int tries;
	sd_event_source *retry;
	LIST_HEAD(, scan_wait) waits;
};

TAILQ_HEAD(scan_queue, scan);

struct scans {
	struct manager *manager;
	struct looks *looks;
	sd_event_source *work;
	struct scan_queue queue;	/* are to be looked at */
	struct scan_queue looking;	/* are being looked at */
	struct scan_queue sleeping;	/* will be tried again */
	uint64_t cleaned_usec;		/* when those that had gone were taken out */
	/* The first scan. */
	unsigned int nr_first;		/* are not done yet */
	sd_event_source *deadline;
	void (*done)(struct manager *m);
};

/* To be in the queue, whatever else is there. NULL: no memory. */
struct scan *scan_new(struct scans *scans, pid_t pid);

/*
 * scan_process.c. Takes what is closed out of the registry, and what was found into
 * it. Returns how many are new.
 */
unsigned int scan_register(struct scan *scan, struct look_result *result);
/* The descriptors of the process that are in the registry, from malloc(3). */
int scan_known(const struct scan *scan, int **ret, unsigned int *ret_nr);

/* scan_all.c. Were they all? */
void scans_finish_first(struct scans *scans);

#endif
