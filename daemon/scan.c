// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose turn it is, who waits for what, and when a process is tried again. */
#include <errno.h>
#include <stdlib.h>

#include "log.h"
#include "manager.h"
#include "pidfd.h"
#include "proc.h"
#include "scan_internal.h"
#include "util.h"

static const uint64_t retry_usec[] = { 10000, 100000, 1000000 };

struct scan_wait {
	LIST_ENTRY(scan_wait) link;
	void (*fn)(void *userdata);
	void *userdata;
	bool late;		/* waits for the next time, not this one */
};

static void scan_free(struct scan *scan)
{
	struct scan_wait *wait;

	while ((wait = LIST_FIRST(&scan->waits))) {
		LIST_REMOVE(wait, link);
		free(wait);
	}
	scan_reset(scan);
	sd_event_source_unref(scan->retry);
	free(scan);
}

/* Those who came when it was under way have to wait for the next time. */
static struct scan_wait *next_wait(struct scan *scan)
{
	struct scan_wait *wait;

	LIST_FOREACH(wait, &scan->waits, link)
		if (!wait->late)
			return wait;
	LIST_FOREACH(wait, &scan->waits, link)
		wait->late = false;
	return NULL;
}

static void start_waits(struct scan *scan)
{
	struct scan_wait *wait;

	while ((wait = next_wait(scan))) {
		LIST_REMOVE(wait, link);
		wait->fn(wait->userdata);
		free(wait);
	}
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct scan *scan = userdata;

	(void)usec;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	TAILQ_REMOVE(&scan->scans->sleeping, scan, link);
	TAILQ_INSERT_TAIL(&scan->scans->queue, scan, link);
	sd_event_source_set_enabled(scan->scans->work, SD_EVENT_ON);
	return 0;
}

static bool sleep_and_retry(struct scan *scan)
{
	struct scans *scans = scan->scans;
	uint64_t usec;
	int r;

	if (!scan->announced || scan->tries >= ARRAY_SIZE(retry_usec))
		return false;
	usec = retry_usec[scan->tries++];
	scan->retry = sd_event_source_unref(scan->retry);
	r = sd_event_add_time_relative(scans->manager->event, &scan->retry,
				       CLOCK_MONOTONIC, usec, 0, on_retry,
				       scan);
	if (r < 0)
		return false;
	TAILQ_INSERT_TAIL(&scans->sleeping, scan, link);
	return true;
}

/* Out of the queue already. */
static void scan_end(struct scan *scan, int result)
{
	unsigned int nr = 0;

	if (!result)
		nr = scan_register(scan);
	scan_reset(scan);
	start_waits(scan);
	if (scan->again) {
		scan->again = false;
		TAILQ_INSERT_TAIL(&scan->scans->queue, scan, link);
		return;
	}
	if ((!result || scan_shortage(result)) && !nr && sleep_and_retry(scan))
		return;
	scan_free(scan);
}

static struct scan *find_scan(struct scan_queue *queue, pid_t pid)
{
	struct scan *scan;

	TAILQ_FOREACH(scan, queue, link)
		if (scan->pid == pid)
			return scan;
	return NULL;
}

struct scan *scan_get(struct scans *scans, pid_t pid)
{
	struct scan *scan = find_scan(&scans->queue, pid);

	if (scan) {
		scan->again |= scan->dir != NULL;
		return scan;
	}
	scan = find_scan(&scans->sleeping, pid);
	if (scan) {
		TAILQ_REMOVE(&scans->sleeping, scan, link);
		sd_event_source_set_enabled(scan->retry, SD_EVENT_OFF);
	} else {
		scan = calloc(1, sizeof(*scan));
		if (!scan)
			return NULL;
		scan->scans = scans;
		scan->pid = pid;
		scan->pidfd = -1;
		LIST_INIT(&scan->waits);
	}
	TAILQ_INSERT_TAIL(&scans->queue, scan, link);
	sd_event_source_set_enabled(scans->work, SD_EVENT_ON);
	return scan;
}

static pid_t leader_of(pid_t tid)
{
	struct proc_ids ids;

	return proc_read_ids(tid, &ids) < 0 ? tid : ids.tgid;
}

void scan_pid(struct scans *scans, pid_t pid, bool announced)
{
	struct scan *scan = scan_get(scans, leader_of(pid));

	if (!scan) {
		log_errno(-ENOMEM, "cannot look for VMs of pid %d", pid);
		return;
	}
	if (announced) {
		scan->announced = true;
		scan->tries = 0;
	}
}

int scan_pid_wait(struct scans *scans, pid_t pid, void (*fn)(void *userdata),
		  void *userdata, struct scan_wait **ret)
{
	struct scan_wait *wait = calloc(1, sizeof(*wait));
	struct scan *scan = wait ? scan_get(scans, pid) : NULL;

	if (!scan) {
		free(wait);
		return -ENOMEM;
	}
	wait->fn = fn;
	wait->userdata = userdata;
	wait->late = scan->dir != NULL;
	LIST_INSERT_HEAD(&scan->waits, wait, link);
	*ret = wait;
	return 0;
}

void scan_wait_cancel(struct scan_wait *wait)
{
	if (!wait)
		return;
	LIST_REMOVE(wait, link);
	free(wait);
}

static int on_work(sd_event_source *source, void *userdata)
{
	struct scans *scans = userdata;
	struct scan *scan;
	int r;

	scans_feed(scans);
	scan = TAILQ_FIRST(&scans->queue);
	if (!scan) {
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		scans_finish_first(scans);
		return 0;
	}
	TAILQ_REMOVE(&scans->queue, scan, link);
	r = scan_step(scan);
	if (r > 0)
		TAILQ_INSERT_TAIL(&scans->queue, scan, link);
	else
		scan_end(scan, r);
	return 0;
}

int scans_new(struct manager *m, struct scans **ret)
{
	struct scans *scans = calloc(1, sizeof(*scans));
	int r;

	if (!scans)
		return -ENOMEM;
	scans->manager = m;
	TAILQ_INIT(&scans->queue);
	TAILQ_INIT(&scans->sleeping);
	r = scans->anon_mnt_id = fd_anon_mnt_id();
	if (r >= 0)
		r = sd_event_add_defer(m->event, &scans->work, on_work, scans);
	if (r >= 0)
		r = sd_event_source_set_enabled(scans->work, SD_EVENT_OFF);
	if (r < 0) {
		scans_free(scans);
		return r;
	}
	*ret = scans;
	return 0;
}

static void free_queue(struct scan_queue *queue)
{
	struct scan *scan;

	while ((scan = TAILQ_FIRST(queue))) {
		TAILQ_REMOVE(queue, scan, link);
		scan_free(scan);
	}
}

void scans_free(struct scans *scans)
{
	if (!scans)
		return;
	free_queue(&scans->queue);
	free_queue(&scans->sleeping);
	sd_event_source_unref(scans->work);
	free(scans->pids);
	free(scans);
}
