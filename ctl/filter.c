// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "common/number.h"
#include "common/range.h"
#include "event.h"
#include "filter.h"
#include "mem.h"

void filter_init(struct filter *filter)
{
	*filter = (struct filter) { .max_len = UINT32_MAX };
}

void filter_done(struct filter *filter)
{
	free(filter->spans);
	*filter = (struct filter) { 0 };
}

static void add_span(struct filter *filter, uint64_t first, uint64_t size)
{
	filter->spans = mem_grow(filter->spans, filter->nr_spans,
				 sizeof(*filter->spans));
	filter->spans[filter->nr_spans++] = (struct filter_span) {
		first, first + size - 1
	};
}

/* What was accepted when the command line was read. */
static void add_gpas(struct filter *filter, const char *text)
{
	uint64_t first, size;

	if (!range_parse_bytes(text, &first, &size))
		add_span(filter, first, size);
}

void filter_set_spans(struct filter *filter, const struct args *args)
{
	struct wtrack_range range;
	size_t i;

	for (i = 0; i < args->nr_values; i++) {
		const struct arg_value *value = &args->values[i];

		if (value->spec->type == ARG_GPAS)
			add_gpas(filter, value->text);
		else if (value->spec->type == ARG_GFNS &&
			 !range_parse_gfns(value->text, &range))
			add_span(filter, range.gfn << PAGE_SHIFT,
				 range.nr_pages << PAGE_SHIFT);
	}
}

int filter_set_length(struct filter *filter, const char *text)
{
	uint64_t min, max;
	int r = number_scan(&text, &min);

	if (r || (*text && *text != '-'))
		return -EINVAL;
	max = min;
	if (*text)
		r = number_parse(text + 1, min, UINT32_MAX, &max);
	if (r || !min || max > UINT32_MAX)
		return -EINVAL;
	filter->min_len = (uint32_t)min;
	filter->max_len = (uint32_t)max;
	return 0;
}

static void set_number(struct filter *filter, uint64_t value, uint64_t mask)
{
	size_t i;

	filter->number = true;
	filter->nr_bytes = sizeof(value);
	for (i = 0; i < sizeof(value); i++) {
		filter->masks[i] = (unsigned char)(mask >> 8 * i);
		filter->bytes[i] = (unsigned char)(value >> 8 * i) &
				   filter->masks[i];
	}
}

static int parse_number(struct filter *filter, const char *text)
{
	uint64_t value, mask = UINT64_MAX;

	if (number_scan(&text, &value) || (*text && *text != '/') ||
	    (*text && number_parse(text + 1, 0, UINT64_MAX, &mask)))
		return -EINVAL;
	set_number(filter, value, mask);
	return 0;
}

static int parse_byte(const char *text, unsigned char *value,
		      unsigned char *mask)
{
	char digits[3] = { text[0], text[0] ? text[1] : '\0', '\0' };

	if (!strcmp(digits, "??")) {
		*value = *mask = 0;
		return 0;
	}
	if (!isxdigit((unsigned char)digits[0]) ||
	    !isxdigit((unsigned char)digits[1]))
		return -EINVAL;
	*value = (unsigned char)strtoul(digits, NULL, 16);
	*mask = 0xff;
	return 0;
}

int filter_set_value(struct filter *filter, const char *text)
{
	size_t nr = 0;

	if (!strchr(text, ':'))
		return parse_number(filter, text);
	for (;; text += 3, nr++) {
		if (nr == FILTER_BYTES ||
		    parse_byte(text, &filter->bytes[nr], &filter->masks[nr]))
			return -EINVAL;
		if (text[2] != ':')
			break;
	}
	if (text[2])
		return -EINVAL;
	filter->nr_bytes = nr + 1;
	return 0;
}

static bool in_spans(const struct filter *filter, const struct event *event)
{
	uint64_t last = event->gpa + (event->len ? event->len - 1 : 0);
	size_t i;

	for (i = 0; i < filter->nr_spans; i++)
		if (event->gpa <= filter->spans[i].last &&
		    last >= filter->spans[i].first)
			return true;
	return !filter->nr_spans;
}

static bool has_value(const struct filter *filter, const struct event *event)
{
	unsigned char byte;
	size_t i;

	if (filter->nr_bytes && filter->number && event->len > sizeof(uint64_t))
		return false;
	for (i = 0; i < filter->nr_bytes; i++) {
		if (i >= event->len && !filter->number)
			return false;
		byte = i < event->len ? event->data[i] : 0;
		if ((byte & filter->masks[i]) != filter->bytes[i])
			return false;
	}
	return true;
}

bool filter_match(const struct filter *filter, const struct event *event)
{
	if (event->type == EVENT_CHANGED)
		return in_spans(filter, event);
	if (event->type != EVENT_WRITE)
		return true;
	return event->total >= filter->min_len &&
	       event->total <= filter->max_len &&
	       in_spans(filter, event) && has_value(filter, event);
}
