/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The account of everything as OpenMetrics text. */
#ifndef WTRACKD_METRICS_H
#define WTRACKD_METRICS_H

struct manager;

/* For Manager.GetMetrics(); *ret is allocated. */
int metrics_text(struct manager *m, char **ret);

#endif
