/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What --help and --version print, for any command. */
#ifndef CTL_HELP_H
#define CTL_HELP_H

#include "ctl.h"

/* Of a command, or with NULL of the tool. Returns the exit code. */
int help_show(struct ctl *ctl, const struct command *command);
int version_show(struct ctl *ctl);

#endif
