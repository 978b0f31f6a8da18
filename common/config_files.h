/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the configuration is: wtrackd.conf, its drop-ins, and watches.d. */
#ifndef COMMON_CONFIG_FILES_H
#define COMMON_CONFIG_FILES_H

#include "ini.h"

/* /etc/wtrackd, /run/wtrackd and the like, in the order of precedence. */
extern const char *const config_dirs[];

/* The same directories with a folder in them, for watches.d; strv_free(). */
char **config_subdirs(const char *const *dirs, const char *name);

/*
 * The files below each of dirs: first the main file that the first of them has,
 * then drop-ins. dirs ends with NULL; NULL stands for the usual ones.
 */
int config_read(const struct ini_reader *reader, const char *const *dirs);

#endif
