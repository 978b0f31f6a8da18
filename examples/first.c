// SPDX-License-Identifier: GPL-2.0-or-later
/* first VM GFN: prints what changes in page GFN of the guest VM, before and after. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <wtrack/wtrack.h>

int main(int argc, char **argv)
{
	struct wtrack_range page = { argc > 2 ? strtoull(argv[2], NULL, 0) : 0, 1 };
	const struct wtrack_change *change;
	struct wtrack_session *session;
	struct wtrack_mirror *mirror;
	int r = wtrack_session_open_daemon(argc > 2 ? argv[1] : "", 0, &session, NULL);

	if (r || (r = wtrack_mirror_new(session, NULL, 0, &mirror)) ||
	    (r = wtrack_mirror_add(mirror, &page, 1, NULL, 0)))
		return fprintf(stderr, "first VM GFN: %s\n", wtrack_strerror(r)), 1;
	while (!r && (r = wtrack_mirror_wait(mirror, -1)) > 0)
		while ((r = wtrack_mirror_update(mirror, &change)) > 0)
			for (uint64_t i = 0; change->new_bytes && i < change->len; i++)
				printf("%#jx: %02x -> %02x\n", (uintmax_t)(change->gpa + i),
				       change->old_bytes[i], change->new_bytes[i]);
	return printf("end: %s\n", wtrack_strerror(r)), r != -ESRCH;
}
