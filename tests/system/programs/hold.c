// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: hold [-g GFN [-s]] [-r MAX_RECORDS] [-p MAX_PAGES] [-n NUMBER] VM
 *
 * Has wtrackd open so many sessions on the VM and holds them until there is a
 * line on its standard input, or its end. Prints "session ID MAX_PAGES RIGHTS" for
 * each, or "error ERRNO MESSAGE" for the first that is refused, then "ready". With
 * -g each of them tracks the page, and at the end it prints "events ID NUMBER"; with
 * -s vCPUs wait for it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wtrack/wtrack.h>

static const char *gfn;
static unsigned int ring_flags;
static struct wtrack_restriction wanted;
static struct wtrack_session *sessions[4096];
static size_t nr_sessions;

static int track(struct wtrack_session *session)
{
	struct wtrack_range range = { strtoull(gfn, NULL, 0), 1 };
	int r = 0;

	if (ring_flags & WTRACK_RING_SYNC)
		r = wtrack_session_set_sync(session, 1);
	if (r >= 0)
		r = wtrack_session_make_ring(session, 1024, ring_flags, 0, 0);
	return r < 0 ? r : wtrack_session_add(session, &range, 1, NULL, 0);
}

static int open_one(const char *vm)
{
	struct wtrack_session *session;
	struct wtrack_status status;
	char *message = NULL;
	int r;

	r = wtrack_session_open_daemon_restricted(vm, &wanted, sizeof(wanted),
						  WTRACK_OPEN_INTERACTIVE,
						  &session, &message);
	if (r >= 0 && gfn)
		r = track(session);
	if (r >= 0)
		r = wtrack_session_get_status(session, &status, sizeof(status));
	if (r < 0) {
		printf("error %s %s\n", strerrorname_np(-r),
		       message ? message : "");
		free(message);
		return r;
	}
	printf("session %" PRIu64 " %" PRIu64 " %#" PRIx64 "\n",
	       status.session_id, status.max_pages, status.rights);
	sessions[nr_sessions++] = session;
	return 0;
}

static void close_one(struct wtrack_session *session)
{
	struct wtrack_status status;

	if (gfn && !wtrack_session_get_status(session, &status, sizeof(status)))
		printf("events %" PRIu64 " %" PRIu64 "\n", status.session_id,
		       status.events);
	wtrack_session_close(session);
}

int main(int argc, char **argv)
{
	unsigned long n = 1;
	int c, r = 0;
	size_t i;

	while ((c = getopt(argc, argv, "g:n:p:r:s")) >= 0) {
		switch (c) {
		case 'g': gfn = optarg; break;
		case 'n': n = strtoul(optarg, NULL, 0); break;
		case 'p': wanted.max_pages = strtoull(optarg, NULL, 0); break;
		case 'r':
			wanted.max_records = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 's': ring_flags |= WTRACK_RING_SYNC; break;
		default: return 2;
		}
	}
	if (optind + 1 != argc || n > 4096)
		return 2;
	while (n-- && r >= 0)
		r = open_one(argv[optind]);
	puts("ready");
	fflush(stdout);
	/* A line will do: others may have inherited the pipe's other end. */
	if (read(STDIN_FILENO, &c, 1) < 0)
		perror("read");
	for (i = 0; i < nr_sessions; i++)
		close_one(sessions[i]);
	return r < 0;
}
