/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON for programs. Each document and each line of a stream has
 * "schema": 1; a new number would mean that a program that reads the old one
 * may be wrong. New members do not bring one.
 */
#ifndef CTL_JSON_H
#define CTL_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <json-c/json.h>

#include "ctl.h"

#define JSON_SCHEMA	1

/* {"schema": 1, "command": ...}, for a command that prints one document. */
struct json_object *json_document(const struct ctl *ctl);
/* {"schema": 1, "type": ...}, one line of a stream. */
struct json_object *json_line(const char *type);

/* Members. What is not UTF-8 is replaced when it is printed. */
void json_string(struct json_object *obj, const char *key, const char *value);
void json_u64(struct json_object *obj, const char *key, uint64_t value);
/* As "0x...": numbers that may pass 2^53. */
void json_hex(struct json_object *obj, const char *key, uint64_t value);
void json_flag(struct json_object *obj, const char *key, bool value);
void json_double(struct json_object *obj, const char *key, double value);
/* As hexadecimal digits. */
void json_bytes(struct json_object *obj, const char *key, const void *data,
		size_t len);
struct json_object *json_array(struct json_object *obj, const char *key);

/* Prints and frees it, as --json wants; of a stream, one line with short. */
void json_print(const struct ctl *ctl, struct json_object *obj);
/* What it prints; the caller frees it. */
char *json_text(struct json_object *obj, bool pretty);

#endif
