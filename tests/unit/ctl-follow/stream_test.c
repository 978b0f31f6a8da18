// SPDX-License-Identifier: GPL-2.0-or-later
/* Streams whose reader has stopped, and the signals that are meant for them. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "ctl.h"
#include "run.h"

#define PAGES	"--gfn=0x10+4"
#define MONITOR	"wtrackctl", "monitor", VM_PID, PAGES
/* Two seconds of patience, and as much again for a slow machine, and more. */
#define SOON_MS	60000
/* Longer than the last line. */
#define LINE_BYTES	256

static void sleep_ms(unsigned int ms)
{
	usleep(ms * 1000);
}

/* More than any pipe holds, for as long as anybody wants. */
static void write_for_ever(void)
{
	uint64_t i;

	for (i = 0;; i++) {
		fake_store(0x10 + i % 4, i * 0x9e3779b97f4a7c15ULL);
		if (i % 8 == 0)
			usleep(50);
	}
}

static void write_once(void)
{
	fake_store(0x10, 1);
}

static bool is_full(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 0;
}

/* The exit code, or 128 and a signal. */
static int end_of(pid_t pid)
{
	unsigned int tries;
	int status;

	for (tries = 0; tries < SOON_MS / 10; tries++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) :
						   128 + WTERMSIG(status);
		sleep_ms(10);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	fail_msg("it does not end");
	return -1;
}

/* A place for output of which nobody reads: [0] for reading, [1] for writing. */
static void make_pipe(int fds[2], bool socket)
{
	assert_int_equal(socket ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC,
					     0, fds) :
				  pipe2(fds, O_CLOEXEC), 0);
}

static void wait_until_full(int fd)
{
	unsigned int tries, full = 0;

	for (tries = 0; tries < SOON_MS / 10 && full < 20; tries++) {
		full = is_full(fd) ? full + 1 : 0;
		sleep_ms(10);
	}
	assert_int_equal(full, 20);
}

/* What the command prints goes nowhere; a signal, or the time, is to end it. */
static void ends_when_blocked(char **words, int signal, int code, bool socket)
{
	int out[2], err[2];
	char said[512];
	ssize_t n;
	pid_t pid;

	make_pipe(out, socket);
	make_pipe(err, false);
	pid = run_child(write_for_ever, out[1], err[1], words);
	wait_until_full(out[1]);
	if (signal)
		kill(pid, signal);
	if (end_of(pid) != code)
		fail_msg("%s: another code", words[1]);
	n = read(err[0], said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = '\0';
	assert_non_null(strstr(said, "cut off"));
	close(out[0]);
	close(out[1]);
	close(err[0]);
	close(err[1]);
}

static char *const json[] = { MONITOR, "--json=short", NULL };
static char *const text[] = { MONITOR, NULL };
static char *const record[] = { "wtrackctl", "record", VM_PID, PAGES, "-o", "-",
				NULL };

static void signals_end_a_blocked_stream(void **state)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		ends_when_blocked((char **)json, signals[i], EXIT_OK, false);
		ends_when_blocked((char **)text, signals[i], EXIT_OK, false);
	}
	ends_when_blocked((char **)json, SIGTERM, EXIT_OK, true);
	ends_when_blocked((char **)record, SIGTERM, EXIT_OK, false);
	ends_when_blocked((char **)record, SIGTERM, EXIT_OK, true);
}

static void the_time_ends_a_blocked_stream(void **state)
{
	static char *const timed[] = { MONITOR, "--timeout=2", "--json=short",
				       NULL };
	static char *const timed_record[] = { "wtrackctl", "record", VM_PID,
					      PAGES, "--timeout=2", "-o", "-",
					      NULL };

	(void)state;
	ends_when_blocked((char **)timed, 0, EXIT_OK, false);
	ends_when_blocked((char **)timed_record, 0, EXIT_OK, false);
}

/* As with "2>&1 | less": there is nobody to tell it to. */
static void errors_may_have_no_reader_either(void **state)
{
	int out[2];
	pid_t pid;

	(void)state;
	make_pipe(out, false);
	pid = run_child(write_for_ever, out[1], out[1], (char **)json);
	wait_until_full(out[1]);
	kill(pid, SIGTERM);
	assert_int_equal(end_of(pid), EXIT_OK);
	close(out[0]);
	close(out[1]);
}

/* What was read last, and the end of what was read before: a line may be in both. */
static void keep_last(char *last, const char *piece)
{
	size_t used = strlen(last), kept = used < LINE_BYTES ? used : LINE_BYTES;

	memmove(last, last + used - kept, kept);
	strcpy(last + kept, piece);
}

/* A reader that reads gets everything, however slowly. */
static void a_slow_reader_misses_nothing(void **state)
{
	char buffer[4096], last[4096 + LINE_BYTES] = "";
	int out[2];
	ssize_t n;
	pid_t pid;

	(void)state;
	make_pipe(out, false);
	pid = run_child(write_for_ever, out[1], 2, (char **)json);
	wait_until_full(out[1]);
	close(out[1]);
	kill(pid, SIGTERM);
	while ((n = read(out[0], buffer, sizeof(buffer) - 1)) > 0) {
		buffer[n] = '\0';
		keep_last(last, buffer);
		sleep_ms(20);
	}
	assert_int_equal(end_of(pid), EXIT_OK);
	assert_non_null(strstr(last, "\"type\":\"ended\",\"reason\":\"signal\""));
	close(out[0]);
}

static void a_reader_that_is_gone_ends_it(void **state)
{
	int out[2];
	pid_t pid;

	(void)state;
	make_pipe(out, false);
	pid = run_child(write_for_ever, out[1], 2, (char **)json);
	close(out[0]);
	close(out[1]);
	assert_int_equal(end_of(pid), 128 + SIGPIPE);
}

/* Waits for a line; returns what was read by then. */
static void read_until(int fd, const char *what, char *to, size_t size)
{
	size_t used = 0;
	ssize_t n;

	to[0] = '\0';
	while (!strstr(to, what) && used < size - 1) {
		n = read(fd, to + used, size - 1 - used);
		if (n <= 0)
			fail_msg("no %s in: %s", what, to);
		used += (size_t)n;
		to[used] = '\0';
	}
}

/* nohup(1), and jobs that a shell starts in the background. */
static void ignored_signals_stay_ignored(void **state)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM };
	static char *const idle[] = { MONITOR, "--json=short", "--idle=0.2",
				      "--timeout=4", NULL };
	char seen[8192];
	int out[2];
	pid_t pid;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
		make_pipe(out, false);
		signal(ignored[i], SIG_IGN);
		pid = run_child(write_once, out[1], 2, (char **)idle);
		signal(ignored[i], SIG_DFL);
		close(out[1]);
		read_until(out[0], "\"type\":\"write\"", seen, sizeof(seen));
		kill(pid, ignored[i]);
		read_until(out[0], "\"type\":\"ended\"", seen, sizeof(seen));
		assert_non_null(strstr(seen, "\"reason\":\"timeout\""));
		assert_int_equal(end_of(pid), EXIT_OK);
		close(out[0]);
	}
}

/* Nobody opens the other end. */
static void a_fifo_without_a_reader_can_be_given_up(void **state)
{
	char *words[] = { "wtrackctl", "record", VM_PID, PAGES, "--force", "-o",
			  (char *)run_file(), NULL, NULL };
	pid_t pid;

	(void)state;
	assert_int_equal(mkfifo(run_file(), 0600), 0);
	words[7] = "--timeout=1";
	pid = run_child(NULL, 1, 2, words);
	assert_int_equal(end_of(pid), EXIT_TIMEOUT);
	words[7] = NULL;
	pid = run_child(NULL, 1, 2, words);
	sleep_ms(300);
	kill(pid, SIGTERM);
	/* Before it blocks the signal, that ends it as any other program. */
	assert_in_set(end_of(pid), ((unsigned long[]){ EXIT_OK, 128 + SIGTERM }),
		      2);
}

static void a_full_disk_is_told_of(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	char said[512];
	int err[2];
	ssize_t n;
	pid_t pid;

	(void)state;
	make_pipe(err, false);
	pid = run_child(write_for_ever, full, err[1], (char **)json);
	/* main() tells of it and fails; here it is the end that counts. */
	end_of(pid);
	close(err[1]);
	n = read(err[0], said, sizeof(said) - 1);
	said[n > 0 ? n : 0] = '\0';
	assert_null(strstr(said, "cut off"));
	close(err[0]);
	close(full);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(signals_end_a_blocked_stream),
		CASE(the_time_ends_a_blocked_stream),
		CASE(errors_may_have_no_reader_either),
		CASE(a_slow_reader_misses_nothing),
		CASE(a_reader_that_is_gone_ends_it),
		CASE(ignored_signals_stay_ignored),
		CASE(a_fifo_without_a_reader_can_be_given_up),
		CASE(a_full_disk_is_told_of),
	};

	return RUN(cases);
}
