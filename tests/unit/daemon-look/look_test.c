// SPDX-License-Identifier: GPL-2.0-or-later
/* Threads that look into processes: what they find, and how many there may be. */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "look.h"
#include "manager.h"

int __real_pid_fd_compare(pid_t pid, int a, int b);
int __wrap_pid_fd_compare(pid_t pid, int a, int b);
bool __wrap_fd_link_is_vm(int dir, const char *name);
int __wrap_sd_pid_get_owner_uid(pid_t pid, uid_t *ret);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool stuck;		/* as a process within execve(2) is; lock */
static unsigned int nr_waiting;	/* threads that wait for that; lock */

static struct manager manager;
static struct looks *looks;
static pid_t child;
static uid_t slice_uid;
/* What the child has: two of one file, and one of another. */
static int first, copy, second;

static unsigned int nr_called;
static struct look_result last;
static int found[8];

int __wrap_pid_fd_compare(pid_t pid, int a, int b)
{
	pthread_mutex_lock(&lock);
	nr_waiting++;
	pthread_cond_broadcast(&changed);
	while (stuck)
		pthread_cond_wait(&changed, &lock);
	nr_waiting--;
	pthread_mutex_unlock(&lock);
	return __real_pid_fd_compare(pid, a, b);
}

bool __wrap_fd_link_is_vm(int dir, const char *name)
{
	char link[64] = "";

	return readlinkat(dir, name, link, sizeof(link) - 1) > 0 &&
	       !strcmp(link, "anon_inode:[eventfd]");
}

/* In whose slice of systemd's the child is, if in any. */
int __wrap_sd_pid_get_owner_uid(pid_t pid, uid_t *ret)
{
	assert_int_equal(pid, child);
	*ret = slice_uid;
	return slice_uid ? 0 : -ENODATA;
}

static void set_stuck(bool now)
{
	pthread_mutex_lock(&lock);
	stuck = now;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void wait_until_waiting(unsigned int nr)
{
	pthread_mutex_lock(&lock);
	while (nr_waiting < nr)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void on_look(void *userdata, struct look_result *result)
{
	unsigned int i;

	assert_ptr_equal(userdata, &manager);
	nr_called++;
	last = *result;
	for (i = 0; i < result->nr_found && i < 8; i++)
		found[i] = result->found[i];
}

static int start(pid_t pid, uid_t uid, struct look **ret)
{
	struct look *look;
	int r;

	r = look_start(looks, pid, uid, NULL, 0, on_look, &manager, &look);
	if (r >= 0 && ret)
		*ret = look;
	return r;
}

static void run_until_called(unsigned int nr)
{
	while (nr_called < nr)
		assert_true(sd_event_run(manager.event, UINT64_MAX) >= 0);
	assert_int_equal(nr_called, nr);
}

/* The child has what there is now, apart from what is closed at exec. */
static int setup(void **state)
{
	(void)state;
	nr_called = 0;
	first = eventfd(0, 0);
	copy = dup(first);
	second = eventfd(0, 0);
	child = fork();
	if (!child)
		for (;;)
			pause();
	close(first);
	close(copy);
	close(second);
	assert_true(sd_event_new(&manager.event) >= 0);
	assert_int_equal(looks_new(&manager, &looks), 0);
	return 0;
}

static unsigned int nr_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	unsigned int nr = 0;

	while ((entry = readdir(dir)))
		nr += *entry->d_name != '.';
	closedir(dir);
	return nr;
}

static int teardown(void **state)
{
	(void)state;
	looks_free(looks);
	set_stuck(false);
	sd_event_unref(manager.event);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}

static bool was_found(int fd)
{
	return found[0] == fd || found[1] == fd;
}

static void one_descriptor_of_each_vm_is_found(void **state)
{
	(void)state;
	assert_int_equal(start(child, 1, NULL), 0);
	run_until_called(1);
	assert_int_equal(last.error, 0);
	assert_int_equal(last.nr_found, 2);
	assert_true(was_found(second));
	assert_true(was_found(first) || was_found(copy));
	assert_int_equal(last.info.ids.tgid, child);
}

static void the_one_that_is_known_is_preferred(void **state)
{
	int i, *known;
	struct look *look;

	(void)state;
	for (i = 0; i < 2; i++) {
		known = malloc(sizeof(*known));
		*known = i ? copy : first;
		assert_int_equal(look_start(looks, child, 1, known, 1, on_look,
					    &manager, &look), 0);
		run_until_called((unsigned int)i + 1);
		assert_int_equal(last.nr_found, 2);
		assert_true(was_found(i ? copy : first));
		assert_false(was_found(i ? first : copy));
	}
}

static void process_that_is_gone_has_none(void **state)
{
	(void)state;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(start(child, 1, NULL), 0);
	run_until_called(1);
	assert_int_equal(last.error, -ESRCH);
}

static void process_that_ends_meanwhile_has_none(void **state)
{
	(void)state;
	set_stuck(true);
	assert_int_equal(start(child, 1, NULL), 0);
	wait_until_waiting(1);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	set_stuck(false);
	run_until_called(1);
	assert_int_equal(last.error, -ESRCH);
}

static void a_user_has_a_few_and_no_more(void **state)
{
	int i;

	(void)state;
	set_stuck(true);
	for (i = 0; i < LOOKS_PER_USER; i++)
		assert_int_equal(start(child, 1, NULL), 0);
	assert_int_equal(start(child, 1, NULL), -EBUSY);
	assert_int_equal(start(child, 2, NULL), 0);
	wait_until_waiting(LOOKS_PER_USER + 1);
	assert_true(sd_event_run(manager.event, 0) >= 0);
	assert_int_equal(nr_called, 0);
	set_stuck(false);
	run_until_called(LOOKS_PER_USER + 1);
	assert_int_equal(start(child, 1, NULL), 0);
	run_until_called(LOOKS_PER_USER + 2);
}

static void all_of_them_have_some_and_no_more(void **state)
{
	uid_t uid;

	(void)state;
	set_stuck(true);
	for (uid = 1; uid <= LOOKS; uid++)
		assert_int_equal(start(child, uid, NULL), 0);
	assert_int_equal(start(child, uid, NULL), -EBUSY);
	set_stuck(false);
	run_until_called(LOOKS);
}

static void nobody_is_called_who_has_forgotten_it(void **state)
{
	struct look *look;
	int i;

	(void)state;
	set_stuck(true);
	for (i = 0; i < LOOKS_PER_USER; i++) {
		assert_int_equal(start(child, 1, &look), 0);
		look_forget(look);
	}
	assert_int_equal(start(child, 1, NULL), -EBUSY);
	assert_int_equal(start(child, 2, NULL), 0);
	set_stuck(false);
	run_until_called(1);
	while (start(child, 1, NULL) == -EBUSY)
		assert_true(sd_event_run(manager.event, UINT64_MAX) >= 0);
	run_until_called(2);
}

/* User ids of a namespace of one's own, and programs that become root, give no more. */
static void account_is_that_of_the_slice(void **state)
{
	uid_t uid;

	(void)state;
	slice_uid = 4711;
	assert_int_equal(proc_account(child), 4711);
	slice_uid = 0;
	assert_int_equal(proc_read_euid(child, &uid), 0);
	assert_int_equal(proc_account(child), uid);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(proc_account(child), (uid_t)-1);
}

/* As when the daemon ends. */
static void threads_may_end_when_all_else_has_gone(void **state)
{
	(void)state;
	set_stuck(true);
	assert_int_equal(start(child, 1, NULL), 0);
	assert_int_equal(start(child, 2, NULL), 0);
	wait_until_waiting(2);
	looks_free(looks);
	looks = NULL;
	set_stuck(false);
	/* Sanitizers have threads of their own. */
	while (nr_threads() > 2)
		usleep(1000);
	assert_int_equal(nr_called, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(one_descriptor_of_each_vm_is_found),
		CASE(the_one_that_is_known_is_preferred),
		CASE(process_that_is_gone_has_none),
		CASE(process_that_ends_meanwhile_has_none),
		CASE(a_user_has_a_few_and_no_more),
		CASE(all_of_them_have_some_and_no_more),
		CASE(nobody_is_called_who_has_forgotten_it),
		CASE(account_is_that_of_the_slice),
		CASE(threads_may_end_when_all_else_has_gone),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
