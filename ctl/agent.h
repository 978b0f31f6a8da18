/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asks for the password that polkit wants, where there is no desktop to do so:
 * pkttyagent(1), while it is needed.
 */
#ifndef CTL_AGENT_H
#define CTL_AGENT_H

#include <sys/types.h>

/*
 * Only for somebody on a terminal whom polkit could ask, and only if the
 * program is there. The process, or 0; for agent_stop().
 */
pid_t agent_start(void);
void agent_stop(pid_t pid);

#endif
