// SPDX-License-Identifier: GPL-2.0-or-later
/* first PID GFN: prints each write of the guest in process PID to page GFN. */
#include <stdio.h>
#include <stdlib.h>
#include <wtrack/wtrack.h>

int main(int argc, char **argv)
{
	struct wtrack_range page = { strtoull(argc > 2 ? argv[2] : "", NULL, 0), 1 };
	const struct wtrack_event *event;
	struct wtrack_session *session;
	int r = wtrack_session_open_pid(argc > 2 ? atoi(argv[1]) : 0, &session);

	if (r || (r = wtrack_session_make_ring(session, 1024, 0, 0, 0)) ||
	    (r = wtrack_session_add(session, &page, 1, NULL, 0)))
		return fprintf(stderr, "first PID GFN: %s\n", wtrack_strerror(r)), 1;
	for (; (r = wtrack_session_wait(session, -1)) > 0; wtrack_session_release(session))
		while ((event = wtrack_session_next(session)))
			printf("%zu bytes at %#llx\n", wtrack_event_get_len(event),
			       (unsigned long long)wtrack_event_get_gpa(event));
	return printf("end: %s\n", wtrack_strerror(r)) < 0;
}
