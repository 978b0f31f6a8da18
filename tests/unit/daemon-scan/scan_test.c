// SPDX-License-Identifier: GPL-2.0-or-later
/* Processes that wait to be looked at: how many, and what becomes of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "log.h"
#include "manager.h"
#include "scan_internal.h"
#include "util.h"
#include "vm.h"

/* Processes with these numbers are of these users; the others are gone. */
#define ALICE	1000
#define BOB	2000
#define MAX_PID	10000

static struct manager manager;
static struct scans *scans;
static bool gone[MAX_PID];
static uid_t stuck;		/* whose looks are not done */
static unsigned int nr_stuck, nr_looks;
static uint64_t now = 5000000;
static unsigned int nr_called;
static int last_result;

uid_t proc_account(pid_t pid)
{
	if (!pid || gone[pid])
		return (uid_t)-1;
	return pid < 5000 ? BOB : pid < 9000 ? ALICE : 0;
}

int proc_read_ids(pid_t pid, struct proc_ids *ret)
{
	*ret = (struct proc_ids) { .tgid = pid };
	return 0;
}

uint64_t now_usec(void)
{
	return now;
}

/* Looks of all but one user are done when the event loop runs. */
int look_start(struct looks *looks, pid_t pid, uid_t uid, int *known,
	       unsigned int nr_known, look_fn fn, void *userdata,
	       struct look **ret)
{
	(void)looks;
	(void)pid;
	(void)known;
	(void)nr_known;
	(void)fn;
	(void)userdata;
	(void)ret;
	if (uid == stuck && nr_stuck++ >= LOOKS_PER_USER)
		return -EBUSY;
	nr_looks++;
	return uid == stuck ? 0 : -ESRCH;
}

void look_forget(struct look *look)
{
	(void)look;
}

int looks_new(struct manager *m, struct looks **ret)
{
	(void)m;
	*ret = NULL;
	return 0;
}

void looks_free(struct looks *looks)
{
	(void)looks;
}

void process_check(struct manager *m, pid_t pid)
{
	(void)m;
	(void)pid;
}

unsigned int scan_register(struct scan *scan, struct look_result *result)
{
	(void)scan;
	(void)result;
	return 0;
}

int scan_known(const struct scan *scan, int **ret, unsigned int *ret_nr)
{
	(void)scan;
	*ret = NULL;
	*ret_nr = 0;
	return 0;
}

void scans_finish_first(struct scans *all)
{
	(void)all;
}

bool log_may(enum log_kind kind, uid_t uid)
{
	(void)kind;
	(void)uid;
	return false;
}

int log_errno(int error, const char *format, ...)
{
	(void)format;
	return error;
}

static void on_scanned(void *userdata, int result)
{
	(void)userdata;
	nr_called++;
	last_result = result;
}

static int wait_for_scan(pid_t pid)
{
	struct scan_wait *wait;

	return scan_pid_wait(scans, pid, on_scanned, NULL, &wait);
}

static void run(void)
{
	while (sd_event_run(manager.event, 0) > 0)
		;
}

static int setup(void **state)
{
	(void)state;
	memset(gone, 0, sizeof(gone));
	stuck = BOB;
	nr_stuck = nr_looks = nr_called = 0;
	assert_true(sd_event_new(&manager.event) >= 0);
	assert_int_equal(scans_new(&manager, &scans), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scans_free(scans);
	sd_event_unref(manager.event);
	return 0;
}

/* Returns the number of the next one of bob's. */
static pid_t fill_queue(void)
{
	pid_t pid;

	for (pid = 1; pid <= LOOKS_PER_USER; pid++)
		scan_pid(scans, pid, true);
	run();
	assert_int_equal(nr_looks, LOOKS_PER_USER);
	for (; pid <= LOOKS_PER_USER + SCANS_PER_USER; pid++)
		assert_int_equal(wait_for_scan(pid), 0);
	return pid;
}

static void a_user_has_some_and_no_more(void **state)
{
	pid_t next = fill_queue();

	(void)state;
	assert_int_equal(wait_for_scan(next), -EBUSY);
	now += 2000000;
	assert_int_equal(wait_for_scan(next), -EBUSY);
	/* One that waits already may be waited for once more. */
	assert_int_equal(wait_for_scan(next - 1), 0);
	/* Neither others nor root are concerned. */
	assert_int_equal(wait_for_scan(5000), 0);
	assert_int_equal(wait_for_scan(9000), 0);
	run();
	assert_int_equal(nr_called, 2);
}

static void those_that_are_gone_make_room(void **state)
{
	pid_t next = fill_queue();

	(void)state;
	gone[next - 1] = gone[next - 2] = true;
	assert_int_equal(wait_for_scan(next), 0);
	assert_int_equal(nr_called, 2);
	assert_int_equal(last_result, 0);
	assert_int_equal(wait_for_scan(next + 1), 0);
	assert_int_equal(wait_for_scan(next + 2), -EBUSY);
	/* Not for each that has no room are all of them looked at. */
	gone[next] = true;
	assert_int_equal(wait_for_scan(next + 2), -EBUSY);
	now += 2000000;
	assert_int_equal(wait_for_scan(next + 2), 0);
}

/* The first scan has all that there are. */
static void first_scan_has_all(void **state)
{
	struct scan *scan;
	pid_t pid;

	(void)state;
	for (pid = 1; pid < 5000; pid++) {
		scan = scan_new(scans, pid);
		assert_non_null(scan);
		scan->first = true;
	}
	run();
	assert_int_equal(nr_looks, LOOKS_PER_USER);
	assert_int_equal(wait_for_scan(4999), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(a_user_has_some_and_no_more),
		CASE(those_that_are_gone_make_room),
		CASE(first_scan_has_all),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
