/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WATCH_LOG_INTERNAL_H
#define WATCH_LOG_INTERNAL_H

#include "watch_log.h"

/* What all entries have. */
void watch_log_begin(struct journal_entry *entry,
		     const struct watch_origin *origin, int priority,
		     const char *id, const char *text);

#endif
