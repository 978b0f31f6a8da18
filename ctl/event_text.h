/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as lines, and as JSON. */
#ifndef CTL_EVENT_TEXT_H
#define CTL_EVENT_TEXT_H

#include <stdint.h>
#include <stdio.h>

struct event;
struct json_object;

void event_print_heading(FILE *to);
/* One line. @start_ns: of the stream. */
void event_print(FILE *to, const struct event *event, uint64_t start_ns);
/* The data of a write below its line, as bytes and as characters. */
void event_print_hexdump(FILE *to, const struct event *event);

/* With schema and type. */
struct json_object *event_to_json(const struct event *event);

#endif
