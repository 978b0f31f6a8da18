// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "json.h"
#include "output.h"
#include "stream.h"

#define NS_PER_MS	INT64_C(1000000)

uint64_t stream_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static const int ends[] = { SIGINT, SIGTERM, SIGHUP };

/*
 * As nohup and shells have it. A signal that is blocked is queued although it
 * is ignored, and signalfd(2) would have it.
 */
static bool is_ignored(int signal)
{
	struct sigaction action;

	return !sigaction(signal, NULL, &action) &&
	       action.sa_handler == SIG_IGN;
}

int stream_begin(struct stream *stream, struct ctl *ctl)
{
	uint64_t timeout = args_number(&ctl->args, "timeout", 0);
	sigset_t signals;
	size_t i;

	*stream = (struct stream) {
		.ctl = ctl,
		.max_count = args_number(&ctl->args, "count", 0),
		.started_ns = stream_now_ns(),
	};
	if (timeout)
		stream->deadline_ns = stream->started_ns + timeout;
	sigemptyset(&signals);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (!is_ignored(ends[i]))
			sigaddset(&signals, ends[i]);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	stream->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	if (stream->signal_fd < 0)
		return ctl_fail(ctl, EXIT_FAILED, "no descriptor for signals: "
				"%s; close programs", strerror(errno));
	output_begin(stream->signal_fd, stream->deadline_ns);
	return 0;
}

static bool is_over(const struct stream *stream)
{
	return stream->deadline_ns && stream_now_ns() >= stream->deadline_ns;
}

/* Until the caller's time or the end of all, whichever comes first. */
static int poll_ms(const struct stream *stream, uint64_t caller_ns)
{
	uint64_t until = stream->deadline_ns ? stream->deadline_ns : UINT64_MAX;
	uint64_t now = stream_now_ns();

	until = caller_ns < until ? caller_ns : until;
	if (until == UINT64_MAX)
		return -1;
	if (until <= now)
		return 0;
	/* Rounded up, or the last millisecond would be a busy loop. */
	until = (until - now + NS_PER_MS - 1) / NS_PER_MS;
	return until > INT32_MAX ? INT32_MAX : (int)until;
}

static enum stream_wait end(struct stream *stream, enum stream_reason reason)
{
	if (stream->reason == STREAM_GOES_ON)
		stream->reason = reason;
	return STREAM_END;
}

/* Where SIGPIPE is ignored, it is an error. */
static enum stream_wait end_by_pipe(struct stream *stream)
{
	raise(SIGPIPE);
	stream->code = EXIT_FAILED;
	return end(stream, STREAM_ERROR);
}

enum stream_wait stream_wait(struct stream *stream, int fd, int64_t timeout_ns)
{
	struct pollfd fds[] = {
		{ .fd = stream->signal_fd, .events = POLLIN },
		{ .fd = fd, .events = POLLIN },
		{ .fd = stream->output_only ? STDOUT_FILENO : -1 },
	};
	uint64_t caller_ns = timeout_ns < 0 ? UINT64_MAX :
		stream_now_ns() + (uint64_t)timeout_ns;
	int r;

	fflush(stdout);
	for (;;) {
		if (stream->reason != STREAM_GOES_ON || ferror(stdout))
			return end(stream, STREAM_ERROR);
		r = poll(fds, 3, poll_ms(stream, caller_ns));
		if (r > 0 && fds[0].revents)
			return end(stream, STREAM_SIGNAL);
		if (is_over(stream))
			return end(stream, STREAM_TIMEOUT);
		if (r > 0 && fds[2].revents & POLLERR)
			return end_by_pipe(stream);
		if (r > 0)
			return STREAM_READY;
		if (!r && stream_now_ns() >= caller_ns)
			return STREAM_IDLE;
	}
}

bool stream_count(struct stream *stream)
{
	stream->counted++;
	if (stream->max_count && stream->counted >= stream->max_count)
		end(stream, STREAM_COUNT);
	return stream->reason != STREAM_GOES_ON;
}

void stream_stop(struct stream *stream, enum stream_reason reason, int code)
{
	end(stream, reason);
	stream->code = code;
}

static const char *reason_name(enum stream_reason reason)
{
	static const char *const names[] = {
		[STREAM_GOES_ON] = "end",
		[STREAM_COUNT] = "count",
		[STREAM_TIMEOUT] = "timeout",
		[STREAM_SIGNAL] = "signal",
		[STREAM_VM_GONE] = "vm_gone",
		[STREAM_ERROR] = "error",
	};

	return names[reason];
}

static void print_ended(const struct stream *stream, struct json_object *extra)
{
	uint64_t ns = stream_now_ns() - stream->started_ns;
	struct json_object *obj = json_line("ended");

	json_string(obj, "reason", reason_name(stream->reason));
	json_u64(obj, "count", stream->counted);
	json_u64(obj, "losses", stream->losses);
	json_double(obj, "seconds", (double)ns / 1e9);
	if (extra) {
		json_object_object_foreach(extra, key, value)
			json_object_object_add(obj, key, json_object_get(value));
		json_object_put(extra);
	}
	json_print(stream->ctl, obj);
}

static int code_of(const struct stream *stream)
{
	const struct args *args = &stream->ctl->args;
	uint64_t wanted = stream->max_count ? stream->max_count : 1;

	if (stream->reason == STREAM_ERROR)
		return stream->code;
	if (stream->losses && args_has(args, "fail-on-loss"))
		return EXIT_LOSSES;
	if (stream->reason == STREAM_TIMEOUT && stream->counted < wanted)
		return EXIT_TIMEOUT;
	return EXIT_OK;
}

int stream_end(struct stream *stream, struct json_object *extra)
{
	if (stream->ctl->json != JSON_OFF)
		print_ended(stream, extra);
	else if (extra)
		json_object_put(extra);
	fflush(stdout);
	if (output_was_cut() && !stream->ctl->quiet)
		fputs("wtrackctl: nobody reads the output: the end of it is cut "
		      "off\n", stderr);
	output_end();
	close(stream->signal_fd);
	return code_of(stream);
}
