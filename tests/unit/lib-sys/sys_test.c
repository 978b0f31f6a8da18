// SPDX-License-Identifier: GPL-2.0-or-later
/* Each function of sys.h on the real kernel, and that it leaves errno alone. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "sys.h"

#define EVENTFD	"anon_inode:[eventfd]"

static int errno_setup(void **state)
{
	(void)state;
	errno = EXDEV;
	return 0;
}

static int errno_teardown(void **state)
{
	(void)state;
	return errno == EXDEV ? 0 : -1;
}

static void memory_is_zeroed(void **state)
{
	unsigned char *mem = wtrack__sys_alloc(4096);
	int i;

	(void)state;
	assert_non_null(mem);
	for (i = 0; i < 4096; i++)
		assert_int_equal(mem[i], 0);
	wtrack__sys_free(mem);
}

static void descriptors_are_closed_on_exec(void **state)
{
	int fd = wtrack__sys_open("/dev/null");

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	wtrack__sys_close(fd);
	assert_int_equal(wtrack__sys_ioctl(fd, FIONREAD, NULL), -EBADF);
}

static void failures_are_returned(void **state)
{
	void *mem = (void *)5;
	int fd = wtrack__sys_open("/dev/null");

	(void)state;
	assert_int_equal(wtrack__sys_open("/proc/no-such-file"), -ENOENT);
	assert_int_equal(wtrack__sys_ioctl(fd, FIONREAD, NULL), -ENOTTY);
	assert_int_equal(wtrack__sys_mmap(-1, 0, 4096, PROT_READ, &mem),
			 -EBADF);
	assert_ptr_equal(mem, (void *)5);
	assert_int_equal(wtrack__sys_pidfd_open(-1), -EINVAL);
	assert_int_equal(wtrack__sys_pidfd_getfd(fd, 0), -EBADF);
	assert_int_equal(wtrack__sys_each_fd(INT32_MAX, NULL, NULL), -ENOENT);
	wtrack__sys_close(fd);
	/* What fails here can only be left alone. */
	wtrack__sys_close(fd);
	wtrack__sys_munmap((void *)1, 4096);
}

static void shared_mappings_are_shared(void **state)
{
	const long long at = 1LL << 33;	/* as a ring's records may be */
	int fd = memfd_create("ring", 0);
	void *rw, *ro;

	(void)state;
	assert_int_equal(ftruncate(fd, at + 4096), 0);
	assert_int_equal(wtrack__sys_mmap(fd, at, 4096,
					  PROT_READ | PROT_WRITE, &rw), 0);
	assert_int_equal(wtrack__sys_mmap(fd, at, 4096, PROT_READ, &ro), 0);
	strcpy(rw, "seen by both");
	assert_string_equal(ro, "seen by both");
	wtrack__sys_munmap(ro, 4096);
	wtrack__sys_munmap(rw, 4096);
	close(fd);
}

static void poll_tells_timeout_and_readiness(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	uint64_t start, one = 1;
	short revents = 99;

	(void)state;
	start = wtrack__sys_now_ms();
	assert_int_equal(wtrack__sys_poll(fd, POLLIN, 20, &revents), 0);
	assert_true(wtrack__sys_now_ms() - start >= 19);
	assert_int_equal(write(fd, &one, sizeof(one)), sizeof(one));
	assert_int_equal(wtrack__sys_poll(fd, POLLIN, -1, &revents), 1);
	assert_int_equal(revents, POLLIN);
	close(fd);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void poll_is_interrupted_by_signals(void **state)
{
	struct sigaction act = { .sa_handler = on_alarm };
	int fd = eventfd(0, EFD_CLOEXEC);
	short revents = 99;

	(void)state;
	sigaction(SIGALRM, &act, NULL);
	ualarm(10000, 10000);
	assert_int_equal(wtrack__sys_poll(fd, POLLIN, -1, &revents), -EINTR);
	assert_int_equal(revents, 99);
	ualarm(0, 0);
	close(fd);
}

/* A process that holds nr descriptors of one eventfd, and lives until told. */
static pid_t start_holder(int nr, int *ret_stop)
{
	int ready[2], stop[2], i;
	pid_t pid;
	char c;

	assert_int_equal(pipe2(ready, O_CLOEXEC) | pipe2(stop, O_CLOEXEC), 0);
	pid = fork();
	if (!pid) {
		int fd = eventfd(17, 0);

		for (i = 1; i < nr; i++)
			fd = dup(fd);
		close(stop[1]);
		if (write(ready[1], "", 1) != 1 || read(stop[0], &c, 1) != 0)
			_exit(1);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	close(stop[0]);
	*ret_stop = stop[1];
	return pid;
}

struct found {
	int nr;
	int fds[8];
	int stop_at;
};

static int on_fd(int fd, void *userdata)
{
	struct found *found = userdata;

	found->fds[found->nr++] = fd;
	return found->nr == found->stop_at ? -ENOTUNIQ : 0;
}

/* Its pipes and files are not among them. */
static void descriptors_of_a_process_that_are_no_files_are_found(void **state)
{
	struct found found = { 0 };
	int stop;
	pid_t pid = start_holder(3, &stop);

	(void)state;
	assert_int_equal(wtrack__sys_each_fd(pid, on_fd, &found), 0);
	assert_int_equal(found.nr, 3);
	found.stop_at = 4;
	assert_int_equal(wtrack__sys_each_fd(pid, on_fd, &found), -ENOTUNIQ);
	assert_int_equal(found.nr, 4);
	close(stop);
	waitpid(pid, NULL, 0);
	errno = EXDEV;
}

static void link_is_compared_whole(void **state)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	(void)state;
	assert_true(wtrack__sys_links_to(fd, EVENTFD));
	assert_false(wtrack__sys_links_to(fd, "anon_inode:[eventf"));
	assert_false(wtrack__sys_links_to(fd, EVENTFD "x"));
	close(fd);
	errno = EXDEV;
	assert_false(wtrack__sys_links_to(fd, EVENTFD));
}

/* With the rights of its user alone: no privilege lets it look elsewhere. */
static void process_of_another_user_is_not_looked_into(void **state)
{
	struct found found = { 0 };
	int stop, status;
	pid_t pid = start_holder(1, &stop), other;

	(void)state;
	other = fork();
	if (!other) {
		if (!getuid() && (setgid(65534) || setuid(65534)))
			_exit(2);
		_exit(wtrack__sys_each_fd(getuid() == 65534 ? pid : 1, on_fd,
					  &found) == -EACCES ? 0 : 1);
	}
	assert_int_equal(waitpid(other, &status, 0), other);
	assert_int_equal(status, 0);
	close(stop);
	waitpid(pid, NULL, 0);
	errno = EXDEV;
}

static void descriptor_of_another_process_can_be_copied(void **state)
{
	struct found found = { 0 };
	int stop, pidfd, first, second;
	pid_t pid = start_holder(2, &stop);
	uint64_t value;

	(void)state;
	assert_int_equal(wtrack__sys_each_fd(pid, on_fd, &found), 0);
	pidfd = wtrack__sys_pidfd_open(pid);
	assert_true(pidfd >= 0);
	first = wtrack__sys_pidfd_getfd(pidfd, found.fds[0]);
	second = wtrack__sys_pidfd_getfd(pidfd, found.fds[1]);
	assert_true(first >= 0 && second >= 0);
	assert_true(wtrack__sys_same_file(first, second));
	assert_false(wtrack__sys_same_file(first, pidfd));
	assert_int_equal(wtrack__sys_pidfd_getfd(pidfd, 999), -EBADF);
	assert_int_equal(read(second, &value, sizeof(value)), sizeof(value));
	assert_int_equal(value, 17);
	close(first);
	close(second);
	close(pidfd);
	close(stop);
	waitpid(pid, NULL, 0);
	errno = EXDEV;
}

static void ended_process_is_not_alive(void **state)
{
	int stop, pidfd;
	pid_t pid = start_holder(1, &stop);
	short revents;

	(void)state;
	pidfd = wtrack__sys_pidfd_open(pid);
	assert_true(wtrack__sys_pidfd_alive(pidfd));
	close(stop);
	assert_int_equal(wtrack__sys_poll(pidfd, POLLIN, 20000, &revents), 1);
	assert_false(wtrack__sys_pidfd_alive(pidfd));
	waitpid(pid, NULL, 0);
	assert_false(wtrack__sys_pidfd_alive(pidfd));
	assert_int_equal(wtrack__sys_pidfd_getfd(pidfd, 0), -ESRCH);
	assert_int_equal(wtrack__sys_pidfd_open(pid), -ESRCH);
	close(pidfd);
	errno = EXDEV;
}

#define CASE(fn)	cmocka_unit_test_setup_teardown(fn, errno_setup, \
							errno_teardown)

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(memory_is_zeroed),
		CASE(descriptors_are_closed_on_exec),
		CASE(failures_are_returned),
		CASE(shared_mappings_are_shared),
		CASE(poll_tells_timeout_and_readiness),
		CASE(poll_is_interrupted_by_signals),
		CASE(descriptors_of_a_process_that_are_no_files_are_found),
		CASE(link_is_compared_whole),
		CASE(process_of_another_user_is_not_looked_into),
		CASE(descriptor_of_another_process_can_be_copied),
		CASE(ended_process_is_not_alive),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
