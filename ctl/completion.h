/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scripts that complete command lines, from the table of commands. */
#ifndef CTL_COMPLETION_H
#define CTL_COMPLETION_H

void completion_bash(void);
void completion_zsh(void);

#endif
