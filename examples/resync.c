// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * resync PID GFN: keeps a copy of page GFN of the guest in process PID, with a
 * ring so small that it overflows all the time. Says after each quiet second
 * whether the copy is what memory has, until the guest ends.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wtrack/wtrack.h>

/* If no store comes after the page was read, copy and page must be the same. */
static int compare(struct wtrack_session *session, struct wtrack_mirror *mirror,
		   uint64_t gfn)
{
	struct wtrack_mirror_status status;
	unsigned char page[4096];
	int r = wtrack_session_read(session, gfn * sizeof(page), page,
				    sizeof(page), NULL, 0);

	if (!r)
		r = wtrack_mirror_wait(mirror, 0);
	if (r)
		return r;
	wtrack_mirror_get_status(mirror, &status, sizeof(status));
	printf("%" PRIu64 " writes, %" PRIu64 " overflows, %" PRIu64
	       " re-reads: the copy is %s\n", status.writes, status.resyncs,
	       status.rereads, status.disarmed ? "of before" :
	       memcmp(page, wtrack_mirror_page(mirror, gfn), sizeof(page)) ?
	       "WRONG" : "right");
	return fflush(stdout);
}

int main(int argc, char **argv)
{
	const struct wtrack_mirror_options options = { .records = 64 };
	struct wtrack_range range = { .nr_pages = 1 };
	struct wtrack_session *session;
	struct wtrack_mirror *mirror;
	int r = -EINVAL;

	if (argc == 3)
		r = wtrack_session_open_pid(atoi(argv[1]), &session);
	if (r || (r = wtrack_mirror_new(session, &options, sizeof(options),
					&mirror)))
		return fprintf(stderr, "resync PID GFN: %s\n",
			       wtrack_strerror(r)), 1;
	range.gfn = strtoull(argv[2], NULL, 0);
	r = wtrack_mirror_add(mirror, &range, 1, NULL, 0);
	while (r >= 0 && (r = wtrack_mirror_wait(mirror, 1000)) >= 0)
		r = r ? wtrack_mirror_update(mirror, NULL) :
			compare(session, mirror, range.gfn);
	fprintf(stderr, "resync: %s\n", wtrack_strerror(r));
	return r != -ESRCH;
}
