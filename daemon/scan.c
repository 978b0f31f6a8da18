// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose turn it is, who waits for what, and when a process is tried again. */
#include <errno.h>
#include <stdlib.h>

#include "log.h"
#include "manager.h"
#include "proc.h"
#include "scan_internal.h"
#include "util.h"
#include "vm.h"

#define CLEAN_USEC	UINT64_C(1000000)

static const uint64_t retry_usec[] = { 10000, 100000, 1000000 };

struct scan_wait {
	LIST_ENTRY(scan_wait) link;
	void (*fn)(void *userdata, int result);
	void *userdata;
	sd_event_source *deadline;
	bool late;		/* waits for the next time, not this one */
};

static void wait_free(struct scan_wait *wait)
{
	LIST_REMOVE(wait, link);
	sd_event_source_disable_unref(wait->deadline);
	free(wait);
}

static void wait_over(struct scan_wait *wait, int result)
{
	void (*fn)(void *userdata, int result) = wait->fn;
	void *userdata = wait->userdata;

	wait_free(wait);
	fn(userdata, result);
}

static void looked_at(struct scan *scan)
{
	if (scan->first && scan->scans->nr_first)
		scan->scans->nr_first--;
	scan->first = false;
}

static void scan_free(struct scan *scan)
{
	struct scan_wait *wait;

	while ((wait = LIST_FIRST(&scan->waits)))
		wait_free(wait);
	look_forget(scan->look);
	sd_event_source_disable_unref(scan->retry);
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

	while ((wait = next_wait(scan)))
		wait_over(wait, 0);
}

static void queue(struct scan *scan)
{
	struct scans *scans = scan->scans;

	/* Again each time: it may be another process with this number. */
	scan->uid = proc_account(scan->pid);
	TAILQ_INSERT_TAIL(&scans->queue, scan, link);
	sd_event_source_set_enabled(scans->work, SD_EVENT_ONESHOT);
}

static int on_retry(sd_event_source *source, uint64_t usec, void *userdata)
{
	struct scan *scan = userdata;

	(void)usec;
	sd_event_source_set_enabled(source, SD_EVENT_OFF);
	TAILQ_REMOVE(&scan->scans->sleeping, scan, link);
	queue(scan);
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

static bool is_shortage(int r)
{
	return r == -EMFILE || r == -ENFILE || r == -ENOMEM;
}

/* Out of the queue already; nr are new. */
static void scan_end(struct scan *scan, int error, unsigned int nr)
{
	looked_at(scan);
	start_waits(scan);
	if (scan->again) {
		scan->again = false;
		queue(scan);
		return;
	}
	if ((!error || is_shortage(error)) && !nr && sleep_and_retry(scan))
		return;
	scan_free(scan);
}

/* Another of the same user's may have waited for this one. */
static void on_look(void *userdata, struct look_result *result)
{
	struct scan *scan = userdata;
	struct scans *scans = scan->scans;

	scan->look = NULL;
	TAILQ_REMOVE(&scans->looking, scan, link);
	scan_end(scan, result->error,
		 result->error ? 0 : scan_register(scan, result));
	sd_event_source_set_enabled(scans->work, SD_EVENT_ONESHOT);
}

static int start_look(struct scan *scan)
{
	unsigned int nr_known;
	int *known, r;

	process_check(scan->scans->manager, scan->pid);
	r = scan_known(scan, &known, &nr_known);
	if (r < 0)
		return r;
	r = look_start(scan->scans->looks, scan->pid, scan->uid, known,
		       nr_known, on_look, scan, &scan->look);
	if (r < 0)
		free(known);
	return r;
}

/* All that may be; of a user who has too many none. */
static int on_work(sd_event_source *source, void *userdata)
{
	struct scans *scans = userdata;
	struct scan *scan, *next;
	bool has_full = false;
	uid_t full = 0;
	int r;

	(void)source;
	for (scan = TAILQ_FIRST(&scans->queue); scan; scan = next) {
		next = TAILQ_NEXT(scan, link);
		if (has_full && scan->uid == full)
			continue;
		r = start_look(scan);
		if (r == -EBUSY) {
			has_full = true;
			full = scan->uid;
			continue;
		}
		TAILQ_REMOVE(&scans->queue, scan, link);
		if (r < 0)
			scan_end(scan, r, 0);
		else
			TAILQ_INSERT_TAIL(&scans->looking, scan, link);
	}
	scans_finish_first(scans);
	return 0;
}

static struct scan *find_scan(struct scan_queue *queue, pid_t pid)
{
	struct scan *scan;

	TAILQ_FOREACH(scan, queue, link)
		if (scan->pid == pid)
			return scan;
	return NULL;
}

struct scan *scan_new(struct scans *scans, pid_t pid)
{
	struct scan *scan = calloc(1, sizeof(*scan));

	if (!scan)
		return NULL;
	scan->scans = scans;
	scan->pid = pid;
	LIST_INIT(&scan->waits);
	queue(scan);
	return scan;
}

static bool user_has_room(const struct scans *scans, uid_t uid)
{
	const struct scan *scan;
	unsigned int nr = 0;

	TAILQ_FOREACH(scan, &scans->queue, link)
		nr += scan->uid == uid && !scan->first;
	return !uid || nr < SCANS_PER_USER;
}

/* Nobody tells that a process which waits to be looked at has ended. */
static void take_out_gone(struct scans *scans)
{
	struct scan *scan, *next;

	for (scan = TAILQ_FIRST(&scans->queue); scan; scan = next) {
		next = TAILQ_NEXT(scan, link);
		if (proc_account(scan->pid) != (uid_t)-1)
			continue;
		TAILQ_REMOVE(&scans->queue, scan, link);
		scan_end(scan, -ESRCH, 0);
	}
}

/* To look at all of them takes a moment: not for each that has no room. */
static bool make_room(struct scans *scans, uid_t uid)
{
	uint64_t now = now_usec();

	if (user_has_room(scans, uid))
		return true;
	if (now - scans->cleaned_usec < CLEAN_USEC)
		return false;
	scans->cleaned_usec = now;
	take_out_gone(scans);
	return user_has_room(scans, uid);
}

/* The one that is there, which is in the queue now or will be. */
static struct scan *queue_again(struct scans *scans, pid_t pid)
{
	struct scan *scan = find_scan(&scans->queue, pid);

	if (scan)
		return scan;
	scan = find_scan(&scans->looking, pid);
	if (scan) {
		scan->again = true;
		return scan;
	}
	scan = find_scan(&scans->sleeping, pid);
	if (scan) {
		TAILQ_REMOVE(&scans->sleeping, scan, link);
		sd_event_source_set_enabled(scan->retry, SD_EVENT_OFF);
		queue(scan);
	}
	return scan;
}

static int get_scan(struct scans *scans, pid_t pid, struct scan **ret)
{
	*ret = queue_again(scans, pid);
	if (*ret)
		return 0;
	if (!make_room(scans, proc_account(pid)))
		return -EBUSY;
	*ret = scan_new(scans, pid);
	return *ret ? 0 : -ENOMEM;
}

static pid_t leader_of(pid_t tid)
{
	struct proc_ids ids;

	return proc_read_ids(tid, &ids) < 0 ? tid : ids.tgid;
}

void scan_pid(struct scans *scans, pid_t pid, bool announced)
{
	struct scan *scan;
	int r = get_scan(scans, leader_of(pid), &scan);

	if (r < 0) {
		if (log_may(LOG_KIND_PROCESSES, proc_account(pid)))
			log_errno(r, "cannot look for VMs of pid %d", pid);
		return;
	}
	if (announced) {
		scan->announced = true;
		scan->tries = 0;
	}
}

static int on_wait_deadline(sd_event_source *source, uint64_t usec,
			    void *userdata)
{
	(void)source;
	(void)usec;
	wait_over(userdata, -ETIMEDOUT);
	return 0;
}

int scan_pid_wait(struct scans *scans, pid_t pid,
		  void (*fn)(void *userdata, int result), void *userdata,
		  struct scan_wait **ret)
{
	struct scan_wait *wait = calloc(1, sizeof(*wait));
	struct scan *scan;
	int r = -ENOMEM;

	if (wait)
		r = sd_event_add_time_relative(scans->manager->event,
					       &wait->deadline,
					       CLOCK_MONOTONIC, SCAN_WAIT_USEC,
					       0, on_wait_deadline, wait);
	if (r >= 0)
		r = get_scan(scans, pid, &scan);
	if (r < 0) {
		if (wait)
			sd_event_source_disable_unref(wait->deadline);
		free(wait);
		return r;
	}
	wait->fn = fn;
	wait->userdata = userdata;
	wait->late = scan->look != NULL;
	LIST_INSERT_HEAD(&scan->waits, wait, link);
	*ret = wait;
	return 0;
}

void scan_wait_cancel(struct scan_wait *wait)
{
	if (wait)
		wait_free(wait);
}

int scans_new(struct manager *m, struct scans **ret)
{
	struct scans *scans = calloc(1, sizeof(*scans));
	int r;

	if (!scans)
		return -ENOMEM;
	scans->manager = m;
	TAILQ_INIT(&scans->queue);
	TAILQ_INIT(&scans->looking);
	TAILQ_INIT(&scans->sleeping);
	r = looks_new(m, &scans->looks);
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
	free_queue(&scans->looking);
	free_queue(&scans->sleeping);
	sd_event_source_disable_unref(scans->work);
	sd_event_source_disable_unref(scans->deadline);
	looks_free(scans->looks);
	free(scans);
}
