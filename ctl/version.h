/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CTL_VERSION_H
#define CTL_VERSION_H

#include <stddef.h>
#include <stdint.h>

#include "ctl.h"

struct json_object;

/* Names of WTRACK_FEAT_* bits, an array. */
struct json_object *version_features(uint64_t bits);
/* The same for people, into @buf. */
const char *version_names(uint64_t bits, char *buf, size_t size);
/* Which of them a module with these does not have. */
uint64_t version_lacks(uint64_t bits);

/* 0 and a string to free, -ESRCH when no daemon runs, or another errno. */
int version_of_daemon(struct ctl *ctl, char **ret);

#endif
