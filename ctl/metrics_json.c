// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mem.h"
#include "metrics_json.h"

/* The value of a label, at the opening quote, with \", \\ and \n undone. */
static char *read_quoted(char **at)
{
	char *value = *at + 1, *to = value, *from = value;

	for (; *from && *from != '"'; from++) {
		if (*from == '\\' && from[1])
			*to++ = *++from == 'n' ? '\n' : *from;
		else
			*to++ = *from;
	}
	if (!*from)
		return NULL;
	*at = from + 1;
	*to = '\0';
	return value;
}

/* name="value",... up to the closing brace. */
static bool read_labels(char **at, struct json_object *labels)
{
	char *name, *value;

	while (**at != '}') {
		name = *at;
		*at += strcspn(*at, "=");
		if (!**at)
			return false;
		*(*at)++ = '\0';
		if (**at != '"' || !(value = read_quoted(at)))
			return false;
		json_string(labels, name, value);
		if (**at == ',')
			(*at)++;
		else if (**at != '}')
			return false;
	}
	(*at)++;
	return true;
}

static struct json_object *number(const char *text)
{
	unsigned long long whole;
	char *end;

	whole = strtoull(text, &end, 10);
	if (*text != '-' && !*end)
		return json_object_new_uint64(whole);
	if (!isfinite(strtod(text, NULL)))
		return json_object_new_string(text);
	return json_object_new_double(strtod(text, NULL));
}

/* A sample: name, labels or none, a space, a number. */
static struct json_object *read_sample(char *line, const char *type)
{
	struct json_object *obj = json_object_new_object();
	struct json_object *labels = json_object_new_object();
	char *at = line + strcspn(line, "{ ");
	bool good = *at, braces = *at == '{';
	char *end;

	*at = '\0';
	at += good;
	json_string(obj, "name", line);
	json_string(obj, "type", type);
	if (good && braces)
		good = read_labels(&at, labels);
	json_object_object_add(obj, "labels", labels);
	at += strspn(at, " ");
	strtod(at, &end);
	if (good && end != at && !*end) {
		json_object_object_add(obj, "value", number(at));
		return obj;
	}
	json_object_put(obj);
	return NULL;
}

/* The type of the family whose "# TYPE name type" came last. */
static void note_type(const char *line, char *type, size_t size)
{
	static const char prefix[] = "# TYPE ";
	const char *space;

	if (strncmp(line, prefix, sizeof(prefix) - 1))
		return;
	space = strrchr(line, ' ');
	type[0] = '\0';
	strncat(type, space + 1, size - 1);
}

struct json_object *metrics_to_json(const char *text)
{
	struct json_object *array = json_object_new_array(), *sample;
	char *copy = mem_strdup(text), *rest = copy, *line;
	char type[32] = "unknown";
	bool ended = false;

	while ((line = strsep(&rest, "\n"))) {
		note_type(line, type, sizeof(type));
		ended = ended || !strcmp(line, "# EOF");
		if (!*line || *line == '#')
			continue;
		sample = read_sample(line, type);
		if (!sample)
			break;
		json_object_array_add(array, sample);
	}
	free(copy);
	if (!line && ended)
		return array;
	json_object_put(array);
	return NULL;
}
