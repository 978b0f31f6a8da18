// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * resync PID GFN HVA: keeps a copy of page GFN of the guest in process PID,
 * true to the byte, from the writes; and from the page, after an overflow and
 * where writes could not be seen. Says after each quiet second whether the copy
 * is right, until the guest ends.
 *
 * HVA is where process PID has mapped the page: kvm-wtrack knows guest physical
 * addresses only. A VMM knows its own mappings; of QEMU, the monitor command
 * "gpa2hva ADDRESS" tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wtrack/wtrack.h>

#define PAGE	4096

struct mirror {
	struct wtrack_session *session;
	int mem;			/* of the VMM */
	off_t hva;
	unsigned char page[PAGE];
	bool disarmed;			/* writes are not seen at the moment */
	uint64_t writes, rereads;
};

static int reread(struct mirror *mirror, unsigned char *page)
{
	if (pread(mirror->mem, page, PAGE, mirror->hva) != PAGE)
		return -ESRCH;
	return 0;
}

static int refresh(struct mirror *mirror)
{
	mirror->rereads++;
	return reread(mirror, mirror->page);
}

/* Also right for one part of a longer write: each has its own address. */
static void apply(struct mirror *mirror, const struct wtrack_event *event)
{
	memcpy(mirror->page + wtrack_event_get_gpa(event) % PAGE,
	       wtrack_event_get_data(event), wtrack_event_get_len(event));
	mirror->writes++;
}

/*
 * The ring was full. Events before this one were applied, none comes before
 * the set is fetched: what is read from the page now cannot be older than they.
 */
static int resync(struct mirror *mirror)
{
	struct wtrack_resync_range range;
	int r;

	while ((r = wtrack_session_resync_next(mirror->session, &range)) > 0) {
		if (range.what == WTRACK_RESYNC_REMOVED)
			return -ENOENT;
		mirror->disarmed = range.what == WTRACK_RESYNC_DISARMED;
		r = refresh(mirror);
		if (r < 0)
			break;
	}
	return r;
}

/*
 * Release first, then re-read: what is written after the page was read makes
 * an event of its own then.
 */
static int on_guard(struct mirror *mirror, const struct wtrack_event *event)
{
	if (wtrack_event_get_action(event) == WTRACK_GUARD_DISARMED) {
		mirror->disarmed = true;
		return 0;
	}
	if (wtrack_event_get_action(event) == WTRACK_GUARD_REARMED)
		mirror->disarmed = false;
	wtrack_session_release(mirror->session);
	return refresh(mirror);
}

static int follow(struct mirror *mirror)
{
	const struct wtrack_event *event;
	int r = 0;

	while (r >= 0 && (event = wtrack_session_next(mirror->session))) {
		switch (wtrack_event_get_type(event)) {
		case WTRACK_EVENT_WRITE:
			apply(mirror, event);
			break;
		case WTRACK_EVENT_RESYNC:
			r = resync(mirror);
			break;
		case WTRACK_EVENT_GUARD:
			r = on_guard(mirror, event);
			break;
		case WTRACK_EVENT_REGION_REMOVED:
			r = -ENOENT;
			break;
		}
	}
	wtrack_session_release(mirror->session);
	return r;
}

/*
 * If no write comes after the page was read, copy and page must be the same;
 * unless the page is disarmed: then it is the page that has to be asked.
 */
static int compare(struct mirror *mirror)
{
	unsigned char page[PAGE];
	int r;

	if (mirror->disarmed)
		return refresh(mirror);
	r = reread(mirror, page);
	if (r >= 0)
		r = wtrack_session_wait(mirror->session, 100);
	if (r)
		return r < 0 ? r : 0;
	printf("%" PRIu64 " writes, %" PRIu64 " re-reads: the copy is %s\n",
	       mirror->writes, mirror->rereads,
	       memcmp(page, mirror->page, PAGE) ? "WRONG" : "right");
	fflush(stdout);
	return 0;
}

/* Track first, then read: so no write gets lost in between. */
static int run(struct mirror *mirror, uint64_t gfn)
{
	struct wtrack_range range = { gfn, 1 };
	int r;

	/* The smallest ring, to see it overflow. */
	r = wtrack_session_make_ring(mirror->session, 64, 0, 0, 0);
	if (r >= 0)
		r = wtrack_session_add(mirror->session, &range, 1, NULL, 0);
	if (r >= 0)
		r = reread(mirror, mirror->page);
	while (r >= 0) {
		r = wtrack_session_wait(mirror->session, 1000);
		if (r > 0)
			r = follow(mirror);
		else if (!r)
			r = compare(mirror);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct mirror mirror = { 0 };
	char path[32];
	int r;

	if (argc != 4) {
		fputs("usage: resync PID GFN HVA\n", stderr);
		return EXIT_FAILURE;
	}
	snprintf(path, sizeof(path), "/proc/%d/mem", atoi(argv[1]));
	mirror.mem = open(path, O_RDONLY | O_CLOEXEC);
	if (mirror.mem < 0) {
		perror(path);
		return EXIT_FAILURE;
	}
	mirror.hva = (off_t)strtoull(argv[3], NULL, 0);
	r = wtrack_session_open_pid(atoi(argv[1]), &mirror.session);
	if (r >= 0) {
		r = run(&mirror, strtoull(argv[2], NULL, 0));
		wtrack_session_close(mirror.session);
	}
	close(mirror.mem);
	fprintf(stderr, "resync: %s\n", wtrack_strerror(r));
	return r == -ESRCH ? EXIT_SUCCESS : EXIT_FAILURE;
}
