/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CTL_METRICS_JSON_H
#define CTL_METRICS_JSON_H

struct json_object;

/*
 * An array of {"name", "type", "labels": {}, "value"} of OpenMetrics text, or
 * NULL when it is none.
 */
struct json_object *metrics_to_json(const char *text);

#endif
