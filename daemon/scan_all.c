// SPDX-License-Identifier: GPL-2.0-or-later
/* The first scan: all processes that there are. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "log.h"
#include "scan_internal.h"

/* A process whose look takes longer than that is found later. */
#define FIRST_USEC	(UINT64_C(2) * 1000000)

static int queue_all(struct scans *scans)
{
	struct dirent *entry;
	struct scan *scan;
	pid_t pid;
	DIR *dir;
	int r = 0;

	dir = opendir("/proc");
	if (!dir)
		return -errno;
	while (!r && (entry = readdir(dir))) {
		pid = isdigit((unsigned char)*entry->d_name) ?
		      atoi(entry->d_name) : 0;
		if (!pid || pid == getpid())
			continue;
		scan = scan_new(scans, pid);
		if (!scan) {
			r = -ENOMEM;
			break;
		}
		scan->first = true;
		scans->nr_first++;
	}
	closedir(dir);
	return r;
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct scans *scans = userdata;

	(void)source;
	(void)usec;
	log_warning("%u process%s not been looked at yet: their VMs are found "
		    "later", scans->nr_first,
		    scans->nr_first == 1 ? " has" : "es have");
	scans->nr_first = 0;
	scans_finish_first(scans);
	return 0;
}

int scans_start(struct scans *scans, void (*done)(struct manager *m))
{
	int r = queue_all(scans);

	if (r >= 0)
		r = sd_event_add_time_relative(
			sd_event_source_get_event(scans->work),
			&scans->deadline, CLOCK_MONOTONIC, FIRST_USEC, 0,
			on_deadline, scans);
	if (r < 0)
		return r;
	scans->done = done;
	return 0;
}

void scans_finish_first(struct scans *scans)
{
	void (*done)(struct manager *m) = scans->done;

	if (!done || scans->nr_first)
		return;
	scans->done = NULL;
	scans->deadline = sd_event_source_disable_unref(scans->deadline);
	done(scans->manager);
}
