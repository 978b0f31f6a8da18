// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: epollset ITEMS COPIES
 *
 * A process with an epoll set of so many items, and so many copies of its
 * descriptor: to read /proc/PID/fdinfo of each of them, the kernel prints all
 * items. It says "ready", and ends with its standard input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#define BATCH	1000

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* An item stays as long as its file, whichever descriptor it was added by. */
static void add_items(int epoll, int event, long nr)
{
	struct epoll_event wanted = { .events = EPOLLIN | EPOLLET };
	int fds[BATCH];
	int i, n;

	while (nr) {
		for (n = 0; n < BATCH && nr; n++, nr--) {
			fds[n] = dup(event);
			if (fds[n] < 0)
				die("dup");
			if (epoll_ctl(epoll, EPOLL_CTL_ADD, fds[n], &wanted))
				die("epoll_ctl");
		}
		/* The numbers are used again: another item needs another file. */
		for (i = 0; i < n; i++)
			close(fds[i]);
		event = eventfd(0, 0);
		if (event < 0)
			die("eventfd");
	}
}

int main(int argc, char **argv)
{
	struct rlimit limit;
	int epoll, event, copies;
	char c;

	if (argc != 3)
		return 2;
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	epoll = epoll_create1(0);
	event = eventfd(0, 0);
	if (epoll < 0 || event < 0)
		die("epoll");
	add_items(epoll, event, atol(argv[1]));
	for (copies = atoi(argv[2]); copies; copies--)
		if (dup(epoll) < 0)
			die("dup");
	puts("ready");
	fflush(stdout);
	return read(STDIN_FILENO, &c, 1) < 0;
}
