/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wtrackd.conf and its drop-ins. */
#ifndef WTRACKD_CONFIG_H
#define WTRACKD_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "ini.h"

/* As the module has them: wtrack_get_info() may not be there to ask. */
#define CONFIG_MAX_BUDGET	UINT16_MAX
#define CONFIG_MAX_PERIOD_MS	4000

struct config {
	/* [Policy] */
	char *group;			/* "" for none */
	char *watch_user;		/* likewise */
	/* WTRACK_RIGHT_*: of a session on somebody else's VM */
	uint64_t others_rights;
	/* [Limits]: of what an unprivileged user opens through us */
	uint64_t user_sessions;
	uint64_t user_pages;
	uint64_t user_ring_bytes;
	uint64_t session_pages;
	uint64_t session_ring_bytes;
	/* [Guard]: 0 for no budget */
	uint32_t budget;
	uint32_t budget_period_ms;
};

/* The defaults; the names are allocated. */
int config_init(struct config *config);
void config_done(struct config *config);

/*
 * Defaults, then the files below each of dirs (first the main file that the
 * first of them has, then drop-ins). dirs ends with NULL; NULL stands for the
 * usual ones. A *config that was initialised is replaced when it succeeds.
 */
int config_load(struct config *config, const char *const *dirs,
		ini_report_fn report, void *userdata);

#endif
