/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files in watches.d: which writes of which VMs the administrator wants. */
#ifndef WATCH_CONFIG_H
#define WATCH_CONFIG_H

#include "defaults.h"
#include "ini.h"
#include "ranges.h"
#include "watch_match.h"

/* What is left for it in the name of a stored descriptor: see fdstore.h. */
#define WATCH_MAX_PLAIN	"217"

/* Shared by reference, and not changed once it was read. */
struct watch_config {
	unsigned int refs;	/* atomic */
	char *name;		/* of the file, without .conf */
	bool unreadable;	/* that is all that is known of it */
	char *path;
	char *description;	/* "" without one */
	struct watch_match match;
	struct ranges ranges;
	uint64_t rate_limit_interval_usec;
	uint32_t rate_limit_burst;
	uint32_t ring_records;
	/* Both 0 for no budget. */
	uint32_t budget;
	uint32_t budget_period_ms;
};

/*
 * What the files in @dirs say, in the order of their names, with @defaults. A
 * file that makes no watch is reported and left out; of one that cannot be read
 * there is the name, so that a watch which there is already goes on. 0, -ENOMEM,
 * or why a folder cannot be read.
 */
int watch_configs_load(const char *const *dirs, const struct defaults *defaults,
		       ini_report_fn report, void *userdata,
		       struct watch_config ***ret, size_t *ret_nr);
void watch_configs_free(struct watch_config **configs, size_t nr);

/* -EINVAL when the file makes no watch, or was not read; that was reported. */
int watch_config_read(const char *path, const struct defaults *defaults,
		      ini_report_fn report, void *userdata,
		      struct watch_config **ret);
struct watch_config *watch_config_ref(struct watch_config *config);
void watch_config_unref(struct watch_config *config);

/*
 * One key, an empty value takes back what was given before. 0, -ENOMEM,
 * -ENOENT when there is no such key, -EINVAL, -ERANGE or -ESRCH when the value
 * makes no sense: nothing is changed then.
 */
int watch_config_set(struct watch_config *config, const char *section,
		     const char *key, const char *value);

bool watch_config_equal(const struct watch_config *a,
			const struct watch_config *b);
/* Can a session for one go on for the other, whatever the ranges are? */
bool watch_config_same_ring(const struct watch_config *a,
			    const struct watch_config *b);

#endif
