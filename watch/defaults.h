/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What wtrackd.conf says to the watches. */
#ifndef WATCH_DEFAULTS_H
#define WATCH_DEFAULTS_H

#include <stdint.h>

#include "ini.h"

/* As the module has them. */
#define DEFAULTS_MAX_BUDGET	UINT16_MAX
#define DEFAULTS_MAX_PERIOD_MS	4000
/* A year: far from where sums of times wrap. */
#define DEFAULTS_MAX_INTERVAL_USEC	(UINT64_C(365) * 24 * 3600 * 1000000)

struct defaults {
	/* [Watches] */
	uint64_t rate_limit_interval_usec;
	uint32_t rate_limit_burst;
	uint32_t ring_records;
	/* [Guard]: 0 for no budget */
	uint32_t budget;
	uint32_t budget_period_ms;
};

void defaults_init(struct defaults *defaults);

/*
 * Reads wtrackd.conf and its drop-ins below @dirs, as config_files.h has it. Only
 * these sections are looked at: wtrackd reports what is wrong with the others, and
 * with [Guard]. *defaults is replaced when it succeeds.
 */
int defaults_load(struct defaults *defaults, const char *const *dirs,
		  ini_report_fn report, void *userdata);

#endif
