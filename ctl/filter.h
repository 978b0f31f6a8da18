/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which writes are shown. */
#ifndef CTL_FILTER_H
#define CTL_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct args;
struct event;

#define FILTER_BYTES	64

/* Bytes from @first to @last, of guest physical memory. */
struct filter_span {
	uint64_t first;
	uint64_t last;
};

/**
 * struct filter - what a write has to be
 * @spans, @nr_spans: it touches one of them, if there are any
 * @min_len, @max_len: its length
 * @nr_bytes: how many bytes of the data are compared, 0 for none
 * @bytes, @masks: with what, and which bits of them
 * @number: the data are a little-endian number: bytes behind are 0
 */
struct filter {
	struct filter_span *spans;
	size_t nr_spans;
	uint32_t min_len;
	uint32_t max_len;
	size_t nr_bytes;
	unsigned char bytes[FILTER_BYTES];
	unsigned char masks[FILTER_BYTES];
	bool number;
};

void filter_init(struct filter *filter);
void filter_done(struct filter *filter);

/*
 * All of --gfn and --gpa: whole pages of the former, of the latter just the
 * bytes, although their pages are tracked.
 */
void filter_set_spans(struct filter *filter, const struct args *args);
/* "8" or "1-4". 0 or -EINVAL. */
int filter_set_length(struct filter *filter, const char *text);
/*
 * "0x1234", "0x1200/0xff00" (a number and which of its bits count), or
 * "de:ad:??:ef" (the data begin so). 0 or -EINVAL.
 */
int filter_set_value(struct filter *filter, const char *text);

/*
 * True for all events but writes, and changes that are elsewhere: of a change only
 * the place counts.
 */
bool filter_match(const struct filter *filter, const struct event *event);

#endif
