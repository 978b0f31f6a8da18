// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "output.h"

/* A pipe that polls writable takes as much without sleeping. */
#define PIECE		4096
/* How long last words wait for a reader that does not read. */
#define GRACE_NS	UINT64_C(1000000000)
#define NS_PER_MS	UINT64_C(1000000)

static struct {
	bool active;
	bool cut;
	int signal_fd;
	uint64_t deadline_ns;
	uint64_t ends_ns;	/* since when the stream is at its end, or 0 */
	FILE *terminal;		/* what stdout was */
} output = { .signal_fd = -1 };

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static bool is_signalled(void)
{
	struct pollfd pfd = { .fd = output.signal_fd, .events = POLLIN };

	return poll(&pfd, 1, 0) > 0 && pfd.revents & POLLIN;
}

/* How long to wait for room; 0 for no longer. */
static int patience_ms(uint64_t blocked_ns)
{
	uint64_t now = now_ns(), until = output.deadline_ns;

	if (!output.ends_ns &&
	    (is_signalled() || (until && now >= until)))
		output.ends_ns = now;
	if (!output.ends_ns && !until)
		return -1;
	if (output.ends_ns)
		until = (blocked_ns > output.ends_ns ? blocked_ns :
			 output.ends_ns) + GRACE_NS;
	if (now >= until)
		return 0;
	until = (until - now + NS_PER_MS - 1) / NS_PER_MS;
	return until > INT32_MAX ? INT32_MAX : (int)until;
}

/* False when nothing more is to be written. */
static bool wait_for_room(int fd)
{
	uint64_t blocked_ns = now_ns();
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLOUT },
		{ .fd = output.signal_fd, .events = POLLIN },
	};
	int ms;

	if (!output.active)
		return true;
	/* Room first: a reader that reads gets everything. */
	while (poll(fds, 1, 0) <= 0) {
		if (output.cut)
			return false;
		ms = patience_ms(blocked_ns);
		if (!ms) {
			output.cut = true;
			return false;
		}
		fds[1].fd = output.ends_ns ? -1 : output.signal_fd;
		poll(fds, 2, ms);
	}
	return true;
}

static void on_alarm(int signal)
{
	(void)signal;
}

/*
 * A terminal may have room for less than it is given, and sleep: then it is
 * woken, and returns what it took.
 */
static ssize_t write_to_terminal(int fd, const void *data, size_t size)
{
	const struct itimerval tick = { { 0, 100000 }, { 0, 100000 } };
	const struct itimerval none = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = on_alarm }, before;
	ssize_t n;
	int err;

	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &tick, NULL);
	n = write(fd, data, size);
	err = errno;
	setitimer(ITIMER_REAL, &none, NULL);
	sigaction(SIGALRM, &before, NULL);
	errno = err;
	return n;
}

static ssize_t write_piece(int fd, const void *data, size_t size)
{
	struct stat st;

	if (!output.active || fstat(fd, &st) || S_ISREG(st.st_mode))
		return write(fd, data, size);
	size = size < PIECE ? size : PIECE;
	if (S_ISSOCK(st.st_mode))
		return send(fd, data, size, MSG_DONTWAIT);
	if (S_ISCHR(st.st_mode))
		return write_to_terminal(fd, data, size);
	return write(fd, data, size);
}

int output_write(int fd, const void *data, size_t size)
{
	const char *from = data;
	ssize_t n;

	while (size) {
		if (!wait_for_room(fd))
			return 0;
		n = write_piece(fd, from, size);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		from += n;
		size -= (size_t)n;
	}
	return 0;
}

/* For stdio, to which the descriptor is the cookie. */
static ssize_t write_cookie(void *cookie, const char *data, size_t size)
{
	int r = output_write((int)(intptr_t)cookie, data, size);

	if (!r)
		return (ssize_t)size;
	errno = -r;
	return 0;
}

/* What there was stays, for those who close it. */
static void replace(FILE **file, int fd, int mode)
{
	const cookie_io_functions_t functions = { .write = write_cookie };
	FILE *cookie = fopencookie((void *)(intptr_t)fd, "w", functions);

	fflush(*file);
	if (!cookie)
		return;
	setvbuf(cookie, NULL, mode, BUFSIZ);
	*file = cookie;
}

void output_begin(int signal_fd, uint64_t deadline_ns)
{
	if (!output.terminal) {
		output.terminal = stdout;
		replace(&stdout, STDOUT_FILENO, _IOFBF);
		replace(&stderr, STDERR_FILENO, _IONBF);
	}
	output.active = true;
	output.cut = false;
	output.ends_ns = 0;
	output.signal_fd = signal_fd;
	output.deadline_ns = deadline_ns;
}

void output_end(void)
{
	fflush(stdout);
	output.active = false;
	output.signal_fd = -1;
}

bool output_was_cut(void)
{
	return output.cut;
}

bool output_is_same(int fd, int other_fd)
{
	struct stat one, other;

	return !fstat(fd, &one) && !fstat(other_fd, &other) &&
	       !S_ISCHR(one.st_mode) && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

FILE *output_terminal(void)
{
	return output.terminal ? output.terminal : stdout;
}
