// SPDX-License-Identifier: GPL-2.0-or-later
/* What a recording says of itself, as JSON. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "recording.h"

#define GFN_END		(UINT64_C(1) << 40)	/* 52 bits of address */
#define DEPTH		8

static void add_string(struct json_object *to, const char *key,
		       const char *value)
{
	json_object_object_add(to, key,
			       json_object_new_string(value ? value : ""));
}

static void add_number(struct json_object *to, const char *key, uint64_t value)
{
	json_object_object_add(to, key, json_object_new_uint64(value));
}

static struct json_object *ranges_to_json(const struct rec_meta *meta)
{
	struct json_object *ranges = json_object_new_array(), *range;
	size_t i;

	for (i = 0; i < meta->nr_ranges; i++) {
		range = json_object_new_object();
		add_number(range, "gfn", meta->ranges[i].gfn);
		add_number(range, "nr_pages", meta->ranges[i].nr_pages);
		json_object_array_add(ranges, range);
	}
	return ranges;
}

char *rec_meta_to_json(const struct rec_meta *meta)
{
	struct json_object *json = json_object_new_object();
	const char *text;
	char *copy;

	if (!json)
		return NULL;
	add_string(json, "program", meta->program);
	add_string(json, "kernel", meta->kernel);
	add_string(json, "host", meta->host);
	add_string(json, "vm_name", meta->vm_name);
	add_number(json, "vm_pid", (uint64_t)meta->vm_pid);
	add_number(json, "monotonic_ns", meta->mono_ns);
	add_number(json, "realtime_ns", meta->real_ns);
	add_number(json, "budget", meta->budget);
	add_number(json, "budget_period_ms", meta->period_ms);
	json_object_object_add(json, "ranges", ranges_to_json(meta));
	text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	copy = text ? strdup(text) : NULL;
	json_object_put(json);
	return copy;
}

/* A key that is missing, or holds something else, counts as 0 or "". */
static uint64_t get_number(struct json_object *from, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(from, key, &value) ||
	    !json_object_is_type(value, json_type_int))
		return 0;
	return json_object_get_uint64(value);
}

static int get_string(struct json_object *from, const char *key, char **ret)
{
	struct json_object *value;
	const char *text = "";

	if (json_object_object_get_ex(from, key, &value) &&
	    json_object_is_type(value, json_type_string))
		text = json_object_get_string(value);
	*ret = strdup(text);
	return *ret ? 0 : -ENOMEM;
}

static int get_ranges(struct json_object *from, struct rec_meta *ret)
{
	struct wtrack_range range;
	struct json_object *json;
	uint64_t end = 0;
	size_t i, nr;

	if (!json_object_object_get_ex(from, "ranges", &json) ||
	    !json_object_is_type(json, json_type_array))
		return -EBADMSG;
	nr = json_object_array_length(json);
	ret->ranges = calloc(nr ? nr : 1, sizeof(range));
	if (!ret->ranges)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		struct json_object *item = json_object_array_get_idx(json, i);

		range.gfn = get_number(item, "gfn");
		range.nr_pages = get_number(item, "nr_pages");
		if (!range.nr_pages || range.gfn < end ||
		    range.gfn >= GFN_END || range.nr_pages > GFN_END - range.gfn)
			return -EBADMSG;
		end = range.gfn + range.nr_pages;
		ret->ranges[ret->nr_ranges++] = range;
	}
	return 0;
}

static int get_meta(struct json_object *json, struct rec_meta *ret)
{
	int r;

	if (!json_object_is_type(json, json_type_object))
		return -EBADMSG;
	ret->vm_pid = (int32_t)get_number(json, "vm_pid");
	ret->mono_ns = get_number(json, "monotonic_ns");
	ret->real_ns = get_number(json, "realtime_ns");
	ret->budget = (uint32_t)get_number(json, "budget");
	ret->period_ms = (uint32_t)get_number(json, "budget_period_ms");
	r = get_string(json, "program", &ret->program);
	if (!r)
		r = get_string(json, "kernel", &ret->kernel);
	if (!r)
		r = get_string(json, "host", &ret->host);
	if (!r)
		r = get_string(json, "vm_name", &ret->vm_name);
	return r ? r : get_ranges(json, ret);
}

int rec_meta_from_json(const char *json, size_t size, struct rec_meta *ret)
{
	struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
	struct json_object *object;
	struct rec_meta meta = { 0 };
	int r = -EBADMSG;

	if (!tokener)
		return -ENOMEM;
	object = json_tokener_parse_ex(tokener, json, (int)size);
	if (json_tokener_get_error(tokener) == json_tokener_success)
		r = get_meta(object, &meta);
	json_object_put(object);
	json_tokener_free(tokener);
	if (r < 0)
		rec_meta_done(&meta);
	else
		*ret = meta;
	return r;
}

void rec_meta_done(struct rec_meta *meta)
{
	free(meta->program);
	free(meta->kernel);
	free(meta->host);
	free(meta->vm_name);
	free(meta->ranges);
	*meta = (struct rec_meta) { 0 };
}
