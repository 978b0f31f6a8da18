// SPDX-License-Identifier: GPL-2.0-or-later
/* The first scan: all processes that there are. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "scan_internal.h"

/* Processes of the first scan that are in the queue at a time. */
#define MAX_AT_START	4

static int list_pids(struct scans *scans)
{
	struct dirent *entry;
	pid_t *grown, pid;
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
		grown = reallocarray(scans->pids, scans->nr_pids + 1,
				     sizeof(*grown));
		if (!grown) {
			r = -ENOMEM;
			break;
		}
		scans->pids = grown;
		scans->pids[scans->nr_pids++] = pid;
	}
	closedir(dir);
	return r;
}

int scans_start(struct scans *scans, void (*done)(struct manager *m))
{
	int r = list_pids(scans);

	if (r < 0)
		return r;
	scans->done = done;
	sd_event_source_set_enabled(scans->work, SD_EVENT_ON);
	return 0;
}

/* The first scan brings its processes into the queue a few at a time. */
void scans_feed(struct scans *scans)
{
	unsigned int nr = 0;
	struct scan *scan;

	TAILQ_FOREACH(scan, &scans->queue, link)
		nr++;
	while (scans->next_pid < scans->nr_pids && nr++ < MAX_AT_START)
		scan_get(scans, scans->pids[scans->next_pid++]);
}

void scans_finish_first(struct scans *scans)
{
	void (*done)(struct manager *m) = scans->done;

	if (!done || scans->next_pid < scans->nr_pids)
		return;
	scans->done = NULL;
	free(scans->pids);
	scans->pids = NULL;
	scans->nr_pids = scans->next_pid = 0;
	done(scans->manager);
}
