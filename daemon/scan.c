// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "log.h"
#include "manager.h"
#include "pidfd.h"
#include "proc.h"
#include "scan.h"
#include "util.h"
#include "vm.h"

/* Descriptors that are looked at before other work gets its turn. */
#define STEP		128
/* Processes of the first scan that are in the queue at a time. */
#define MAX_AT_START	4
#define MAX_FDINFO	512

static const uint64_t retry_usec[] = { 10000, 100000, 1000000 };

struct found {
	int number;		/* of the descriptor, in the process */
	int copy;		/* ours */
};

struct scan_wait {
	LIST_ENTRY(scan_wait) link;
	void (*fn)(void *userdata);
	void *userdata;
	bool late;		/* waits for the next time, not this one */
};

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
	struct found found[VMS_PER_PROCESS];
	unsigned int nr_found;
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

static void scan_reset(struct scan *scan)
{
	while (scan->nr_found)
		safe_close(scan->found[--scan->nr_found].copy);
	if (scan->dir)
		closedir(scan->dir);
	scan->dir = NULL;
	scan->pidfd = safe_close(scan->pidfd);
}

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

static bool is_registered(const struct scan *scan, int number)
{
	return vm_find(scan->scans->manager, scan->pid, number) != NULL;
}

/* Of several descriptors of one VM the one that is known already counts. */
static void add_found(struct scan *scan, int number, int copy)
{
	unsigned int i;

	for (i = 0; i < scan->nr_found; i++) {
		if (!fd_is_same(scan->found[i].copy, copy))
			continue;
		if (!is_registered(scan, scan->found[i].number) &&
		    is_registered(scan, number))
			scan->found[i].number = number;
		safe_close(copy);
		return;
	}
	if (scan->nr_found == VMS_PER_PROCESS) {
		safe_close(copy);
		return;
	}
	scan->found[scan->nr_found++] = (struct found) { number, copy };
}

static void look_at(struct scan *scan, const char *name)
{
	CLEANUP(free_p) char *text = NULL;
	int mnt_id, copy;

	if (!isdigit((unsigned char)*name) ||
	    read_file_at(dirfd(scan->dir), name, MAX_FDINFO, &text, NULL) < 0 ||
	    proc_parse_mnt_id(text, &mnt_id) < 0 ||
	    mnt_id != scan->scans->anon_mnt_id)
		return;
	copy = pidfd_copy(scan->pidfd, atoi(name));
	if (copy < 0)
		return;
	if (fd_is_vm(copy))
		add_found(scan, atoi(name), copy);
	else
		safe_close(copy);
}

static bool was_found(const struct scan *scan, int number)
{
	unsigned int i;

	for (i = 0; i < scan->nr_found; i++)
		if (scan->found[i].number == number)
			return true;
	return false;
}

static void drop_closed(struct scan *scan)
{
	struct manager *m = scan->scans->manager;
	struct vm *vm = vm_of_pid(m, scan->pid, NULL), *next;

	for (; vm; vm = next) {
		next = vm_of_pid(m, scan->pid, vm);
		if (!was_found(scan, vm->fd))
			vm_gone(vm);
	}
}

/* Into the registry. Returns how many are new. */
static unsigned int register_found(struct scan *scan)
{
	static struct log_rate rate;
	struct manager *m = scan->scans->manager;
	struct process *process = process_find(m, scan->pid);
	unsigned int i, nr = 0;
	int r = 0;

	for (i = 0; r >= 0 && i < scan->nr_found; i++) {
		if (is_registered(scan, scan->found[i].number))
			continue;
		if (!process)
			r = process_new(m, scan->pid, scan->pidfd, &process);
		if (r >= 0)
			r = vm_add(m, process, scan->found[i].number);
		nr += r >= 0;
	}
	if (nr)
		vms_added(m, scan->pid);
	if (r < 0 && r != -ESRCH && log_may(&rate, "processes"))
		log_errno(r, "cannot keep account of the VMs of pid %d",
			  scan->pid);
	return nr;
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
static void scan_end(struct scan *scan, bool complete)
{
	unsigned int nr = 0;

	if (complete) {
		drop_closed(scan);
		nr = register_found(scan);
	}
	scan_reset(scan);
	start_waits(scan);
	if (scan->again) {
		scan->again = false;
		TAILQ_INSERT_TAIL(&scan->scans->queue, scan, link);
		return;
	}
	if (complete && !nr && sleep_and_retry(scan))
		return;
	scan_free(scan);
}

/* Whatever /proc/PID is after this was of the process of the pidfd. */
static int scan_open(struct scan *scan)
{
	char path[64];

	process_check(scan->scans->manager, scan->pid);
	scan->pidfd = pidfd_of(scan->pid);
	if (scan->pidfd < 0)
		return scan->pidfd;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", scan->pid);
	scan->dir = opendir(path);
	if (!scan->dir)
		return -errno;
	return pidfd_is_alive(scan->pidfd) ? 0 : -ESRCH;
}

/* 1 when there is more. */
static int scan_step(struct scan *scan)
{
	struct dirent *entry;
	int i, r;

	if (!scan->dir) {
		r = scan_open(scan);
		if (r < 0)
			return r;
	}
	for (i = 0; i < STEP; i++) {
		errno = 0;
		entry = readdir(scan->dir);
		if (!entry)
			return -errno;
		look_at(scan, entry->d_name);
	}
	return 1;
}

static struct scan *find_scan(struct scan_queue *queue, pid_t pid)
{
	struct scan *scan;

	TAILQ_FOREACH(scan, queue, link)
		if (scan->pid == pid)
			return scan;
	return NULL;
}

static struct scan *scan_get(struct scans *scans, pid_t pid)
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

/* The first scan brings its processes into the queue a few at a time. */
static void feed(struct scans *scans)
{
	unsigned int nr = 0;
	struct scan *scan;

	TAILQ_FOREACH(scan, &scans->queue, link)
		nr++;
	while (scans->next_pid < scans->nr_pids && nr++ < MAX_AT_START)
		scan_get(scans, scans->pids[scans->next_pid++]);
}

static void finish_first(struct scans *scans)
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

static int on_work(sd_event_source *source, void *userdata)
{
	struct scans *scans = userdata;
	struct scan *scan;
	int r;

	feed(scans);
	scan = TAILQ_FIRST(&scans->queue);
	if (!scan) {
		sd_event_source_set_enabled(source, SD_EVENT_OFF);
		finish_first(scans);
		return 0;
	}
	TAILQ_REMOVE(&scans->queue, scan, link);
	r = scan_step(scan);
	if (r > 0)
		TAILQ_INSERT_TAIL(&scans->queue, scan, link);
	else
		scan_end(scan, r == 0);
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
