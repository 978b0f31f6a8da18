// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "json.h"
#include "mem.h"
#include "text.h"

struct json_object *json_document(const struct ctl *ctl)
{
	struct json_object *obj = json_object_new_object();

	json_u64(obj, "schema", JSON_SCHEMA);
	if (ctl->command)
		json_string(obj, "command", ctl->command->name);
	else
		json_object_object_add(obj, "command", NULL);
	return obj;
}

struct json_object *json_line(const char *type)
{
	struct json_object *obj = json_object_new_object();

	json_u64(obj, "schema", JSON_SCHEMA);
	json_string(obj, "type", type);
	return obj;
}

void json_string(struct json_object *obj, const char *key, const char *value)
{
	json_object_object_add(obj, key, json_object_new_string(value));
}

void json_u64(struct json_object *obj, const char *key, uint64_t value)
{
	json_object_object_add(obj, key, json_object_new_uint64(value));
}

void json_hex(struct json_object *obj, const char *key, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%#llx", (unsigned long long)value);
	json_string(obj, key, value ? text : "0x0");
}

void json_flag(struct json_object *obj, const char *key, bool value)
{
	json_object_object_add(obj, key, json_object_new_boolean(value));
}

/* Three decimals: json-c's own seventeen say no more. */
void json_double(struct json_object *obj, const char *key, double value)
{
	char text[64];

	snprintf(text, sizeof(text), "%.3f", value);
	json_object_object_add(obj, key, json_object_new_double_s(value, text));
}

void json_bytes(struct json_object *obj, const char *key, const void *data,
		size_t len)
{
	const unsigned char *bytes = data;
	char *text = mem_zalloc(2 * len + 1);
	size_t i;

	for (i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
	json_string(obj, key, text);
	free(text);
}

struct json_object *json_array(struct json_object *obj, const char *key)
{
	struct json_object *array = json_object_new_array();

	json_object_object_add(obj, key, array);
	return array;
}

static char *put_escape(char *to, uint32_t c)
{
	if (c < 0x10000)
		return to + sprintf(to, "\\u%04x", c);
	c -= 0x10000;
	return to + sprintf(to, "\\u%04x\\u%04x", 0xd800 + (c >> 10),
			    0xdc00 + (c & 0x3ff));
}

/*
 * json-c passes on whatever bytes a string has from 0x7f on. All such bytes of
 * a document are in strings: there they become valid, and harmless to a
 * terminal.
 */
char *json_text(struct json_object *obj, bool pretty)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE |
		(pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED :
			  JSON_C_TO_STRING_PLAIN);
	const char *from = json_object_to_json_string_ext(obj, flags);
	char *text, *to;
	uint32_t c;
	int n;

	text = to = mem_zalloc(strlen(from) * 6 + 1);
	while ((n = text_decode(from, &c))) {
		if (n < 0)
			to = put_escape(to, 0xfffd);
		else if (c >= 0x7f && text_is_unsafe(c))
			to = put_escape(to, c);
		else
			to = mempcpy(to, from, (size_t)n);
		from += n < 0 ? 1 : n;
	}
	return text;
}

void json_print(const struct ctl *ctl, struct json_object *obj)
{
	char *text = json_text(obj, ctl->json == JSON_PRETTY);

	puts(text);
	free(text);
	json_object_put(obj);
}
