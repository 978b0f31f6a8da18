// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * usage: watch PID GFN MARKER CONSOLE
 *
 * Attaches to the VM of process PID, tracks the page GFN, which begins with
 * MARKER (both hexadecimal), lets the guest go on through the socket CONSOLE,
 * prints each write to the page, and closes the account when the guest says
 * that it is done.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <wtrack/wtrack.h>

#include "account.h"
#include "console.h"
#include "memory.h"

enum { RING_RECORDS = 1024, SILENCE_MS = 10000, LINE_BYTES = 16 };

struct watch {
	pid_t vmm;
	struct wtrack_range page;
	uint8_t marker[MARKER_BYTES];
	uint64_t address;		/* of the page in the VMM */
	uint64_t start_ns;
	struct wtrack_session *session;
	struct console console;
	struct account account;
	struct claim claim;
	uint8_t memory[PAGE_BYTES];
};

static void check(int r, const char *what)
{
	if (r < 0)
		errx(1, "%s: %s", what, wtrack_strerror(r));
}

static void parse_marker(uint8_t *marker, const char *hex)
{
	if (strlen(hex) != 2 * MARKER_BYTES)
		errx(1, "a marker has %d digits", 2 * MARKER_BYTES);
	for (int i = 0; i < MARKER_BYTES; i++)
		if (sscanf(hex + 2 * i, "%2hhx", &marker[i]) != 1)
			errx(1, "not hexadecimal: %s", hex);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * UINT64_C(1000000000) + now.tv_nsec;
}

/* Tracked first and read then: no write can fall in between. */
static void attach(struct watch *w)
{
	check(wtrack_session_open_pid(w->vmm, &w->session), "attach");
	check(wtrack_session_make_ring(w->session, RING_RECORDS, 0, 0, 0),
	      "ring");
	check(wtrack_session_add(w->session, &w->page, 1, NULL, 0), "track");
	w->account.gpa = w->page.gfn * PAGE_BYTES;
	w->address = memory_find(w->vmm, w->account.gpa, w->marker);
	if (!w->address)
		errx(1, "the page is not in the memory of process %d", w->vmm);
	memory_read_page(w->vmm, w->address, w->account.copy);
	printf("attached to the VM of process %d, which was not told\n"
	       "guest page %#" PRIx64 " is tracked; the VMM has it at %#" PRIx64
	       "\n", w->vmm, w->page.gfn, w->address);
}

/* The guest makes no store that the guard has to do with: see account.c. */
static void print_guard(const struct wtrack_event *event)
{
	switch (wtrack_event_get_action(event)) {
	case WTRACK_GUARD_DISARMED:
		printf("   stores are not seen from here on (cause %" PRIu32
		       ")\n", wtrack_event_get_cause(event));
		break;
	case WTRACK_GUARD_REARMED:
		printf("   stores are seen again\n");
		break;
	default:
		printf("   a store was made of which only that is known\n");
	}
}

static void print_event(const struct watch *w, const struct wtrack_event *event)
{
	uint64_t time = wtrack_event_get_time_ns(event) - w->start_ns;
	const uint8_t *data = wtrack_event_get_data(event);
	size_t len = wtrack_event_get_len(event);
	int type = wtrack_event_get_type(event);

	if (type != WTRACK_EVENT_WRITE && type != WTRACK_EVENT_GUARD) {
		printf("event of type %d\n", type);
		return;
	}
	printf("%10.6f  %#014" PRIx64 " %6zu  ", time / 1e9,
	       wtrack_event_get_gpa(event), len);
	for (size_t i = 0; i < len && i < LINE_BYTES; i++)
		printf(" %02x", data[i]);
	if (type == WTRACK_EVENT_GUARD)
		print_guard(event);
	else
		printf("\n");
}

static void drain(struct watch *w)
{
	const struct wtrack_event *event;

	while ((event = wtrack_session_next(w->session))) {
		print_event(w, event);
		account_event(&w->account, event);
	}
	wtrack_session_release(w->session);
}

/* True when the guest is done. */
static bool hear(struct watch *w)
{
	unsigned int *n = w->claim.made.by_size;
	unsigned long long sum;
	char line[128];

	while (console_line(&w->console, line, sizeof(line))) {
		if (!strncmp(line, REPORT_NOW, strlen(REPORT_NOW)))
			printf("guest: %s\n", line + strlen(REPORT_NOW));
		else if (sscanf(line, REPORT_DONE, n, n + 1, n + 2, n + 3,
				&sum) == 5)
			goto done;
		else
			printf("guest's console: %s\n", line);
	}
	return false;

done:
	w->claim.guest_sum = sum;
	return true;
}

static void follow(struct watch *w)
{
	struct pollfd fds[] = {
		{ wtrack_session_get_fd(w->session), POLLIN, 0 },
		{ w->console.fd, POLLIN, 0 },
	};

	printf("%10s  %14s %6s   %s\n", "seconds", "gpa", "length", "bytes");
	w->start_ns = now_ns();
	console_say(&w->console, "go");
	do {
		int n = poll(fds, 2, SILENCE_MS);

		if (n < 0 && errno != EINTR)
			err(1, "poll");
		if (!n)
			errx(1, "nothing heard for %d s", SILENCE_MS / 1000);
		drain(w);
		if (n > 0 && fds[1].revents)
			console_fill(&w->console);
	} while (!hear(w));
}

/*
 * The page is given back before the guest's program ends: as soon as it does,
 * the guest's kernel may use that page for anything.
 */
static void finish(struct watch *w)
{
	struct wtrack_status status;
	uint64_t seq;

	check(wtrack_session_fence(w->session, &seq), "fence");
	drain(w);
	memory_read_page(w->vmm, w->address, w->memory);
	w->claim.memory = w->memory;
	check(wtrack_session_remove_fenced(w->session, &w->page, 1, NULL, 0,
					   &seq), "untrack");
	drain(w);
	if (seq != w->account.last_seq)
		w->account.odd++;
	check(wtrack_session_get_status(w->session, &status, sizeof(status)),
	      "status");
	w->claim.overflows = status.overflows;
	w->claim.resync_writes = status.resync_writes;
}

static bool await_end(struct watch *w)
{
	const struct wtrack_event *event;

	console_say(&w->console, "end");
	if (wtrack_session_wait(w->session, SILENCE_MS) != 1)
		return false;
	event = wtrack_session_next(w->session);
	return event && wtrack_event_get_type(event) == WTRACK_EVENT_VM_GONE;
}

int main(int argc, char **argv)
{
	static struct watch w;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 5)
		errx(2, "usage: watch PID GFN MARKER CONSOLE");
	w.vmm = atoi(argv[1]);
	w.page.gfn = strtoull(argv[2], NULL, 16);
	w.page.nr_pages = 1;
	parse_marker(w.marker, argv[3]);
	attach(&w);
	console_open(&w.console, argv[4]);
	follow(&w);
	finish(&w);
	w.claim.vm_gone = await_end(&w);
	wtrack_session_close(w.session);
	return account_close(&w.account, &w.claim) ? 0 : 1;
}
