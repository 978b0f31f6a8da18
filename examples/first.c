// SPDX-License-Identifier: GPL-2.0-or-later
/* first PID GFN: prints each write of the guest in process PID to page GFN. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <wtrack/wtrack.h>

int main(int argc, char **argv)
{
	struct wtrack_range page = { argc > 2 ? strtoull(argv[2], NULL, 0) : 0, 1 };
	struct wtrack_resync_range again;
	struct wtrack_session *session;
	const struct wtrack_event *event;
	int r = wtrack_session_open_pid(argc > 2 ? atoi(argv[1]) : 0, &session);

	if (r || (r = wtrack_session_make_ring(session, 1024, 0, 0, 0)) ||
	    (r = wtrack_session_add(session, &page, 1, NULL, 0)))
		return fprintf(stderr, "first PID GFN: %s\n", wtrack_strerror(r)), 1;
	while ((r = wtrack_session_wait(session, -1)) > 0) {
		while ((event = wtrack_session_next(session)))
			if (wtrack_event_get_type(event) == WTRACK_EVENT_WRITE)
				printf("%zu bytes at %#jx\n", wtrack_event_get_len(event),
				       (uintmax_t)wtrack_event_get_gpa(event));
			else if (wtrack_event_is_page(event))
				puts("something else was stored: read the page again");
		while (wtrack_session_resync_next(session, &again) > 0)
			puts("too many writes at a time: read the page again");
		wtrack_session_release(session);
	}
	return printf("end: %s\n", wtrack_strerror(r)), r != -ESRCH;
}
