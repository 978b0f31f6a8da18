// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * watch PID GFN: prints each write of the guest in process PID to page GFN:
 * when, where, how many bytes, which; and when writes cannot be seen. Until the
 * guest ends.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <wtrack/wtrack.h>

static void print_write(const struct wtrack_event *event)
{
	const unsigned char *data = wtrack_event_get_data(event);
	uint64_t time_ns = wtrack_event_get_time_ns(event);
	size_t i, len = wtrack_event_get_len(event);

	printf("%" PRIu64 ".%09" PRIu64 " %#" PRIx64 " %zu:",
	       time_ns / 1000000000, time_ns % 1000000000,
	       wtrack_event_get_gpa(event), len);
	for (i = 0; i < len; i++)
		printf(" %02x", data[i]);
	puts(wtrack_event_has_more(event) ? " ..." : "");
}

static const char *cause_text(uint32_t cause)
{
	switch (cause) {
	case WTRACK_CAUSE_UNEMULATED:
		return "KVM cannot emulate a store";
	case WTRACK_CAUSE_PAGE_WALK:
		return "the processor walks it as a page table";
	case WTRACK_CAUSE_EVENT:
		return "an interrupt or exception is delivered to it";
	case WTRACK_CAUSE_BUDGET:
		return "it is written to too often";
	case WTRACK_CAUSE_NESTED:
		return "a guest of the guest writes to it";
	case WTRACK_CAUSE_NEW_VCPU:
		return "a new vCPU writes to it";
	case WTRACK_CAUSE_OPERAND:
		return "KVM would misread an operand in it";
	case WTRACK_CAUSE_SPLIT_LOCK:
		return "a locked write goes across its end";
	case WTRACK_CAUSE_NATIVE:
		return "a session wants no write to it emulated";
	case WTRACK_CAUSE_HOLE:
		return "it has come where the guest had found no memory";
	default:
		return "for a reason that is new";
	}
}

/* Who shows the page's contents has to re-read it where this says "changed". */
static void print_guard(const struct wtrack_event *event)
{
	switch (wtrack_event_get_action(event)) {
	case WTRACK_GUARD_DISARMED:
		printf("writes are not seen from here on: %s\n",
		       cause_text(wtrack_event_get_cause(event)));
		break;
	case WTRACK_GUARD_REARMED:
		puts("writes are seen again; the page may have changed");
		break;
	default:
		puts("the page has changed, KVM does not tell how");
	}
}

static void print_event(const struct wtrack_event *event)
{
	if (wtrack_event_get_type(event) == WTRACK_EVENT_WRITE)
		print_write(event);
	else if (wtrack_event_get_type(event) == WTRACK_EVENT_GUARD)
		print_guard(event);
}

/* Whatever is handed out is printed; after an overflow, that it happened. */
static int print_events(struct wtrack_session *session)
{
	const struct wtrack_event *event;
	struct wtrack_resync_range range;
	int r;

	while ((event = wtrack_session_next(session)))
		print_event(event);
	while ((r = wtrack_session_resync_next(session, &range)) > 0)
		printf("too many writes at a time: some are not shown\n");
	wtrack_session_release(session);
	fflush(stdout);
	return r;
}

static int watch(int pid, uint64_t gfn)
{
	struct wtrack_range range = { gfn, 1 };
	struct wtrack_session *session;
	int r;

	r = wtrack_session_open_pid(pid, &session);
	if (r < 0)
		return r;
	r = wtrack_session_make_ring(session, 4096, 0, 0, 0);
	if (r >= 0)
		r = wtrack_session_add(session, &range, 1, NULL, 0);
	while (r >= 0) {
		r = wtrack_session_wait(session, -1);
		if (r > 0)
			r = print_events(session);
	}
	wtrack_session_close(session);
	return r;
}

int main(int argc, char **argv)
{
	int r;

	if (argc != 3) {
		fputs("usage: watch PID GFN\n", stderr);
		return EXIT_FAILURE;
	}
	r = watch(atoi(argv[1]), strtoull(argv[2], NULL, 0));
	fprintf(stderr, "watch: %s\n", wtrack_strerror(r));
	return r == -ESRCH ? EXIT_SUCCESS : EXIT_FAILURE;
}
