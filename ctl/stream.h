/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that go on until something ends them: --count, --timeout,
 * --fail-on-loss, SIGINT, SIGTERM and SIGHUP, those of them that were not
 * ignored when it began (nohup). Also when nobody takes what they print:
 * output.h.
 *
 *	r = stream_begin(&stream, ctl);
 *	while (!r && (r = stream_wait(&stream, fd, -1)) != STREAM_END) {
 *		... print; for each line that counts:
 *		if (stream_count(&stream))
 *			break;
 *	}
 *	return stream_end(&stream);
 */
#ifndef CTL_STREAM_H
#define CTL_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "ctl.h"

/*
 * Why it ended: the word in the line of type "ended". The numbers are in
 * recordings.
 */
enum stream_reason {
	STREAM_GOES_ON,
	STREAM_COUNT,
	STREAM_TIMEOUT,
	STREAM_SIGNAL,
	STREAM_VM_GONE,
	STREAM_ERROR,
};

/* What stream_wait() saw. */
enum stream_wait {
	STREAM_END,		/* stop: stream_end() knows why */
	STREAM_READY,		/* the descriptor is readable or hung up */
	STREAM_IDLE,		/* the caller's time is over */
};

/**
 * struct stream - the rest of a stream
 * @ctl: the run
 * @reason: why it ended
 * @counted: lines so far
 * @max_count: of --count, 0 for no limit
 * @deadline_ns: of --timeout, on CLOCK_MONOTONIC; 0 for none
 * @started_ns: when it began
 * @losses: what was lost; the command counts
 * @code: of STREAM_ERROR, the exit code
 * @signal_fd: for SIGINT, SIGTERM and SIGHUP
 * @output_only: it serves stdout alone: when nobody reads that any more it ends
 *	as if it had written, by SIGPIPE. Set it after stream_begin()
 */
struct stream {
	struct ctl *ctl;
	enum stream_reason reason;
	uint64_t counted;
	uint64_t max_count;
	uint64_t deadline_ns;
	uint64_t started_ns;
	uint64_t losses;
	int code;
	int signal_fd;
	bool output_only;
};

/* 0, or the exit code. From here on the signals only end stream_wait(). */
int stream_begin(struct stream *stream, struct ctl *ctl);

/*
 * Flushes stdout and waits: for @fd if that is not -1, and for @timeout_ns if
 * that is not negative. When the time of --timeout is over too, that counts.
 */
enum stream_wait stream_wait(struct stream *stream, int fd, int64_t timeout_ns);

/* Counts a line; true when --count is reached. */
bool stream_count(struct stream *stream);

/* Has it end: the VM is gone, or after ctl_fail() with its code. */
void stream_stop(struct stream *stream, enum stream_reason reason, int code);

/*
 * Prints the line of type "ended", with the members of @extra, which it frees
 * (may be NULL). Returns the exit code: EXIT_TIMEOUT when the time was over
 * before --count lines, or without --count, before any line; EXIT_LOSSES with
 * --fail-on-loss when there were some.
 */
struct json_object;
int stream_end(struct stream *stream, struct json_object *extra);

uint64_t stream_now_ns(void);

#endif
