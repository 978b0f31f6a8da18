// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * poll_loop PID: counts the guest's writes, in a loop that does something else
 * as well: lines on standard input, "+GFN" or "-GFN", add and remove pages.
 *
 * What matters for any loop: when the descriptor is readable, take all events,
 * then release them, or poll(2) reports them again.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <wtrack/wtrack.h>

struct count {
	uint64_t events, bytes, rereads;
	uint64_t disarmed;	/* pages whose writes were not seen for a while */
};

static void count_event(struct count *count, const struct wtrack_event *event)
{
	count->events++;
	count->bytes += wtrack_event_get_len(event);
	count->rereads += wtrack_event_is_page(event);
	if (wtrack_event_get_type(event) == WTRACK_EVENT_GUARD &&
	    wtrack_event_get_action(event) == WTRACK_GUARD_DISARMED)
		count->disarmed++;
}

static int read_events(struct wtrack_session *session, struct count *count)
{
	const struct wtrack_event *event;
	struct wtrack_resync_range range;
	int r;

	while ((event = wtrack_session_next(session)))
		count_event(count, event);
	while ((r = wtrack_session_resync_next(session, &range)) > 0)
		count->rereads += range.nr_pages;
	wtrack_session_release(session);
	printf("%" PRIu64 " events, %" PRIu64 " bytes, %" PRIu64
	       " pages to re-read, %" PRIu64 " disarmed\n", count->events,
	       count->bytes, count->rereads, count->disarmed);
	fflush(stdout);
	return r;
}

/* Returns false at the end of the input. */
static bool read_command(struct wtrack_session *session)
{
	struct wtrack_range range = { .nr_pages = 1 };
	char line[64];
	ssize_t n;
	int r;

	n = read(STDIN_FILENO, line, sizeof(line) - 1);
	if (n <= 0)
		return false;
	line[n] = '\0';
	range.gfn = strtoull(line + 1, NULL, 0);
	if (line[0] == '+')
		r = wtrack_session_add(session, &range, 1, NULL, 0);
	else
		r = wtrack_session_remove(session, &range, 1, NULL, 0);
	if (r < 0)
		fprintf(stderr, "poll_loop: %s\n", wtrack_strerror(r));
	return true;
}

/* Wakes up for 512 events, or when one has waited for 10 ms. */
static int loop(struct wtrack_session *session)
{
	struct count count = { 0 };
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = wtrack_session_get_fd(session), .events = POLLIN },
	};
	int r;

	r = wtrack_session_make_ring(session, 4096, 0, 512, 10000);
	while (r >= 0 && !(fds[1].revents & POLLHUP)) {
		if (poll(fds, 2, -1) < 0)
			return 0;
		if (fds[1].revents)
			r = read_events(session, &count);
		if (fds[0].revents && !read_command(session))
			fds[0].fd = -1;
	}
	return r;
}

int main(int argc, char **argv)
{
	struct wtrack_session *session;
	int r;

	if (argc != 2) {
		fputs("usage: poll_loop PID\n", stderr);
		return EXIT_FAILURE;
	}
	r = wtrack_session_open_pid(atoi(argv[1]), &session);
	if (r >= 0) {
		r = loop(session);
		wtrack_session_close(session);
	}
	if (r < 0)
		fprintf(stderr, "poll_loop: %s\n", wtrack_strerror(r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
