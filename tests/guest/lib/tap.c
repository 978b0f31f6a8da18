// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

enum { SLOW_FACTOR = 8, KILL_GRACE_MS = 20000 };

/* Shared with every process of a case. */
static struct tap_state {
	unsigned int failed;
} *state;

void (*tap_after_case)(void);

static struct tap_case *first_case, **last_case = &first_case;
static __thread char trying[160];

void tap_register(struct tap_case *c)
{
	*last_case = c;
	last_case = &c->next;
}

void tap_trying(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(trying, sizeof(trying), fmt, ap);
	va_end(ap);
}

/* One write(2) a line, so that lines of several processes do not mix. */
static void line_print(const char *head, const char *fmt, va_list ap)
{
	char text[512], line[640];
	int len;

	vsnprintf(text, sizeof(text), fmt, ap);
	len = snprintf(line, sizeof(line), "%s%s\n", head, text);
	if (write(STDOUT_FILENO, line, len) < 0)
		_exit(1);
}

static void __attribute__((format(printf, 1, 2))) out(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_print("", fmt, ap);
	va_end(ap);
}

void tap_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line_print("# ", fmt, ap);
	va_end(ap);
}

void tap_fail(const char *file, int line, const char *fmt, ...)
{
	char head[320];
	va_list ap;
	int saved = errno;

	snprintf(head, sizeof(head), "# %s:%d: %s%s", file, line, trying,
		 trying[0] ? ": " : "");
	va_start(ap, fmt);
	errno = saved;
	line_print(head, fmt, ap);
	va_end(ap);
	/* All processes of the case: some may wait for this one. */
	if (state) {
		__atomic_add_fetch(&state->failed, 1, __ATOMIC_SEQ_CST);
		kill(0, SIGKILL);
	}
	_exit(1);
}

void tap_check_eq(const char *file, int line, const char *what,
		  uint64_t got, uint64_t want)
{
	if (got == want)
		return;
	tap_fail(file, line, "%s: got %llu (0x%llx), want %llu (0x%llx)", what,
		 (unsigned long long)got, (unsigned long long)got,
		 (unsigned long long)want, (unsigned long long)want);
}

static const char *errno_name(int err)
{
	const char *name = err ? strerrorname_np(err) : "success";

	return name ? name : "?";
}

void tap_check_errno(const char *file, int line, const char *what,
		     int got, int want)
{
	if (got != want)
		tap_fail(file, line, "%s: got %s, want %s", what,
			 errno_name(got), errno_name(want));
}

static bool wait_exit(int pidfd, int timeout_ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int r;

	do {
		r = poll(&p, 1, timeout_ms);
	} while (r < 0 && errno == EINTR);
	return r == 1;
}

static void verdict(const struct tap_case *c, int status)
{
	if (state->failed)
		return;
	if (WIFSIGNALED(status)) {
		tap_note("%s was killed by SIG%s", c->name,
			 sigabbrev_np(WTERMSIG(status)));
		state->failed++;
	} else if (WEXITSTATUS(status)) {
		tap_note("%s exited with %d", c->name, WEXITSTATUS(status));
		state->failed++;
	}
}

/* Orphans come to this process, which is a subreaper. */
static bool reap_orphans(pid_t group)
{
	uint64_t end = clock_ns() + KILL_GRACE_MS * 1000000ULL;
	pid_t r;

	do {
		kill(-group, SIGKILL);
		r = waitpid(-group, NULL, WNOHANG);
		if (!r)
			sleep_ms(1);
	} while (r >= 0 && clock_ns() < end);
	return r < 0;
}

/* Ends what is left of a case; a process that cannot be killed is a failure. */
static void reap_group(const struct tap_case *c, pid_t pid, int pidfd)
{
	int status;

	kill(-pid, SIGKILL);
	if (!wait_exit(pidfd, KILL_GRACE_MS)) {
		tap_note("%s: process %d cannot be killed", c->name, pid);
		state->failed++;
		return;
	}
	if (waitpid(pid, &status, 0) == pid)
		verdict(c, status);
	if (!reap_orphans(pid)) {
		tap_note("%s: a forked process cannot be killed", c->name);
		state->failed++;
	}
}

static void run_child(void (*run)(void))
{
	setpgid(0, 0);
	run();
	_exit(0);
}

static void run_forked(const struct tap_case *c, void (*run)(void))
{
	unsigned int limit = c->seconds * (host_is_debug() ? SLOW_FACTOR : 1);
	pid_t pid = fork();
	int pidfd;

	if (pid < 0) {
		tap_note("fork: %m");
		state->failed++;
		return;
	}
	if (!pid)
		run_child(run);
	setpgid(pid, pid);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (!wait_exit(pidfd, limit * 1000)) {
		tap_note("%s: not done after %u s", c->name, limit);
		state->failed++;
	}
	reap_group(c, pid, pidfd);
	close(pidfd);
}

static bool selected(const struct tap_case *c, char **patterns)
{
	if (!*patterns)
		return true;
	for (; *patterns; patterns++)
		if (strstr(c->name, *patterns))
			return true;
	return false;
}

/* Arguments are parts of the names of the cases to run; none means all. */
int main(int argc, char **argv)
{
	unsigned int nr = 0, bad = 0;
	struct tap_case *c;

	(void)argc;
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	state = mmap(NULL, sizeof(*state), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (state == MAP_FAILED)
		return 1;
	for (c = first_case; c; c = c->next)
		nr += selected(c, argv + 1);
	out("TAP version 13");
	out("1..%u", nr);
	for (c = first_case, nr = 0; c; c = c->next) {
		if (!selected(c, argv + 1))
			continue;
		state->failed = 0;
		run_forked(c, c->run);
		if (tap_after_case)
			run_forked(c, tap_after_case);
		out("%sok %u - %s", state->failed ? "not " : "", ++nr, c->name);
		bad += !!state->failed;
	}
	return bad || !nr;
}
