/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CTL_TOP_JSON_H
#define CTL_TOP_JSON_H

struct json_object;
struct top_model;

/* A line of a stream, with the rows in their order. */
struct json_object *top_to_json(const struct top_model *top, int has_pages);

#endif
