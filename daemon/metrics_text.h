/* SPDX-License-Identifier: GPL-2.0-or-later */
/* OpenMetrics 1.0 text of what metrics.c has gathered. */
#ifndef WTRACKD_METRICS_TEXT_H
#define WTRACKD_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define METRICS_KINDS	3

struct metrics_vm {
	pid_t pid;
	int fd;
	const char *name;
	uint64_t sessions;
	uint64_t pages;
	uint64_t memory_bytes;
};

struct metrics_session {
	uint64_t id;
	pid_t vm_pid;
	const char *vm_name;
	uid_t uid;
	uint64_t pages;
	uint64_t events;
	uint64_t merged;
	uint64_t overflows;
	uint64_t resync_writes;
	uint64_t disarms;
	uint64_t over_budget;
	uint64_t rearms;
	uint64_t unreported;
	uint64_t unread;
	uint64_t records;
	uint64_t memory_bytes;
};

struct metrics_count {
	const char *label;	/* value of the family's only label */
	uint64_t value;
	uint64_t suppressed;	/* of watches */
};

struct metrics {
	const char *version;
	bool module_loaded;
	uint64_t nr_all_vms;
	/* Per kind: direct, client, watch. */
	struct metrics_count kinds[METRICS_KINDS];
	const struct metrics_vm *vms;
	size_t nr_vms;
	const struct metrics_session *sessions;
	size_t nr_sessions;
	const struct metrics_count *watches;
	size_t nr_watches;
	const struct metrics_count *refusals;
	size_t nr_refusals;
};

/* Errors are the stream's. */
void metrics_write(FILE *out, const struct metrics *metrics);

#endif
