/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The account of everything as OpenMetrics text. */
#ifndef WTRACKD_METRICS_H
#define WTRACKD_METRICS_H

struct manager;

#include <stdbool.h>

/* For Manager.GetMetrics(); *ret is allocated. Counters as of viewer.h. */
int metrics_text(struct manager *m, bool fresh, char **ret);

#endif
