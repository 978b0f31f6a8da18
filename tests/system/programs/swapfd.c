// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: swapfd DIRECTORY ITEMS
 *
 * A process whose descriptors are of an epoll set with so many items at one moment, and
 * of a file system of the user's at the next one. Whoever reads what the kernel tells
 * of such a descriptor, which takes long for so many items, and copies it then, has a
 * file of that file system. To close it is to wait for the server, in a way that
 * nothing ends: it answers this process alone. It says "ready", and "caught" when
 * another process waits; all of it ends with the standard input.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "fuse.h"

#define COPIES	8
/* Seconds, after which it ends whatever happens. */
#define LONGEST	120

static int copies[COPIES];
static int file, epoll;

static bool is_thread_of(pid_t pid, pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, tid);
	return !access(path, F_OK);
}

static void serve(int fuse, pid_t client)
{
	struct pollfd fds[2] = { { .fd = fuse, .events = POLLIN },
				 { .fd = STDIN_FILENO, .events = POLLIN } };
	struct fuse_in_header request;

	while (poll(fds, 2, -1) >= 0 && !fds[1].revents) {
		if (!fds[0].revents || !fuse_serve(fuse, FUSE_FLUSH, &request))
			continue;
		if (is_thread_of(client, (pid_t)request.pid)) {
			fuse_reply(fuse, request.unique, 0, NULL, 0);
		} else {
			puts("caught");
			fflush(stdout);
		}
	}
}

/* An item stays as long as its file, whichever descriptor it was added by. */
static void add_items(long nr)
{
	struct epoll_event wanted = { .events = EPOLLIN | EPOLLET };
	int event = -1, number;
	long i;

	for (i = 0; i < nr; i++) {
		if (i % 1000 == 0)
			event = eventfd(0, 0);
		number = 1000 + (int)(i % 1000);
		if (event < 0 || dup2(event, number) < 0 ||
		    epoll_ctl(epoll, EPOLL_CTL_ADD, number, &wanted))
			die("items");
	}
}

static void *swap(void *arg)
{
	int i, n;

	for (n = 0;; n++) {
		for (i = 0; i < COPIES; i++)
			if (dup2(n % 2 ? epoll : file, copies[i]) < 0)
				die("dup2");
		usleep(1000);
	}
	return arg;
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	pthread_t thread;
	pid_t parent;
	int fuse, i;

	if (argc != 3)
		return 2;
	alarm(LONGEST);
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	become_root_of_a_namespace();
	fuse = fuse_mount(argv[1]);
	parent = getpid();
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(LONGEST);
		serve(fuse, parent);
		kill(parent, SIGKILL);
		_exit(0);
	}
	/* The connection ends with the server. */
	close(fuse);
	file = fuse_open_file(argv[1]);
	epoll = epoll_create1(0);
	if (epoll < 0)
		die("epoll");
	add_items(atol(argv[2]));
	for (i = 0; i < COPIES; i++)
		copies[i] = dup(epoll);
	if (pthread_create(&thread, NULL, swap, NULL))
		die("thread");
	puts("ready");
	fflush(stdout);
	wait(NULL);
	return 0;
}
