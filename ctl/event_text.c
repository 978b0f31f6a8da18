// SPDX-License-Identifier: GPL-2.0-or-later
#include <inttypes.h>

#include <wtrack/event.h>
#include <wtrack/mirror.h>

#include "event.h"
#include "event_text.h"
#include "units.h"

#define DUMP_BYTES	16

void event_print_heading(FILE *to)
{
	fprintf(to, "%13s  %-15s %-18s %4s %4s  %-18s  %s\n", "TIME", "EVENT",
		"ADDRESS", "LEN", "VCPU", "RIP", "DATA");
}

static void print_time(FILE *to, const struct event *event, uint64_t start_ns)
{
	uint64_t ns = event->time_ns > start_ns ? event->time_ns - start_ns : 0;

	fprintf(to, "%6" PRIu64 ".%06" PRIu64 "  %-15s ", ns / 1000000000,
		ns % 1000000000 / 1000, event_type_name(event->type));
}

/* Those that a line has room for. */
static void print_bytes(FILE *to, const unsigned char *bytes, uint32_t len)
{
	uint32_t i, nr = len < DUMP_BYTES ? len : DUMP_BYTES;

	for (i = 0; i < nr; i++)
		fprintf(to, " %02x", bytes[i]);
	if (nr < len)
		fputs(" ...", to);
}

static void print_write(FILE *to, const struct event *event)
{
	char address[32], rip[32] = "-", vcpu[16] = "-";
	uint32_t i;

	snprintf(address, sizeof(address), "0x%" PRIx64, event->gpa);
	if (event->has_rip)
		snprintf(rip, sizeof(rip), "0x%" PRIx64, event->rip);
	if (event->vcpu >= 0)
		snprintf(vcpu, sizeof(vcpu), "%" PRId32, event->vcpu);
	fprintf(to, "%-18s %4" PRIu32 " %4s  %-18s ", address, event->total,
		vcpu, rip);
	if (event->old_bytes) {
		print_bytes(to, event->old_bytes, event->len);
		fputs(" ->", to);
	}
	for (i = 0; i < event->len; i++)
		fprintf(to, " %02x", event->data[i]);
	if (event->more)
		fputs(" ...", to);
}

static void print_changed(FILE *to, const struct event *event)
{
	fprintf(to, "0x%-16" PRIx64 " %4" PRIu32 " %4s  %-18s ", event->gpa,
		event->len, "-", "-");
	print_bytes(to, event->old_bytes, event->len);
	fputs(" ->", to);
	print_bytes(to, event->new_bytes, event->len);
}

/* 0x8000+4: as it may be given to --gfn again. */
static void print_pages(FILE *to, const struct event *event)
{
	char text[64];

	snprintf(text, sizeof(text), "0x%" PRIx64 "+%" PRIu64,
		 event_gfn(event), event->nr_pages);
	fprintf(to, "%-18s ", text);
}

static void print_state(FILE *to, const struct event *event)
{
	static const char *const texts[] = {
		[WTRACK_MIRROR_LIVE] = "each write is seen",
		[WTRACK_MIRROR_DISARMED] = "writes are not seen one by one; "
			"the page is read now and then",
		[WTRACK_MIRROR_ABSENT] = "there is no memory",
		[WTRACK_MIRROR_REMOVED] = "the page is not tracked any more",
	};

	print_pages(to, event);
	fputs(event->code < sizeof(texts) / sizeof(texts[0]) &&
	      texts[event->code] ? texts[event->code] :
				   "a state that is not known here", to);
}

static void print_guard(FILE *to, const struct event *event)
{
	static const char *const texts[] = {
		[WTRACK_GUARD_DISARMED] = "writes are not seen from here on",
		[WTRACK_GUARD_REARMED] = "writes are seen again",
		[WTRACK_GUARD_STOPPED] = "the page is not tracked any more",
		[WTRACK_GUARD_CHANGED] = "the page was changed, unseen",
	};
	const char *text = "the page may have changed";

	if (event->code < sizeof(texts) / sizeof(texts[0]) &&
	    texts[event->code])
		text = texts[event->code];
	fprintf(to, "0x%-16" PRIx64 " %s", event->gpa, text);
	if (event->cause != WTRACK_CAUSE_NONE)
		fprintf(to, ": %s", event_cause_name(event->cause));
}

static void print_resync(FILE *to, const struct event *event)
{
	char time[UNITS_SIZE];

	if (!event->nr_pages) {
		fputs("the ring was full, but nothing was written", to);
		return;
	}
	print_pages(to, event);
	fprintf(to, "the ring was full for %s: %s",
		units_time(event_end_ns(event) - event->time_ns, time),
		event_code_name(event));
}

static void print_region(FILE *to, const struct event *event)
{
	print_pages(to, event);
	fprintf(to, "memory is %s, %" PRIu64 " pages tracked %s",
		event->type == EVENT_REGION_REMOVED ? "gone" : "back",
		event->nr_tracked,
		event->type == EVENT_REGION_REMOVED ? "before" : "again");
}

static void print_stopped(FILE *to, const struct event *event)
{
	static const char *const texts[] = {
		[STOP_EXACT] = "exactly behind this write",
		[STOP_LATE] = "late: the vCPU had gone on",
		[STOP_UNSEEN] = "late: the change was not seen as a write",
	};

	fputs(texts[event->code], to);
}

static void print_rest(FILE *to, const struct event *event)
{
	char count[UNITS_SIZE];

	switch (event->type) {
	case EVENT_STARTED:
		fprintf(to, "%s of ", units_exact(event->nr_pages, count));
		fprintf(to, "%s pages are tracked",
			units_exact(event->nr_tracked, count));
		break;
	case EVENT_IDLE:
		fputs("all writes so far were shown", to);
		break;
	case EVENT_VM_GONE:
		fputs("the VM has ended", to);
		break;
	case EVENT_STOPPED:
		print_stopped(to, event);
		break;
	case EVENT_CONTINUED:
		fputs("the VM goes on", to);
		break;
	case EVENT_ENDED:
		fprintf(to, "%s, after %s writes", event_code_name(event),
			units_exact(event->nr_tracked, count));
		break;
	}
}

void event_print(FILE *to, const struct event *event, uint64_t start_ns)
{
	print_time(to, event, start_ns);
	switch (event->type) {
	case EVENT_WRITE:
		print_write(to, event);
		break;
	case EVENT_CHANGED:
		print_changed(to, event);
		break;
	case EVENT_STATE:
		print_state(to, event);
		break;
	case EVENT_GUARD:
		print_guard(to, event);
		break;
	case EVENT_RESYNC:
		print_resync(to, event);
		break;
	case EVENT_REGION_REMOVED:
	case EVENT_REGION_RETURNED:
		print_region(to, event);
		break;
	default:
		print_rest(to, event);
		break;
	}
	putc('\n', to);
}

static void print_row(FILE *to, const struct event *event, uint32_t at)
{
	uint32_t i;

	fprintf(to, "%15s0x%010" PRIx64 " ", "", event->gpa + at);
	for (i = at; i < at + DUMP_BYTES; i++)
		if (i < event->len)
			fprintf(to, " %02x", event->data[i]);
		else
			fputs("   ", to);
	fputs("  |", to);
	for (i = at; i < at + DUMP_BYTES && i < event->len; i++)
		putc(event->data[i] >= 0x20 && event->data[i] < 0x7f ?
		     event->data[i] : '.', to);
	fputs("|\n", to);
}

void event_print_hexdump(FILE *to, const struct event *event)
{
	uint32_t at;

	for (at = 0; at < event->len; at += DUMP_BYTES)
		print_row(to, event, at);
}
