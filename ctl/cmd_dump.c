// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the guest's memory holds, as text, as JSON, or as it is. With --follow, what
 * it comes to hold.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <wtrack/wtrack.h>

#include "command.h"
#include "common/range.h"
#include "diff.h"
#include "event.h"
#include "event_text.h"
#include "filter.h"
#include "follow.h"
#include "json.h"
#include "open.h"
#include "text.h"

#define BUFFER_BYTES	(UINT64_C(64) << 10)
#define ROW_BYTES	16
/* A document is made before it is printed. */
#define MAX_JSON_BYTES	(UINT64_C(16) << 20)

/*
 * What is printed, while the memory is read piece by piece.
 *
 * @row: the last row of text, if @nr_row is ROW_BYTES
 * @same: rows like it that were not printed
 */
struct dump {
	struct ctl *ctl;
	bool raw;
	bool follow;
	struct json_object *array;
	unsigned char row[ROW_BYTES];
	uint32_t nr_row;
	bool same;
};

static void print_row(const unsigned char *bytes, uint64_t gpa, uint32_t nr)
{
	uint32_t before = gpa % ROW_BYTES, i;

	printf("0x%010" PRIx64 " ", gpa - before);
	for (i = 0; i < ROW_BYTES; i++)
		if (i >= before && i < before + nr)
			printf("%s%02x", i % 8 ? " " : "  ", bytes[i - before]);
		else
			printf("%s  ", i % 8 ? " " : "  ");
	printf("  |%*s", (int)before, "");
	for (i = 0; i < nr; i++)
		putchar(bytes[i] >= 0x20 && bytes[i] < 0x7f ? bytes[i] : '.');
	puts("|");
}

/* As hexdump(1): of rows that are the same, the first one and an asterisk. */
static void put_row(struct dump *dump, const unsigned char *bytes, uint64_t gpa,
		    uint32_t nr)
{
	bool same = nr == ROW_BYTES && dump->nr_row == ROW_BYTES &&
		    !memcmp(dump->row, bytes, ROW_BYTES);

	if (!same)
		print_row(bytes, gpa, nr);
	else if (!dump->same)
		puts("*");
	dump->same = same;
	dump->nr_row = nr;
	memcpy(dump->row, bytes, nr);
}

static void put_text(struct dump *dump, const unsigned char *bytes,
		     uint64_t gpa, uint64_t len)
{
	uint32_t nr;

	for (; len; bytes += nr, gpa += nr, len -= nr) {
		nr = ROW_BYTES - gpa % ROW_BYTES;
		if (nr > len)
			nr = (uint32_t)len;
		put_row(dump, bytes, gpa, nr);
	}
}

static void put_json(struct dump *dump, const unsigned char *bytes,
		     uint64_t gpa, uint64_t len)
{
	struct json_object *piece = json_object_new_object();

	json_hex(piece, "gpa", gpa);
	json_u64(piece, "len", len);
	json_bytes(piece, "data", bytes, len);
	json_object_array_add(dump->array, piece);
}

static void put(struct dump *dump, const unsigned char *bytes, uint64_t gpa,
		uint64_t len)
{
	if (dump->raw)
		fwrite(bytes, 1, len, stdout);
	else if (dump->array)
		put_json(dump, bytes, gpa, len);
	else
		put_text(dump, bytes, gpa, len);
}

static void end_rows(struct dump *dump, uint64_t gpa)
{
	if (dump->same)
		printf("0x%010" PRIx64 "\n", gpa);
	dump->nr_row = 0;
	dump->same = false;
}

/* What was read in front of a byte that cannot be is printed. */
static int dump_span(struct dump *dump, struct wtrack_session *session,
		     const struct filter_span *span)
{
	static unsigned char buffer[BUFFER_BYTES];
	uint64_t gpa = span->first, left = span->last - span->first + 1, len;
	struct wtrack_read done;
	char what[64];
	int r = 0;

	for (; left && !r && !ferror(stdout); left -= done.done) {
		len = left < BUFFER_BYTES ? left : BUFFER_BYTES;
		r = wtrack_session_read(session, gpa, buffer, len, &done,
					WTRACK_READ_INTR);
		if (done.done)
			put(dump, buffer, gpa, done.done);
		gpa += done.done;
	}
	if (!r)
		end_rows(dump, gpa);
	snprintf(what, sizeof(what), "reading at 0x%" PRIx64, gpa);
	return r ? open_fail(dump->ctl, r, what) : 0;
}

static int dump_all(struct dump *dump, const struct filter *filter)
{
	struct json_object *obj = json_document(dump->ctl);
	struct wtrack_session *session;
	size_t i;
	int r = open_reader(dump->ctl, &session);

	if (!r) {
		if (dump->ctl->json != JSON_OFF)
			dump->array = json_array(obj, "memory");
		for (i = 0; i < filter->nr_spans && !r; i++)
			r = dump_span(dump, session, &filter->spans[i]);
		if (!r && dump->array)
			json_print(dump->ctl, json_object_get(obj));
		wtrack_session_close(session);
	}
	json_object_put(obj);
	return r;
}

/* What the copy has of the span. A page that was refused has been told of. */
static void dump_copy(struct dump *dump, const struct wtrack_mirror *mirror,
		      const struct filter_span *span)
{
	uint64_t gpa = span->first, left = span->last - span->first + 1, len;
	const unsigned char *page;

	for (; left; gpa += len, left -= len) {
		len = PAGE_BYTES - gpa % PAGE_BYTES;
		len = left < len ? left : len;
		page = wtrack_mirror_page(mirror, gpa / PAGE_BYTES);
		if (page)
			put_text(dump, page + gpa % PAGE_BYTES, gpa, len);
		else
			end_rows(dump, gpa);
	}
	end_rows(dump, gpa);
}

/* Rows that have changed, in as far as they were asked for. */
static void print_changed_rows(const struct filter_span *span,
			       const struct wtrack_mirror *mirror,
			       const struct wtrack_change *change)
{
	uint64_t row = change->gpa - change->gpa % ROW_BYTES, first, last;
	const unsigned char *page;

	for (; row < change->gpa + change->len; row += ROW_BYTES) {
		first = row > span->first ? row : span->first;
		last = row + ROW_BYTES - 1 < span->last ? row + ROW_BYTES - 1 :
							  span->last;
		page = wtrack_mirror_page(mirror, row / PAGE_BYTES);
		if (first <= last && page)
			print_row(page + first % PAGE_BYTES, first,
				  (uint32_t)(last - first + 1));
	}
}

static void on_change(struct diff *diff, const struct wtrack_change *change)
{
	const struct filter *filter = diff->userdata;
	struct event event;
	size_t i;

	if (change->what == WTRACK_CHANGED_STATE) {
		event_from_change(&event, change, stream_now_ns());
		event_print(stdout, &event, diff->stream.started_ns);
		return;
	}
	for (i = 0; i < filter->nr_spans; i++)
		print_changed_rows(&filter->spans[i], diff->mirror, change);
}

static int follow_all(struct dump *dump, struct filter *filter)
{
	struct diff diff = { .on_change = on_change, .userdata = filter };
	size_t i;
	int r = diff_open(&diff, dump->ctl, 0);

	if (r)
		return r;
	diff.stream.output_only = true;
	for (i = 0; i < filter->nr_spans; i++)
		dump_copy(dump, diff.mirror, &filter->spans[i]);
	puts("--");
	diff_run(&diff);
	r = stream_end(&diff.stream, NULL);
	diff_close(&diff);
	return r;
}

static uint64_t bytes_of(const struct filter *filter)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < filter->nr_spans; i++)
		bytes += filter->spans[i].last - filter->spans[i].first + 1;
	return bytes;
}

static int check(const struct dump *dump, const struct filter *filter)
{
	struct ctl *ctl = dump->ctl;

	if (!filter->nr_spans)
		return ctl_fail(ctl, EXIT_USAGE, "which memory? give --gfn or "
				"--gpa; `wtrackctl map` shows what there is");
	if (dump->follow && (dump->raw || ctl->json != JSON_OFF))
		return ctl_fail(ctl, EXIT_USAGE, "--follow prints text; "
				"`wtrackctl monitor --diff` has changes as JSON");
	if (dump->raw && ctl->json != JSON_OFF)
		return ctl_fail(ctl, EXIT_USAGE, "--raw is no JSON; leave one "
				"of them out");
	if (dump->raw && term_is_tty())
		return ctl_fail(ctl, EXIT_USAGE, "--raw: stdout is a terminal; "
				"send it to a file or a program");
	if (ctl->json != JSON_OFF && bytes_of(filter) > MAX_JSON_BYTES)
		return ctl_fail(ctl, EXIT_USAGE, "more than 16 MiB as JSON; "
				"take --raw");
	return 0;
}

static int run(struct ctl *ctl)
{
	struct dump dump = {
		.ctl = ctl, .raw = args_has(&ctl->args, "raw"),
		.follow = args_has(&ctl->args, "follow"),
	};
	struct filter filter;
	int r;

	filter_init(&filter);
	filter_set_spans(&filter, &ctl->args);
	r = check(&dump, &filter);
	if (!r)
		r = dump.follow ? follow_all(&dump, &filter) :
				  dump_all(&dump, &filter);
	filter_done(&filter);
	return r;
}

static const struct option_spec options[] = {
	OPTION_VM,
	OPTION_GFN,
	OPTION_GPA,
	{ .name = "raw", .summary = "the bytes as they are, for programs" },
	{ .name = "follow",
	  .summary = "keep following the pages; print rows again that change" },
	OPTION_BUDGET,
	OPTION_FULL,
	OPTION_RECORDS,
	{ 0 }
};

const struct command command_dump = {
	.name = "dump",
	.arguments = "[VM]",
	.summary = "Show what a VM's memory holds",
	.options = options,
	.type = ARG_VM,
	.max_args = 1,
	.flags = COMMAND_NEEDS_VM,
	.run = run,
};
