/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wtrack-metrics: what wtrackd says. */
#ifndef WTRACKD_METRICS_FETCH_H
#define WTRACKD_METRICS_FETCH_H

/* A copy of the daemon's text; waits for it, five seconds at most. */
int metrics_fetch(char **ret);

#endif
