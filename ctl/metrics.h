/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon and its objects count, for a monitoring system. */
#ifndef CTL_METRICS_H
#define CTL_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "model.h"

/* Requests that the daemon has refused by one rule. */
struct metrics_refusal {
	const char *rule;
	uint64_t count;
};

/**
 * struct metrics - what the samples are taken from
 * @model: VMs, sessions, watches
 * @version: the daemon's
 * @module_loaded: as the daemon sees it
 * @refusals: one for each rule
 * @nr_refusals: how many
 * @per_session: with samples of each session
 */
struct metrics {
	const struct model *model;
	const char *version;
	bool module_loaded;
	const struct metrics_refusal *refusals;
	size_t nr_refusals;
	bool per_session;
};

/*
 * Writes the text format of Prometheus, version 0.0.4, with the HELP and TYPE of
 * each metric if @legend. Errors are the stream's.
 */
void metrics_write(FILE *out, const struct metrics *metrics, bool legend);

/* An array of {"name", "type", "labels": {}, "value"}. */
struct json_object *metrics_to_json(const struct metrics *metrics);

#endif
